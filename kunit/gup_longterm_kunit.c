// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of FOLL_LONGTERM. A page that is pinned for long must not be in an
 * area that has to be emptied on demand, which is a CMA area or ZONE_MOVABLE.
 * If it is there, it has to be migrated before it is pinned.
 *
 * GUP-fast cannot migrate, so it refuses such a page and leaves it to the slow
 * path. The slow path in turn must take it before it can migrate it, and never
 * fail because of where it is.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "gup_area.h"
#include "gup_fixture.h"

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)
#define HUGE_ORDER	(PMD_SHIFT - PAGE_SHIFT)

/* Pages of an area that are enough to be found, and then to be pinned */
#define NR_TRIES	8192
#define NR_PAGES	8

/* Those that can pin for long on every kernel */
static const unsigned int methods[] = {
	GUP_PIN, GUP_PIN_FAST, GUP_PIN_REMOTE,
};

/*
 * As long as there is memory in ZONE_MOVABLE, none is taken from CMA areas. So
 * take all of it away, linked by page->lru, until give_back().
 */
static void take_movable_zone(struct list_head *taken)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN;
	struct page *page;

	if (!gup_have_movable_zone())
		return;
	while ((page = alloc_pages(gfp, HUGE_ORDER))) {
		list_add(&page->lru, taken);
		if (!gup_is_movable(page))
			return;
	}
}

static void give_back(struct list_head *taken)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, taken, lru) {
		list_del(&page->lru);
		__free_pages(page, HUGE_ORDER);
	}
}

static struct page *page_at(struct kunit *test, unsigned long addr)
{
	struct page *page;

	gup_get(test, addr, 1, &page);
	put_page(page);
	return page;
}

/*
 * Fault in anonymous memory until @nr pages in a row are in @area.
 * Return: their address, or 0 if there are none.
 */
static unsigned long map_in_area(struct kunit *test,
				 const struct gup_area *area, unsigned long nr)
{
	unsigned long addr = gup_map_anon(test, NR_TRIES,
					  PROT_READ | PROT_WRITE);
	unsigned long i, found = 0;

	/* Huge pages are for those who ask for them. */
	do_madvise(current->mm, addr, NR_TRIES * PAGE_SIZE, MADV_NOHUGEPAGE);
	for (i = 0; i < NR_TRIES; i++) {
		gup_fault_in(test, addr + i * PAGE_SIZE, 1, FAULT_FLAG_WRITE);
		if (area->contains(page_at(test, addr + i * PAGE_SIZE)))
			found++;
		else
			found = 0;
		if (found == nr)
			return addr + (i + 1 - nr) * PAGE_SIZE;
	}
	return 0;
}

static unsigned long map_huge_in_area(struct kunit *test,
				      const struct gup_area *area)
{
	unsigned long nr = NR_TRIES / NR_HUGE, i;
	unsigned long addr = gup_map_anon_aligned(test, nr,
						  PROT_READ | PROT_WRITE);

	for (i = 0; i < nr; i++, addr += PMD_SIZE) {
		gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
		if (gup_mapped_by_pmd(addr) &&
		    area->contains(page_at(test, addr)))
			return addr;
	}
	return 0;
}

/* Write the index of each page into it, to recognize what has been migrated */
static void number_pages(struct kunit *test, unsigned long addr,
			 unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		gup_write_number(page_at(test, addr + i * PAGE_SIZE), ~i);
}

/*
 * Pin @nr pages that are in @area for long. They have to be migrated out of it,
 * with what they contain, and to be the ones that are mapped from then on.
 */
