// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests that pin_user_pages*() and unpin_user_page*() leave the zero page
 * alone, whereas get_user_pages*() takes references to it as to any page.
 *
 * Private anonymous memory that has only been read maps the zero page. Its
 * refcount is compared exactly: nothing else takes references to it meanwhile.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/stringify.h>

#include "gup_fixture.h"

#define NR_PAGES	3

static bool is_zero(struct page *page)
{
	return page != GUP_POISON && is_zero_pfn(page_to_pfn(page));
}

static int zero_page_refs(unsigned long addr)
{
	return page_ref_count(ZERO_PAGE(addr));
}

/* Map NR_PAGES pages and read them, so that all of them are the zero page */
static unsigned long map_zero_pages(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES,
					  PROT_READ | PROT_WRITE);

	gup_fault_in(test, addr, NR_PAGES, 0);
	return addr;
}

/* The same, but write to the middle one: [zero] [anonymous] [zero] */
static unsigned long map_mixed_pages(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test);

	gup_fault_in(test, addr + PAGE_SIZE, 1, FAULT_FLAG_WRITE);
	return addr;
}

/* What is to be the same before, during and after a pin of zero pages */
struct counts {
	int refs;
	struct gup_pin_counters pins;
};

static struct counts read_counts(unsigned long addr)
{
	struct counts counts = { zero_page_refs(addr), gup_read_pin_counters() };

	return counts;
}

static void expect_counts(struct kunit *test, struct counts now, struct counts before,
			  long acquired, long released, const char *when,
			  const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, now.refs, before.refs,
			    "refcount of the zero page %s %s", when, what);
	KUNIT_EXPECT_EQ_MSG(test, now.pins.acquired,
			    before.pins.acquired + acquired,
			    "NR_FOLL_PIN_ACQUIRED %s %s", when, what);
	KUNIT_EXPECT_EQ_MSG(test, now.pins.released,
			    before.pins.released + released,
			    "NR_FOLL_PIN_RELEASED %s %s", when, what);
}

static void pin_and_unpin_leave_all_counts_alone(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test);
	struct counts before, during, after;
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	unsigned int i;
	long got;

	gup_for_each_pin(m) {
		gup_poison(pages, NR_PAGES);
		before = read_counts(addr);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		during = read_counts(addr);
		gup_release(m, pages, got);
		after = read_counts(addr);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()", m->name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						ZERO_PAGE(addr + i * PAGE_SIZE),
						"pages[%u] of %s() is not what is mapped",
						i, m->name);
		expect_counts(test, during, before, 0, 0, "after", m->name);
		expect_counts(test, after, before, 0, 0, "unpinned after",
			      m->name);
	}
}

static void a_pin_that_faults_the_zero_page_in_is_not_counted(struct kunit *test)
{
	struct counts before, during;
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	unsigned long addr;
	long got;

	gup_for_each_pin(m) {
		addr = gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
		gup_poison(pages, NR_PAGES);
		before = read_counts(addr);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		during = read_counts(addr);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()", m->name);
		KUNIT_EXPECT_TRUE_MSG(test, is_zero(pages[0]),
				      "%s() did not return the zero page",
				      m->name);
		expect_counts(test, during, before, 0, 0, "after", m->name);
	}
}

static void a_hundred_thousand_pins_leave_the_refcount_alone(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test), nr = 0;
	int before = zero_page_refs(addr), during, after;
	struct page *pages[NR_PAGES];
	long got = NR_PAGES;

	gup_poison(pages, NR_PAGES);
	mmap_read_lock(current->mm);
	while (nr < 100000 && got == NR_PAGES) {
		got = pin_user_pages(addr, NR_PAGES, 0, pages);
		nr += got > 0 ? got : 0;
	}
	mmap_read_unlock(current->mm);
	during = zero_page_refs(addr);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pin_user_pages() after %lu pins", nr);
	KUNIT_EXPECT_EQ_MSG(test, during, before,
			    "refcount of the zero page after %lu pins", nr);

	for (got = nr; got > 0; got--)
		unpin_user_page(pages[0]);
	after = zero_page_refs(addr);

	KUNIT_EXPECT_EQ_MSG(test, after, before,
			    "refcount of the zero page after as many releases");
}

