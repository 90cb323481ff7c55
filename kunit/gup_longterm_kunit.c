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
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "gup_area.h"
#include "gup_fixture.h"
#include "gup_hugetlb.h"

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)

/* Pages of an area that are enough to be found, and then to be pinned */
#define NR_TRIES	(SZ_32M >> PAGE_SHIFT)
#define NR_HUGE_TRIES	8
#define NR_PAGES	8

/* For how long another thread waits at most */
#define PATIENCE	(10 * HZ)

/* Those that can pin for long on every kernel */
static const unsigned int methods[] = {
	GUP_PIN, GUP_PIN_FAST, GUP_PIN_REMOTE,
};

/*
 * As long as there is memory in ZONE_MOVABLE, none is taken from CMA areas. So
 * take all of it away, from each node that has some, linked by page->lru. The
 * suite's exit function gives back what a case has not given back.
 */
static LIST_HEAD(taken);

static void take_movable_zone(void)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NORETRY |
		    __GFP_NOWARN;
	struct page *page;
	int nid;

	if (!gup_have_movable_zone())
		return;
	for_each_online_node(nid) {
		while ((page = alloc_pages_node(nid, gfp, pageblock_order))) {
			list_add(&page->lru, &taken);
			if (!gup_is_movable(page))
				break;
		}
	}
}

static void give_back(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &taken, lru) {
		list_del(&page->lru);
		__free_pages(page, pageblock_order);
	}
}

/*
 * Two cases of one shape, which differ in the area that @body is about. It may
 * skip, if that is the first thing it does.
 */
#define CASE_FOR_EACH_AREA(cma_case, movable_case, body)		\
static void cma_case(struct kunit *test)				\
{									\
	gup_skip_without_cma(test);					\
	take_movable_zone();						\
	body(test, &gup_cma_area);					\
}									\
									\
static void movable_case(struct kunit *test)				\
{									\
	gup_skip_without_movable_zone(test);				\
	body(test, &gup_movable_area);					\
}

static void gup_longterm_exit(struct kunit *test)
{
	give_back();
	gup_fixture_exit(test);
}

/* GUP-fast, as the slow path has pages moved from one LRU list to another. */
static struct page *page_at(struct kunit *test, unsigned long addr)
{
	struct page *page = NULL;
	long got = get_user_pages_fast(addr, 1, 0, &page);

	KUNIT_ASSERT_EQ_MSG(test, got, 1L,
			    "get_user_pages_fast() of a page that is mapped");
	put_page(page);
	return page;
}

/*
 * Fault in NR_TRIES pages at @addr until @nr pages in a row are in @area.
 * Return: their address, or 0 if there are none, which fails the test.
 */
static unsigned long find_in_area(struct kunit *test,
				  const struct gup_area *area,
				  unsigned long addr, unsigned long nr)
{
	unsigned long i, found = 0;

	/* Huge pages are for those who ask for them. */
	do_madvise(current->mm, addr, NR_TRIES * PAGE_SIZE, MADV_NOHUGEPAGE);
	gup_take_from(area);
	for (i = 0; i < NR_TRIES && found < nr; i++) {
		gup_fault_in(test, addr + i * PAGE_SIZE, 1, FAULT_FLAG_WRITE);
		if (area->contains(page_at(test, addr + i * PAGE_SIZE)))
			found++;
		else
			found = 0;
	}
	gup_take_from_anywhere();

	KUNIT_EXPECT_EQ_MSG(test, found, nr,
			    "pages in a row that were taken from %s",
			    area->name);
	return found == nr ? addr + (i - nr) * PAGE_SIZE : 0;
}

static unsigned long map_in_area(struct kunit *test,
				 const struct gup_area *area, unsigned long nr)
{
	return find_in_area(test, area,
			    gup_map_anon(test, NR_TRIES,
					 PROT_READ | PROT_WRITE), nr);
}

