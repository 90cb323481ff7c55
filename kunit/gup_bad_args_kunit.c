// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what get_user_pages*() and pin_user_pages*() refuse. Whoever
 * passes that has a bug, so there is a warning; and as nothing was pinned, they
 * return an errno. A caller who is told 0 in its place may well ask again, or
 * take it for success.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "gup_fixture.h"

/* Older kernels dereference the array. */
#ifndef GUP_PIN_REFUSES_NULL
#define GUP_PIN_REFUSES_NULL	true
#endif

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
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
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

static struct kunit_case gup_bad_args_cases[] = {
	KUNIT_CASE(einval_if_a_get_is_for_long),
	KUNIT_CASE(einval_if_a_pin_is_to_be_a_get_too),
	KUNIT_CASE(einval_if_a_pin_has_no_array),
	{}
};

static struct kunit_suite gup_bad_args_suite = {
	.name = "gup_bad_args",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_bad_args_cases,
};

kunit_test_suite(gup_bad_args_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of what get_user_pages() refuses");
MODULE_LICENSE("GPL");
