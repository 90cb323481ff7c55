// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfd_pin_folios() for large folios of shmem and pages of
 * hugetlbfs, and of folio_add_pins() for parts of a large folio.
 */
#include <linux/hugetlb.h>
#include <linux/hugetlb_cgroup.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/vmstat.h>

#include "gup_hugetlb.h"
#include "gup_memfd.h"

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)

#ifndef GUP_HAS_NR_HUGETLB
#define GUP_HAS_NR_HUGETLB	true
#define GUP_NR_HUGETLB		NR_HUGETLB
#endif

#ifndef gup_isolate_hugetlb
#define gup_isolate_hugetlb	folio_isolate_hugetlb
#define gup_putback_hugetlb	folio_putback_hugetlb
#endif

#ifndef gup_hugetlb_cgroup
#define gup_hugetlb_cgroup	hugetlb_cgroup_from_folio
#endif

/* Expands in the case, which ends here if it cannot run. */
#define skip_without_hugetlb(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_HUGETLBFS))				\
		kunit_skip(test, "needs CONFIG_HUGETLBFS");		\
} while (0)

/*
 * One pin for each page of a compound page, as if each had been pinned by
 * itself, and then pages are released in parts::
 *
 *	[H][t][t][t]	1 pin
 *	[H][t][t][t]	4 pins
 *	[H]		1 pin, after a range of three is released
 */
static void parts_of_a_compound_page_are_released(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct page *pages[1] = { GUP_POISON };
	struct gup_pin_counters before, after;
	struct gup_file *file;
	struct folio *head;
	unsigned long addr;
	int refs, err;
	long got;

	skip_without_folio_add_pins(test);
	file = gup_create_file(test, 2, 1);
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	head = page_folio(file->heads[0]);
	gup_fault_in(test, addr, 1, 0);
	refs = folio_ref_count(head);

	before = gup_read_pin_counters();
	got = m->acquire(addr, 1, 0, pages);
	KUNIT_ASSERT_EQ_MSG(test, got, 1L, "pages returned by %s()", m->name);
	err = folio_add_pins(head, 3);
	KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 3)");
	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 4,
			    "pincount after folio_add_pins(folio, 3)");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs + 4,
			    "refcount after folio_add_pins(folio, 3)");

	unpin_user_page_range_dirty_lock(folio_page(head, 1), 3, false);
	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 1,
			    "pincount after the release of three pages");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs + 1,
			    "refcount after the release of three pages");
	unpin_user_folio(head, 1);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 0,
			    "pincount after the release of all");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs,
			    "refcount after the release of all");
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 4L,
			    "pins that NR_FOLL_PIN_ACQUIRED has of four pages");
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 4L,
			    "pins that NR_FOLL_PIN_RELEASED has of four pages");
}

/* Have a file of large folios only, with nothing in the page cache */
static void create_huge_file(struct kunit *test, unsigned int nr_huge)
{
	char options[] = "huge=always";

	create_file_with(test, nr_huge * PMD_SIZE, options);
}

/* Have one of them in the page cache */
static void have_huge(struct kunit *test, pgoff_t index)
{
	struct page *page = read_page(test, index);

	KUNIT_ASSERT_EQ_MSG(test, (unsigned long)folio_nr_pages(page_folio(page)),
			    (unsigned long)NR_HUGE,
			    "pages of the folio at page %lu", index);
}

