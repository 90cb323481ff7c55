// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of the machine in which gup rerun runs: has khugepaged look at memory
 * without a pause, runs each KUnit suite of get_user_pages() once for each of its
 * arguments, with huge pages enabled as that says, and switches the machine off.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUITES		"/sys/kernel/debug/kunit"
#define THP		"/sys/kernel/mm/transparent_hugepage/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/* Run all suites, or just the one that a faulty kernel does not survive */
static void run_all(int round, int last)
{
	DIR *dir = opendir(SUITES);
	struct dirent *entry;
	char path[512], line[512];

	while (dir && (entry = readdir(dir))) {
		int is_last = !strcmp(entry->d_name, "gup_release_bad");

		if (strncmp(entry->d_name, "gup_", 4) || is_last != last)
			continue;
		/* In the kernel's log, and so ahead of what the suite says there */
		snprintf(line, sizeof(line), "rerun: %s, round %d\n", entry->d_name, round);
		put("/dev/kmsg", line);
		snprintf(path, sizeof(path), SUITES "/%s/run", entry->d_name);
		put(path, "1");
	}
	if (dir)
		closedir(dir);
	else
		perror(SUITES);
}

int main(int argc, char **argv)
{
	int round;

	mkdir("/sys", 0755);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		perror("rerun: mount");
	put(THP "khugepaged/scan_sleep_millisecs", "0");
	put(THP "khugepaged/alloc_sleep_millisecs", "0");

	for (round = 1; round < argc; round++) {
		put(THP "enabled", argv[round]);
		run_all(round, 0);
		run_all(round, 1);
	}
	put("/dev/kmsg", "rerun: end\n");
	return reboot(RB_AUTOBOOT);
}