static void expect_migration(struct kunit *test, const struct gup_method *m,
			     const struct gup_area *area, unsigned long addr,
			     unsigned long nr)
{
	unsigned long inside = 0, wrong = 0, unmapped = 0, i;
	struct gup_pin_counters before, after;
	struct page **pages;
	int held, left;
	long got;

	pages = kunit_kzalloc(test, nr * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	number_pages(test, addr, nr);
	gup_poison(pages, nr);

	before = gup_read_pin_counters();
	got = m->acquire(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages);
	KUNIT_EXPECT_EQ_MSG(test, got, (long)nr,
			    "%s() with FOLL_LONGTERM for %lu pages in %s",
			    m->name, nr, area->name);
	if (got <= 0)
		return;
	for (i = 0; i < got; i++) {
		inside += area->contains(pages[i]);
		wrong += gup_read_number(pages[i]) != ~i;
		unmapped += page_at(test, addr + i * PAGE_SIZE) != pages[i];
	}
	held = page_ref_count(pages[0]);
	gup_release(m, pages, got);
	left = page_ref_count(pages[0]);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, inside, 0UL,
			    "pages out of %ld that %s() pinned in %s", got,
			    m->name, area->name);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0UL,
			    "pages out of %ld that have other contents since %s()",
			    got, m->name);
	KUNIT_EXPECT_EQ_MSG(test, unmapped, 0UL,
			    "pages out of %ld that %s() pinned, but that are not mapped",
			    got, m->name);
	if (!PageCompound(pages[0]))
		KUNIT_EXPECT_EQ_MSG(test, held - left, m->weight,
				    "references that one pin by %s() held",
				    m->name);
	/* Pages that are not good enough are released before migration. */
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    after.released - before.released,
			    "pins by %s(), as compared to releases", m->name);
}

static void small_pages(struct kunit *test, const struct gup_area *area,
			unsigned long nr)
{
	unsigned long addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		addr = map_in_area(test, area, nr);
		KUNIT_EXPECT_TRUE_MSG(test, addr, "no memory was taken from %s",
				      area->name);
		if (!addr)
			return;
		expect_migration(test, &gup_methods[methods[i]], area, addr,
				 nr);
	}
}

static void huge_pages(struct kunit *test, const struct gup_area *area)
{
	unsigned long addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		addr = map_huge_in_area(test, area);
		KUNIT_EXPECT_TRUE_MSG(test, addr,
				      "no huge page was taken from %s",
				      area->name);
		if (!addr)
			return;
		/* One page of it, and then all of what it has become */
		expect_migration(test, &gup_methods[methods[i]], area,
				 addr + PAGE_SIZE, 1);
		addr = map_huge_in_area(test, area);
		if (addr)
			expect_migration(test, &gup_methods[methods[i]], area,
					 addr, NR_HUGE);
	}
}

static void migrates_one_page_out_of_cma(struct kunit *test)
{
	LIST_HEAD(taken);

	gup_skip_without_cma(test);
	take_movable_zone(&taken);
	small_pages(test, &gup_cma_area, 1);
	give_back(&taken);
}

static void migrates_many_pages_out_of_cma(struct kunit *test)
{
	LIST_HEAD(taken);

	gup_skip_without_cma(test);
	take_movable_zone(&taken);
	small_pages(test, &gup_cma_area, NR_PAGES);
	give_back(&taken);
}

static void migrates_huge_pages_out_of_cma(struct kunit *test)
{
	LIST_HEAD(taken);

	gup_skip_without_cma(test);
	gup_skip_without_thp(test);
	take_movable_zone(&taken);
	huge_pages(test, &gup_cma_area);
	give_back(&taken);
}

static long use_twice(void *data)
{
	struct page *page = data;

	folio_mark_accessed(page_folio(page));
	folio_mark_accessed(page_folio(page));
	return 0;
}

/*
 * A page that is used twice is to be moved from the inactive LRU list to the
 * active one. Until that happens, it waits in a cache of the CPU that used it,
 * which holds a reference like a user of the page would.
 *
 *	inactive list: [page] <--- cache of a CPU: [page]
 */
