// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what unpin_user_pages() and the other functions that release pins
 * do if they get an errno in place of a count, or NULL in place of a page.
 *
 * A kernel that gets one of these wrong does not survive it.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "gup_release.h"

/* Older kernels take NULL nowhere. */
#ifndef GUP_UNPIN_SKIPS_NULL
#define GUP_UNPIN_SKIPS_NULL		true
#endif

static void refuses_an_errno_in_place_of_a_count(struct kunit *test)
{
	struct page *pages[GUP_MAX_UNPIN];
	const struct gup_unpin *u;
	struct gup_file *file;
	unsigned int i;

	file = gup_pin_file(test, 0, 1, pages);
	for (i = 1; i < GUP_MAX_UNPIN; i++)
		pages[i] = ERR_PTR(-EFAULT);
	gup_for_each_unpin(u) {
		if (!u->array)
			continue;
		kunit_warning_suppress(test) {
			u->unpin(pages, (unsigned long)-EFAULT);
			gup_expect_warnings(test, 1);
		}
		gup_expect_pins(test, file, 0, 1, u->name);
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
				    "times that -EFAULT pages were marked dirty by %s",
				    u->name);
	}
	unpin_user_page(pages[0]);
}

static void a_folio_takes_no_errno_for_a_count(struct kunit *test)
{
#if GUP_HAS_UNPIN_FOLIO
	struct page *pages[NR];
	struct gup_file *file = gup_pin_file(test, ORDER, 1, pages);
	struct folio *folio = page_folio(pages[0]);
	struct gup_counts before = gup_read_counts(pages[0]), after;
	int pins;

	kunit_warning_suppress(test) {
		unpin_user_folio(folio, (unsigned long)-EFAULT);
		gup_expect_warnings(test, 1);
	}
	after = gup_read_counts(pages[0]);
	pins = gup_pincount(pages[0]);
	/* Whatever it has become, put it right before it is released. */
	page_ref_add(pages[0], before.refs - after.refs);
	atomic_set(gup_pincount_ptr(folio), NR);

	KUNIT_EXPECT_EQ_MSG(test, pins, NR,
			    "pincount after unpin_user_folio() of -EFAULT pages");
	gup_expect_counts(test, &before, &after, 0, (struct gup_pin_counters){},
			  "unpin_user_folio() of -EFAULT pages");
	unpin_user_pages(pages, NR);
	gup_expect_pins(test, file, 0, 0, "all of that");
#else
	kunit_skip(test, "not applicable: there is no unpin_user_folio()");
#endif
}

static void a_range_takes_no_errno_for_a_count(struct kunit *test)
{
#if GUP_HAS_UNPIN_RANGE
	struct page *pages[NR];
	struct gup_file *file = gup_pin_file(test, ORDER, 1, pages);
	unsigned int dirty;

	for (dirty = 0; dirty < 2; dirty++) {
		kunit_warning_suppress(test) {
			unpin_user_page_range_dirty_lock(pages[0],
							 (unsigned long)-EFAULT,
							 dirty);
			gup_expect_warnings(test, 1);
		}
		gup_expect_pins(test, file, 0, NR, "a range of -EFAULT pages");
	}
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
			    "times that a range of -EFAULT pages was marked dirty");
	unpin_user_pages(pages, NR);
#else
	kunit_skip(test, "not applicable: there is no unpin_user_page_range_dirty_lock()");
#endif
}

/*
 * Release an array of two pages and NULL at a certain place:
 * [NULL] [a] [b], [a] [NULL] [b] or [a] [b] [NULL]; and the same with a head
 * and a tail of one compound page.
 */
static void expect_null_skipped(struct kunit *test, unsigned int place)
{
	struct page *pages[NR], *holed[3];
	const struct gup_unpin *u;
	struct gup_file *file;
	unsigned int order, i;

	for (order = 0; order <= ORDER; order += ORDER) {
		gup_for_each_unpin(u) {
			if (!u->array)
				continue;
			file = gup_pin_file(test, order, order ? 1 : 2, pages);
			for (i = 0; i < 3; i++)
				holed[i] = i == place ? NULL
						      : pages[i - (i > place)];
			u->unpin(holed, 3);

			gup_expect_pins(test, file, 0, order ? NR - 2 : 0, u->name);
			if (order)
				unpin_user_pages(pages + 2, NR - 2);
			else
				gup_expect_pins(test, file, 1, 0, u->name);
		}
	}
}

static void skips_null_in_the_middle(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "not applicable: unpin_user_pages() does not take NULL");
	expect_null_skipped(test, 1);
}

static void skips_null_in_last_place(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "not applicable: unpin_user_pages() does not take NULL");
	expect_null_skipped(test, 2);
}

static void skips_null_in_first_place(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "not applicable: unpin_user_pages() does not take NULL");
	expect_null_skipped(test, 0);
}

static void skips_null_if_there_is_nothing_else(struct kunit *test)
{
	struct gup_pin_counters before, after;
	struct page *nulls[2] = { NULL, NULL };
	const struct gup_unpin *u;

	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "not applicable: unpin_user_pages() does not take NULL");
	gup_for_each_unpin(u) {
		if (!u->array)
			continue;
		before = gup_read_pin_counters();
		u->unpin(nulls, 2);
		after = gup_read_pin_counters();

		KUNIT_EXPECT_EQ_MSG(test, after.released, before.released,
				    "NR_FOLL_PIN_RELEASED after %s of nothing but NULL",
				    u->name);
	}
}

static struct kunit_case gup_release_bad_cases[] = {
	KUNIT_CASE(a_folio_takes_no_errno_for_a_count),
	KUNIT_CASE(refuses_an_errno_in_place_of_a_count),
	KUNIT_CASE(a_range_takes_no_errno_for_a_count),
	KUNIT_CASE(skips_null_in_the_middle),
	KUNIT_CASE(skips_null_in_last_place),
	KUNIT_CASE(skips_null_in_first_place),
	KUNIT_CASE(skips_null_if_there_is_nothing_else),
	{}
};

static struct kunit_suite gup_release_bad_suite = {
	.name = "gup_release_bad",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_release_bad_cases,
};

kunit_test_suite(gup_release_bad_suite);

MODULE_DESCRIPTION("KUnit tests of releases that get an errno or NULL");
MODULE_LICENSE("GPL");