static unsigned long map_huge_in_area(struct kunit *test,
				      const struct gup_area *area)
{
	unsigned long addr = gup_map_anon_aligned(test, NR_HUGE_TRIES,
						  PROT_READ | PROT_WRITE);
	bool found = false;
	unsigned long i;

	gup_take_from(area);
	for (i = 0; i < NR_HUGE_TRIES && !found; i++, addr += PMD_SIZE) {
		gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
		found = gup_mapped_by_pmd(addr) &&
			area->contains(page_at(test, addr));
	}
	gup_take_from_anywhere();

	KUNIT_EXPECT_TRUE_MSG(test, found, "no huge page was taken from %s",
			      area->name);
	return found ? addr - PMD_SIZE : 0;
}

static bool may_not_be_pinned(struct page *page)
{
	return gup_is_cma(page) || gup_is_movable(page);
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
 * Pin @nr pages for long, of which the first @mapped are mapped and in @area.
 * They have to be migrated out of it, and not into another one, with what they
 * contain, and to be the ones that are mapped from then on.
 */
static void expect_migration_up_to(struct kunit *test,
				   const struct gup_method *m,
				   const struct gup_area *area,
				   unsigned long addr, unsigned long nr,
				   unsigned long mapped)
{
	unsigned long inside = 0, wrong = 0, unmapped = 0, i;
	struct gup_pin_counters before, after;
	struct page **pages;
	int held, left;
	long got;

	pages = kunit_kzalloc(test, nr * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	number_pages(test, addr, mapped);
	gup_poison(pages, nr);

	before = gup_read_pin_counters();
	got = m->acquire(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages);
	KUNIT_EXPECT_EQ_MSG(test, got, (long)mapped,
			    "%s() with FOLL_LONGTERM for %lu pages, the first %lu in %s",
			    m->name, nr, mapped, area->name);
	if (got <= 0)
		return;
	for (i = 0; i < got; i++) {
		inside += may_not_be_pinned(pages[i]);
		wrong += gup_read_number(pages[i]) != ~i;
		unmapped += page_at(test, addr + i * PAGE_SIZE) != pages[i];
	}
	held = page_ref_count(pages[0]);
	gup_release(m, pages, got);
	left = page_ref_count(pages[0]);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, inside, 0UL,
			    "pages out of %ld in %s that %s() pinned there, or in another such area",
			    got, area->name, m->name);
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

static void expect_migration(struct kunit *test, const struct gup_method *m,
			     const struct gup_area *area, unsigned long addr,
			     unsigned long nr)
{
	expect_migration_up_to(test, m, area, addr, nr, nr);
}

static void small_pages(struct kunit *test, const struct gup_area *area,
			unsigned long nr)
{
	unsigned long addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		addr = map_in_area(test, area, nr);
		if (!addr)
			return;
		expect_migration(test, &gup_methods[methods[i]], area, addr,
				 nr);
	}
}

static void one_small_page(struct kunit *test, const struct gup_area *area)
{
	small_pages(test, area, 1);
}

CASE_FOR_EACH_AREA(migrates_one_page_out_of_cma,
		   migrates_one_page_out_of_zone_movable,
		   one_small_page)

static void many_small_pages(struct kunit *test, const struct gup_area *area)
{
	small_pages(test, area, NR_PAGES);
}

CASE_FOR_EACH_AREA(migrates_many_pages_out_of_cma,
		   migrates_many_pages_out_of_zone_movable,
		   many_small_pages)

static void huge_pages(struct kunit *test, const struct gup_area *area)
{
	unsigned long addr;
	unsigned int i;

	gup_skip_without_thp(test);
	/* A huge page, and another one, since all of memory is not in one piece */
	if (gup_area_free(area) < 2 * NR_HUGE)
		kunit_skip(test, "needs %s of two huge pages", area->needs);
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		addr = map_huge_in_area(test, area);
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

CASE_FOR_EACH_AREA(migrates_huge_pages_out_of_cma,
		   migrates_huge_pages_out_of_zone_movable,
		   huge_pages)

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

	take_movable_zone();
	addr = map_in_area(test, &gup_cma_area, 1);
	give_back();
	if (!addr)
		return;

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
static void expect_fast_path_to_refuse(struct kunit *test,
				       const struct gup_area *area)
{
	const struct gup_method *m = &gup_methods[GUP_PIN_FAST];
	unsigned long addr = map_in_area(test, area, 1);
	struct page *pages[1] = { GUP_POISON };
	long got;

	if (!addr)
		return;
	gup_begin_to_be_killed(test);
	got = m->acquire(addr, 1, FOLL_WRITE | FOLL_LONGTERM, pages);
	gup_end_to_be_killed();
	gup_release(m, pages, got);

	KUNIT_EXPECT_LT_MSG(test, got, 0L,
			    "%s() of a page in %s with FOLL_LONGTERM, with the slow path being of no use",
			    m->name, area->name);
}

CASE_FOR_EACH_AREA(gup_fast_leaves_cma_to_the_slow_path,
		   gup_fast_leaves_zone_movable_to_the_slow_path,
		   expect_fast_path_to_refuse)

static void expect_no_migration(struct kunit *test, const struct gup_area *area)
{
	unsigned long addr = map_in_area(test, area, 1);
	const struct gup_method *m;

	if (!addr)
		return;
	gup_for_each_pin(m) {
		struct page *pages[1] = { GUP_POISON };
		struct page *page = page_at(test, addr);
		long got = m->acquire(addr, 1, FOLL_WRITE, pages);

		gup_release(m, pages, got);
		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "%s() of a page in %s",
				    m->name, area->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], page,
					"%s() of a page in %s, which is not to be migrated",
					m->name, area->name);
	}
}

