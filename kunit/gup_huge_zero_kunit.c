// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of pins of the huge zero page, which is what a PMD maps where
 * memory has only been read.
 *
 * With CONFIG_PERSISTENT_HUGE_ZERO_FOLIO it is never freed. Then pins of it are
 * not counted, just as those of the zero page. Otherwise it is freed when
 * nobody uses it any more, and each pin has to be counted. The tests know what
 * they run on, and hold in both cases.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/stringify.h>

#include "gup_fixture.h"

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)

/* How many small pages of it are pinned, neither the first nor the last */
#define NR_PAGES	3

/* What the pin of one small page adds to the refcount and to the counters */
#define WEIGHT		(IS_ENABLED(CONFIG_PERSISTENT_HUGE_ZERO_FOLIO) ? 0 : 1)

static void expect_counts(struct kunit *test, const struct gup_counts *now,
			  const struct gup_counts *before, long acquired,
			  long released, const char *when, const char *what)
{
	gup_expect_counts(test, before, now, acquired - released,
			  (struct gup_pin_counters){ acquired, released },
			  "the huge zero page %s %s", when, what);
	KUNIT_EXPECT_EQ_MSG(test, now->pinned,
			    (bool)(before->pinned || acquired > released),
			    "whether the huge zero page looks pinned %s %s",
			    when, what);
}

/* Have a PMD map the huge zero page; return the address, and the head page */
static unsigned long map_huge_zero(struct kunit *test, struct page **head)
{
	unsigned long addr = gup_map_anon_aligned(test, 1,
						  PROT_READ | PROT_WRITE);

	gup_fault_in(test, addr, 1, 0);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");
	*head = gup_page_at(test, addr);
	KUNIT_ASSERT_TRUE_MSG(test, is_huge_zero_folio(page_folio(*head)),
			      "what a read has faulted in is not the huge zero page");
	return addr;
}

static void expect_pages(struct kunit *test, struct page **pages, long got,
			 struct page *first, long nr, const char *name)
{
	long i;

	KUNIT_EXPECT_EQ_MSG(test, got, nr, "pages returned by %s()", name);
	for (i = 0; i < got; i++)
		if (pages[i] != first + i)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, got,
			    "first entry of %s() that is not what is mapped",
			    name);
}

