// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of put_user_page*(), which releases what get_user_pages*() took.
 *
 * The pages come from a file of the fixture, of which the test knows every
 * page, every reference and every time it is marked dirty; see struct gup_file.
 * Its mappings are read faults only, so that nobody else marks a page dirty.
 */
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

#include "gup_fixture.h"

/*
 * Compound pages of a head and some tails, drawn as [H][t][t][t] below, while
 * small pages are drawn as [a] [b] [c].
 */
enum {
	ORDER = 2,
	NR = 1 << ORDER,
};

/* What callers may hold */
static DEFINE_SPINLOCK(lock);

typedef void (*release_t)(struct page **pages, unsigned long npages);

/* The functions that release an array, by what they do with a clean page */
static const struct {
	const char *name;
	release_t release;
	bool dirties;
} release_fns[] = {
	{ "put_user_pages", put_user_pages, false },
	{ "put_user_pages_dirty", put_user_pages_dirty, true },
	{ "put_user_pages_dirty_lock", put_user_pages_dirty_lock, true },
};

/* Map a file, fault all of it in for reading, and get references to it */
static struct gup_file *get_file_pages(struct kunit *test, unsigned int order,
				       unsigned int nr_heads,
				       struct page **pages)
{
	struct gup_file *file = gup_create_file(test, order, nr_heads);
	unsigned long nr_pages = (unsigned long)nr_heads << order;
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);

	gup_fault_in(test, addr, nr_pages, 0);
	gup_get(test, addr, nr_pages, pages);
	return file;
}

/*
 * References to each head of a file that was returned by get_file_pages(), and
 * of which nothing has been released yet: one of the file itself, then one of a
 * page table entry and one of get_user_pages() for each page.
 */
static int refs_before(struct gup_file *file)
{
	return 1 + 2 * (1 << file->order);
}

static void drops_one_reference(struct kunit *test)
{
	struct page *pages[1];
	struct gup_file *file = get_file_pages(test, 0, 1, pages);

	KUNIT_ASSERT_EQ_MSG(test, page_ref_count(pages[0]), refs_before(file),
			    "references before the release");
	put_user_page(pages[0]);

	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
			    refs_before(file) - 1,
			    "references after the release of one");
}

static void releases_a_tail_page_by_its_head(struct kunit *test)
{
	struct page *pages[NR];
	struct gup_file *file = get_file_pages(test, ORDER, 1, pages);
	unsigned int i;

	KUNIT_ASSERT_PTR_EQ_MSG(test, pages[1], file->heads[0] + 1,
				"get_user_pages() returned no tail page");
	/* pages: [H][t][t][t] */
	for (i = NR; i--;) {
		put_user_page(pages[i]);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]),
				    refs_before(file) - (int)(NR - i),
				    "references to the head after the release of page %u",
				    i);
	}
}

static void needs_no_array_for_no_pages(struct kunit *test)
{
	unsigned int f;

	/* Whoever looks at the array dies here. */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++)
		release_fns[f].release(NULL, 0);
}

static void leaves_other_entries_alone(struct kunit *test)
{
	struct page *pages[3];
	struct gup_file *file;
	unsigned int f;

	/* pages: [a] [b] [c], of which the first two are released */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		file = get_file_pages(test, 0, 3, pages);
		release_fns[f].release(pages, 2);

		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
				    refs_before(file) - 1,
				    "references to the first of 2 entries after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[1]),
				    refs_before(file) - 1,
				    "references to the last of 2 entries after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[2]),
				    refs_before(file),
				    "references to the entry behind the last after %s()",
				    release_fns[f].name);
		put_page(pages[2]);
	}
}

static void releases_a_repeated_page_once_per_entry(struct kunit *test)
{
	unsigned int f;

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		struct page *pages[2], *repeated[5];
		struct gup_file *file = get_file_pages(test, 0, 2, pages);

		/* [a] [a] [b] [a] [b]: side by side, and apart */
		repeated[0] = pages[0];
		repeated[1] = pages[0];
		repeated[2] = pages[1];
		repeated[3] = pages[0];
		repeated[4] = pages[1];
		/* get_user_pages() took one reference to each, take the rest */
		get_page(pages[0]);
		get_page(pages[0]);
		get_page(pages[1]);
		release_fns[f].release(repeated, 5);

		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
				    refs_before(file) - 1,
				    "references to the page that occurs 3 times after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[1]),
				    refs_before(file) - 1,
				    "references to the page that occurs twice after %s()",
				    release_fns[f].name);
	}
}