static void a_large_folio_is_pinned_once(struct kunit *test)
{
	struct folio **folios, *huge;

	/*
	 * file:  [H][t][t][t][t][t]...
	 * range:           <---->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	have_huge(test, 0);
	huge = page_folio(cached(0));

	folios = pin(test, 3 * PAGE_SIZE + 123, 5 * PAGE_SIZE, 3, 1);

	KUNIT_EXPECT_PTR_EQ_MSG(test, folios[0], huge, "the large folio");
	expect_offset(test, 3 * PAGE_SIZE + 123, 3 * PAGE_SIZE + 123);
	expect_pins(test, huge, 1, "memfd_pin_folios()");
	unpin_all();
	expect_pins(test, huge, 0, "unpin_folios()");

	pin(test, 0, PMD_SIZE - 1, 3, 1);
	expect_offset(test, 0, 0);
	expect_pins(test, huge, 1, "memfd_pin_folios() of the whole of it");
}

static void the_offset_is_into_the_first_large_folio(struct kunit *test)
{
	const loff_t start = PMD_SIZE + 7 * PAGE_SIZE + 123;
	struct folio **folios;

	/*
	 * file:  [H][t]... [H][t]... [ ][ ]... [ ][ ]...
	 * range:              <------------------->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 4);
	have_huge(test, 0);
	have_huge(test, NR_HUGE + 3);

	folios = pin(test, start, 3 * PMD_SIZE, 4, 3);

	expect_offset(test, start, start - PMD_SIZE);
	expect_pages_in_order(test, folios, NR_HUGE, 1);
	expect_pages_in_order(test, folios + 1, 2 * NR_HUGE, 1);
	expect_pages_in_order(test, folios + 2, 3 * NR_HUGE, 1);
	expect_pins(test, page_folio(cached(0)), 0,
		    "memfd_pin_folios() of what is behind it");
	expect_pins(test, folios[0], 1, "memfd_pin_folios()");
	expect_pins(test, folios[1], 1, "memfd_pin_folios() of a hole");
	expect_pins(test, folios[2], 1, "memfd_pin_folios() of a hole");
}

static void a_small_folio_may_follow_a_large_one(struct kunit *test)
{
	char options[] = "huge=within_size";
	struct folio **folios;

	/*
	 * file:  [H][t][t][t]... [a]
	 * range:        <--------->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_file_with(test, PMD_SIZE + PAGE_SIZE, options);
	have_huge(test, 0);

	folios = pin(test, 3 * PAGE_SIZE + 123, PMD_SIZE + 123, 3, 2);

	expect_offset(test, 3 * PAGE_SIZE + 123, 3 * PAGE_SIZE + 123);
	expect_pages_in_order(test, folios, 0, 1);
	expect_pages_in_order(test, folios + 1, NR_HUGE, 1);
	KUNIT_EXPECT_EQ_MSG(test, (long)folio_nr_pages(folios[1]), 1L,
			    "pages of the last folio of the file");
	expect_pins(test, folios[0], 1, "memfd_pin_folios()");
	expect_pins(test, folios[1], 1, "memfd_pin_folios() of a hole");
}

static void pages_of_a_large_folio_are_released_one_by_one(struct kunit *test)
{
	struct folio **folios, *huge;
	unsigned long i;
	int err;

	skip_without_folio_add_pins(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	have_huge(test, 0);
	folios = pin(test, 0, PMD_SIZE - 1, 1, 1);
	huge = folios[0];

	err = folio_add_pins(huge, NR_HUGE - 1);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "folio_add_pins()");
	expect_pins(test, huge, NR_HUGE, "folio_add_pins()");
	unpin_user_page_range_dirty_lock(folio_page(huge, 3), NR_HUGE / 2, true);
	expect_pins(test, huge, NR_HUGE / 2, "the release of half of the pages");
	for (i = 0; i < NR_HUGE / 2 - 1; i++)
		unpin_user_page_range_dirty_lock(folio_page(huge, i), 1, true);
	expect_pins(test, huge, 1, "the release of all pages but one");
	unpin_all();
	expect_pins(test, huge, 0, "the release of all pages");
}

static void clears_a_large_folio_that_was_fallocated(struct kunit *test)
{
	struct folio **folios;
	unsigned long i;
	int err;

	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	err = vfs_fallocate(memfd.filp, 0, 0, PMD_SIZE);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot allocate a large folio");
	KUNIT_ASSERT_FALSE_MSG(test, PageUptodate(cached(0)),
			       "fallocate() has cleared it");
	for (i = 0; i < NR_HUGE; i++)
		fill(cached(0) + i, 0x5a);

	folios = pin(test, 3 * PAGE_SIZE, 3 * PAGE_SIZE, 1, 1);

	for (i = 0; i < folio_nr_pages(folios[0]); i++)
		if (!is_clear(folio_page(folios[0], i)))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned long)NR_HUGE,
			    "first page that is not clear of a large folio that was fallocated");
	KUNIT_EXPECT_TRUE_MSG(test, PageUptodate(folio_page(folios[0], 0)),
			      "a large folio is pinned, and not up to date");
}

#ifdef CONFIG_HUGETLBFS
/* Huge pages of hugetlbfs that are allowed for because of the file of a case */
static unsigned int nr_hugetlb;

/*
 * Have a file of huge pages without a pool, so they are allocated here and now.
 * Of those in ZONE_MOVABLE, memfd_pin_folios() takes none.
 */
static void create_hugetlb_file(struct kunit *test, unsigned int nr)
{
	struct hstate *h = &default_hstate;
	unsigned int flags = memalloc_pin_save();
	struct file *filp;

	h->nr_overcommit_huge_pages += nr;
	nr_hugetlb += nr;
	filp = hugetlb_file_setup("gup_kunit", nr * huge_page_size(h),
				  EMPTY_VMA_FLAGS, HUGETLB_ANONHUGE_INODE, 0);
	memalloc_pin_restore(flags);
	set_file(test, filp);
}

static void forget_hugetlb(void)
{
	default_hstate.nr_overcommit_huge_pages -= nr_hugetlb;
	nr_hugetlb = 0;
}

/* Have the first page of it in the page cache, with a number in it */
static struct page *have_hugetlb_page(struct kunit *test, unsigned long number)
{
	unsigned long addr = gup_map_hugetlb_file(test, memfd.filp);
	struct page *page;

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	page = gup_page_at(test, addr);
	gup_write_number(page, number);
	gup_unmap(test, addr, huge_page_size(&default_hstate) >> PAGE_SHIFT);
	return page;
}

static void expect_hugetlb(struct kunit *test, struct folio *folio,
			   unsigned long number)
{
	unsigned long i;

	KUNIT_EXPECT_TRUE_MSG(test, folio_test_hugetlb(folio),
			      "not a page of hugetlbfs");
	KUNIT_EXPECT_EQ_MSG(test, pincount(folio), 1,
			    "pincount of a page of hugetlbfs");
	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(folio_page(folio, 0)), number,
			    "contents of a page of hugetlbfs");
	for (i = 1; i < folio_nr_pages(folio); i++)
		if (!is_clear(folio_page(folio, i)))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned long)folio_nr_pages(folio),
			    "first page that is not clear of a huge page");
}

