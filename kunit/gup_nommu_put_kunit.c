// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of put_user_page*() without an MMU: that they give back what
 * get_user_pages*() took there.
 */
#include <linux/mm.h>
#include <linux/module.h>

#include "gup_nommu.h"

#define NR_PAGES	4

static void put_one_by_one(struct page **pages, unsigned long nr)
{
	while (nr--)
		put_user_page(pages[nr]);
}

static const struct release {
	const char *name;
	void (*release)(struct page **pages, unsigned long nr);
	bool dirties;
} releases[] = {
	{ "put_user_page()", put_one_by_one, false },
	{ "put_user_pages()", put_user_pages, false },
	{ "put_user_pages_dirty()", put_user_pages_dirty, true },
	{ "put_user_pages_dirty_lock()", put_user_pages_dirty_lock, true },
};

/* Have @r release what @m took, and the pages be as expected */
static void expect_released(struct kunit *test, const struct gup_method *m,
			    const struct release *r)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES,
					  PROT_READ | PROT_WRITE);
	struct page *pages[NR_PAGES], *page;
	unsigned int i;
	long got;

	got = m->acquire(addr, NR_PAGES, FOLL_WRITE, pages);
	if (got == NR_PAGES)
		r->release(pages, NR_PAGES);
	else
		gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages returned by %s()", m->name);
	for (i = 0; i < NR_PAGES; i++) {
		page = nommu_page_at(addr + i * PAGE_SIZE);

		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(page), 1,
				    "refcount of page %u of %s() when %s has released it",
				    i, m->name, r->name);
		KUNIT_EXPECT_EQ_MSG(test, !!PageDirty(page), (int)r->dirties,
				    "dirty flag of page %u when %s has released it",
				    i, r->name);
	}
	gup_unmap(test, addr, NR_PAGES);
}

static void each_function_releases_what_each_call_got(struct kunit *test)
{
	const struct gup_method *m;
	const struct release *r;

	gup_for_each_get(m)
		for (r = releases; r < releases + ARRAY_SIZE(releases); r++)
			expect_released(test, m, r);
}

static void releases_a_repeated_page_once_per_entry(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);
	struct page *pages[2];

	gup_get(test, addr, 1, pages);
	gup_get(test, addr, 1, pages + 1);
	put_user_pages(pages, 2);

	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of a page when both entries are released");
}

static void what_was_got_outlives_the_mapping(struct kunit *test)
{
	struct gup_ref_trace *trace;
	struct page *pages[1];
	unsigned long addr;
	unsigned int freed;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	addr = gup_map_anon(test, 1, PROT_READ);
	gup_get(test, addr, 1, pages);
	trace = gup_trace_refs(test, pages[0]);
	gup_unmap(test, addr, 1);
	freed = trace->nr_freed;
	put_user_page(pages[0]);
	gup_trace_refs_end(test);

	KUNIT_EXPECT_EQ_MSG(test, freed, 0u,
			    "times that the page was freed while it was in use");
	KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1u,
			    "times that the page was freed in all");
}

static struct kunit_case gup_nommu_put_cases[] = {
	KUNIT_CASE(each_function_releases_what_each_call_got),
	KUNIT_CASE(releases_a_repeated_page_once_per_entry),
	KUNIT_CASE(what_was_got_outlives_the_mapping),
	{}
};

static struct kunit_suite gup_nommu_put_suite = {
	.name = "gup_nommu_put",
	.init = gup_nommu_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_nommu_put_cases,
};

kunit_test_suite(gup_nommu_put_suite);

MODULE_DESCRIPTION("KUnit tests of put_user_page() without an MMU");
MODULE_LICENSE("GPL");
