// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of get_user_pages*() and pin_user_pages*() without an MMU: which
 * pages they return, how they fail, and that a reference or a pin weighs what
 * its release takes.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "gup_nommu.h"

#define NR_PAGES	4

static long call(const struct gup_method *m, unsigned long addr,
		 unsigned long nr_pages, unsigned int gup_flags,
		 struct page **pages)
{
	gup_poison(pages, NR_PAGES);
	return m->acquire(addr, nr_pages, gup_flags, pages);
}

/* Have one page taken and released, and its refcount change by what @m says */
static void expect_weight(struct kunit *test, const struct gup_method *m,
			  unsigned int gup_flags)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	struct page *pages[NR_PAGES];
	int before, during, after;
	long got;

	before = page_ref_count(nommu_page_at(addr));
	got = call(m, addr, 1, gup_flags, pages);
	during = page_ref_count(nommu_page_at(addr));
	gup_release(m, pages, got);
	after = page_ref_count(nommu_page_at(addr));

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()", m->name);
	KUNIT_EXPECT_EQ_MSG(test, during, before + m->weight,
			    "refcount behind %s() of a page that had %d",
			    m->name, before);
	KUNIT_EXPECT_EQ_MSG(test, after, before,
			    "refcount when what %s() took is released", m->name);
	gup_unmap(test, addr, 1);
}

static void a_get_takes_one_reference(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_get(m)
		expect_weight(test, m, 0);
}

static void a_pin_weighs_what_its_release_takes(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m)
		expect_weight(test, m, 0);
}

static void a_long_term_pin_is_like_any_other(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m) {
		/* Older kernels refuse FOLL_LONGTERM there. */
		if (m == &gup_methods[GUP_PIN_UNLOCKED])
			continue;
		expect_weight(test, m, FOLL_LONGTERM);
	}
}

/* Have NR_PAGES pages taken and released, and @counted pins be counted */
static void expect_counted(struct kunit *test, const struct gup_method *m,
			   long counted)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	struct gup_pin_counters before, during, after;
	struct page *pages[NR_PAGES];
	long got;

	before = gup_read_pin_counters();
	got = call(m, addr, NR_PAGES, 0, pages);
	during = gup_read_pin_counters();
	gup_release(m, pages, got);
	gup_unmap(test, addr, NR_PAGES);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, during.acquired - before.acquired, counted,
			    "pins counted by %s() for %d pages", m->name,
			    NR_PAGES);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, counted,
			    "pins counted until what %s() took is released",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, counted,
			    "releases counted of what %s() took", m->name);
}

static void pins_are_counted_and_so_are_releases(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m)
		expect_counted(test, m, NR_PAGES);
}

static void gets_are_not_counted_as_pins(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_get(m)
		expect_counted(test, m, 0);
}

static void unpin_one_by_one(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_user_page(pages[nr]);
}

static void unpin_dirty(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
}

static void unpin_range(struct page **pages, unsigned long nr)
{
	unpin_user_page_range_dirty_lock(pages[0], nr, false);
}

static void unpin_folio_by_folio(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_user_folio(page_folio(pages[nr]), 1);
}

struct release {
	const char *name;
	void (*release)(struct page **pages, unsigned long nr);
};

static const struct release releases[] = {
	{ "unpin_user_page()", unpin_one_by_one },
	{ "unpin_user_pages()", unpin_user_pages },
	{ "unpin_user_pages_dirty_lock()", unpin_dirty },
	{ "unpin_user_page_range_dirty_lock()", unpin_range },
	{ "unpin_user_folio()", unpin_folio_by_folio },
};

/* Have NR_PAGES pages pinned, and all of these pins released by @r */
static void expect_released(struct kunit *test, const struct release *r)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	unsigned long addr = gup_map_anon(test, NR_PAGES,
					  PROT_READ | PROT_WRITE);
	struct page *pages[NR_PAGES];
	unsigned int i;
	long got;

	got = call(m, addr, NR_PAGES, FOLL_WRITE, pages);
	if (got == NR_PAGES)
		r->release(pages, NR_PAGES);
	else
		gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages returned by %s()", m->name);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    page_ref_count(nommu_page_at(addr + i * PAGE_SIZE)),
				    1, "refcount of page %u when %s has released it",
				    i, r->name);
	gup_unmap(test, addr, NR_PAGES);
}

