// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests that pin_user_pages*() and unpin_user_page*() leave the zero page
 * alone, whereas get_user_pages*() takes references to it as to any page.
 *
 * Private anonymous memory that has only been read maps the zero page. There may
 * be several, of which the address chooses one. What is counted is compared
 * exactly. If others pin pages meanwhile, it does not add up, so what is not as
 * it should be is tried again, up to NR_TRIES times.
 */
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/stringify.h>
#include <linux/swap.h>

#include "gup_fixture.h"
#include "gup_fork.h"

#define NR_PAGES	3
#define NR_TRIES	10

static bool is_zero(struct page *page)
{
	return page != GUP_POISON && is_zero_pfn(page_to_pfn(page));
}

/* References to all zero pages that NR_PAGES pages from @addr on may map */
static int zero_page_refs(unsigned long addr)
{
	unsigned int i, j;
	int refs = 0;

	for (i = 0; i < NR_PAGES; i++) {
		struct page *page = ZERO_PAGE(addr + i * PAGE_SIZE);

		for (j = 0; j < i; j++)
			if (ZERO_PAGE(addr + j * PAGE_SIZE) == page)
				break;
		if (j == i)
			refs += page_ref_count(page);
	}
	return refs;
}

static unsigned long map_unread_pages(struct kunit *test)
{
	return gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
}

/* Map NR_PAGES pages and read them, so that all of them are the zero page */
static unsigned long map_zero_pages(struct kunit *test)
{
	unsigned long addr = map_unread_pages(test);

	gup_fault_in(test, addr, NR_PAGES, 0);
	return addr;
}

/*
 * Have a page on the list of active pages, where it stays. Otherwise calls that
 * mark it accessed put it into a cache, which has a reference until it is
 * drained by whoever comes first.
 */
static void settle(struct page *page)
{
	unsigned int i;

	lru_add_drain_all();
	for (i = 0; i < 3; i++)
		folio_mark_accessed(page_folio(page));
	lru_add_drain_all();
}

/* The same, but write to the middle one: [zero] [anonymous] [zero] */
static unsigned long map_mixed_pages(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test);

	gup_fault_in(test, addr + PAGE_SIZE, 1, FAULT_FLAG_WRITE);
	settle(gup_page_at(test, addr + PAGE_SIZE));
	return addr;
}

/* What is counted of all zero pages, and of all pins */
static struct gup_counts read_counts(unsigned long addr)
{
	struct gup_counts counts = {
		.refs = zero_page_refs(addr),
		.pins = gup_read_pin_counters(),
	};

	return counts;
}

static bool counts_are(const struct gup_counts *now,
		       const struct gup_counts *before, long acquired,
		       long released)
{
	return now->refs == before->refs &&
	       now->pins.acquired == before->pins.acquired + acquired &&
	       now->pins.released == before->pins.released + released;
}

static void expect_counts(struct kunit *test, const struct gup_counts *now,
			  const struct gup_counts *before, long acquired,
			  long released, const char *when, const char *what)
{
	gup_expect_counts(test, before, now, 0,
			  (struct gup_pin_counters){ acquired, released },
			  "the zero page %s %s", when, what);
}

/**
 * struct pinned - what one call did, while it held pages and afterwards
 * @addr: where
 * @got: what it returned
 * @pages: its array
 * @held: refcounts of the pages while they were held
 * @left: refcounts of the pages after they were released
 * @before: counts before the call
 * @during: counts while the pages were held
 * @after: counts after they were released
 */
struct pinned {
	unsigned long addr;
	long got;
	struct page *pages[NR_PAGES];
	int held[NR_PAGES];
	int left[NR_PAGES];
	struct gup_counts before, during, after;
};

static int refs_of(struct page *page)
{
	return page == GUP_POISON ? 0 : page_ref_count(page);
}

