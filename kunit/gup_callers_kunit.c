// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what callers of get_user_pages*() and pin_user_pages*() tell
 * user space where a page is mapped that has no struct page.
 *
 * -EEXIST is what these callers get. User space has asked for a read, a write or
 * a futex, for which EFAULT says that the memory cannot be used. EEXIST is in no
 * manual page of theirs. fs/direct-io.c and iomap look for -EFAULT, too: that is
 * where they stop with what they have transferred so far.
 */
#include <linux/errno.h>
#include <linux/futex.h>
#include <linux/module.h>
#include <linux/uio.h>

#include "gup_fixture.h"

#define NR_PAGES	2

#ifndef GUP_HAS_EXTRACT_PAGES
#define GUP_HAS_EXTRACT_PAGES	true
#endif

/* Have pages be taken that are there, and no others faulted in */
#ifndef gup_iter_set_nofault
#define GUP_HAS_ITER_NOFAULT	true
#define gup_iter_set_nofault(iter)	((iter)->nofault = true)
#endif

#define skip_without_extract_pages(test)				\
do {									\
	if (!GUP_HAS_EXTRACT_PAGES)					\
		kunit_skip(test, "not applicable: there is no iov_iter_extract_pages()"); \
} while (0)

#define skip_without_futex(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_FUTEX))					\
		kunit_skip(test, "needs CONFIG_FUTEX");			\
} while (0)

/* Map two pages, of which some have no struct page */
static void __user *map_bare(struct kunit *test, unsigned long bare,
			     unsigned long prot)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr;

	file->bare = bare;
	addr = gup_map_file(test, file, prot, MAP_SHARED);
	gup_fault_in(test, addr, NR_PAGES, 0);
	return (void __user *)addr;
}

/**
 * struct iov_call - a function that takes the pages of an iov_iter
 * @function: its name
 * @take: calls it; returns bytes or -errno
 * @release: releases one page that @take returned
 */
struct iov_call {
	const char *function;
	ssize_t (*take)(struct iov_iter *iter, struct page **pages);
	void (*release)(struct page *page);
};

static ssize_t get_pages(struct iov_iter *iter, struct page **pages)
{
	size_t start;

	return iov_iter_get_pages2(iter, pages, NR_PAGES * PAGE_SIZE, NR_PAGES,
				   &start);
}

static ssize_t extract_pages(struct iov_iter *iter, struct page **pages)
{
	size_t start;

	return iov_iter_extract_pages(iter, &pages, NR_PAGES * PAGE_SIZE,
				      NR_PAGES, 0, &start);
}

static const struct iov_call get_call = {
	.take = get_pages, .release = put_page,
	.function = "iov_iter_get_pages2",
};

static const struct iov_call extract_call = {
	.take = extract_pages, .release = unpin_user_page,
	.function = "iov_iter_extract_pages",
};

/* Have a call take both pages, to be written to or to be read from */
static void expect_bytes(struct kunit *test, const struct iov_call *call,
			 unsigned long bare, bool nofault, ssize_t expected)
{
	static const unsigned int directions[] = { ITER_DEST, ITER_SOURCE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		struct page *pages[NR_PAGES + 1];
		struct iovec iov = {
			.iov_base = map_bare(test, bare, PROT_READ | PROT_WRITE),
			.iov_len = NR_PAGES * PAGE_SIZE,
		};
		struct iov_iter iter;
		ssize_t bytes, done;

		gup_poison(pages, NR_PAGES + 1);
		iov_iter_init(&iter, directions[i], &iov, 1, iov.iov_len);
		if (nofault)
			gup_iter_set_nofault(&iter);
		bytes = call->take(&iter, pages);
		for (done = 0; done < bytes; done += PAGE_SIZE)
			call->release(pages[done / PAGE_SIZE]);

		KUNIT_EXPECT_EQ_MSG(test, bytes, expected,
				    "bytes or errno of %s(), direction %u, nofault %d, no struct page at %#lx (bitmap)",
				    call->function, directions[i], nofault, bare);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[done / PAGE_SIZE],
					GUP_POISON,
					"%s() wrote pages[%zd], which is not to be counted",
					call->function, done / PAGE_SIZE);
	}
}

static void iov_iter_get_pages_fails_with_efault(struct kunit *test)
{
	/* none [page] */
	expect_bytes(test, &get_call, BIT(0), false, -EFAULT);
}

static void iov_iter_get_pages_returns_what_is_before(struct kunit *test)
{
	/* [page] none */
	expect_bytes(test, &get_call, BIT(1), false, PAGE_SIZE);
}

static void iov_iter_extract_pages_fails_with_efault(struct kunit *test)
{
	skip_without_extract_pages(test);
	expect_bytes(test, &extract_call, BIT(0), false, -EFAULT);
}

static void iov_iter_extract_pages_returns_what_is_before(struct kunit *test)
{
	skip_without_extract_pages(test);
	expect_bytes(test, &extract_call, BIT(1), false, PAGE_SIZE);
}

/*
 * -EFAULT has such a caller fault the page in and try again, which it would do
 * for ever: the page is there, and it still has no struct page.
 */
static void iov_iter_without_faults_fails_with_eexist(struct kunit *test)
{
	if (!GUP_HAS_ITER_NOFAULT)
		kunit_skip(test, "not applicable: there is no iov_iter::nofault");
	/* none [page] */
	expect_bytes(test, &get_call, BIT(0), true, -EEXIST);
	if (GUP_HAS_EXTRACT_PAGES)
		expect_bytes(test, &extract_call, BIT(0), true, -EEXIST);
}

/* Have futex() look for the page, which it does for a futex that is shared */
static void expect_futex_efault(struct kunit *test, unsigned long prot)
{
	u32 __user *uaddr = map_bare(test, BIT(0), prot);
	long err;

	err = do_futex(uaddr, FUTEX_WAKE, 1, NULL, NULL, 0, 0);
	KUNIT_EXPECT_EQ_MSG(test, err, -(long)EFAULT,
			    "FUTEX_WAKE without struct page, protection %#lx",
			    prot);

	err = do_futex(uaddr, FUTEX_WAIT, 0, NULL, NULL, 0,
		       FUTEX_BITSET_MATCH_ANY);
	KUNIT_EXPECT_EQ_MSG(test, err, -(long)EFAULT,
			    "FUTEX_WAIT without struct page, protection %#lx",
			    prot);
}

static void futex_fails_with_efault(struct kunit *test)
{
	skip_without_futex(test);
	expect_futex_efault(test, PROT_READ | PROT_WRITE);
}

/* futex() tries again to read, if it may not write. */
static void futex_fails_with_efault_in_a_read_only_mapping(struct kunit *test)
{
	skip_without_futex(test);
	expect_futex_efault(test, PROT_READ);
}

static struct kunit_case gup_callers_cases[] = {
	KUNIT_CASE(iov_iter_get_pages_fails_with_efault),
	KUNIT_CASE(iov_iter_get_pages_returns_what_is_before),
	KUNIT_CASE(iov_iter_extract_pages_fails_with_efault),
	KUNIT_CASE(iov_iter_extract_pages_returns_what_is_before),
	KUNIT_CASE(iov_iter_without_faults_fails_with_eexist),
	KUNIT_CASE(futex_fails_with_efault),
	KUNIT_CASE(futex_fails_with_efault_in_a_read_only_mapping),
	{}
};

static struct kunit_suite gup_callers_suite = {
	.name = "gup_callers",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_callers_cases,
};

kunit_test_suite(gup_callers_suite);

MODULE_DESCRIPTION("KUnit tests of what callers of get_user_pages() return");
MODULE_LICENSE("GPL");