static void each_function_releases_what_was_pinned(struct kunit *test)
{
	const struct release *r;

	for (r = releases; r < releases + ARRAY_SIZE(releases); r++)
		expect_released(test, r);
}

static void pinned_memory_is_freed_when_it_is_unmapped(struct kunit *test)
{
	const struct gup_method *m;
	struct gup_ref_trace *trace;
	struct page *pages[NR_PAGES];
	unsigned long addr;
	long got;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	gup_for_each_pin(m) {
		addr = gup_map_anon(test, 1, PROT_READ);
		trace = gup_trace_refs(test, nommu_page_at(addr));
		got = call(m, addr, 1, 0, pages);
		gup_release(m, pages, got);
		gup_unmap(test, addr, 1);
		gup_trace_refs_end(test);

		KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1u,
				    "times that a page which %s() had pinned was freed",
				    m->name);
	}
}

static void returns_all_pages_in_order(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	unsigned int i;
	long got;

	gup_for_each(m) {
		got = call(m, addr, NR_PAGES, 0, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()", m->name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						nommu_page_at(addr + i * PAGE_SIZE),
						"pages[%u] of %s()", i, m->name);
	}
}

static void takes_an_address_inside_of_a_page(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	long got;

	gup_for_each(m) {
		got = call(m, addr + PAGE_SIZE + 1, 2, 0, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 2L, "pages returned by %s()",
				    m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0],
					nommu_page_at(addr + PAGE_SIZE),
					"first page of %s()", m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[1],
					nommu_page_at(addr + 2 * PAGE_SIZE),
					"second page of %s()", m->name);
	}
}

static void stops_at_the_end_of_the_mapping(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES - 1, PROT_READ);
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	long got;

	gup_for_each(m) {
		got = call(m, addr, NR_PAGES, 0, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES - 1L,
				    "pages returned by %s() of a mapping of %d",
				    m->name, NR_PAGES - 1);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES - 1], GUP_POISON,
					"what %s() wrote behind the last page",
					m->name);
	}
}

/* Have every call return @want, and neither write an entry nor take a page */
static void expect_nothing(struct kunit *test, unsigned long addr,
			   unsigned long nr_pages, unsigned int gup_flags,
			   long want)
{
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	long got;

	gup_for_each(m) {
		got = call(m, addr, nr_pages, gup_flags, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, want,
				    "%s() for %lu pages with flags %#x",
				    m->name, nr_pages, gup_flags);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"what %s() wrote to pages[0]", m->name);
	}
}

static void returns_0_for_0_pages(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);

	expect_nothing(test, addr, 0, 0, 0);
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of the page that nobody asked for");
}

static void efault_if_nothing_is_mapped(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);

	gup_unmap(test, addr, 1);
	expect_nothing(test, addr, 1, 0, -EFAULT);
}

static void efault_on_write_to_a_read_only_mapping(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);

	expect_nothing(test, addr, 1, FOLL_WRITE, -EFAULT);
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of the page that may not be written to");
}

static void efault_on_read_of_an_inaccessible_mapping(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_NONE);

	expect_nothing(test, addr, 1, 0, -EFAULT);
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of the page that may not be read");
}

static void forced_write_to_a_read_only_mapping_works(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);
	struct page *pages[NR_PAGES];
	const struct gup_method *m;
	long got;

	gup_for_each(m) {
		got = call(m, addr, 1, FOLL_WRITE | FOLL_FORCE, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L,
				    "pages that %s() returned to be written to",
				    m->name);
	}
}

static void takes_nothing_if_pages_is_null(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	const struct gup_method *m;
	long got;

	gup_for_each_get(m) {
		/* This one has no use without an array. */
		if (m == &gup_methods[GUP_GET_FAST])
			continue;
		got = m->acquire(addr, NR_PAGES, 0, NULL);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages found by %s()", m->name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
				    "refcount behind %s() without an array",
				    m->name);
	}
}

