/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that long-term pins have to avoid, for those KUnit suites of
 * get_user_pages() that are built in.
 *
 * Both kinds of memory are provided by the kernel parameters cma= and
 * movablecore=.
 */
#ifndef _MM_TESTS_GUP_AREA_H
#define _MM_TESTS_GUP_AREA_H

#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/gfp.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

/**
 * struct gup_area - an area that long-term pins have to avoid
 * @name: its name
 * @needs: the option and the kernel parameter that provide it
 * @contains: whether a page is in it
 * @nr_free: how many pages of a zone are in it, and free
 * @gfp: what to ask the page allocator for in order to get a page of it
 */
struct gup_area {
	const char *name;
	const char *needs;
	bool (*contains)(struct page *page);
	unsigned long (*nr_free)(struct zone *zone);
	gfp_t gfp;
};

static inline bool gup_is_cma(struct page *page)
{
	return is_migrate_cma_page(page);
}

static inline bool gup_is_movable(struct page *page)
{
	return page_zonenum(page) == ZONE_MOVABLE;
}

static inline unsigned long gup_nr_free_cma(struct zone *zone)
{
	return zone_page_state(zone, NR_FREE_CMA_PAGES);
}

static inline unsigned long gup_nr_free_movable(struct zone *zone)
{
	if (zone_idx(zone) != ZONE_MOVABLE)
		return 0;
	return zone_page_state(zone, NR_FREE_PAGES);
}

/* CMA areas are in other zones, and none is taken from them if MOVABLE has it. */
static const struct gup_area gup_cma_area = {
	"CMA", "CONFIG_DMA_CMA and cma=", gup_is_cma, gup_nr_free_cma,
	GFP_USER | __GFP_MOVABLE,
};

static const struct gup_area gup_movable_area = {
	"ZONE_MOVABLE", "CONFIG_MEMORY_HOTREMOVE and movablecore=",
	gup_is_movable, gup_nr_free_movable, GFP_HIGHUSER_MOVABLE,
};

/* The zone that has most of an area, or NULL if there is nothing free in it */
static inline struct zone *gup_area_zone(const struct gup_area *area)
{
	struct zone *zone, *best = NULL;
	unsigned long most = 0;

	for_each_populated_zone(zone) {
		if (area->nr_free(zone) <= most)
			continue;
		most = area->nr_free(zone);
		best = zone;
	}
	return best;
}

/* How many pages of an area are free in that zone */
static inline unsigned long gup_area_free(const struct gup_area *area)
{
	struct zone *zone = gup_area_zone(area);

	return zone ? area->nr_free(zone) : 0;
}

/*
 * The page allocator takes movable pages from CMA areas as long as more than
 * half of what is free in a zone is in them. This asks for a bit more than that,
 * since cases take something away.
 */
static inline bool gup_cma_is_used(void)
{
	struct zone *zone = gup_area_zone(&gup_cma_area);

	return zone && gup_nr_free_cma(zone) >
		       zone_page_state(zone, NR_FREE_PAGES) / 2 +
		       (SZ_16M >> PAGE_SHIFT);
}

#ifdef CONFIG_NUMA
#ifndef gup_prefer_node
#define gup_prefer_node(policy, nid)	((policy)->nodes = nodemask_of_node(nid))
#endif

/**
 * gup_take_from() - have user memory of this task come from where an area is
 * @area: the area, which may be on another node than this CPU
 *
 * Ends with gup_take_from_anywhere(), or with the task.
 */
static inline void gup_take_from(const struct gup_area *area)
{
	static struct mempolicy policy;
	struct zone *zone = gup_area_zone(area);

	if (!zone)
		return;
	policy.mode = MPOL_PREFERRED;
	gup_prefer_node(&policy, zone_to_nid(zone));
	/* A task that ends drops a reference, and nobody is to free this. */
	atomic_set(&policy.refcnt, INT_MAX / 2);
	task_lock(current);
	current->mempolicy = &policy;
	task_unlock(current);
}

/**
 * gup_take_from_anywhere() - have user memory of this task come from anywhere
 */
static inline void gup_take_from_anywhere(void)
{
	task_lock(current);
	current->mempolicy = NULL;
	task_unlock(current);
}
#else
static inline void gup_take_from(const struct gup_area *area)
{
}

static inline void gup_take_from_anywhere(void)
{
}
#endif

static inline bool gup_have_movable_zone(void)
{
	struct zone *zone;

	for_each_populated_zone(zone)
		if (zone_idx(zone) == ZONE_MOVABLE)
			return true;
	return false;
}

/* Both expand in the case, which ends here if it cannot have the memory. */
#define gup_skip_without_cma(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_CMA))					\
		kunit_skip(test, "needs CONFIG_CMA");			\
	if (!gup_cma_is_used())						\
		kunit_skip(test, "needs %s of more than half of a zone", \
			   gup_cma_area.needs);				\
} while (0)

#define gup_skip_without_movable_zone(test)				\
do {									\
	if (!IS_ENABLED(CONFIG_MEMORY_HOTREMOVE))			\
		kunit_skip(test, "needs CONFIG_MEMORY_HOTREMOVE");	\
	if (!gup_have_movable_zone())					\
		kunit_skip(test, "needs %s", gup_movable_area.needs);	\
} while (0)

#endif /* _MM_TESTS_GUP_AREA_H */
