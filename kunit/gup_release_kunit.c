// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of unpin_user_page() and the other functions that release what
 * pin_user_pages*() pinned: which pins they give back, and which pages they mark
 * dirty.
 */
#include <linux/mm.h>
#include <linux/module.h>

#include "../internal.h"
#include "gup_device.h"
#include "gup_hugetlb.h"
#include "gup_release.h"

/* Have another page in a file in place of one, with the reference to it */
static void __maybe_unused replace_page(struct gup_file *file, unsigned int i,
					struct page *head)
{
	gup_file_forget(file, i);
	page_folio(head)->mapping = &file->mapping;
	page_folio(head)->index = (pgoff_t)i << file->order;
	file->heads[i] = head;
}

static void each_gives_back_one_pin_per_entry(struct kunit *test)
{
	struct gup_pin_counters before, after;
	const struct gup_unpin *u;
	struct page *pages[3];
	struct gup_file *file;
	unsigned int i;

	/* pages: [a] [b] [c] */
	gup_for_each_unpin(u) {
		file = gup_pin_file(test, 0, 3, pages);
		before = gup_read_pin_counters();
		u->unpin(pages, 3);
		after = gup_read_pin_counters();

		for (i = 0; i < 3; i++)
			gup_expect_pins(test, file, i, 0, u->name);
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 3L,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    u->name);
	}
}

static void needs_no_array_for_no_pages(struct kunit *test)
{
	const struct gup_unpin *u;

	/* Whoever looks at the array dies here. */
	gup_for_each_unpin(u)
		u->unpin(NULL, 0);
}

static void no_pages_of_a_range_are_none(struct kunit *test)
{
#if GUP_HAS_UNPIN_RANGE
	struct page *pages[NR];
	struct gup_file *file = gup_pin_file(test, ORDER, 1, pages);

	unpin_user_page_range_dirty_lock(pages[0], 0, true);

	gup_expect_pins(test, file, 0, NR,
			"unpin_user_page_range_dirty_lock() of 0 pages");
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
			    "times that 0 pages were marked dirty");
	unpin_user_pages(pages, NR);
#else
	kunit_skip(test, "not applicable: there is no unpin_user_page_range_dirty_lock()");
#endif
}

static void no_pages_of_a_folio_are_none(struct kunit *test)
{
#if GUP_HAS_UNPIN_FOLIO
	struct page *pages[NR];
	struct gup_file *file = gup_pin_file(test, ORDER, 1, pages);

	unpin_user_folio(page_folio(pages[0]), 0);

	gup_expect_pins(test, file, 0, NR, "unpin_user_folio() of 0 pages");
	unpin_user_pages(pages, NR);
#else
	kunit_skip(test, "not applicable: there is no unpin_user_folio()");
#endif
}

static void leaves_other_entries_alone(struct kunit *test)
{
	const struct gup_unpin *u;
	struct page *pages[3];
	struct gup_file *file;

	/* pages: [a] [b] [c], of which the first two are released */
	gup_for_each_unpin(u) {
		file = gup_pin_file(test, 0, 3, pages);
		u->unpin(pages, 2);

		gup_expect_pins(test, file, 0, 0, u->name);
		gup_expect_pins(test, file, 1, 0, u->name);
		gup_expect_pins(test, file, 2, 1, u->name);
		unpin_user_page(pages[2]);
	}
}

static void releases_a_repeated_page_once_per_entry(struct kunit *test)
{
	struct page *pages[2], *repeated[5];
	const struct gup_unpin *u;
	struct gup_file *file;
	unsigned long addr;

	gup_for_each_unpin(u) {
		file = gup_create_file(test, 0, 2);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		/* [a] [a] [b] [a] [b]: side by side, and apart */
		gup_pin(test, addr, 2, pages);
		repeated[0] = pages[0];
		repeated[1] = pages[0];
		repeated[2] = pages[1];
		gup_pin(test, addr, 2, &repeated[3]);
		gup_pin(test, addr, 1, pages);
		u->unpin(repeated, 5);

		gup_expect_pins(test, file, 0, 0, u->name);
		gup_expect_pins(test, file, 1, 0, u->name);
	}
}

static void releases_each_page_of_compound_pages(struct kunit *test)
{
	struct page *pages[2 * NR];
	const struct gup_unpin *u;
	struct gup_file *file;

	/* pages: [H][t][t][t] [H][t][t][t], all but the first and the last */
	gup_for_each_unpin(u) {
		file = gup_pin_file(test, ORDER, 2, pages);
		u->unpin(pages + 1, 2 * NR - 2);

		gup_expect_pins(test, file, 0, 1, u->name);
		gup_expect_pins(test, file, 1, 1, u->name);
		unpin_user_page(pages[0]);
		unpin_user_page(pages[2 * NR - 1]);
	}
}