CASE_FOR_EACH_AREA(leaves_cma_pages_in_place_if_not_for_long,
		   leaves_movable_pages_in_place_if_not_for_long,
		   expect_no_migration)

/* All pages of a huge page of hugetlbfs are pinned, and it is migrated once. */
static void migrates_a_hugetlb_page_out_of_zone_movable(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	struct hstate *h = &default_hstate;
	unsigned long addr;
	bool inside;

	gup_skip_without_movable_zone(test);
	if (!hugepage_movable_supported(h))
		kunit_skip(test,
			   "needs CONFIG_ARCH_ENABLE_HUGEPAGE_MIGRATION");

	gup_take_from(&gup_movable_area);
	addr = gup_map_hugetlb(test);
	gup_take_from_anywhere();
	inside = gup_is_movable(page_at(test, addr));
	KUNIT_EXPECT_TRUE_MSG(test, inside,
			      "no hugetlb page was taken from ZONE_MOVABLE");
	if (inside)
		expect_migration(test, &gup_methods[GUP_PIN], &gup_movable_area,
				 addr, pages_per_huge_page(h));
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

/* Pages of shmem, which its page cache has a reference to */
static void pages_of_a_file(struct kunit *test, const struct gup_area *area)
{
	unsigned long addr;
	struct file *filp;

	if (!IS_ENABLED(CONFIG_SHMEM))
		kunit_skip(test, "needs CONFIG_SHMEM");
	filp = shmem_file_setup("gup_kunit", NR_TRIES * PAGE_SIZE,
				EMPTY_VMA_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(filp), "no file: error %ld",
			       PTR_ERR(filp));
	addr = kunit_vm_mmap(test, filp, 0, NR_TRIES * PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_TRUE_MSG(test, addr && !IS_ERR_VALUE(addr),
			      "cannot map the file: %ld", (long)addr);

	addr = find_in_area(test, area, addr, NR_PAGES);
	if (addr)
		expect_migration(test, &gup_methods[GUP_PIN], area, addr,
				 NR_PAGES);
}

CASE_FOR_EACH_AREA(migrates_pages_of_a_file_out_of_cma,
		   migrates_pages_of_a_file_out_of_zone_movable,
		   pages_of_a_file)

/*
 * Pages that are not there yet are allocated elsewhere. Had they been allocated
 * in the area, and migrated, they would have been pinned twice.
 */
static void expect_absent_pages_elsewhere(struct kunit *test,
					  const struct gup_area *area)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct gup_pin_counters before, after;
	unsigned int inside = 0, i;
	struct page *pages[NR_PAGES];
	unsigned long addr;
	long got;

	/* Who does not pin gets pages of the area. */
	if (!map_in_area(test, area, NR_PAGES))
		return;
	addr = gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
	gup_poison(pages, NR_PAGES);

	gup_take_from(area);
	before = gup_read_pin_counters();
	got = m->acquire(addr, NR_PAGES, FOLL_WRITE | FOLL_LONGTERM, pages);
	after = gup_read_pin_counters();
	gup_take_from_anywhere();
	for (i = 0; got > 0 && i < got; i++)
		inside += may_not_be_pinned(pages[i]);
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "%s() with FOLL_LONGTERM for %d pages that are not there",
			    m->name, NR_PAGES);
	KUNIT_EXPECT_EQ_MSG(test, inside, 0U,
			    "pages out of %d that were allocated in %s, or in another such area, and pinned there",
			    NR_PAGES, area->name);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    (long)NR_PAGES,
			    "pins of %d pages that are not there", NR_PAGES);
}