static void releases_each_page_of_compound_pages(struct kunit *test)
{
	struct page *pages[2 * NR];
	struct gup_file *file;
	unsigned int f;

	/* pages: [H][t][t][t] [H][t][t][t] */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		file = get_file_pages(test, ORDER, 2, pages);
		release_fns[f].release(pages + 1, 2 * NR - 2);

		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]),
				    refs_before(file) - NR + 1,
				    "references to the first compound page, of which %s() released all tails",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[1]),
				    refs_before(file) - NR + 1,
				    "references to the second compound page, of which %s() released all but one page",
				    release_fns[f].name);
		put_page(pages[0]);
		put_page(pages[2 * NR - 1]);
	}
}

static void leaves_a_clean_page_clean(struct kunit *test)
{
	struct page *pages[2];
	struct gup_file *file = get_file_pages(test, 0, 2, pages);

	put_user_pages(pages, 1);
	put_user_page(pages[1]);

	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
			    "pages marked dirty by a release that should not");
	KUNIT_EXPECT_FALSE_MSG(test, PageDirty(pages[0]),
			       "put_user_pages() made the page dirty");
	KUNIT_EXPECT_FALSE_MSG(test, PageDirty(pages[1]),
			       "put_user_page() made the page dirty");
}

static void dirties_each_clean_page_once(struct kunit *test)
{
	struct page *pages[3];
	struct gup_file *file;
	unsigned int f, i;

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		if (!release_fns[f].dirties)
			continue;
		file = get_file_pages(test, 0, 3, pages);
		release_fns[f].release(pages, 3);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 3U,
				    "times that %s() marked 3 pages dirty",
				    release_fns[f].name);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_TRUE_MSG(test, PageDirty(pages[i]),
					      "page %u is clean after %s()", i,
					      release_fns[f].name);
	}
}

static void does_not_dirty_a_dirty_page_again(struct kunit *test)
{
	struct page *pages[2];
	struct gup_file *file;
	unsigned int f;

	/* pages: [a] [b], and a is dirty already */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		if (!release_fns[f].dirties)
			continue;
		file = get_file_pages(test, 0, 2, pages);
		SetPageDirty(pages[0]);
		release_fns[f].release(pages, 2);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
				    "times that %s() marked a dirty and a clean page dirty",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
				    refs_before(file) - 1,
				    "references to the page that was dirty after %s()",
				    release_fns[f].name);
	}
}

static void dirties_while_it_holds_the_reference(struct kunit *test)
{
	struct page *pages[1];
	struct gup_file *file;
	unsigned int f;

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		if (!release_fns[f].dirties)
			continue;
		file = get_file_pages(test, 0, 1, pages);
		release_fns[f].release(pages, 1);

		KUNIT_EXPECT_EQ_MSG(test, file->refs_when_dirtied,
				    refs_before(file),
				    "references while %s() marked the page dirty",
				    release_fns[f].name);
	}
}

static void dirty_does_not_lock_the_page(struct kunit *test)
{
	struct page *pages[1];
	struct gup_file *file = get_file_pages(test, 0, 1, pages);

	put_user_pages_dirty(pages, 1);

	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
			    "times that the page was marked dirty");
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied_locked, 0U,
			    "times that the page was locked for it");
}

static void dirty_takes_a_page_that_the_caller_locked(struct kunit *test)
{
	struct page *pages[1];
	struct gup_file *file = get_file_pages(test, 0, 1, pages);
	bool locked;

	/* If it took the lock, this would hang. */
	lock_page(pages[0]);
	put_user_pages_dirty(pages, 1);
	locked = PageLocked(pages[0]);
	if (locked)
		unlock_page(pages[0]);

	KUNIT_EXPECT_TRUE_MSG(test, locked, "the lock of the caller is gone");
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
			    "times that the page was marked dirty");
}

static void dirty_lock_locks_the_page_and_unlocks_it(struct kunit *test)
{
	struct page *pages[NR];
	struct gup_file *file = get_file_pages(test, ORDER, 1, pages);
	bool locked;

	/* Begin with a tail: it is the head that gets locked. */
	put_user_pages_dirty_lock(pages + 1, NR - 1);
	locked = PageLocked(file->heads[0]);
	if (locked)
		unlock_page(file->heads[0]);
	put_page(pages[0]);

	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied_locked, 1U,
			    "times that the page was locked while marked dirty");
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
			    "times that the page was marked dirty");
	KUNIT_EXPECT_FALSE_MSG(test, locked, "the page is still locked");
}