static void expect_migration_of_used_page(struct kunit *test, bool other_cpu)
{
	unsigned int here = raw_smp_processor_id();
	unsigned int cpu = other_cpu ? cpumask_any_but(cpu_online_mask, here)
				     : here;
	unsigned long addr;
	LIST_HEAD(taken);

	take_movable_zone(&taken);
	addr = map_in_area(test, &gup_cma_area, 1);
	give_back(&taken);
	KUNIT_ASSERT_TRUE_MSG(test, addr, "no memory was taken from CMA");

	lru_add_drain_all();
	set_cpus_allowed_ptr(current, cpumask_of(here));
	work_on_cpu(cpu, use_twice, page_at(test, addr));
	expect_migration(test, &gup_methods[GUP_PIN], &gup_cma_area, addr, 1);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static void migrates_a_page_that_was_just_used(struct kunit *test)
{
	gup_skip_without_cma(test);
	expect_migration_of_used_page(test, false);
}

#define skip_without_second_cpu(test)					\
do {									\
	if (num_online_cpus() < 2)					\
		kunit_skip(test, "needs CONFIG_SMP and two CPUs");	\
} while (0)

static void migrates_a_page_that_another_cpu_has_just_used(struct kunit *test)
{
	gup_skip_without_cma(test);
	skip_without_second_cpu(test);
	expect_migration_of_used_page(test, true);
}

/* With SIGKILL pending, what the slow path would have to do remains undone. */
static void gup_fast_leaves_cma_to_the_slow_path(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN_FAST];
	struct page *pages[1] = { GUP_POISON };
	unsigned long addr;
	LIST_HEAD(taken);
	long got = 0;

	gup_skip_without_cma(test);
	take_movable_zone(&taken);
	addr = map_in_area(test, &gup_cma_area, 1);
	if (addr) {
		gup_begin_to_be_killed(test);
		got = m->acquire(addr, 1, FOLL_WRITE | FOLL_LONGTERM, pages);
		gup_end_to_be_killed();
		gup_release(m, pages, got);
	}
	give_back(&taken);

	KUNIT_EXPECT_TRUE_MSG(test, addr, "no memory was taken from CMA");
	KUNIT_EXPECT_LT_MSG(test, got, 0L,
			    "%s() of a CMA page with FOLL_LONGTERM, with the slow path being of no use",
			    m->name);
}

static void leaves_cma_pages_in_place_if_not_for_long(struct kunit *test)
{
	const struct gup_method *m;
	unsigned long addr;
	LIST_HEAD(taken);

	gup_skip_without_cma(test);
	take_movable_zone(&taken);
	addr = map_in_area(test, &gup_cma_area, 1);
	give_back(&taken);
	KUNIT_ASSERT_TRUE_MSG(test, addr, "no memory was taken from CMA");

	gup_for_each_pin(m) {
		struct page *pages[1] = { GUP_POISON };
		struct page *page = page_at(test, addr);
		long got = m->acquire(addr, 1, FOLL_WRITE, pages);

		gup_release(m, pages, got);
		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "%s() of a CMA page",
				    m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], page,
					"%s() of a CMA page, which is not to be migrated",
					m->name);
	}
}

/* Does this kernel care? Before v5.14, only CMA areas were avoided. */
static bool movable_zone_is_avoided(struct kunit *test)
{
	unsigned long addr = map_in_area(test, &gup_movable_area, 1);

	KUNIT_ASSERT_TRUE_MSG(test, addr, "no memory was taken from ZONE_MOVABLE");
	return !folio_is_longterm_pinnable(page_folio(page_at(test, addr)));
}

#define skip_unless_avoided(test)					\
do {									\
	if (!movable_zone_is_avoided(test))				\
		kunit_skip(test, "CONFIG_MEMORY_HOTREMOVE is not looked at"); \
} while (0)

static void migrates_one_page_out_of_zone_movable(struct kunit *test)
{
	gup_skip_without_movable_zone(test);
	skip_unless_avoided(test);
	small_pages(test, &gup_movable_area, 1);
}

static void migrates_many_pages_out_of_zone_movable(struct kunit *test)
{
	gup_skip_without_movable_zone(test);
	skip_unless_avoided(test);
	small_pages(test, &gup_movable_area, NR_PAGES);
}

static void migrates_huge_pages_out_of_zone_movable(struct kunit *test)
{
	gup_skip_without_movable_zone(test);
	gup_skip_without_thp(test);
	skip_unless_avoided(test);
	huge_pages(test, &gup_movable_area);
}

/*
 * Each CPU keeps what it adds to the LRU lists for a while, and with it a
 * reference. A page that is held by nothing else than its mapping and the pin
 * does not wait there, so there is no reason to have other CPUs empty their
 * caches. To see whether they are told to, a page is put into the cache of one::
 *
 *	this CPU			another CPU
 *	(cache is empty)		[waits]
 *	pin, migrate
 *					is it on its LRU list yet?
 */
static long add_to_lru(void *page)
{
	folio_add_lru(page_folio((struct page *)page));
	return 0;
}