CASE_FOR_EACH_AREA(allocates_absent_pages_outside_of_cma,
		   allocates_absent_pages_outside_of_zone_movable,
		   expect_absent_pages_elsewhere)

/* [area] [area] ... [area] [hole] [area] ... [area] */
static void up_to_a_hole(struct kunit *test, const struct gup_area *area)
{
	const unsigned long hole = NR_PAGES / 2 + 1;
	unsigned long addr = map_in_area(test, area, NR_PAGES);

	if (!addr)
		return;
	gup_unmap(test, addr + hole * PAGE_SIZE, 1);
	expect_migration_up_to(test, &gup_methods[GUP_PIN], area, addr,
			       NR_PAGES, hole);
}

CASE_FOR_EACH_AREA(migrates_cma_pages_up_to_a_hole,
		   migrates_movable_pages_up_to_a_hole,
		   up_to_a_hole)

/*
 * A page that somebody else has a reference to cannot be migrated, so no page is
 * pinned, and all is as it was::
 *
 *	[page] [page] [page, and a reference] [page]
 */
static void expect_enomem(struct kunit *test, const struct gup_area *area)
{
	const unsigned int stuck = 2, nr = 4;
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct gup_pin_counters before, after;
	unsigned long addr = map_in_area(test, area, nr);
	unsigned int wrong = 0, held = 0, i;
	int refs_before, refs_after;
	struct page *pages[4];
	struct page *page;
	long got;

	if (!addr)
		return;
	number_pages(test, addr, nr);
	page = page_at(test, addr + stuck * PAGE_SIZE);
	get_page(page);
	gup_poison(pages, nr);

	lru_add_drain_all();
	refs_before = page_ref_count(page);
	before = gup_read_pin_counters();
	got = m->acquire(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages);
	after = gup_read_pin_counters();
	gup_release(m, pages, got);
	/* It is put back on its LRU list by way of such a cache. */
	lru_add_drain_all();
	refs_after = page_ref_count(page);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-ENOMEM,
			    "%s() with FOLL_LONGTERM for %u pages in %s, of which one cannot be migrated",
			    m->name, nr, area->name);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    after.released - before.released,
			    "pins by %s(), as compared to releases, when migration failed",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, refs_after, refs_before,
			    "references to the page that cannot be migrated, after %s()",
			    m->name);
	KUNIT_EXPECT_TRUE_MSG(test, PageLRU(page),
			      "the page that cannot be migrated is not back on its LRU list");
	KUNIT_EXPECT_PTR_EQ_MSG(test, page_at(test, addr + stuck * PAGE_SIZE),
				page,
				"the page that cannot be migrated, where it was mapped");
	put_page(page);
	for (i = 0; i < nr; i++) {
		page = page_at(test, addr + i * PAGE_SIZE);
		wrong += gup_read_number(page) != ~(unsigned long)i;
		held += page_ref_count(page) >= GUP_PIN_COUNTING_BIAS;
	}
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0U,
			    "pages out of %u that have other contents since migration failed",
			    nr);
	KUNIT_EXPECT_EQ_MSG(test, held, 0U,
			    "pages out of %u that are pinned although migration failed",
			    nr);
}

CASE_FOR_EACH_AREA(enomem_if_a_cma_page_cannot_be_migrated,
		   enomem_if_a_movable_page_cannot_be_migrated,
		   expect_enomem)

/**
 * struct killer - a thread that kills the task that pins a page
 * @victim: the task, which takes SIGKILL
 * @page: the page
 * @returned: completed when the call that pins it has returned
 * @in_time: whether that happened because of SIGKILL
 */
