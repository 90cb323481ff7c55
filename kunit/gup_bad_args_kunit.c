// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what get_user_pages*() and pin_user_pages*() refuse. Whoever
 * passes that has a bug, so there is a warning; and as nothing was pinned, they
 * return an errno. A caller who is told 0 in its place may well ask again, or
 * take it for success. A page whose refcount has overflowed is refused, too.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "../internal.h"
#include "gup_fixture.h"

/* Older kernels know only one of the flags that are not for callers. */
#ifndef GUP_REFUSES_INTERNAL_FLAGS
#define GUP_REFUSES_INTERNAL_FLAGS	true
#endif

/* Older kernels do not survive that. */
#ifndef GUP_REFUSES_UNLOCKED
#define GUP_REFUSES_UNLOCKED	true
#endif

/* Flags of later kernels are 0, see gup_compat.h. */
static const unsigned int slow_flags[] = {
	FOLL_DUMP, FOLL_NOWAIT, FOLL_HWPOISON, FOLL_ANON, FOLL_SPLIT_PMD,
	FOLL_INTERRUPTIBLE,
};

static const unsigned int internal_flags[] = {
	FOLL_TOUCH, FOLL_TRIED, FOLL_REMOTE, FOLL_PIN, FOLL_FAST_ONLY,
	FOLL_UNLOCKABLE, FOLL_MADV_POPULATE,
};

/* Have one call warn and return -EINVAL, and take no reference to @page */
static void expect_einval(struct kunit *test, const struct gup_method *m,
			  unsigned long addr, unsigned int gup_flags,
			  struct page **pages, struct page *page)
{
	int refs = page_ref_count(page), refs_after;
	long got = 0;

	gup_forget_warnings();
	kunit_warning_suppress(test) {
		got = m->acquire(addr, 1, gup_flags, pages);
		gup_expect_warnings(test, 1);
	}
	refs_after = page_ref_count(page);
	if (pages)
		gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
			    "%s() with flags %#x and pages %s", m->name,
			    gup_flags, pages ? "[]" : "NULL");
	KUNIT_EXPECT_EQ_MSG(test, refs_after, refs,
			    "refcount of the page that %s() refuses to return",
			    m->name);
}

/* Map a file of one page, and fault it in */
static struct page *map_page(struct kunit *test, unsigned long *addr)
{
	struct gup_file *file = gup_create_file(test, 0, 1);

	*addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	gup_fault_in(test, *addr, 1, 0);
	return file->heads[0];
}