static void pin_once(const struct gup_method *m, unsigned long nr,
		     unsigned int gup_flags, struct pinned *p)
{
	long i;

	gup_poison(p->pages, NR_PAGES);
	p->before = read_counts(p->addr);
	p->got = m->acquire(p->addr, nr, gup_flags, p->pages);
	p->during = read_counts(p->addr);
	for (i = 0; i < p->got; i++)
		p->held[i] = refs_of(p->pages[i]);
	gup_release(m, p->pages, p->got);
	for (i = 0; i < p->got; i++)
		p->left[i] = refs_of(p->pages[i]);
	p->after = read_counts(p->addr);
}

/* Have @m pin what @map maps, of which @anon pages are not the zero page */
static struct pinned pin(struct kunit *test, const struct gup_method *m,
			 unsigned long (*map)(struct kunit *test),
			 unsigned long nr, unsigned int gup_flags, long anon)
{
	unsigned int tries = NR_TRIES;
	struct pinned p;
	bool as_expected;
	long i;

	do {
		p.addr = map(test);
		pin_once(m, nr, gup_flags, &p);
		as_expected = p.got == nr &&
			      counts_are(&p.during, &p.before, anon, 0) &&
			      counts_are(&p.after, &p.before, anon, anon);
		for (i = 0; i < p.got; i++)
			if (!is_zero(p.pages[i]) &&
			    p.held[i] != p.left[i] + m->weight)
				as_expected = false;
	} while (!as_expected && --tries);

	return p;
}

/* The same expectation, with messages */
static void expect_pinned(struct kunit *test, const struct gup_method *m,
			  const struct pinned *p, long nr, long anon)
{
	long i;

	KUNIT_EXPECT_EQ_MSG(test, p->got, nr, "pages returned by %s()",
			    m->name);
	for (i = 0; i < p->got; i++)
		if (!is_zero(p->pages[i]))
			KUNIT_EXPECT_EQ_MSG(test, p->held[i],
					    p->left[i] + m->weight,
					    "refcount of page %ld, which is anonymous, after %s()",
					    i, m->name);
	expect_counts(test, &p->during, &p->before, anon, 0, "after", m->name);
	expect_counts(test, &p->after, &p->before, anon, anon, "unpinned after",
		      m->name);
}

static void pin_and_unpin_leave_all_counts_alone(struct kunit *test)
{
	const struct gup_method *m;
	struct pinned p;
	unsigned int i;

	gup_for_each_pin(m) {
		p = pin(test, m, map_zero_pages, NR_PAGES, 0, 0);

		expect_pinned(test, m, &p, NR_PAGES, 0);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, p.pages[i],
						ZERO_PAGE(p.addr + i * PAGE_SIZE),
						"pages[%u] of %s() is not what is mapped",
						i, m->name);
	}
}

static void a_pin_that_faults_the_zero_page_in_is_not_counted(struct kunit *test)
{
	const struct gup_method *m;
	struct pinned p;

	gup_for_each_pin(m) {
		p = pin(test, m, map_unread_pages, NR_PAGES, 0, 0);

		expect_pinned(test, m, &p, NR_PAGES, 0);
		KUNIT_EXPECT_TRUE_MSG(test, is_zero(p.pages[0]),
				      "%s() did not return the zero page",
				      m->name);
	}
}

static void a_hundred_thousand_pins_leave_the_refcount_alone(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test), nr;
	struct page *pages[NR_PAGES];
	int before, during, after;
	unsigned int tries = NR_TRIES;
	long got, i;

	do {
		gup_poison(pages, NR_PAGES);
		nr = 0;
		got = NR_PAGES;
		before = zero_page_refs(addr);
		mmap_read_lock(current->mm);
		while (nr < 100000 && got == NR_PAGES) {
			got = pin_user_pages(addr, NR_PAGES, 0, pages);
			nr += got > 0 ? got : 0;
		}
		mmap_read_unlock(current->mm);
		during = zero_page_refs(addr);
		for (i = 0; i < nr; i++)
			unpin_user_page(pages[i % NR_PAGES]);
		after = zero_page_refs(addr);
	} while ((during != before || after != before) && --tries);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pin_user_pages() after %lu pins", nr);
	KUNIT_EXPECT_EQ_MSG(test, during, before,
			    "refcount of the zero page after %lu pins", nr);
	KUNIT_EXPECT_EQ_MSG(test, after, before,
			    "refcount of the zero page after as many releases");
}

