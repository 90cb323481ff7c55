// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked to the kernel's gup_test by --wrap=ioctl. That test writes to its
 * memory before it asks for a pin, so it never has the zero page pinned. Here
 * the memory is given back at the last moment. Then it is as if it had never
 * been written to, and a pin for reading finds the zero page.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mm/gup_test.h>

#define PFN_MASK	((1ULL << 55) - 1)
#define KPF_ZERO_PAGE	24

int __real_ioctl(int fd, unsigned long request, void *arg);

static uint64_t entry(const char *file, uint64_t index)
{
	uint64_t value = 0;
	int fd = open(file, O_RDONLY);

	if (pread(fd, &value, sizeof(value), index * sizeof(value)) < 0)
		perror(file);
	close(fd);
	return value;
}

static int is_zero_page(uint64_t addr)
{
	uint64_t pfn = entry("/proc/self/pagemap", addr / getpagesize()) & PFN_MASK;

	return pfn && entry("/proc/kpageflags", pfn) >> KPF_ZERO_PAGE & 1;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	struct gup_test *gup = arg;
	unsigned int zero = 0;
	uint64_t addr, size, i;
	int status;

	/* What else the test may ask for is none of this. */
	if (_IOC_TYPE(request) != _IOC_TYPE(PIN_BASIC_TEST))
		return __real_ioctl(fd, request, arg);

	addr = gup->addr;
	size = gup->size;
	if (madvise((void *)addr, size, MADV_DONTNEED))
		perror("madvise");
	status = __real_ioctl(fd, request, arg);
	for (i = 0; i < size; i += getpagesize())
		zero += is_zero_page(addr + i);
	printf("\nselftest: the zero page was %u of %u pages\n", zero,
	       (unsigned int)(size / getpagesize()));
	fflush(stdout);
	return status;
}