struct killer {
	struct task_struct *victim;
	struct page *page;
	struct completion returned;
	bool in_time;
};

/* Kills the other task as soon as it has pinned the page, but not sooner */
static int kill_when_pinned(void *data)
{
	unsigned long end = jiffies + PATIENCE;
	struct killer *killer = data;

	while (page_ref_count(killer->page) < GUP_PIN_COUNTING_BIAS &&
	       time_before(jiffies, end))
		cond_resched();
	send_sig(SIGKILL, killer->victim, 1);
	killer->in_time = wait_for_completion_timeout(&killer->returned,
						      PATIENCE);
	/* This is what it waits for, if not for the signal. */
	if (!killer->in_time)
		folio_add_lru(page_folio(killer->page));

	while (!kthread_should_stop())
		cond_resched();
	return 0;
}

/* A page in a CMA area that is on no LRU list, like that of a driver */
static struct page *alloc_in_cma(struct kunit *test)
{
	struct page *page, *next, *found = NULL;
	LIST_HEAD(others);
	unsigned int i;

	gup_take_from(&gup_cma_area);
	for (i = 0; i < NR_TRIES && !found; i++) {
		page = alloc_page(gup_cma_area.gfp | __GFP_ZERO);
		if (!page)
			break;
		if (gup_is_cma(page))
			found = page;
		else
			list_add(&page->lru, &others);
	}
	gup_take_from_anywhere();
	list_for_each_entry_safe(page, next, &others, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG(test, found,
					 "no page was taken from CMA");
	return found;
}

/*
 * A page has to be isolated from its LRU list before it can be migrated. One
 * that is on none is tried again and again, but not when nobody wants it.
 */
static void sigkill_ends_a_pin_of_a_page_on_no_lru_list(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct page *pages[1] = { GUP_POISON };
	struct killer killer = { .victim = current };
	struct task_struct *thread;
	struct gup_file *file;
	unsigned long addr;
	int before, after;
	long got;

	gup_skip_without_cma(test);
	take_movable_zone();
	file = gup_create_file(test, 0, 1);
	killer.page = alloc_in_cma(test);
	if (!killer.page)
		return;
	gup_file_forget(file, 0);
	page_folio(killer.page)->mapping = &file->mapping;
	page_folio(killer.page)->index = 0;
	file->heads[0] = killer.page;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	before = page_ref_count(killer.page);

	init_completion(&killer.returned);
	allow_signal(SIGKILL);
	thread = kthread_run(kill_when_pinned, &killer, "gup_kunit");
	if (IS_ERR(thread)) {
		gup_end_to_be_killed();
		KUNIT_FAIL(test, "no thread: error %ld", PTR_ERR(thread));
		return;
	}
	got = m->acquire(addr, 1, FOLL_WRITE | FOLL_LONGTERM, pages);
	complete(&killer.returned);
	kthread_stop(thread);
	gup_end_to_be_killed();
	gup_release(m, pages, got);
	lru_add_drain_all();
	after = page_ref_count(killer.page);

	KUNIT_EXPECT_TRUE_MSG(test, killer.in_time,
			      "%s() of a CMA page on no LRU list goes on although the task is being killed",
			      m->name);
	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINTR,
			    "%s() of a CMA page on no LRU list, by a task that is being killed",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, after, before,
			    "references to the page after %s()", m->name);
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

/*
 * Pin a page for long, which this CPU has @used or not.
 * Return: whether that has emptied the cache of @cpu
 */
static bool pin_drains(struct kunit *test, unsigned long addr, unsigned int cpu,
		       bool used)
{
	struct page *page = page_at(test, addr);
	struct page *waits = alloc_page(GFP_HIGHUSER);
	struct page *pages[1] = { GUP_POISON };
	bool before, after;
	long got;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, waits);
	/* Looking at the page may have put it into the cache of this CPU. */
	lru_add_drain_all();
	work_on_cpu(cpu, add_to_lru, waits);
	if (used)
		use_twice(page);
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
			    bool used)
{
	unsigned long addr = map_in_area(test, area, NR_PAGES);
	unsigned int settled = 0, drains = 0, moved = 0, i;
	unsigned int cpu = raw_smp_processor_id();
	unsigned int other = cpumask_any_but(cpu_online_mask, cpu);

	give_back();
	if (!addr)
		return;
	/* Migration empties the cache of the CPU that it runs on. */
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	lru_add_drain_all();

	for (i = 0; i < NR_PAGES; i++, addr += PAGE_SIZE) {
		settled += PageLRU(page_at(test, addr));
		drains += pin_drains(test, addr, other, used);
		moved += !area->contains(page_at(test, addr));
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);

	KUNIT_EXPECT_EQ_MSG(test, settled, (unsigned int)NR_PAGES,
			    "pages in %s that are on their LRU list", area->name);
	KUNIT_EXPECT_EQ_MSG(test, moved, (unsigned int)NR_PAGES,
			    "pages in %s that were migrated by a pin",
			    area->name);
	/* khugepaged has all caches emptied, too, now and then. */
	KUNIT_EXPECT_LT_MSG(test, drains, NR_PAGES / 2U,
			    "pins of %d pages in %s that emptied the LRU cache of another CPU",
			    NR_PAGES, area->name);
}