#if GUP_HAS_UNPIN_RANGE
/* Have two compound pages in a file that are side by side in memory */
static void have_neighbours(struct kunit *test, struct gup_file *file)
{
	struct page *first = alloc_pages(GFP_KERNEL | __GFP_ZERO, ORDER + 1);

	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, first,
					 "no memory for a page of order %d",
					 ORDER + 1);
	set_page_count(first + NR, 1);
	prep_compound_page(first, ORDER);
	prep_compound_page(first + NR, ORDER);
	replace_page(file, 0, first);
	replace_page(file, 1, first + NR);
}
#endif

/*
 * Two compound pages that are side by side in memory, and a range over both::
 *
 *	[H][t][t][t][H][t][t][t]
 *	    -----------------
 */
static void a_range_goes_over_several_compound_pages(struct kunit *test)
{
#if GUP_HAS_UNPIN_RANGE
	struct gup_file *file = gup_create_file(test, ORDER, 2);
	struct page *pages[2 * NR];
	unsigned long addr;
	unsigned int dirty, i;

	have_neighbours(test, file);
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	gup_fault_in(test, addr, 2 * NR, 0);
	for (dirty = 0; dirty < 2; dirty++) {
		gup_pin(test, addr, 2 * NR, pages);
		unpin_user_page_range_dirty_lock(pages[1], 2 * NR - 2, dirty);

		for (i = 0; i < 2; i++)
			gup_expect_pins(test, file, i, 1,
					"a range over two compound pages");
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 2 * dirty,
				    "times that a range over 2 compound pages marked one dirty, with make_dirty %u",
				    dirty);
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied_locked, 2 * dirty,
				    "times that it held the lock of the page for it");
		unpin_user_page(pages[0]);
		unpin_user_page(pages[2 * NR - 1]);
	}
#else
	kunit_skip(test, "not applicable: there is no unpin_user_page_range_dirty_lock()");
#endif
}

/*
 * Pin and release three tails of a huge page, which is mapped at @addr:
 * [H][t][t][t] ...
 *     -------
 */
static void expect_tails_released(struct kunit *test, unsigned long addr,
				  const char *what)
{
	struct page *head, *pages[3];
	const struct gup_unpin *u;
	int refs;

	gup_get(test, addr, 1, &head);
	gup_for_each_unpin(u) {
		refs = page_ref_count(head);
		gup_pin(test, addr + PAGE_SIZE, 3, pages);
		KUNIT_EXPECT_EQ_MSG(test, gup_pincount(head), 3,
				    "pincount of %s before %s", what, u->name);
		u->unpin(pages, 3);

		KUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(pages[0]), head,
					"head of a tail of %s", what);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(head), refs,
				    "refcount of %s after %s", what, u->name);
		KUNIT_EXPECT_EQ_MSG(test, gup_pincount(head), 0,
				    "pincount of %s after %s", what, u->name);
	}
	put_page(head);
}

/* Anonymous pages are looked at more closely when they are released. */
static void releases_tails_of_an_anonymous_huge_page(struct kunit *test)
{
	unsigned long addr;

	gup_skip_without_thp(test);

	addr = gup_map_anon_aligned(test, 1, PROT_READ | PROT_WRITE);
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");
	expect_tails_released(test, addr, "an anonymous huge page");
}

static void releases_tails_of_a_hugetlb_page(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	expect_tails_released(test, gup_map_hugetlb(test), "a hugetlb page");
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

#ifdef CONFIG_ZONE_DEVICE
#define NR_DEVICE_PAGES		3

/* Have pages of a device in place of those of a file, with their references */
static void fill_file(struct gup_file *file, struct gup_device *device)
{
	unsigned int i;

	for (i = 0; i < NR_DEVICE_PAGES; i++)
		replace_page(file, i, gup_device_page(device, i));
}

static void empty_file(struct gup_file *file)
{
	unsigned int i;

	for (i = 0; i < NR_DEVICE_PAGES; i++) {
		/* The device waits until all have the one that they began with. */
		set_page_count(file->heads[i], 2);
		gup_file_forget(file, i);
	}
}
#endif

static void releases_pages_of_a_device(struct kunit *test)
{
#ifdef CONFIG_ZONE_DEVICE
	struct gup_file *file = gup_create_file(test, 0, NR_DEVICE_PAGES);
	struct gup_device *device = gup_plug_device(test, false);
	struct gup_pin_counters before, after;
	struct page *pages[NR_DEVICE_PAGES];
	const struct gup_unpin *u;
	unsigned long addr;
	unsigned int i;

	/* pages: [a] [b] [c] */
	fill_file(file, device);
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	gup_fault_in(test, addr, NR_DEVICE_PAGES, 0);
	gup_for_each_unpin(u) {
		before = gup_read_pin_counters();
		gup_pin(test, addr, NR_DEVICE_PAGES, pages);
		KUNIT_EXPECT_TRUE_MSG(test, is_zone_device_page(pages[0]),
				      "a page that is no device's was pinned");
		for (i = 0; i < NR_DEVICE_PAGES; i++)
			gup_expect_pins(test, file, i, 1, "pin_user_pages()");
		u->unpin(pages, NR_DEVICE_PAGES);
		after = gup_read_pin_counters();

		for (i = 0; i < NR_DEVICE_PAGES; i++)
			gup_expect_pins(test, file, i, 0, u->name);
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
				    (long)NR_DEVICE_PAGES,
				    "pins that NR_FOLL_PIN_ACQUIRED has from pin_user_pages()");
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released,
				    (long)NR_DEVICE_PAGES,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    u->name);
	}
	gup_unmap(test, addr, NR_DEVICE_PAGES);
	empty_file(file);
	gup_unplug_device(test, device, "pins of it were released");