static void einval_if_a_get_is_for_long(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	const struct gup_method *m;
	unsigned long addr;
	struct page *page = map_page(test, &addr);

	gup_for_each_get(m)
		expect_einval(test, m, addr, FOLL_LONGTERM, pages, page);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

static void einval_if_a_pin_is_to_be_a_get_too(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	const struct gup_method *m;
	unsigned long addr;
	struct page *page = map_page(test, &addr);

	gup_for_each_pin(m)
		expect_einval(test, m, addr, FOLL_GET, pages, page);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

static void einval_if_a_pin_has_no_array(struct kunit *test)
{
	const struct gup_method *m;
	unsigned long addr;
	struct page *page;

	if (!GUP_PIN_REFUSES_NULL)
		kunit_skip(test, "not applicable: pin_user_pages() does not refuse NULL");

	page = map_page(test, &addr);
	gup_for_each_pin(m)
		expect_einval(test, m, addr, 0, NULL, page);
}

/* FOLL_PIN is for pin_user_pages*() to set. */
static void einval_if_a_get_is_to_be_a_pin_too(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	const struct gup_method *m;
	unsigned long addr;
	struct page *page = map_page(test, &addr);

	gup_for_each_get(m) {
		/* That is what pin_user_pages_unlocked() calls there. */
		if (!GUP_REFUSES_INTERNAL_FLAGS &&
		    m == &gup_methods[GUP_GET_UNLOCKED])
			continue;
		expect_einval(test, m, addr, FOLL_PIN, pages, page);
	}
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

static void einval_if_a_flag_is_not_for_callers(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	const struct gup_method *m;
	unsigned long addr;
	struct page *page;
	unsigned int i;

	if (!GUP_REFUSES_INTERNAL_FLAGS)
		kunit_skip(test, "not applicable: there are no INTERNAL_GUP_FLAGS");

	page = map_page(test, &addr);
	for (i = 0; i < ARRAY_SIZE(internal_flags); i++)
		gup_for_each(m)
			expect_einval(test, m, addr, internal_flags[i], pages,
				      page);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

static void einval_if_a_fast_call_has_a_flag_of_others(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	unsigned long addr;
	struct page *page = map_page(test, &addr);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slow_flags); i++) {
		if (!slow_flags[i])
			continue;
		expect_einval(test, &gup_methods[GUP_GET_FAST], addr,
			      slow_flags[i], pages, page);
		expect_einval(test, &gup_methods[GUP_PIN_FAST], addr,
			      slow_flags[i], pages, page);
	}
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

/* The memory of a device cannot be unplugged while it is pinned. */
static void einval_if_memory_of_a_device_is_pinned_for_long(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	const struct gup_method *m;
	unsigned long addr;
	struct page *page;

	if (!FOLL_PCI_P2PDMA)
		kunit_skip(test, "not applicable: there is no FOLL_PCI_P2PDMA");

	page = map_page(test, &addr);
	gup_for_each_pin(m)
		expect_einval(test, m, addr, FOLL_LONGTERM | FOLL_PCI_P2PDMA,
			      pages, page);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
}

/* @locked says that the lock is held, which the caller has to see to. */
static void einval_if_locked_is_not_set(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	long got = 0, pinned = 0;
	int locked = 0, refs;
	unsigned long addr;
	struct page *page;

	if (!GUP_REFUSES_UNLOCKED)
		kunit_skip(test, "not applicable: there is no check of locked but a BUG_ON()");

	page = map_page(test, &addr);
	gup_forget_warnings();
	kunit_warning_suppress(test) {
		mmap_read_lock(current->mm);
		got = get_user_pages_remote(current->mm, addr, 1, 0, pages,
					    &locked);
		gup_forget_warnings();
		pinned = pin_user_pages_remote(current->mm, addr, 1, 0, pages,
					       &locked);
		mmap_read_unlock(current->mm);
		gup_expect_warnings(test, 2);
	}
	refs = page_ref_count(page);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
			    "get_user_pages_remote() with *locked at 0");
	KUNIT_EXPECT_EQ_MSG(test, pinned, (long)-EINVAL,
			    "pin_user_pages_remote() with *locked at 0");
	/* One reference of the file, one of the page table */
	KUNIT_EXPECT_EQ_MSG(test, refs, 2,
			    "refcount of the page that they refuse to return");
	KUNIT_EXPECT_EQ_MSG(test, locked, 0, "*locked after it was refused");
}

/*
 * One more reference might be the one after which the count is 0, and the page
 * is freed. [page] [overflowed]
 */
static void enomem_if_the_refcount_has_overflowed(struct kunit *test)
{
	const int far = INT_MIN + 4 * (int)GUP_PIN_COUNTING_BIAS;
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	const struct gup_method *m;

	gup_fault_in(test, addr, 2, 0);
	gup_for_each(m) {
		int refs = page_ref_count(file->heads[1]), left;
		/* GUP-fast warns, and leaves it to the slow path, which does. */
		bool fast = IS_ENABLED(CONFIG_HAVE_GUP_FAST) && gup_is_fast(m);
		struct page *pages[2];
		long got = 0, ahead = 0;

		gup_poison(pages, 2);
		gup_forget_warnings();
		set_page_count(file->heads[1], far);
		kunit_warning_suppress(test) {
			got = m->acquire(addr + PAGE_SIZE, 1, 0, pages);
			gup_expect_warnings(test, fast ? 2 : 1);
			ahead = m->acquire(addr, 2, 0, pages);
		}
		left = page_ref_count(file->heads[1]);
		set_page_count(file->heads[1], refs);
		gup_release(m, pages, ahead);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-ENOMEM,
				    "%s() for a page with refcount %d", m->name,
				    far);
		KUNIT_EXPECT_EQ_MSG(test, ahead, 1L,
				    "pages of %s() ahead of one with refcount %d",
				    m->name, far);
		KUNIT_EXPECT_EQ_MSG(test, left, far,
				    "refcount of the page that %s() refuses to return",
				    m->name);
	}
}

static struct kunit_case gup_bad_args_cases[] = {
	KUNIT_CASE(einval_if_a_get_is_for_long),
	KUNIT_CASE(einval_if_a_pin_is_to_be_a_get_too),
	KUNIT_CASE(einval_if_a_pin_has_no_array),
	KUNIT_CASE(einval_if_a_get_is_to_be_a_pin_too),
	KUNIT_CASE(einval_if_a_flag_is_not_for_callers),
	KUNIT_CASE(einval_if_a_fast_call_has_a_flag_of_others),
	KUNIT_CASE(einval_if_memory_of_a_device_is_pinned_for_long),
	KUNIT_CASE(einval_if_locked_is_not_set),
	KUNIT_CASE(enomem_if_the_refcount_has_overflowed),
	{}
};

static struct kunit_suite gup_bad_args_suite = {
	.name = "gup_bad_args",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_bad_args_cases,
};

kunit_test_suite(gup_bad_args_suite);

MODULE_DESCRIPTION("KUnit tests of what get_user_pages() refuses");
MODULE_LICENSE("GPL");
