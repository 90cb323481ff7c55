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
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>

/**
 * struct gup_area - an area that long-term pins have to avoid
 * @name: its name
 * @contains: whether a page is in it
 * @gfp: what to ask the page allocator for in order to get a page of it
 */
struct gup_area {
	const char *name;
	bool (*contains)(struct page *page);
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

/* CMA areas are in other zones, and none is taken from them if MOVABLE has it. */
static const struct gup_area gup_cma_area = {
	"CMA", gup_is_cma, GFP_USER | __GFP_MOVABLE,
};

static const struct gup_area gup_movable_area = {
	"ZONE_MOVABLE", gup_is_movable, GFP_HIGHUSER_MOVABLE,
};

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
	if (!totalcma_pages)						\
		kunit_skip(test, "needs CONFIG_DMA_CMA and cma=");	\
} while (0)

#define gup_skip_without_movable_zone(test)				\
do {									\
	if (!IS_ENABLED(CONFIG_MEMORY_HOTREMOVE))			\
		kunit_skip(test, "needs CONFIG_MEMORY_HOTREMOVE");	\
	if (!gup_have_movable_zone())					\
		kunit_skip(test, "needs CONFIG_MEMORY_HOTREMOVE and movablecore="); \
} while (0)

#endif /* _MM_TESTS_GUP_AREA_H */