static void get_counts_the_zero_page_like_any_other(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test);
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	int before, during, after;
	long got;

	gup_for_each_get(m) {
		gup_poison(pages, NR_PAGES);
		before = zero_page_refs(addr);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		during = zero_page_refs(addr);
		gup_release(m, pages, got);
		after = zero_page_refs(addr);

		KUNIT_EXPECT_EQ_MSG(test, during, before + NR_PAGES,
				    "refcount of the zero page after %s() for %d pages of it",
				    m->name, NR_PAGES);
		KUNIT_EXPECT_EQ_MSG(test, after, before,
				    "refcount of the zero page after %s() and put_page()",
				    m->name);
	}
}

static void only_the_anonymous_page_of_a_mixed_array_is_counted(struct kunit *test)
{
	unsigned long addr = map_mixed_pages(test);
	int anon_before, anon_during, anon_after;
	struct counts before, during, after;
	struct page *pages[NR_PAGES], *anon;
	const struct gup_method *m;
	long got;

	gup_get(test, addr + PAGE_SIZE, 1, &anon);
	anon_before = page_ref_count(anon);

	gup_for_each_pin(m) {
		gup_poison(pages, NR_PAGES);
		before = read_counts(addr);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		during = read_counts(addr);
		anon_during = page_ref_count(anon);
		gup_release(m, pages, got);
		after = read_counts(addr);
		anon_after = page_ref_count(anon);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()", m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[1], anon,
					"middle one of the pages of %s()",
					m->name);
		KUNIT_EXPECT_EQ_MSG(test, anon_during, anon_before + m->weight,
				    "refcount of the anonymous page after %s()",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, anon_after, anon_before,
				    "refcount of the anonymous page unpinned after %s()",
				    m->name);
		expect_counts(test, during, before, 1, 0, "after", m->name);
		expect_counts(test, after, before, 1, 1, "unpinned after",
			      m->name);
	}
	put_page(anon);
}

static void unpin_array(struct page **pages, unsigned long nr)
{
	unpin_user_pages(pages, nr);
}

static void unpin_array_clean(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, false);
}

static void unpin_array_dirty(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
}

/* Pin a mixed array and release it by @unpin; true if that dirtied anon */
static bool expect_mixed_array_released(struct kunit *test,
					void (*unpin)(struct page **pages,
						      unsigned long nr),
					const char *name)
{
	unsigned long addr = map_mixed_pages(test);
	int anon_before, anon_after;
	struct counts before, after;
	struct page *pages[NR_PAGES];
	bool dirty;
	long got;

	mmap_read_lock(current->mm);
	before = read_counts(addr);
	got = pin_user_pages(addr, NR_PAGES, 0, pages);
	mmap_read_unlock(current->mm);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages returned by pin_user_pages()");

	/* The unpin may free nothing: the page table has a reference. */
	ClearPageDirty(pages[1]);
	anon_before = page_ref_count(pages[1]);
	unpin(pages, NR_PAGES);
	anon_after = page_ref_count(pages[1]);
	dirty = PageDirty(pages[1]);
	after = read_counts(addr);
	/* That it is clean is for gup_release to see, and it outlives the test. */
	ClearPageDirty(pages[0]);

	KUNIT_EXPECT_EQ_MSG(test, anon_after,
			    anon_before - (int)GUP_PIN_COUNTING_BIAS,
			    "refcount of the anonymous page after %s", name);
	expect_counts(test, after, before, 1, 1, "after", name);
	return dirty;
}

static void unpin_user_pages_ignores_zero_pages(struct kunit *test)
{
	expect_mixed_array_released(test, unpin_array, "unpin_user_pages()");
}

static void unpin_user_pages_dirty_lock_ignores_zero_pages(struct kunit *test)
{
	bool dirty;

	dirty = expect_mixed_array_released(test, unpin_array_clean,
					    "unpin_user_pages_dirty_lock() without dirtying");
	KUNIT_EXPECT_FALSE_MSG(test, dirty,
			       "the anonymous page was dirtied without being asked to");

	dirty = expect_mixed_array_released(test, unpin_array_dirty,
					    "unpin_user_pages_dirty_lock() with dirtying");
	KUNIT_EXPECT_TRUE_MSG(test, dirty,
			      "the anonymous page between zero pages is not dirty");
}