#else
	kunit_skip(test, "needs CONFIG_ZONE_DEVICE");
#endif
}

static void releases_a_mixed_array(struct kunit *test)
{
	struct page *compound[2 * NR], *small[2], *zero[2], *mixed[8];
	struct gup_file *large, *file;
	const struct gup_unpin *u;
	unsigned long addr;
	int refs;

	gup_for_each_unpin(u) {
		large = gup_pin_file(test, ORDER, 2, compound);
		file = gup_pin_file(test, 0, 2, small);
		addr = gup_map_anon(test, 2, PROT_READ);
		refs = page_ref_count(ZERO_PAGE(addr));
		gup_pin(test, addr, 2, zero);
		/* [t][0][a][t][H'][0][b][t'], where ' is the second compound page */
		mixed[0] = compound[1];
		mixed[1] = zero[0];
		mixed[2] = small[0];
		mixed[3] = compound[2];
		mixed[4] = compound[NR];
		mixed[5] = zero[1];
		mixed[6] = small[1];
		mixed[7] = compound[NR + 1];
		u->unpin(mixed, 8);
		ClearPageDirty(zero[0]);

		gup_expect_pins(test, large, 0, NR - 2, u->name);
		gup_expect_pins(test, large, 1, NR - 2, u->name);
		gup_expect_pins(test, file, 0, 0, u->name);
		gup_expect_pins(test, file, 1, 0, u->name);
		gup_unmap(test, addr, 2);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(ZERO_PAGE(addr)), refs,
				    "refcount of the zero page after %s", u->name);
		unpin_user_page(compound[0]);
		unpin_user_page(compound[3]);
		unpin_user_pages(compound + NR + 2, NR - 2);
	}
}

static void dirties_each_clean_page_once_if_asked_to(struct kunit *test)
{
	struct page *pages[2 * NR];
	const struct gup_unpin *u;
	struct gup_file *file;
	unsigned int i;

	/* pages: [H][t][t][t] [H][t][t][t] */
	gup_for_each_unpin(u) {
		file = gup_pin_file(test, ORDER, 2, pages);
		u->unpin(pages, 2 * NR);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, u->dirties ? 2U : 0U,
				    "times that %s marked 2 compound pages dirty",
				    u->name);
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied_locked, file->nr_dirtied,
				    "times that %s held the lock of the page for it",
				    u->name);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_FALSE_MSG(test, PageLocked(file->heads[i]),
					       "page %u is still locked after %s",
					       i, u->name);
	}
}

/* There is one flag for the whole of it, in the head. */
static void dirties_a_hugetlb_page_as_a_whole(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	unsigned long addr = gup_map_hugetlb(test);
	const struct gup_unpin *u;
	struct page *head, *tail;

	gup_get(test, addr, 1, &head);
	gup_for_each_unpin(u) {
		gup_pin(test, addr + PAGE_SIZE, 1, &tail);
		ClearPageDirty(head);
		u->unpin(&tail, 1);

		KUNIT_EXPECT_EQ_MSG(test, (bool)PageDirty(head), u->dirties,
				    "whether a hugetlb page is dirty after %s of its tail",
				    u->name);
		KUNIT_EXPECT_FALSE_MSG(test, PageLocked(head),
				       "a hugetlb page is still locked after %s",
				       u->name);
	}
	put_page(head);
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

static void does_not_dirty_a_dirty_page_again(struct kunit *test)
{
	const struct gup_unpin *u;
	struct page *pages[2];
	struct gup_file *file;

	/* pages: [a] [b], and a is dirty already */
	gup_for_each_unpin(u) {
		if (!u->dirties)
			continue;
		file = gup_pin_file(test, 0, 2, pages);
		SetPageDirty(pages[0]);
		u->unpin(pages, 2);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
				    "times that %s marked a dirty and a clean page dirty",
				    u->name);
		gup_expect_pins(test, file, 0, 0, u->name);
		gup_expect_pins(test, file, 1, 0, u->name);
	}
}