/* Pin @page for long; returns whether that has emptied the cache of @cpu */
static bool pin_drains(struct kunit *test, unsigned long addr, unsigned int cpu)
{
	struct page *waits = alloc_page(GFP_HIGHUSER);
	struct page *pages[1] = { GUP_POISON };
	bool before, after;
	long got;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waits);
	/* Looking at the page may have put it into the cache of this CPU. */
	lru_add_drain_all();
	work_on_cpu(cpu, add_to_lru, waits);
	before = PageLRU(waits);
	got = gup_methods[GUP_PIN].acquire(addr, 1, FOLL_WRITE | FOLL_LONGTERM,
					   pages);
	after = PageLRU(waits);
	gup_release(&gup_methods[GUP_PIN], pages, got);
	put_page(waits);
	lru_add_drain_all();

	KUNIT_EXPECT_EQ_MSG(test, got, 1L,
			    "pin_user_pages() with FOLL_LONGTERM");
	KUNIT_EXPECT_FALSE_MSG(test, before,
			       "a page does not wait in the cache of CPU %u",
			       cpu);
	return after;
}

static void expect_no_drain(struct kunit *test, const struct gup_area *area,
			    unsigned long addr)
{
	unsigned int settled = 0, drains = 0, left = 0, i;
	unsigned int cpu = raw_smp_processor_id();
	unsigned int other = cpumask_any_but(cpu_online_mask, cpu);

	/* Migration empties the cache of the CPU that it runs on. */
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	lru_add_drain_all();

	for (i = 0; i < NR_PAGES; i++, addr += PAGE_SIZE) {
		settled += PageLRU(page_at(test, addr));
		drains += pin_drains(test, addr, other);
		left += !area->contains(page_at(test, addr));
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);

	KUNIT_EXPECT_EQ_MSG(test, settled, (unsigned int)NR_PAGES,
			    "pages in %s that are on their LRU list", area->name);
	KUNIT_EXPECT_EQ_MSG(test, left, (unsigned int)NR_PAGES,
			    "pages in %s that were migrated by a pin",
			    area->name);
	KUNIT_EXPECT_EQ_MSG(test, drains, 0U,
			    "pins of %d pages in %s that emptied the LRU cache of another CPU",
			    NR_PAGES, area->name);
}

static void leaves_the_caches_of_other_cpus_alone(struct kunit *test)
{
	unsigned long addr;
	LIST_HEAD(taken);

	gup_skip_without_cma(test);
	skip_without_second_cpu(test);
	take_movable_zone(&taken);
	addr = map_in_area(test, &gup_cma_area, NR_PAGES);
	give_back(&taken);
	KUNIT_ASSERT_TRUE_MSG(test, addr, "no memory was taken from CMA");
	expect_no_drain(test, &gup_cma_area, addr);
}

static void leaves_them_alone_for_zone_movable(struct kunit *test)
{
	unsigned long addr;

	gup_skip_without_movable_zone(test);
	skip_unless_avoided(test);
	skip_without_second_cpu(test);
	addr = map_in_area(test, &gup_movable_area, NR_PAGES);
	KUNIT_ASSERT_TRUE_MSG(test, addr,
			      "no memory was taken from ZONE_MOVABLE");
	expect_no_drain(test, &gup_movable_area, addr);
}

static struct kunit_case gup_longterm_cases[] = {
	KUNIT_CASE(migrates_one_page_out_of_cma),
	KUNIT_CASE(migrates_many_pages_out_of_cma),
	KUNIT_CASE(migrates_huge_pages_out_of_cma),
	KUNIT_CASE(migrates_a_page_that_was_just_used),
	KUNIT_CASE(migrates_a_page_that_another_cpu_has_just_used),
	KUNIT_CASE(gup_fast_leaves_cma_to_the_slow_path),
	KUNIT_CASE(leaves_cma_pages_in_place_if_not_for_long),
	KUNIT_CASE(migrates_one_page_out_of_zone_movable),
	KUNIT_CASE(migrates_many_pages_out_of_zone_movable),
	KUNIT_CASE(migrates_huge_pages_out_of_zone_movable),
	KUNIT_CASE(leaves_the_caches_of_other_cpus_alone),
	KUNIT_CASE(leaves_them_alone_for_zone_movable),
	{}
};

static struct kunit_suite gup_longterm_suite = {
	.name = "gup_longterm",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_longterm_cases,
};

kunit_test_suite(gup_longterm_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of long-term pins");
MODULE_LICENSE("GPL");