/* Ask for all pages while the refcount of page @bad has overflowed */
static void expect_stop(struct kunit *test, const struct gup_method *m,
			unsigned long addr, unsigned int bad, long want)
{
	struct page *page = nommu_page_at(addr + bad * PAGE_SIZE);
	struct page *pages[NR_PAGES];
	long got = 0;

	gup_forget_warnings();
	set_page_count(page, INT_MIN);
	kunit_warning_suppress(test) {
		got = call(m, addr, NR_PAGES, 0, pages);
		gup_expect_warnings(test, 1);
	}
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(page), INT_MIN,
			    "refcount that %s() could not add to", m->name);
	set_page_count(page, 1);
	KUNIT_EXPECT_EQ_MSG(test, got, want,
			    "%s() where page %u cannot be taken", m->name, bad);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[bad], GUP_POISON,
				"pages[%u], which %s() does not count", bad,
				m->name);
	if (got <= bad)
		gup_release(m, pages, got);
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of the first page when what %s() returned is released",
			    m->name);
}

static void returns_what_it_has_if_a_page_cannot_be_taken(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	const struct gup_method *m;

	gup_for_each(m)
		expect_stop(test, m, addr, 2, 2);
}

static void enomem_if_the_first_page_cannot_be_taken(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES, PROT_READ);
	const struct gup_method *m;

	gup_for_each(m)
		expect_stop(test, m, addr, 0, -ENOMEM);
}

/* Have a call warn and return -EINVAL */
static void expect_einval(struct kunit *test, const struct gup_method *m,
			  unsigned int gup_flags, bool array)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);
	struct page *pages[NR_PAGES];
	long got = 0;

	gup_poison(pages, NR_PAGES);
	gup_forget_warnings();
	kunit_warning_suppress(test) {
		got = m->acquire(addr, 1, gup_flags, array ? pages : NULL);
		gup_expect_warnings(test, 1);
	}
	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
			    "%s() with flags %#x and pages %s", m->name,
			    gup_flags, array ? "[]" : "NULL");
	if (array)
		gup_release(m, pages, got);
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(nommu_page_at(addr)), 1,
			    "refcount of the page that %s() refuses to return",
			    m->name);
	gup_unmap(test, addr, 1);
}

static void einval_if_a_get_is_for_long(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_get(m)
		expect_einval(test, m, FOLL_LONGTERM, true);
}

static void einval_if_a_pin_is_to_be_a_get_too(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m)
		expect_einval(test, m, FOLL_GET, true);
}

static void einval_if_a_pin_has_no_array(struct kunit *test)
{
	const struct gup_method *m;

	if (!GUP_PIN_REFUSES_NULL)
		kunit_skip(test, "not applicable: pin_user_pages() does not refuse NULL");

	gup_for_each_pin(m)
		expect_einval(test, m, 0, false);
}

static struct kunit_case gup_nommu_cases[] = {
	KUNIT_CASE(a_get_takes_one_reference),
	KUNIT_CASE(a_pin_weighs_what_its_release_takes),
	KUNIT_CASE(a_long_term_pin_is_like_any_other),
	KUNIT_CASE(pins_are_counted_and_so_are_releases),
	KUNIT_CASE(gets_are_not_counted_as_pins),
	KUNIT_CASE(each_function_releases_what_was_pinned),
	KUNIT_CASE(pinned_memory_is_freed_when_it_is_unmapped),
	KUNIT_CASE(returns_all_pages_in_order),
	KUNIT_CASE(takes_an_address_inside_of_a_page),
	KUNIT_CASE(stops_at_the_end_of_the_mapping),
	KUNIT_CASE(returns_0_for_0_pages),
	KUNIT_CASE(efault_if_nothing_is_mapped),
	KUNIT_CASE(efault_on_write_to_a_read_only_mapping),
	KUNIT_CASE(efault_on_read_of_an_inaccessible_mapping),
	KUNIT_CASE(forced_write_to_a_read_only_mapping_works),
	KUNIT_CASE(takes_nothing_if_pages_is_null),
	KUNIT_CASE(returns_what_it_has_if_a_page_cannot_be_taken),
	KUNIT_CASE(enomem_if_the_first_page_cannot_be_taken),
	KUNIT_CASE(einval_if_a_get_is_for_long),
	KUNIT_CASE(einval_if_a_pin_is_to_be_a_get_too),
	KUNIT_CASE(einval_if_a_pin_has_no_array),
	{}
};

static struct kunit_suite gup_nommu_suite = {
	.name = "gup_nommu",
	.init = gup_nommu_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_nommu_cases,
};

kunit_test_suite(gup_nommu_suite);

MODULE_DESCRIPTION("KUnit tests of get_user_pages() without an MMU");
MODULE_LICENSE("GPL");