static void unused_pages(struct kunit *test, const struct gup_area *area)
{
	skip_without_second_cpu(test);
	expect_no_drain(test, area, false);
}

CASE_FOR_EACH_AREA(leaves_the_caches_of_other_cpus_alone,
		   leaves_them_alone_for_zone_movable,
		   unused_pages)

/* What waits in the cache of this CPU gets out of it without the others. */
static void leaves_them_alone_for_a_page_in_its_own_cache(struct kunit *test)
{
	gup_skip_without_cma(test);
	skip_without_second_cpu(test);
	take_movable_zone();
	expect_no_drain(test, &gup_cma_area, true);
}

static struct kunit_case gup_longterm_cases[] = {
	KUNIT_CASE(migrates_one_page_out_of_cma),
	KUNIT_CASE(migrates_many_pages_out_of_cma),
	KUNIT_CASE(migrates_huge_pages_out_of_cma),
	KUNIT_CASE(migrates_pages_of_a_file_out_of_cma),
	KUNIT_CASE(migrates_cma_pages_up_to_a_hole),
	KUNIT_CASE(migrates_a_page_that_was_just_used),
	KUNIT_CASE(migrates_a_page_that_another_cpu_has_just_used),
	KUNIT_CASE(allocates_absent_pages_outside_of_cma),
	KUNIT_CASE(enomem_if_a_cma_page_cannot_be_migrated),
	KUNIT_CASE(gup_fast_leaves_cma_to_the_slow_path),
	KUNIT_CASE(leaves_cma_pages_in_place_if_not_for_long),
	KUNIT_CASE(migrates_one_page_out_of_zone_movable),
	KUNIT_CASE(migrates_many_pages_out_of_zone_movable),
	KUNIT_CASE(migrates_huge_pages_out_of_zone_movable),
	KUNIT_CASE(migrates_a_hugetlb_page_out_of_zone_movable),
	KUNIT_CASE(migrates_pages_of_a_file_out_of_zone_movable),
	KUNIT_CASE(migrates_movable_pages_up_to_a_hole),
	KUNIT_CASE(allocates_absent_pages_outside_of_zone_movable),
	KUNIT_CASE(enomem_if_a_movable_page_cannot_be_migrated),
	KUNIT_CASE(gup_fast_leaves_zone_movable_to_the_slow_path),
	KUNIT_CASE(leaves_movable_pages_in_place_if_not_for_long),
	KUNIT_CASE(leaves_the_caches_of_other_cpus_alone),
	KUNIT_CASE(leaves_them_alone_for_zone_movable),
	KUNIT_CASE(leaves_them_alone_for_a_page_in_its_own_cache),
	KUNIT_CASE(sigkill_ends_a_pin_of_a_page_on_no_lru_list),
	{}
};

static struct kunit_suite gup_longterm_suite = {
	.name = "gup_longterm",
	.init = gup_fixture_init,
	.exit = gup_longterm_exit,
	.test_cases = gup_longterm_cases,
};

kunit_test_suite(gup_longterm_suite);

MODULE_DESCRIPTION("KUnit tests of long-term pins");
MODULE_LICENSE("GPL");