static void pin_hugetlb(struct kunit *test)
{
	unsigned long len = huge_page_size(&default_hstate);
	loff_t start = len / 2 + 123;
	struct folio **folios;
	struct page *first;
	int refs;

	/*
	 * file:  [H][t][t][t]... [ ][ ][ ][ ]... [ ][ ][ ][ ]...
	 * range:        <------------------------->
	 */
	create_hugetlb_file(test, 3);
	first = have_hugetlb_page(test, 12345);
	refs = page_ref_count(first);

	folios = pin(test, start, 2 * len, 4, 3);
	expect_offset(test, start, start);
	KUNIT_EXPECT_PTR_EQ_MSG(test, folio_page(folios[0], 0), first,
				"page that is in the page cache");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs + 1,
			    "references to a page that is pinned");
	expect_hugetlb(test, folios[0], 12345);
	expect_hugetlb(test, folios[1], 0);
	expect_hugetlb(test, folios[2], 0);
	unpin_all();
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs,
			    "references to a page that was released");

	/* The last byte of a page, and all of two */
	pin(test, 2 * len - 1, 2 * len - 1, 4, 1);
	expect_offset(test, 2 * len - 1, len - 1);
	pin(test, len, 3 * len - 1, 4, 2);
	expect_offset(test, len, 0);
}

static void give_hugetlb_back(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long huge = h->nr_huge_pages;
	unsigned long resv = h->resv_huge_pages;
	unsigned long len = huge_page_size(h);

	create_hugetlb_file(test, 2);
	pin(test, 0, 2 * len - 1, 2, 2);
	unpin_all();
	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge + 2,
			    "pages of hugetlbfs while there is a file of two");
	close_file();

	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge,
			    "pages of hugetlbfs when the file is gone");
	KUNIT_EXPECT_EQ_MSG(test, h->resv_huge_pages, resv,
			    "pages of hugetlbfs that are reserved when the file is gone");
}

/* There is a page for the first half of the file, and no other. */
static void run_out_of_hugetlb(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long huge = h->nr_huge_pages;
	unsigned long len = huge_page_size(h);
	struct page *first;
	int refs;

	create_hugetlb_file(test, 1);
	first = have_hugetlb_page(test, 12345);
	refs = page_ref_count(first);
	i_size_write(file_inode(memfd.filp), 2 * len);

	expect_error(test, memfd.filp, 0, 2 * len - 1, 2, -ENOMEM);

	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs,
			    "references to a page that could not be pinned");
	close_file();
	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge,
			    "pages of hugetlbfs when the file is gone");
}

/* What keeps it where it is while it is pinned is the pin, and nothing else. */
static void migrate_hugetlb(struct kunit *test)
{
	unsigned long len = huge_page_size(&default_hstate);
	struct folio *folio;
	LIST_HEAD(isolated);
	bool migratable;

	create_hugetlb_file(test, 1);
	folio = *pin(test, 0, len - 1, 1, 1);
	unpin_all();

	migratable = gup_isolate_hugetlb(folio, &isolated);
	if (migratable)
		gup_putback_hugetlb(folio);
	KUNIT_EXPECT_TRUE_MSG(test, migratable,
			      "a page that memfd_pin_folios() allocated cannot be isolated to be migrated");
}