static void dirty_tail_marks_the_head_once(struct kunit *test)
{
	struct page *pages[2 * NR];
	struct gup_file *file;
	unsigned int f;

	/* pages: [H][t][t][t] [H][t][t][t], of which 1 to 5 are released */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		if (!release_fns[f].dirties)
			continue;
		file = get_file_pages(test, ORDER, 2, pages);
		release_fns[f].release(pages + 1, NR + 1);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 2U,
				    "times that %s() marked 2 compound pages dirty",
				    release_fns[f].name);
		KUNIT_EXPECT_TRUE_MSG(test, PageDirty(file->heads[0]),
				      "head of 3 tails is clean after %s()",
				      release_fns[f].name);
		KUNIT_EXPECT_TRUE_MSG(test, PageDirty(file->heads[1]),
				      "head that was released itself is clean after %s()",
				      release_fns[f].name);
		put_user_page(pages[0]);
		put_user_pages(pages + NR + 2, NR - 2);
	}
}

static void tail_of_a_dirty_page_is_not_dirtied_again(struct kunit *test)
{
	struct page *pages[2 * NR], *mixed[4];
	struct gup_file *file;
	unsigned int f;

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		if (!release_fns[f].dirties)
			continue;
		file = get_file_pages(test, ORDER, 2, pages);
		/* Two compound pages by turns: a tail of each, then another */
		mixed[0] = pages[1];
		mixed[1] = pages[NR + 1];
		mixed[2] = pages[2];
		mixed[3] = pages[NR];
		release_fns[f].release(mixed, 4);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 2U,
				    "times that %s() marked 2 compound pages dirty, each in two turns",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]),
				    refs_before(file) - 2,
				    "references to the first compound page after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[1]),
				    refs_before(file) - 2,
				    "references to the second compound page after %s()",
				    release_fns[f].name);
		put_page(pages[0]);
		put_page(pages[3]);
		put_page(pages[NR + 2]);
		put_page(pages[NR + 3]);
	}
}

static void releases_the_zero_page_but_never_dirties_it(struct kunit *test)
{
	struct page *zero = ZERO_PAGE(0), *pages[2];
	unsigned long addr;
	int refs, left;
	unsigned int f;
	bool dirty;

	addr = gup_map_anon(test, 2, PROT_READ);
	gup_fault_in(test, addr, 2, 0);
	refs = page_ref_count(zero);

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		gup_get(test, addr, 2, pages);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0],
					ZERO_PAGE(addr),
					"no zero page behind memory never written to");
		release_fns[f].release(pages, 2);
		left = page_ref_count(zero);
		dirty = PageDirty(zero);
		/* The zero page outlives the test. */
		ClearPageDirty(zero);

		KUNIT_EXPECT_EQ_MSG(test, left, refs,
				    "references to the zero page after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_FALSE_MSG(test, dirty,
				       "%s() marked the zero page dirty",
				       release_fns[f].name);
	}
}

static void releases_the_huge_zero_page_but_never_dirties_it(struct kunit *test)
{
	struct page *page, *head;
	unsigned long addr;
	int refs, left;
	unsigned int f;
	bool dirty;

	gup_skip_without_thp(test);

	addr = gup_map_anon_aligned(test, 1, PROT_READ) + PAGE_SIZE;
	page = gup_page_at(test, addr);
	head = compound_head(page);
	if (head == page || PageAnon(head))
		kunit_skip(test, "needs use_zero_page of CONFIG_TRANSPARENT_HUGEPAGE");
	refs = page_ref_count(head);

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		gup_get(test, addr, 1, &page);
		release_fns[f].release(&page, 1);
		left = page_ref_count(head);
		dirty = PageDirty(head);
		/* The huge zero page may outlive the test. */
		ClearPageDirty(head);

		KUNIT_EXPECT_EQ_MSG(test, left, refs,
				    "references to the huge zero page after %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_FALSE_MSG(test, dirty,
				       "%s() marked the huge zero page dirty",
				       release_fns[f].name);
	}
}