static void get_counts_the_zero_page_like_any_other(struct kunit *test)
{
	unsigned long addr = map_zero_pages(test);
	unsigned int tries = NR_TRIES;
	const struct gup_method *m;
	int before, during, after;
	struct pinned p;

	gup_for_each_get(m) {
		do {
			p.addr = addr;
			pin_once(m, NR_PAGES, 0, &p);
			before = p.before.refs;
			during = p.during.refs;
			after = p.after.refs;
		} while ((during != before + NR_PAGES || after != before) &&
			 --tries);

		KUNIT_EXPECT_EQ_MSG(test, during, before + NR_PAGES,
				    "refcount of the zero page after %s() for %d pages of it",
				    m->name, NR_PAGES);
		KUNIT_EXPECT_EQ_MSG(test, after, before,
				    "refcount of the zero page after %s() and put_page()",
				    m->name);
		if (!tries)
			break;
	}
}

static void only_the_anonymous_page_of_a_mixed_array_is_counted(struct kunit *test)
{
	const struct gup_method *m;
	struct page *anon;
	struct pinned p;

	gup_for_each_pin(m) {
		p = pin(test, m, map_mixed_pages, NR_PAGES, 0, 1);
		anon = gup_page_at(test, p.addr + PAGE_SIZE);

		expect_pinned(test, m, &p, NR_PAGES, 1);
		KUNIT_EXPECT_PTR_EQ_MSG(test, p.pages[1], anon,
					"middle one of the pages of %s()",
					m->name);
		KUNIT_EXPECT_FALSE_MSG(test, is_zero(p.pages[1]),
				       "middle one of the pages of %s() is the zero page",
				       m->name);
		KUNIT_EXPECT_EQ_MSG(test, p.left[1], 1,
				    "references to the anonymous page unpinned after %s(), which a page table maps",
				    m->name);
	}
}

/* Pin a mixed array and have @u release it */
static void expect_mixed_array_released(struct kunit *test,
					const struct gup_unpin *u)
{
	unsigned int tries = NR_TRIES;
	int anon_before, anon_after;
	struct gup_counts before, after;
	struct page *pages[NR_PAGES];
	bool dirty;

	do {
		unsigned long addr = map_mixed_pages(test);

		before = read_counts(addr);
		gup_pin(test, addr, NR_PAGES, pages);

		/* The unpin may free nothing: the page table has a reference. */
		ClearPageDirty(pages[1]);
		anon_before = page_ref_count(pages[1]);
		u->unpin(pages, NR_PAGES);
		anon_after = page_ref_count(pages[1]);
		dirty = PageDirty(pages[1]);
		after = read_counts(addr);
		/*
		 * That it is clean is for gup_release to see, and it outlives
		 * the test.
		 */
		ClearPageDirty(pages[0]);
		ClearPageDirty(pages[2]);
	} while (!(counts_are(&after, &before, 1, 1) &&
		   anon_after == anon_before - (int)GUP_PIN_COUNTING_BIAS) &&
		 --tries);

	KUNIT_EXPECT_EQ_MSG(test, anon_after,
			    anon_before - (int)GUP_PIN_COUNTING_BIAS,
			    "refcount of the anonymous page after %s", u->name);
	KUNIT_EXPECT_EQ_MSG(test, dirty, u->dirties,
			    "whether the anonymous page is dirty after %s",
			    u->name);
	expect_counts(test, &after, &before, 1, 1, "after", u->name);
}

