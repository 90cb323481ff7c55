// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfd_pin_folios() for files in shmem with pages where nothing
 * is to be pinned for long: in CMA areas and in ZONE_MOVABLE. They are migrated
 * ahead of the pin.
 */
#include <linux/module.h>
#include <linux/sizes.h>

#include "gup_area.h"
#include "gup_memfd.h"

/* Pages of an area that are enough to be found, and then to be pinned */
#define NR_TRIES	(SZ_256M >> PAGE_SHIFT)
#define NR_IN_AREA	8

/*
 * Have pages until some in a row are in @area, of which @first is the first.
 * Without many pages there, there may be none.
 */
static bool have_pages_in(struct kunit *test, const struct gup_area *area,
			  pgoff_t *first)
{
	unsigned int found = 0;
	pgoff_t i;

	create_file(test, NR_TRIES * PAGE_SIZE);
	mapping_set_gfp_mask(memfd.filp->f_mapping, area->gfp);
	for (i = 0; i < NR_TRIES && found < NR_IN_AREA; i++) {
		have_pages(test, i, 1);
		if (area->contains(cached(i)))
			found++;
		else
			found = 0;
	}
	*first = i - NR_IN_AREA;
	return found == NR_IN_AREA;
}

/* Pages in @area are migrated, those around them stay, and holes are filled. */
static void expect_migration(struct kunit *test, const struct gup_area *area,
			     const char *option)
{
	const unsigned int nr = NR_IN_AREA + 2;
	struct gup_pin_counters before, after;
	unsigned int inside = 0, wrong = 0;
	struct folio **folios;
	pgoff_t first, i;

	if (!have_pages_in(test, area, &first))
		kunit_skip(test, "needs %s for more of %s", option, area->name);

	before = gup_read_pin_counters();
	folios = pin(test, first * PAGE_SIZE + 123,
		     (first + nr) * PAGE_SIZE - 1, nr, nr);

	expect_offset(test, first * PAGE_SIZE + 123, 123);
	expect_pages_in_order(test, folios, first, nr);
	for (i = 0; i < nr; i++) {
		struct page *page = folio_page(folios[i], 0);

		inside += area->contains(page);
		wrong += gup_read_number(page) !=
			 (i < NR_IN_AREA ? ~(first + i) : 0);
		expect_pins(test, folios[i], 1, "migration");
	}
	KUNIT_EXPECT_EQ_MSG(test, inside, 0U, "pages out of %u pinned in %s",
			    nr, area->name);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0U,
			    "pages out of %u that have other contents since they were pinned",
			    nr);

	unpin_all();
	after = gup_read_pin_counters();
	for (i = 0; i < nr; i++)
		expect_pins(test, page_folio(cached(first + i)), 0,
			    "migration and release");
	/* Pages that are not good enough are released before migration. */
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    after.released - before.released,
			    "pins, as compared to releases");
}

static void migrates_pages_out_of_cma(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	gup_skip_without_cma(test);
	expect_migration(test, &gup_cma_area, "CONFIG_DMA_CMA and cma=");
}

static void migrates_pages_out_of_zone_movable(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	gup_skip_without_movable_zone(test);
	expect_migration(test, &gup_movable_area,
			 "CONFIG_MEMORY_HOTREMOVE and movablecore=");
}

/* Had they been allocated there, they would have been pinned more than once. */
static void allocates_outside_of_zone_movable(struct kunit *test)
{
	struct gup_pin_counters before, after;
	unsigned int inside = 0, i;
	struct folio **folios;

	skip_without_memfd_pin_folios(test);
	gup_skip_without_movable_zone(test);
	create_file(test, NR_IN_AREA * PAGE_SIZE);
	mapping_set_gfp_mask(memfd.filp->f_mapping, gup_movable_area.gfp);

	before = gup_read_pin_counters();
	folios = pin_pages(test, NR_IN_AREA);
	after = gup_read_pin_counters();

	for (i = 0; i < NR_IN_AREA; i++)
		inside += gup_is_movable(folio_page(folios[i], 0));
	KUNIT_EXPECT_EQ_MSG(test, inside, 0U,
			    "pages out of %d allocated in ZONE_MOVABLE",
			    NR_IN_AREA);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    (long)NR_IN_AREA, "pins of %d pages", NR_IN_AREA);
}

static struct kunit_case gup_memfd_migration_cases[] = {
	KUNIT_CASE(migrates_pages_out_of_cma),
	KUNIT_CASE(migrates_pages_out_of_zone_movable),
	KUNIT_CASE(allocates_outside_of_zone_movable),
	{}
};

static struct kunit_suite gup_memfd_migration_suite = {
	.name = "gup_memfd_migration",
	.init = gup_memfd_init,
	.exit = gup_memfd_exit,
	.test_cases = gup_memfd_migration_cases,
};

kunit_test_suite(gup_memfd_migration_suite);

MODULE_DESCRIPTION("KUnit tests of memfd_pin_folios() where it has to migrate");
MODULE_LICENSE("GPL");