/* Pin @nr small pages of the huge zero page, from @first on, and release them */
static void expect_pinned(struct kunit *test, const struct gup_method *m,
			  unsigned long addr, struct page *first, long nr)
{
	struct gup_counts before, during, after;
	struct page **pages;
	long got;

	pages = kunit_kzalloc(test, nr * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	gup_poison(pages, nr);

	before = gup_read_counts(first);
	got = m->acquire(addr, nr, 0, pages);
	during = gup_read_counts(first);
	gup_release(m, pages, got);
	after = gup_read_counts(first);

	expect_pages(test, pages, got, first, nr, m->name);
	expect_counts(test, &during, &before, nr * WEIGHT, 0, "after", m->name);
	expect_counts(test, &after, &before, nr * WEIGHT, nr * WEIGHT,
		      "unpinned after", m->name);
}

static void each_method_pins_a_part_of_it(struct kunit *test)
{
	const struct gup_method *m;
	unsigned long addr;
	struct page *head;

	gup_skip_without_thp(test);
	addr = map_huge_zero(test, &head);
	gup_for_each_pin(m)
		expect_pinned(test, m, addr + PAGE_SIZE, head + 1, NR_PAGES);
}

static void each_method_pins_the_whole_of_it(struct kunit *test)
{
	const struct gup_method *m;
	unsigned long addr;
	struct page *head;

	gup_skip_without_thp(test);
	addr = map_huge_zero(test, &head);
	gup_for_each_pin(m)
		expect_pinned(test, m, addr, head, NR_HUGE);
}

static void a_pin_faults_it_in(struct kunit *test)
{
	const struct gup_method *m;
	unsigned long addr;
	struct page *head;

	gup_skip_without_thp(test);
	map_huge_zero(test, &head);
	gup_for_each_pin(m) {
		addr = gup_map_anon_aligned(test, 1, PROT_READ | PROT_WRITE);
		expect_pinned(test, m, addr + PAGE_SIZE, head + 1, NR_PAGES);
	}
}

static void get_counts_it_like_any_other(struct kunit *test)
{
	struct page *pages[NR_PAGES], *head;
	const struct gup_method *m;
	int before, during, after;
	unsigned long addr;
	long got;

	gup_skip_without_thp(test);
	addr = map_huge_zero(test, &head);
	gup_for_each_get(m) {
		gup_poison(pages, NR_PAGES);
		before = page_ref_count(head);
		got = m->acquire(addr + PAGE_SIZE, NR_PAGES, 0, pages);
		during = page_ref_count(head);
		gup_release(m, pages, got);
		after = page_ref_count(head);

		expect_pages(test, pages, got, head + 1, NR_PAGES, m->name);
		KUNIT_EXPECT_EQ_MSG(test, during, before + NR_PAGES,
				    "refcount of the huge zero page after %s() for %d pages of it",
				    m->name, NR_PAGES);
		KUNIT_EXPECT_EQ_MSG(test, after, before,
				    "refcount of the huge zero page after %s() and put_page()",
				    m->name);
	}
}

static void each_function_releases_pins_of_it(struct kunit *test)
{
	struct page *pages[NR_PAGES], *head;
	struct gup_counts before, after;
	const struct gup_unpin *u;
	unsigned long addr;
	bool dirty;

	gup_skip_without_thp(test);
	addr = map_huge_zero(test, &head);
	dirty = PageDirty(head);
	gup_for_each_unpin(u) {
		before = gup_read_counts(head);
		gup_pin(test, addr + PAGE_SIZE, NR_PAGES, pages);
		u->unpin(pages, NR_PAGES);
		after = gup_read_counts(head);
		/* Whether it gets dirty is not what is asked here. */
		if (!dirty)
			ClearPageDirty(head);

		expect_counts(test, &after, &before, NR_PAGES * WEIGHT,
			      NR_PAGES * WEIGHT, "after", u->name);
	}
}

static void one_more_pin_is_like_the_first(struct kunit *test)
{
	struct page *pages[NR_PAGES], *head;
	struct gup_counts before, during, after;
	unsigned long addr;

	gup_skip_without_folio_add_pin(test);
	gup_skip_without_thp(test);
	addr = map_huge_zero(test, &head);
	before = gup_read_counts(head);
	gup_pin(test, addr + PAGE_SIZE, NR_PAGES, pages);
	folio_add_pin(page_folio(pages[0]));
	during = gup_read_counts(head);
	unpin_user_page(pages[0]);
	unpin_user_pages(pages, NR_PAGES);
	after = gup_read_counts(head);

	expect_counts(test, &during, &before, (NR_PAGES + 1) * WEIGHT, 0,
		      "after", "folio_add_pin()");
	expect_counts(test, &after, &before, (NR_PAGES + 1) * WEIGHT,
		      (NR_PAGES + 1) * WEIGHT, "unpinned after",
		      "folio_add_pin()");
}

/*
 * Two entries of a PMD, of which three small pages are pinned at the boundary::
 *
 *	[huge zero page   ...  z][a  a  ...   anonymous pages]
 *	                      \_______/
 */
static void anonymous_pages_beside_it_are_counted(struct kunit *test)
{
	struct page *pages[NR_PAGES], *head;
	struct gup_counts before, during, after;
	const struct gup_method *m;
	unsigned long addr;
	long got;

	gup_skip_without_thp(test);
	addr = gup_map_anon_aligned(test, 2, PROT_READ | PROT_WRITE);
	map_huge_zero(test, &head);
	gup_fault_in(test, addr, 1, 0);
	gup_fault_in(test, addr + PMD_SIZE, NR_PAGES, FAULT_FLAG_WRITE);

	gup_for_each_pin(m) {
		gup_poison(pages, NR_PAGES);
		before = gup_read_counts(head);
		got = m->acquire(addr + PMD_SIZE - PAGE_SIZE, NR_PAGES, 0,
				 pages);
		during = gup_read_counts(head);
		gup_release(m, pages, got);
		after = gup_read_counts(head);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()", m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], head + NR_HUGE - 1,
					"first page returned by %s()", m->name);
		KUNIT_EXPECT_EQ_MSG(test, during.refs - before.refs, WEIGHT,
				    "references to the huge zero page after %s()",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test,
				    during.pins.acquired - before.pins.acquired,
				    (long)(NR_PAGES - 1 + WEIGHT),
				    "NR_FOLL_PIN_ACQUIRED after %s()", m->name);
		KUNIT_EXPECT_EQ_MSG(test, after.refs, before.refs,
				    "refcount of the huge zero page unpinned after %s()",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test,
				    after.pins.released - before.pins.released,
				    (long)(NR_PAGES - 1 + WEIGHT),
				    "NR_FOLL_PIN_RELEASED after %s()", m->name);
	}
}