static void unpin_user_pages_ignores_zero_pages(struct kunit *test)
{
	expect_mixed_array_released(test, &gup_unpins[GUP_UNPIN_PAGES]);
}

static void unpin_user_pages_dirty_lock_ignores_zero_pages(struct kunit *test)
{
	expect_mixed_array_released(test, &gup_unpins[GUP_UNPIN_PAGES_CLEAN]);
	expect_mixed_array_released(test, &gup_unpins[GUP_UNPIN_PAGES_DIRTY]);
}

static void a_write_pin_breaks_cow_and_is_counted(struct kunit *test)
{
	const struct gup_method *m;
	struct pinned p;

	gup_for_each_pin(m) {
		p = pin(test, m, map_zero_pages, 1, FOLL_WRITE, 1);

		expect_pinned(test, m, &p, 1, 1);
		KUNIT_EXPECT_FALSE_MSG(test, is_zero(p.pages[0]),
				       "%s() returned the zero page for writing",
				       m->name);
	}
}

/*
 * The zero page would not show what is written to the memory later on. So it is
 * replaced, unless the kernel is one of those that do not care.
 */
static void a_long_term_pin_breaks_cow_or_is_not_counted(struct kunit *test)
{
	const long anon = GUP_LONGTERM_BREAKS_COW ? NR_PAGES : 0;
	struct gup_pin_counters before, during, after;
	const struct gup_method *m;
	struct pinned p;
	unsigned int i;

	gup_for_each_pin(m) {
		if (!GUP_HAS_UNLOCKED_LONGTERM &&
		    m == &gup_methods[GUP_PIN_UNLOCKED])
			continue;
		p = pin(test, m, map_zero_pages, NR_PAGES, FOLL_LONGTERM, anon);
		before = p.before.pins;
		during = p.during.pins;
		after = p.after.pins;

		KUNIT_EXPECT_EQ_MSG(test, p.got, (long)NR_PAGES,
				    "pages returned by %s() with FOLL_LONGTERM",
				    m->name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_EQ_MSG(test, is_zero(p.pages[i]),
					    (bool)!GUP_LONGTERM_BREAKS_COW,
					    "whether pages[%u] of %s() with FOLL_LONGTERM is the zero page",
					    i, m->name);
		KUNIT_EXPECT_EQ_MSG(test, p.during.refs, p.before.refs,
				    "refcount of the zero page after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, p.after.refs, p.before.refs,
				    "refcount of the zero page unpinned after %s() with FOLL_LONGTERM",
				    m->name);
		/* Migration may pin pages and give them up again. */
		KUNIT_EXPECT_EQ_MSG(test, during.acquired - during.released,
				    before.acquired - before.released + anon,
				    "pins held after %s() with FOLL_LONGTERM",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - after.released,
				    before.acquired - before.released,
				    "pins left after %s() with FOLL_LONGTERM",
				    m->name);
	}
}

/* Pin zero pages for reading, to see whether @between changes what is released */
static void expect_balance_across(struct kunit *test,
				  void (*between)(struct kunit *test,
						  unsigned long addr),
				  const char *what)
{
	unsigned int tries = NR_TRIES;
	struct page *pages[NR_PAGES];
	struct gup_counts before, after;

	do {
		unsigned long addr = map_zero_pages(test);

		before = read_counts(addr);
		gup_pin(test, addr, NR_PAGES, pages);
		between(test, addr);
		unpin_user_pages(pages, NR_PAGES);
		after = read_counts(addr);
	} while (!counts_are(&after, &before, 0, 0) && --tries);

	expect_counts(test, &after, &before, 0, 0, "unpinned after", what);
}

static void write_to(struct kunit *test, unsigned long addr)
{
	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);
}

static void unpin_after_a_write_has_replaced_the_page(struct kunit *test)
{
	expect_balance_across(test, write_to, "a write to the memory");
}