static void refuses_an_errno_in_place_of_a_count(struct kunit *test)
{
	struct page *pages[1];
	struct gup_file *file = get_file_pages(test, 0, 1, pages);
	unsigned int f;

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		kunit_warning_suppress(test) {
			release_fns[f].release(pages, (unsigned long)-EFAULT);
			gup_expect_warnings(test, 1);
		}
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
				    refs_before(file),
				    "references after %s() of -EFAULT pages",
				    release_fns[f].name);
		KUNIT_EXPECT_FALSE_MSG(test, PageDirty(pages[0]),
				       "%s() of -EFAULT pages marked a page dirty",
				       release_fns[f].name);
	}
	put_user_page(pages[0]);
}

/* A page to be released, from a context in which nothing may sleep */
struct put_work {
	struct irq_work work;
	struct completion done;
	struct page *page;
	bool in_irq;
};

static void put_in_irq(struct irq_work *work)
{
	struct put_work *put = container_of(work, struct put_work, work);

	put->in_irq = in_hardirq();
	put_user_page(put->page);
	complete(&put->done);
}

/*
 * Release the last reference to a page of @order in an interrupt, and expect it
 * to be freed. Whoever sleeps there is told so by CONFIG_DEBUG_ATOMIC_SLEEP.
 */
static void expect_freed_in_irq(struct kunit *test, unsigned int order)
{
	struct gup_file *file = gup_create_file(test, order, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct gup_ref_trace *trace;
	struct put_work put;

	gup_get(test, addr, 1, &put.page);
	gup_unmap(test, addr, 1 << order);
	gup_file_forget(file, 0);
	init_irq_work(&put.work, put_in_irq);
	init_completion(&put.done);

	trace = gup_trace_refs(test, put.page);
	irq_work_queue(&put.work);
	wait_for_completion(&put.done);
	irq_work_sync(&put.work);
	gup_trace_refs_end(test);

	KUNIT_EXPECT_TRUE_MSG(test, put.in_irq, "that was no interrupt");
	KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
			    "times that a page of order %u was freed in an interrupt",
			    order);
}

static void put_user_page_may_be_called_in_an_interrupt(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");
	if (!IS_ENABLED(CONFIG_IRQ_WORK))
		kunit_skip(test, "needs CONFIG_IRQ_WORK");

	expect_freed_in_irq(test, 0);
	expect_freed_in_irq(test, ORDER);
}

static void put_user_pages_may_be_called_under_a_spinlock_with_interrupts_off(struct kunit *test)
{
	struct gup_ref_trace *trace;
	struct page *pages[NR];
	struct gup_file *file;
	unsigned long flags, addr;
	unsigned int order;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	for (order = 0; order <= ORDER; order += ORDER) {
		file = gup_create_file(test, order, 1);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		gup_get(test, addr, 1 << order, pages);
		gup_unmap(test, addr, 1 << order);
		gup_file_forget(file, 0);

		trace = gup_trace_refs(test, pages[0]);
		spin_lock_irqsave(&lock, flags);
		put_user_pages(pages, 1 << order);
		spin_unlock_irqrestore(&lock, flags);
		gup_trace_refs_end(test);

		KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
				    "times that a page of order %u was freed under a spinlock",
				    order);
	}
}

static void put_user_pages_dirty_may_be_called_under_a_spinlock(struct kunit *test)
{
	struct page *pages[NR];
	struct gup_file *file = get_file_pages(test, ORDER, 1, pages);

	spin_lock(&lock);
	put_user_pages_dirty(pages, NR);
	spin_unlock(&lock);

	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
			    "times that a page was marked dirty under a spinlock");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(pages[0]),
			    refs_before(file) - NR,
			    "references to a page that was released under a spinlock");
}

static void releases_a_run_of_pages_by_one_operation(struct kunit *test)
{
	struct page *pages[2 * NR];
	struct gup_ref_trace *trace;
	struct gup_file *file;
	unsigned int f, i;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	/* pages: [H][t][t][t] [H][t][t][t], of which one head is watched */
	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		for (i = 0; i < 2; i++) {
			file = get_file_pages(test, ORDER, 2, pages);
			trace = gup_trace_refs(test, file->heads[i]);
			release_fns[f].release(pages, 2 * NR);
			gup_trace_refs_end(test);

			KUNIT_EXPECT_EQ_MSG(test, trace->nr_dropped, NR,
					    "references to compound page %u dropped by %s()",
					    i, release_fns[f].name);
			KUNIT_EXPECT_EQ_MSG(test, trace->nr_drops, 1U,
					    "atomic operations by which %s() dropped those to compound page %u",
					    release_fns[f].name, i);
		}
	}
}