static void a_write_pin_breaks_cow_and_is_counted(struct kunit *test)
{
	struct counts before, during, after;
	const struct gup_method *m;
	unsigned long addr;
	int held, left;
	long got;

	gup_for_each_pin(m) {
		struct page *pages[1] = { GUP_POISON };

		addr = map_zero_pages(test);
		before = read_counts(addr);
		got = m->acquire(addr, 1, FOLL_WRITE, pages);
		during = read_counts(addr);
		KUNIT_ASSERT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    m->name);
		held = page_ref_count(pages[0]);
		gup_release(m, pages, got);
		left = page_ref_count(pages[0]);
		after = read_counts(addr);

		KUNIT_EXPECT_FALSE_MSG(test, is_zero(pages[0]),
				       "%s() returned the zero page for writing",
				       m->name);
		KUNIT_EXPECT_EQ_MSG(test, held - left, m->weight,
				    "references that one pin by %s() held",
				    m->name);
		expect_counts(test, during, before, 1, 0, "after", m->name);
		expect_counts(test, after, before, 1, 1, "unpinned after",
			      m->name);
	}
}

/* Some kernels break COW for a long-term pin even if it is for reading only. */
static void a_long_term_pin_is_counted_unless_it_is_of_the_zero_page(struct kunit *test)
{
	struct counts before, during, after;
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	unsigned long addr;
	unsigned int i;
	long got, nr;

	gup_for_each_pin(m) {
		/* There is no such thing on some kernels. */
		if (m == &gup_methods[GUP_PIN_UNLOCKED])
			continue;
		addr = map_zero_pages(test);
		gup_poison(pages, NR_PAGES);
		before = read_counts(addr);
		got = m->acquire(addr, NR_PAGES, FOLL_LONGTERM, pages);
		during = read_counts(addr);
		for (i = 0, nr = 0; i < NR_PAGES; i++)
			nr += !is_zero(pages[i]);
		gup_release(m, pages, got);
		after = read_counts(addr);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, during.refs, before.refs,
				    "refcount of the zero page after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, after.refs, before.refs,
				    "refcount of the zero page unpinned after %s() with FOLL_LONGTERM",
				    m->name);
		/* Migration may pin pages and give them up again. */
		KUNIT_EXPECT_EQ_MSG(test,
				    during.pins.acquired - during.pins.released,
				    before.pins.acquired - before.pins.released + nr,
				    "pins held after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test,
				    after.pins.acquired - after.pins.released,
				    before.pins.acquired - before.pins.released,
				    "pins left after %s() with FOLL_LONGTERM",
				    m->name);
	}
}

/* Pin zero pages for reading, to see whether @between changes what is released */
static void expect_balance_across(struct kunit *test, unsigned long addr,
				  void (*between)(struct kunit *test,
						  unsigned long addr),
				  const char *what)
{
	struct page *pages[NR_PAGES];
	struct counts before, after;
	long got;

	before = read_counts(addr);
	mmap_read_lock(current->mm);
	got = pin_user_pages(addr, NR_PAGES, 0, pages);
	mmap_read_unlock(current->mm);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages returned by pin_user_pages()");
	between(test, addr);
	unpin_user_pages(pages, NR_PAGES);
	after = read_counts(addr);

	expect_counts(test, after, before, 0, 0, "unpinned after", what);
}

static void write_to(struct kunit *test, unsigned long addr)
{
	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);
}

static void unpin_after_a_write_has_replaced_the_page(struct kunit *test)
{
	expect_balance_across(test, map_zero_pages(test), write_to,
			      "a write to the memory");
}

static void unmap(struct kunit *test, unsigned long addr)
{
	gup_unmap(test, addr, NR_PAGES);
}

static void unpin_after_the_memory_is_unmapped(struct kunit *test)
{
	expect_balance_across(test, map_zero_pages(test), unmap,
			      "the end of the mapping");
}

static int end_at_once(void *forked)
{
	kthread_complete_and_exit(forked, 0);
	return 0;
}

/* The child has a copy of the page tables, of which it makes no use. */
static void fork_mm(struct kunit *test, unsigned long addr)
{
	DECLARE_COMPLETION_ONSTACK(forked);
	struct kernel_clone_args args = {
		.flags = CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.kthread = 1,
		.fn = end_at_once,
		.fn_arg = &forked,
	};
	pid_t pid = kernel_clone(&args);

	if (pid > 0)
		wait_for_completion(&forked);
	KUNIT_EXPECT_GT_MSG(test, pid, 0, "no child, or an errno");
}

static void unpin_after_a_fork(struct kunit *test)
{
	expect_balance_across(test, map_zero_pages(test), fork_mm, "a fork");
}