static void unmap(struct kunit *test, unsigned long addr)
{
	gup_unmap(test, addr, NR_PAGES);
}

static void unpin_after_the_memory_is_unmapped(struct kunit *test)
{
	expect_balance_across(test, unmap, "the end of the mapping");
}

static void fork_mm(struct kunit *test, unsigned long addr)
{
	struct gup_child child;

	gup_fork(test, &child);
	gup_fork_end(&child);
}

static void unpin_after_a_fork(struct kunit *test)
{
	expect_balance_across(test, fork_mm, "a fork");
}

/*
 * fork() shares anonymous pages until one side writes to them, who gets a copy.
 * A page that is pinned has to stay with the one who pinned it: the child gets
 * the copy, and right away. Only a write shows whether it is so.
 */
static void a_write_after_fork_keeps_the_pinned_page_of_a_mixed_array(struct kunit *test)
{
	struct page *pages[NR_PAGES], *now;
	unsigned int tries = NR_TRIES;
	struct gup_counts before, after;
	struct gup_child child;
	long got;

	do {
		unsigned long addr = map_mixed_pages(test);

		before = read_counts(addr);
		gup_pin(test, addr, NR_PAGES, pages);

		gup_fork(test, &child);
		mmap_read_lock(current->mm);
		got = get_user_pages(addr + PAGE_SIZE, 1, FOLL_WRITE, &now);
		mmap_read_unlock(current->mm);
		if (got == 1)
			put_page(now);
		gup_fork_end(&child);
		unpin_user_pages(pages, NR_PAGES);
		after = read_counts(addr);
	} while (!counts_are(&after, &before, 1, 1) && --tries);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "get_user_pages() for writing");
	KUNIT_EXPECT_PTR_EQ_MSG(test, now, pages[1],
				"page that is written to, after a fork, where pages[1] was pinned");
	expect_counts(test, &after, &before, 1, 1, "unpinned after", "a fork");
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
	struct gup_counts before, during, after;
	struct page *pages[1] = { GUP_POISON };
	unsigned int tries = NR_TRIES;
	unsigned long addr;
	int err, got;

	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST))
		kunit_skip(test, "needs " __stringify(CONFIG_HAVE_GUP_FAST));
	addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	err = apply_to_page_range(current->mm, addr, PAGE_SIZE,
				  map_zero_page_as_ordinary, NULL);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot map the zero page");

	do {
		before = read_counts(addr);
		/* The slow path gives up at once, and so shows that it was taken. */
		gup_begin_to_be_killed(test);
		got = pin_user_pages_fast(addr, 1, 0, pages);
		gup_end_to_be_killed();
		during = read_counts(addr);
		if (got == 1)
			unpin_user_page(pages[0]);
		after = read_counts(addr);
	} while (!(counts_are(&during, &before, 0, 0) &&
		   counts_are(&after, &before, 0, 0)) && --tries);
	apply_to_page_range(current->mm, addr, PAGE_SIZE, unmap_again, NULL);

	KUNIT_EXPECT_EQ_MSG(test, got, 1, "pages that GUP-fast found");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], ZERO_PAGE(addr),
				"page that GUP-fast found");
	expect_counts(test, &during, &before, 0, 0, "after", "GUP-fast");
	expect_counts(test, &after, &before, 0, 0, "unpinned after", "GUP-fast");
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
	KUNIT_CASE(a_long_term_pin_breaks_cow_or_is_not_counted),
	KUNIT_CASE(unpin_after_a_write_has_replaced_the_page),
	KUNIT_CASE(unpin_after_the_memory_is_unmapped),
	KUNIT_CASE(unpin_after_a_fork),
	KUNIT_CASE(a_write_after_fork_keeps_the_pinned_page_of_a_mixed_array),
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

MODULE_DESCRIPTION("KUnit tests of pins of the zero page");
MODULE_LICENSE("GPL");