static void a_long_term_pin_is_in_balance(struct kunit *test)
{
	struct page *pages[NR_PAGES], *head;
	struct gup_counts before, during, after;
	const struct gup_method *m;
	unsigned long addr;
	long got, i, nr_zero;

	gup_skip_without_thp(test);
	gup_for_each_pin(m) {
		/* There is no such thing on some kernels. */
		if (m == &gup_methods[GUP_PIN_UNLOCKED])
			continue;
		addr = map_huge_zero(test, &head);
		gup_poison(pages, NR_PAGES);
		before = gup_read_counts(head);
		got = m->acquire(addr + PAGE_SIZE, NR_PAGES, FOLL_LONGTERM,
				 pages);
		during = gup_read_counts(head);
		for (i = 0, nr_zero = 0; i < got; i++)
			nr_zero += pages[i] == head + 1 + i;
		gup_release(m, pages, got);
		after = gup_read_counts(head);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, nr_zero,
				    GUP_LONGTERM_BREAKS_COW ? 0L : (long)NR_PAGES,
				    "pages of the huge zero page returned by %s() with FOLL_LONGTERM",
				    m->name);
		/* Pins that are taken in vain are given up again. */
		KUNIT_EXPECT_EQ_MSG(test,
				    during.pins.acquired - during.pins.released,
				    before.pins.acquired - before.pins.released +
				    nr_zero * WEIGHT + (got - nr_zero),
				    "pins held after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test,
				    after.pins.acquired - after.pins.released,
				    before.pins.acquired - before.pins.released,
				    "pins left after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, after.refs, before.refs,
				    "refcount of the huge zero page unpinned after %s() with FOLL_LONGTERM",
				    m->name);
	}
}

/* Pin it, to see whether @between changes what is released */
static void expect_balance_across(struct kunit *test,
				  void (*between)(struct kunit *test,
						  unsigned long addr),
				  const char *what)
{
	struct page *pages[NR_PAGES], *head;
	struct gup_counts before, after;
	unsigned long addr;

	addr = map_huge_zero(test, &head);
	before = gup_read_counts(head);
	gup_pin(test, addr + PAGE_SIZE, NR_PAGES, pages);
	between(test, addr);
	unpin_user_pages(pages, NR_PAGES);
	after = gup_read_counts(head);

	expect_counts(test, &after, &before, NR_PAGES * WEIGHT,
		      NR_PAGES * WEIGHT, "unpinned after", what);
}

static void write_to(struct kunit *test, unsigned long addr)
{
	gup_fault_in(test, addr, NR_HUGE, FAULT_FLAG_WRITE);
}

static void unpin_after_a_write_has_replaced_it(struct kunit *test)
{
	gup_skip_without_thp(test);
	expect_balance_across(test, write_to, "a write to the memory");
}

static void split_mapping(struct kunit *test, unsigned long addr)
{
	const struct gup_method *m = &gup_methods[GUP_GET];
	struct page *pages[1] = { GUP_POISON };
	long got = m->acquire(addr, 1, FOLL_SPLIT_PMD, pages);

	gup_release(m, pages, got);
	KUNIT_EXPECT_FALSE_MSG(test, gup_mapped_by_pmd(addr),
			       "the mapping was not split");
}