static void fork_leaves_a_pinned_mixed_array_alone(struct kunit *test)
{
	unsigned long addr = map_mixed_pages(test);
	struct page *pages[NR_PAGES], *now;
	struct counts before, after;
	long got;

	before = read_counts(addr);
	mmap_read_lock(current->mm);
	got = pin_user_pages(addr, NR_PAGES, 0, pages);
	mmap_read_unlock(current->mm);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages returned by pin_user_pages()");
	fork_mm(test, addr);
	gup_get(test, addr + PAGE_SIZE, 1, &now);
	put_page(now);
	unpin_user_pages(pages, NR_PAGES);
	after = read_counts(addr);

	KUNIT_EXPECT_PTR_EQ_MSG(test, now, pages[1],
				"the anonymous page was pinned, but the fork replaced it");
	expect_counts(test, after, before, 1, 1, "unpinned after", "a fork");
}

static int map_zero_page_as_ordinary(pte_t *pte, unsigned long addr, void *data)
{
	/* PAGE_READONLY is not what arm64 with FEAT_LPA2 has in its page tables. */
	set_pte_at(current->mm, addr, pte,
		   mk_pte(ZERO_PAGE(addr), vm_get_page_prot(VM_READ)));
	return 0;
}

static int unmap_again(pte_t *pte, unsigned long addr, void *data)
{
	pte_clear(current->mm, addr, pte);
	return 0;
}

/*
 * Where page table entries can be special, those for the zero page are, and
 * GUP-fast leaves them to the slow path. But a driver may map it as any page.
 */
static void gup_fast_does_not_count_it_either(struct kunit *test)
{
	struct counts before, during, after;
	struct page *pages[1] = { GUP_POISON };
	unsigned long addr;
	int err, got;

	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST))
		kunit_skip(test, "needs " __stringify(CONFIG_HAVE_GUP_FAST));
	addr = gup_map_anon(test, 1, PROT_READ);
	before = read_counts(addr);
	err = apply_to_page_range(current->mm, addr, PAGE_SIZE,
				  map_zero_page_as_ordinary, NULL);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot map the zero page");

	/* The slow path gives up at once, and so shows that it was taken. */
	gup_begin_to_be_killed(test);
	got = pin_user_pages_fast(addr, 1, 0, pages);
	gup_end_to_be_killed();
	during = read_counts(addr);
	if (got == 1)
		unpin_user_page(pages[0]);
	after = read_counts(addr);
	apply_to_page_range(current->mm, addr, PAGE_SIZE, unmap_again, NULL);

	KUNIT_EXPECT_EQ_MSG(test, got, 1, "pages that GUP-fast found");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], ZERO_PAGE(addr),
				"page that GUP-fast found");
	expect_counts(test, during, before, 0, 0, "after", "GUP-fast");
	expect_counts(test, after, before, 0, 0, "unpinned after", "GUP-fast");
}

static struct kunit_case gup_zero_page_cases[] = {
	KUNIT_CASE(pin_and_unpin_leave_all_counts_alone),
	KUNIT_CASE(a_pin_that_faults_the_zero_page_in_is_not_counted),
	KUNIT_CASE(a_hundred_thousand_pins_leave_the_refcount_alone),
	KUNIT_CASE(get_counts_the_zero_page_like_any_other),
	KUNIT_CASE(only_the_anonymous_page_of_a_mixed_array_is_counted),
	KUNIT_CASE(unpin_user_pages_ignores_zero_pages),
	KUNIT_CASE(unpin_user_pages_dirty_lock_ignores_zero_pages),
	KUNIT_CASE(a_write_pin_breaks_cow_and_is_counted),
	KUNIT_CASE(a_long_term_pin_is_counted_unless_it_is_of_the_zero_page),
	KUNIT_CASE(unpin_after_a_write_has_replaced_the_page),
	KUNIT_CASE(unpin_after_the_memory_is_unmapped),
	KUNIT_CASE(unpin_after_a_fork),
	KUNIT_CASE(fork_leaves_a_pinned_mixed_array_alone),
	KUNIT_CASE(gup_fast_does_not_count_it_either),
	{}
};

static struct kunit_suite gup_zero_page_suite = {
	.name = "gup_zero_page",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_zero_page_cases,
};

kunit_test_suite(gup_zero_page_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of pins of the zero page");
MODULE_LICENSE("GPL");