/* pages: [a] [a] [a], as a run of pages of one compound page would be */
static void releases_a_repeated_page_by_one_operation(struct kunit *test)
{
	struct page *pages[1], *repeated[3];
	struct gup_ref_trace *trace;
	unsigned int f;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		get_file_pages(test, 0, 1, pages);
		/* get_user_pages() took one reference, take the rest */
		get_page(pages[0]);
		get_page(pages[0]);
		repeated[0] = pages[0];
		repeated[1] = pages[0];
		repeated[2] = pages[0];
		trace = gup_trace_refs(test, pages[0]);
		release_fns[f].release(repeated, 3);
		gup_trace_refs_end(test);

		KUNIT_EXPECT_EQ_MSG(test, trace->nr_dropped, 3,
				    "references to a page that occurs 3 times dropped by %s()",
				    release_fns[f].name);
		KUNIT_EXPECT_EQ_MSG(test, trace->nr_drops, 1U,
				    "atomic operations by which %s() dropped those of 3 entries in a row",
				    release_fns[f].name);
	}
}

static void last_reference_frees_a_small_page(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct gup_ref_trace *trace;
	struct page *page;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	gup_get(test, addr, 1, &page);
	gup_unmap(test, addr, 1);
	gup_file_forget(file, 0);
	KUNIT_ASSERT_EQ_MSG(test, page_ref_count(page), 1,
			    "references that get_user_pages() took");
	trace = gup_trace_refs(test, page);
	put_user_page(page);
	gup_trace_refs_end(test);

	KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
			    "times that the page was freed");
}

static void last_reference_frees_a_compound_page(struct kunit *test)
{
	struct gup_ref_trace *trace;
	struct page *pages[NR];
	struct gup_file *file;
	unsigned long addr;
	unsigned int f;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	for (f = 0; f < ARRAY_SIZE(release_fns); f++) {
		file = gup_create_file(test, ORDER, 1);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		gup_get(test, addr, NR, pages);
		gup_unmap(test, addr, NR);
		gup_file_forget(file, 0);
		trace = gup_trace_refs(test, pages[0]);
		release_fns[f].release(pages, NR);
		gup_trace_refs_end(test);

		KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
				    "times that %s() freed the page",
				    release_fns[f].name);
	}
}

static struct kunit_case put_user_page_cases[] = {
	KUNIT_CASE(drops_one_reference),
	KUNIT_CASE(releases_a_tail_page_by_its_head),
	KUNIT_CASE(needs_no_array_for_no_pages),
	KUNIT_CASE(leaves_other_entries_alone),
	KUNIT_CASE(releases_a_repeated_page_once_per_entry),
	KUNIT_CASE(releases_each_page_of_compound_pages),
	KUNIT_CASE(leaves_a_clean_page_clean),
	KUNIT_CASE(dirties_each_clean_page_once),
	KUNIT_CASE(does_not_dirty_a_dirty_page_again),
	KUNIT_CASE(dirties_while_it_holds_the_reference),
	KUNIT_CASE(dirty_does_not_lock_the_page),
	KUNIT_CASE(dirty_takes_a_page_that_the_caller_locked),
	KUNIT_CASE(dirty_lock_locks_the_page_and_unlocks_it),
	KUNIT_CASE(dirty_tail_marks_the_head_once),
	KUNIT_CASE(tail_of_a_dirty_page_is_not_dirtied_again),
	KUNIT_CASE(releases_the_zero_page_but_never_dirties_it),
	KUNIT_CASE(releases_the_huge_zero_page_but_never_dirties_it),
	KUNIT_CASE(refuses_an_errno_in_place_of_a_count),
	KUNIT_CASE(put_user_page_may_be_called_in_an_interrupt),
	KUNIT_CASE(put_user_pages_may_be_called_under_a_spinlock_with_interrupts_off),
	KUNIT_CASE(put_user_pages_dirty_may_be_called_under_a_spinlock),
	KUNIT_CASE(releases_a_run_of_pages_by_one_operation),
	KUNIT_CASE(releases_a_repeated_page_by_one_operation),
	KUNIT_CASE(last_reference_frees_a_small_page),
	KUNIT_CASE(last_reference_frees_a_compound_page),
	{}
};

static struct kunit_suite gup_put_user_page_suite = {
	.name = "gup_put_user_page",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = put_user_page_cases,
};

kunit_test_suite(gup_put_user_page_suite);

MODULE_DESCRIPTION("KUnit tests of put_user_page*()");
MODULE_LICENSE("GPL");