/* From then on it is the zero page that is mapped there. */
static void unpin_after_the_mapping_is_split(struct kunit *test)
{
	gup_skip_without_thp(test);
	expect_balance_across(test, split_mapping, "a split of the mapping");
}

static void unmap(struct kunit *test, unsigned long addr)
{
	gup_unmap(test, addr, NR_HUGE);
}

static void unpin_after_the_memory_is_unmapped(struct kunit *test)
{
	gup_skip_without_thp(test);
	expect_balance_across(test, unmap, "the end of the mapping");
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* Have the PMD at @addr map what @entry says, and return what it was */
static pmd_t replace_pmd(unsigned long addr, pmd_t entry)
{
	struct mm_struct *mm = current->mm;
	pmd_t *pmd, old;
	/* Of the page table that has the PMD */
	spinlock_t *ptl;

	mmap_read_lock(mm);
	pmd = pmd_off(mm, addr);
	ptl = pmd_lock(mm, pmd);
	/* It has to be empty before something else can be written. */
	old = pmdp_huge_clear_flush(find_vma(mm, addr), addr, pmd);
	set_pmd_at(mm, addr, pmd, entry);
	spin_unlock(ptl);
	mmap_read_unlock(mm);
	return old;
}
#endif

/*
 * Where an entry of a PMD can be special, that of the huge zero page is, and
 * GUP-fast leaves it to the slow path. Where it cannot be, GUP-fast meets it, as
 * it does here: it is mapped as if it were any page.
 */
static void gup_fast_pins_it_alike(struct kunit *test)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	const struct gup_method *m = &gup_methods[GUP_PIN_FAST];
	unsigned long addr;
	struct page *head;
	pmd_t old;

	gup_skip_without_thp(test);
	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST))
		kunit_skip(test, "needs " __stringify(CONFIG_HAVE_GUP_FAST));
	addr = map_huge_zero(test, &head);
	/* PAGE_READONLY is not what arm64 with FEAT_LPA2 has in its page tables. */
	old = replace_pmd(addr, pmd_mkhuge(pfn_pmd(page_to_pfn(head),
						   vm_get_page_prot(VM_READ))));

	/* The slow path gives up at once, and so shows that it was taken. */
	gup_begin_to_be_killed(test);
	expect_pinned(test, m, addr + PAGE_SIZE, head + 1, NR_PAGES);
	expect_pinned(test, m, addr, head, NR_HUGE);
	gup_end_to_be_killed();
	replace_pmd(addr, old);
#else
	kunit_skip(test, "needs CONFIG_TRANSPARENT_HUGEPAGE");
#endif
}

static struct kunit_case gup_huge_zero_cases[] = {
	KUNIT_CASE(each_method_pins_a_part_of_it),
	KUNIT_CASE(each_method_pins_the_whole_of_it),
	KUNIT_CASE(a_pin_faults_it_in),
	KUNIT_CASE(get_counts_it_like_any_other),
	KUNIT_CASE(each_function_releases_pins_of_it),
	KUNIT_CASE(one_more_pin_is_like_the_first),
	KUNIT_CASE(anonymous_pages_beside_it_are_counted),
	KUNIT_CASE(a_long_term_pin_is_in_balance),
	KUNIT_CASE(unpin_after_a_write_has_replaced_it),
	KUNIT_CASE(unpin_after_the_mapping_is_split),
	KUNIT_CASE(unpin_after_the_memory_is_unmapped),
	KUNIT_CASE(gup_fast_pins_it_alike),
	{}
};

static struct kunit_suite gup_huge_zero_suite = {
	.name = "gup_huge_zero",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_huge_zero_cases,
};

kunit_test_suite(gup_huge_zero_suite);

MODULE_DESCRIPTION("KUnit tests of pins of the huge zero page");
MODULE_LICENSE("GPL");
