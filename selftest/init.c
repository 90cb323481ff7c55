// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of the machine in which gup selftest runs: runs each line of /runs
 * as a command, says how it ended, and switches the machine off.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS	16

/* Returns what waitpid() says, or -1. */
static int run(char *line)
{
	char *words[MAX_WORDS + 1] = { strtok(line, " ") };
	int status = -1, nr;
	pid_t pid;

	for (nr = 1; nr < MAX_WORDS && words[nr - 1]; nr++)
		words[nr] = strtok(NULL, " ");
	pid = fork();
	if (!pid) {
		execv(words[0], words);
		perror(words[0]);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}

int main(void)
{
	char line[256], copy[256];
	FILE *runs = fopen("/runs", "r");
	int status;

	setvbuf(stdout, NULL, _IONBF, 0);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		perror("selftest: mount");

	while (runs && fgets(line, sizeof(line), runs)) {
		line[strcspn(line, "\n")] = '\0';
		strcpy(copy, line);
		status = run(copy);
		printf("\nselftest: '%s' ended with %d\n", line,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	}
	printf("selftest: end\n");
	return reboot(RB_AUTOBOOT);
}