#ifdef CONFIG_CGROUP_HUGETLB
static void charge_hugetlb(struct kunit *test)
{
	unsigned long len = huge_page_size(&default_hstate);
	struct folio *folio;

	create_hugetlb_file(test, 1);
	folio = *pin(test, 0, len - 1, 1, 1);
	KUNIT_EXPECT_NOT_NULL_MSG(test, gup_hugetlb_cgroup(folio),
				  "no cgroup is charged for a page that memfd_pin_folios() allocated");
}
#else
static void charge_hugetlb(struct kunit *test)
{
}
#endif

/* A huge page is more than what a CPU would keep to itself of the counter. */
static long nr_counted(void)
{
	return atomic_long_read(&vm_node_stat[GUP_NR_HUGETLB]);
}

static void count_hugetlb(struct kunit *test)
{
	long nr = pages_per_huge_page(&default_hstate), before = nr_counted();
	unsigned long len = huge_page_size(&default_hstate);

	create_hugetlb_file(test, 2);
	pin(test, 0, 2 * len - 1, 2, 2);
	KUNIT_EXPECT_EQ_MSG(test, nr_counted() - before, 2 * nr,
			    "NR_HUGETLB after memfd_pin_folios() of two huge pages");
	unpin_all();
	close_file();
	KUNIT_EXPECT_EQ_MSG(test, nr_counted() - before, 0L,
			    "NR_HUGETLB when the file is gone");
}
#else
static void forget_hugetlb(void)
{
}

static void pin_hugetlb(struct kunit *test)
{
}

static void give_hugetlb_back(struct kunit *test)
{
}

static void run_out_of_hugetlb(struct kunit *test)
{
}

static void migrate_hugetlb(struct kunit *test)
{
}

static void charge_hugetlb(struct kunit *test)
{
}

static void count_hugetlb(struct kunit *test)
{
}
#endif

static void pins_pages_of_hugetlbfs(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	pin_hugetlb(test);
}

static void a_file_in_hugetlbfs_gives_all_pages_back(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	give_hugetlb_back(test);
}

static void leaves_nothing_behind_if_huge_pages_run_out(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	run_out_of_hugetlb(test);
}

static void a_page_of_hugetlbfs_can_be_migrated_after_release(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	migrate_hugetlb(test);
}

static void a_page_of_hugetlbfs_is_charged(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	if (!IS_ENABLED(CONFIG_CGROUP_HUGETLB))
		kunit_skip(test, "needs CONFIG_CGROUP_HUGETLB");
	charge_hugetlb(test);
}

static void pages_of_hugetlbfs_are_counted(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	if (!GUP_HAS_NR_HUGETLB)
		kunit_skip(test, "not applicable: there is no NR_HUGETLB");
	skip_without_hugetlb(test);
	count_hugetlb(test);
}

static void gup_memfd_large_exit(struct kunit *test)
{
	gup_memfd_exit(test);
	forget_hugetlb();
}

static struct kunit_case gup_memfd_large_cases[] = {
	KUNIT_CASE(parts_of_a_compound_page_are_released),
	KUNIT_CASE(a_large_folio_is_pinned_once),
	KUNIT_CASE(the_offset_is_into_the_first_large_folio),
	KUNIT_CASE(a_small_folio_may_follow_a_large_one),
	KUNIT_CASE(pages_of_a_large_folio_are_released_one_by_one),
	KUNIT_CASE(clears_a_large_folio_that_was_fallocated),
	KUNIT_CASE(pins_pages_of_hugetlbfs),
	KUNIT_CASE(a_file_in_hugetlbfs_gives_all_pages_back),
	KUNIT_CASE(leaves_nothing_behind_if_huge_pages_run_out),
	KUNIT_CASE(a_page_of_hugetlbfs_can_be_migrated_after_release),
	KUNIT_CASE(a_page_of_hugetlbfs_is_charged),
	KUNIT_CASE(pages_of_hugetlbfs_are_counted),
	{}
};

static struct kunit_suite gup_memfd_large_suite = {
	.name = "gup_memfd_large",
	.init = gup_memfd_init,
	.exit = gup_memfd_large_exit,
	.test_cases = gup_memfd_large_cases,
};

kunit_test_suite(gup_memfd_large_suite);

MODULE_DESCRIPTION("KUnit tests of memfd_pin_folios() for large folios");
MODULE_LICENSE("GPL");