static void dirties_while_it_holds_the_pin(struct kunit *test)
{
	const struct gup_unpin *u;
	struct page *pages[1];
	struct gup_file *file;

	gup_for_each_unpin(u) {
		if (!u->dirties)
			continue;
		file = gup_pin_file(test, 0, 1, pages);
		u->unpin(pages, 1);

		KUNIT_EXPECT_EQ_MSG(test, file->refs_when_dirtied,
				    gup_refs_unpinned(file) + gup_weight(file),
				    "refcount while %s marked the page dirty",
				    u->name);
	}
}

/* Pin pages of a mapping one at a time, which all belong to a page @head */
static void expect_never_dirtied(struct kunit *test, unsigned long addr,
				 struct page *head, const char *what)
{
	const struct gup_unpin *u;
	struct page *page;
	bool dirty;

	ClearPageDirty(head);
	gup_for_each_unpin(u) {
		gup_pin(test, addr, 1, &page);
		u->unpin(&page, 1);
		dirty = PageDirty(head);
		/* It outlives the test. */
		ClearPageDirty(head);

		KUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(page), head,
					"%s is not what was pinned", what);
		KUNIT_EXPECT_FALSE_MSG(test, dirty, "%s marked %s dirty", u->name,
				       what);
	}
}

static void never_dirties_the_zero_page(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);

	expect_never_dirtied(test, addr, ZERO_PAGE(addr), "the zero page");
}

static void never_dirties_the_huge_zero_page(struct kunit *test)
{
	struct page *page, *head;
	unsigned long addr;

	gup_skip_without_thp(test);

	addr = gup_map_anon_aligned(test, 1, PROT_READ) + PAGE_SIZE;
	page = gup_page_at(test, addr);
	head = compound_head(page);
	if (head == page || PageAnon(head))
		kunit_skip(test, "needs use_zero_page of CONFIG_TRANSPARENT_HUGEPAGE");

	expect_never_dirtied(test, addr, head, "the huge zero page");
}

static void the_last_pin_frees_the_page(struct kunit *test)
{
	struct gup_ref_trace *trace;
	const struct gup_unpin *u;
	struct page *pages[NR];
	struct gup_file *file;
	unsigned int order;
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	for (order = 0; order <= ORDER; order += ORDER) {
		gup_for_each_unpin(u) {
			file = gup_create_file(test, order, 1);
			addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
			gup_pin(test, addr, 1 << order, pages);
			/* Nobody has references but the pins. */
			gup_unmap(test, addr, 1 << order);
			gup_file_forget(file, 0);
			trace = gup_trace_refs(test, pages[0]);
			u->unpin(pages, 1 << order);
			gup_trace_refs_end(test);

			KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
					    "times that %s freed a page of order %u",
					    u->name, order);
		}
	}
}

static struct kunit_case gup_release_cases[] = {
	KUNIT_CASE(each_gives_back_one_pin_per_entry),
	KUNIT_CASE(needs_no_array_for_no_pages),
	KUNIT_CASE(no_pages_of_a_range_are_none),
	KUNIT_CASE(no_pages_of_a_folio_are_none),
	KUNIT_CASE(leaves_other_entries_alone),
	KUNIT_CASE(releases_a_repeated_page_once_per_entry),
	KUNIT_CASE(releases_each_page_of_compound_pages),
	KUNIT_CASE(a_range_goes_over_several_compound_pages),
	KUNIT_CASE(releases_tails_of_an_anonymous_huge_page),
	KUNIT_CASE(releases_tails_of_a_hugetlb_page),
	KUNIT_CASE(releases_pages_of_a_device),
	KUNIT_CASE(releases_a_mixed_array),
	KUNIT_CASE(dirties_each_clean_page_once_if_asked_to),
	KUNIT_CASE(dirties_a_hugetlb_page_as_a_whole),
	KUNIT_CASE(does_not_dirty_a_dirty_page_again),
	KUNIT_CASE(dirties_while_it_holds_the_pin),
	KUNIT_CASE(never_dirties_the_zero_page),
	KUNIT_CASE(never_dirties_the_huge_zero_page),
	KUNIT_CASE(the_last_pin_frees_the_page),
	{}
};

static struct kunit_suite gup_release_suite = {
	.name = "gup_release",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_release_cases,
};

kunit_test_suite(gup_release_suite);

MODULE_DESCRIPTION("KUnit tests of the release of pinned pages");
MODULE_LICENSE("GPL");
