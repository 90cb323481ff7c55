// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what unpin_user_page() and the other functions that release pins
 * do with pages which do not have that many.
 */
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "gup_release.h"

/* Whether releases can bring a refcount back that has overflowed */
#ifndef GUP_OVERFLOW_IS_RELEASED
#define GUP_OVERFLOW_IS_RELEASED	true
#endif

/* Release pages of @head that have fewer pins than that: a report, no change */
static void expect_refused(struct kunit *test, const struct gup_unpin *u,
			   struct page *head, struct page **pages,
			   unsigned long nr)
{
	int refs = page_ref_count(head), refs_after, pins = 0, pins_after = 0;
	struct gup_pin_counters before, after;

	if (PageCompound(head))
		pins = gup_pincount(head);
	before = gup_read_pin_counters();
	kunit_warning_suppress(test) {
		u->unpin(pages, nr);
		gup_expect_warnings(test, 1);
	}
	after = gup_read_pin_counters();

	/* Whatever has become of the page, put it right before it is freed. */
	refs_after = page_ref_count(head);
	page_ref_add(head, refs - refs_after);
	if (PageCompound(head))
		pins_after = atomic_xchg(gup_pincount_ptr(page_folio(head)),
					 pins);

	KUNIT_EXPECT_EQ_MSG(test, refs_after, refs,
			    "refcount of a page that is not pinned after %s",
			    u->name);
	KUNIT_EXPECT_EQ_MSG(test, pins_after, pins,
			    "pincount of a page that is not pinned after %s",
			    u->name);
	KUNIT_EXPECT_EQ_MSG(test, after.released, before.released,
			    "NR_FOLL_PIN_RELEASED after %s for a page that is not pinned",
			    u->name);
}

static void a_small_page_without_a_pin_is_reported_each_time_and_left_alone(struct kunit *test)
{
	const struct gup_unpin *u;
	struct page *pages[1];

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	gup_for_each_unpin(u) {
		gup_pin_file(test, 0, 1, pages);
		unpin_user_page(pages[0]);
		expect_refused(test, u, pages[0], pages, 1);
	}
}

/*
 * From here on, one function stands for all where its arguments do not matter: a
 * report has fifty lines, and where it cannot be suppressed, a console that is
 * slow to be read loses what comes behind.
 */
static void a_compound_page_without_a_pin_is_reported_each_time_and_left_alone(struct kunit *test)
{
	const struct gup_unpin *u = gup_next_unpin(gup_unpins);
	unsigned int i;
	struct page *pages[NR];

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	/* pages: [H][t][t][t], of which a tail is released */
	for (i = 0; i < 2; i++) {
		gup_pin_file(test, ORDER, 1, pages);
		unpin_user_pages(pages, NR);
		expect_refused(test, u, pages[0], pages + 1, 1);
	}
}

static void a_page_from_get_user_pages_is_reported_each_time_and_left_alone(struct kunit *test)
{
	const struct gup_unpin *u = gup_next_unpin(gup_unpins);
	struct gup_file *file;
	struct page *page;
	unsigned long addr;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	for (i = 0; i < 2; i++) {
		file = gup_create_file(test, 0, 1);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		gup_get(test, addr, 1, &page);
		expect_refused(test, u, page, &page, 1);
		put_page(page);
	}
}

/* Two releases at a time may get past each other, which leaves it at that. */
static void a_pincount_below_0_is_too_low_as_well(struct kunit *test)
{
	const struct gup_unpin *u = gup_next_unpin(gup_unpins);
	struct page *pages[NR];

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	/* pages: [H][t][t][t] */
	gup_pin_file(test, ORDER, 1, pages);
	unpin_user_pages(pages, NR);
	atomic_set(gup_pincount_ptr(page_folio(pages[0])), -1);
	expect_refused(test, u, pages[0], pages, 1);
	atomic_set(gup_pincount_ptr(page_folio(pages[0])), 0);
}

/* Release a page by two entries [a] [a] that is pinned once */
static void expect_one_at_most(struct kunit *test, const struct gup_unpin *u,
			       unsigned int order)
{
	struct page *pages[NR], *twice[2];
	struct gup_file *file;
	int refs, none;

	file = gup_pin_file(test, order, 1, pages);
	none = gup_refs_unpinned(file);
	unpin_user_pages(pages + 1, (1 << order) - 1);
	twice[0] = pages[0];
	twice[1] = pages[0];
	kunit_warning_suppress(test) {
		u->unpin(twice, 2);
		gup_expect_warnings(test, 1);
	}
	refs = page_ref_count(pages[0]);

	/* Both may have been refused, or just the second. Put it right. */
	if (refs == none + gup_weight(file)) {
		unpin_user_page(pages[0]);
	} else {
		page_ref_add(pages[0], none - refs);
		if (order)
			atomic_set(gup_pincount_ptr(page_folio(pages[0])), 0);
	}
	KUNIT_EXPECT_GE_MSG(test, refs, none,
			    "refcount of a page of order %u that was pinned once and released twice by %s",
			    order, u->name);
	gup_expect_pins(test, file, 0, 0, "all of that");
}

static void a_page_gives_no_more_pins_than_it_has(struct kunit *test)
{
	const struct gup_unpin *u;

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	gup_for_each_unpin(u)
		expect_one_at_most(test, u, 0);
	expect_one_at_most(test, gup_next_unpin(gup_unpins), ORDER);
}

/* Two million pins of a small page make its refcount negative. */
static void an_overflown_refcount_is_not_taken_for_a_missing_pin(struct kunit *test)
{
	const int far = INT_MIN + 4 * (int)GUP_PIN_COUNTING_BIAS;
	const struct gup_unpin *u;
	struct page *pages[1];
	int refs, left;

	if (!GUP_OVERFLOW_IS_RELEASED)
		kunit_skip(test, "not applicable: put_page_refs() has a check of its own");

	kunit_warning_suppress(test) {
		gup_for_each_unpin(u) {
			gup_pin_file(test, 0, 1, pages);
			refs = page_ref_count(pages[0]);
			set_page_count(pages[0], far);
			u->unpin(pages, 1);
			left = page_ref_count(pages[0]);
			set_page_count(pages[0],
				       refs - (int)GUP_PIN_COUNTING_BIAS);

			KUNIT_EXPECT_EQ_MSG(test, left,
					    far - (int)GUP_PIN_COUNTING_BIAS,
					    "refcount, which was %d, after %s",
					    far, u->name);
		}
		gup_expect_warnings(test, 0);
	}
}

static struct kunit_case gup_release_unpinned_cases[] = {
	KUNIT_CASE(a_small_page_without_a_pin_is_reported_each_time_and_left_alone),
	KUNIT_CASE(a_compound_page_without_a_pin_is_reported_each_time_and_left_alone),
	KUNIT_CASE(a_page_from_get_user_pages_is_reported_each_time_and_left_alone),
	KUNIT_CASE(a_pincount_below_0_is_too_low_as_well),
	KUNIT_CASE(a_page_gives_no_more_pins_than_it_has),
	KUNIT_CASE(an_overflown_refcount_is_not_taken_for_a_missing_pin),
	{}
};

static struct kunit_suite gup_release_unpinned_suite = {
	.name = "gup_release_unpinned",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_release_unpinned_cases,
};

kunit_test_suite(gup_release_unpinned_suite);

MODULE_DESCRIPTION("KUnit tests of the release of pages that are not pinned");
MODULE_LICENSE("GPL");
