// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of folio_add_pin(), by which a caller who has pinned a page pins
 * it once more. From then on, one pin cannot be told from the other: both weigh
 * the same, are counted alike, and are released by the same functions.
 */
#include <linux/module.h>
#include <linux/pgtable.h>

#include "gup_fixture.h"
#include "gup_hugetlb.h"

/*
 * Orders of the pages. Pins of compound pages have a counter of their own, for
 * which there is no room in one of order 1 on some kernels.
 */
static const unsigned int orders[] = { 0, 1, 2, 4 };

static void pin_one(struct kunit *test, unsigned long addr, struct page *page)
{
	struct page *pages[1] = { GUP_POISON };
	long got = gup_methods[GUP_PIN].acquire(addr, 1, 0, pages);

	KUNIT_ASSERT_EQ_MSG(test, got, 1L, "pages returned by pin_user_pages()");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], page,
				"page returned by pin_user_pages()");
}

/*
 * Map a file of one page of @order, and fault its last small page in. Return
 * that, which is a tail page unless @order is 0, and its address.
 */
static struct page *map_last_of(struct kunit *test, unsigned int order,
				unsigned long *addr)
{
	struct gup_file *file = gup_create_file(test, order, 1);
	unsigned long last = (1UL << order) - 1;

	*addr = gup_map_file(test, file, PROT_READ, MAP_SHARED) +
		last * PAGE_SIZE;
	gup_fault_in(test, *addr, 1, 0);
	return gup_file_page(file, last);
}

static void weighs_as_much_as_a_pin_and_is_counted(struct kunit *test)
{
	struct gup_counts before, pinned, added;
	unsigned long addr;
	struct page *page;
	unsigned int i;

	gup_skip_without_folio_add_pin(test);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		page = map_last_of(test, orders[i], &addr);
		before = gup_read_counts(page);
		pin_one(test, addr, page);
		pinned = gup_read_counts(page);
		folio_add_pin(page_folio(page));
		added = gup_read_counts(page);
		unpin_user_page(page);
		unpin_user_page(page);

		gup_expect_counts(test, &before, &added,
				  2 * (pinned.refs - before.refs),
				  (struct gup_pin_counters){ 2, 0 },
				  "pin_user_pages() and folio_add_pin() of a page of order %u",
				  orders[i]);
	}
}

static void release_one_by_one(struct page *page)
{
	unpin_user_page(page);
	unpin_user_page(page);
}

static void release_as_array(struct page *page)
{
	struct page *pages[] = { page, page };

	unpin_user_pages(pages, ARRAY_SIZE(pages));
}

static void release_as_dirty_array(struct page *page)
{
	struct page *pages[] = { page, page };

	unpin_user_pages_dirty_lock(pages, ARRAY_SIZE(pages), true);
}

static void expect_released(struct kunit *test, void (*release)(struct page *page),
			    const char *when)
{
	struct gup_counts before, after;
	unsigned long addr;
	struct page *page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		page = map_last_of(test, orders[i], &addr);
		before = gup_read_counts(page);
		pin_one(test, addr, page);
		folio_add_pin(page_folio(page));
		release(page);
		after = gup_read_counts(page);

		KUNIT_EXPECT_FALSE_MSG(test, after.pinned,
				       "a page of order %u looks pinned after %s it",
				       orders[i], when);
		gup_expect_counts(test, &before, &after, 0,
				  (struct gup_pin_counters){ 2, 2 },
				  "two pins and %s a page of order %u", when,
				  orders[i]);
	}
}

static void unpin_user_page_releases_either_pin(struct kunit *test)
{
	gup_skip_without_folio_add_pin(test);
	expect_released(test, release_one_by_one, "two unpin_user_page() of");
}

static void unpin_user_pages_releases_both_pins(struct kunit *test)
{
	gup_skip_without_folio_add_pin(test);
	expect_released(test, release_as_array,
			"unpin_user_pages() with two entries of");
}

static void unpin_user_pages_dirty_lock_releases_both_pins(struct kunit *test)
{
	gup_skip_without_folio_add_pin(test);
	expect_released(test, release_as_dirty_array,
			"unpin_user_pages_dirty_lock() with two entries of");
}

static void keeps_a_page_pinned_that_is_released_once(struct kunit *test)
{
	unsigned long addr;
	struct page *page;
	unsigned int i;
	bool pinned;

	gup_skip_without_folio_add_pin(test);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		page = map_last_of(test, orders[i], &addr);
		pin_one(test, addr, page);
		folio_add_pin(page_folio(page));
		unpin_user_page(page);
		pinned = folio_maybe_dma_pinned(page_folio(page));
		unpin_user_page(page);

		KUNIT_EXPECT_TRUE_MSG(test, pinned,
				      "a page of order %u has two pins, is released once, and does not look pinned",
				      orders[i]);
	}
}

static void a_hugetlb_page_has_both_pins(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	unsigned long addr = gup_map_hugetlb(test);
	struct gup_counts before, pinned, added, after;
	struct page *head;

	gup_skip_without_folio_add_pin(test);
	gup_get(test, addr, 1, &head);
	before = gup_read_counts(head);
	pin_one(test, addr + PAGE_SIZE, head + 1);
	pinned = gup_read_counts(head);
	folio_add_pin(page_folio(head));
	added = gup_read_counts(head);
	unpin_user_page(head + 1);
	unpin_user_page(head + 1);
	after = gup_read_counts(head);
	put_page(head);

	gup_expect_counts(test, &before, &added,
			  2 * (pinned.refs - before.refs),
			  (struct gup_pin_counters){ 2, 0 },
			  "two pins of a hugetlb page");
	gup_expect_counts(test, &before, &after, 0,
			  (struct gup_pin_counters){ 2, 2 },
			  "two pins and two releases of a hugetlb page");
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

static void leaves_the_zero_page_alone(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);
	struct page *zero = ZERO_PAGE(addr);
	struct gup_counts before, added, after;

	gup_skip_without_folio_add_pin(test);
	gup_fault_in(test, addr, 1, 0);
	before = gup_read_counts(zero);
	pin_one(test, addr, zero);
	folio_add_pin(page_folio(zero));
	added = gup_read_counts(zero);
	unpin_user_page(zero);
	unpin_user_page(zero);
	after = gup_read_counts(zero);

	gup_expect_counts(test, &before, &added, 0, (struct gup_pin_counters){},
			  "two pins of the zero page");
	gup_expect_counts(test, &before, &after, 0, (struct gup_pin_counters){},
			  "two pins and two releases of the zero page");
}

static struct kunit_case gup_add_pin_cases[] = {
	KUNIT_CASE(weighs_as_much_as_a_pin_and_is_counted),
	KUNIT_CASE(unpin_user_page_releases_either_pin),
	KUNIT_CASE(unpin_user_pages_releases_both_pins),
	KUNIT_CASE(unpin_user_pages_dirty_lock_releases_both_pins),
	KUNIT_CASE(keeps_a_page_pinned_that_is_released_once),
	KUNIT_CASE(a_hugetlb_page_has_both_pins),
	KUNIT_CASE(leaves_the_zero_page_alone),
	{}
};

static struct kunit_suite gup_add_pin_suite = {
	.name = "gup_add_pin",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_add_pin_cases,
};

kunit_test_suite(gup_add_pin_suite);

MODULE_DESCRIPTION("KUnit tests of folio_add_pin()");
MODULE_LICENSE("GPL");
