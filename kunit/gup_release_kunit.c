// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of unpin_user_page() and the other functions that release what
 * pin_user_pages*() pinned: which pins they give back, which pages they mark
 * dirty, and what they do if there is nothing to release.
 *
 * The pages come from a file of the fixture, of which the test knows every
 * page, every reference and every time it is marked dirty; see struct gup_file.
 * Its mappings are read faults only, so that nobody else marks a page dirty.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/limits.h>
#include <linux/memblock.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "gup_fixture.h"
#include "gup_hugetlb.h"

/*
 * Compound pages of a head and some tails, drawn as [H][t][t][t] below, while
 * small pages are drawn as [a] [b] [c], and the zero page as [0].
 */
enum {
	ORDER = 2,
	NR = 1 << ORDER,
	MAX_PAGES = 3 * NR,
};

#ifndef gup_pincount_ptr
#define gup_pincount_ptr(folio)		(&(folio)->_pincount)
#endif

/* Whether releases can bring a refcount back that has overflowed */
#ifndef GUP_OVERFLOW_IS_RELEASED
#define GUP_OVERFLOW_IS_RELEASED	true
#endif

/* Older kernels take NULL nowhere. */
#ifndef GUP_UNPIN_SKIPS_NULL
#define GUP_UNPIN_SKIPS_NULL		true
#endif

static void unpin_one_by_one(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_user_page(*pages++);
}

static void unpin_pages_clean(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, false);
}

static void unpin_pages_dirty(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
}

/* Call unpin_user_page_range_dirty_lock() for each range in an array */
static void unpin_ranges(struct page **pages, unsigned long nr, bool make_dirty)
{
	unsigned long i, len;

	for (i = 0; i < nr; i += len) {
		for (len = 1; i + len < nr; len++)
			if (pages[i + len] != pages[i] + len)
				break;
		unpin_user_page_range_dirty_lock(pages[i], len, make_dirty);
	}
}

static void unpin_ranges_clean(struct page **pages, unsigned long nr)
{
	unpin_ranges(pages, nr, false);
}

static void unpin_ranges_dirty(struct page **pages, unsigned long nr)
{
	unpin_ranges(pages, nr, true);
}

static void unpin_folio_by_folio(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_folio(page_folio(*pages++));
}

/* Call unpin_user_folio() for each run of pages of a folio */
static void unpin_folio_runs(struct page **pages, unsigned long nr)
{
	unsigned long i, len;

	for (i = 0; i < nr; i += len) {
		for (len = 1; i + len < nr; len++)
			if (page_folio(pages[i + len]) != page_folio(pages[i]))
				break;
		unpin_user_folio(page_folio(pages[i]), len);
	}
}

static void unpin_folio_array(struct page **pages, unsigned long nr)
{
	struct folio *folios[MAX_PAGES];
	unsigned long i;

	for (i = 0; i < nr && i < MAX_PAGES; i++)
		folios[i] = IS_ERR_OR_NULL(pages[i]) ? ERR_CAST(pages[i])
						     : page_folio(pages[i]);
	unpin_folios(nr ? folios : NULL, nr);
}

/**
 * struct release - a function that releases pins, and what it promises
 * @name: its name, and the argument make_dirty if there is one
 * @unpin: calls it, as often as it takes, for all entries of an array
 * @array: whether it takes an array, and so may be passed NULL or an errno
 * @dirties: whether it marks clean pages dirty
 */
struct release {
	const char *name;
	void (*unpin)(struct page **pages, unsigned long nr);
	bool array;
	bool dirties;
};

static const struct release releases[] = {
	{ "unpin_user_page()", unpin_one_by_one, false, false },
	{ "unpin_user_pages()", unpin_user_pages, true, false },
	{ "unpin_user_pages_dirty_lock(false)", unpin_pages_clean, true, false },
	{ "unpin_user_pages_dirty_lock(true)", unpin_pages_dirty, true, true },
	{ "unpin_user_page_range_dirty_lock(false)", unpin_ranges_clean, false, false },
	{ "unpin_user_page_range_dirty_lock(true)", unpin_ranges_dirty, false, true },
	{ "unpin_folio()", unpin_folio_by_folio, false, false },
	{ "unpin_user_folio()", unpin_folio_runs, false, false },
	{ "unpin_folios()", unpin_folio_array, true, false },
};

#define for_each_release(r)						\
	for (r = releases; r < releases + ARRAY_SIZE(releases); r++)

static int pincount(struct page *head)
{
	return atomic_read(gup_pincount_ptr(page_folio(head)));
}

/* Pin pages that are mapped at an address, or fail the test */
static void pin(struct kunit *test, unsigned long addr, unsigned long nr,
		struct page **pages)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	long got;

	gup_poison(pages, nr);
	got = m->acquire(addr, nr, 0, pages);
	if (got != nr)
		gup_release(m, pages, got);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)nr, "pages returned by %s()",
			    m->name);
}

/* Map a file, fault all of it in for reading, and pin it */
static struct gup_file *pin_file(struct kunit *test, unsigned int order,
				 unsigned int nr_heads, struct page **pages)
{
	struct gup_file *file = gup_create_file(test, order, nr_heads);
	unsigned long nr = (unsigned long)nr_heads << order;
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);

	gup_fault_in(test, addr, nr, 0);
	pin(test, addr, nr, pages);
	return file;
}

/*
 * References to each head of a file when nothing of it is pinned: one of the
 * file itself, and one of a page table entry for each page.
 */
static int refs_unpinned(struct gup_file *file)
{
	return 1 + (1 << file->order);
}

/* What a pin adds to the refcount: compound pages have a count of pins besides */
static int weight(struct gup_file *file)
{
	return file->order ? 1 : GUP_PIN_COUNTING_BIAS;
}

static void expect_pins(struct kunit *test, struct gup_file *file,
			unsigned int i, int pins, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]),
			    refs_unpinned(file) + pins * weight(file),
			    "refcount of page %u, to have %d pins, after %s", i,
			    pins, what);
	if (file->order)
		KUNIT_EXPECT_EQ_MSG(test, pincount(file->heads[i]), pins,
				    "pincount of page %u after %s", i, what);
}

static void each_gives_back_one_pin_per_entry(struct kunit *test)
{
	struct gup_pin_counters before, after;
	const struct release *r;
	struct page *pages[3];
	struct gup_file *file;
	unsigned int i;

	/* pages: [a] [b] [c] */
	for_each_release(r) {
		file = pin_file(test, 0, 3, pages);
		before = gup_read_pin_counters();
		r->unpin(pages, 3);
		after = gup_read_pin_counters();

		for (i = 0; i < 3; i++)
			expect_pins(test, file, i, 0, r->name);
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 3L,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    r->name);
	}
}

static void needs_no_array_for_no_pages(struct kunit *test)
{
	const struct release *r;

	/* Whoever looks at the array dies here. */
	for_each_release(r)
		r->unpin(NULL, 0);
}

static void no_pages_of_a_range_or_folio_are_none(struct kunit *test)
{
	struct page *pages[NR];
	struct gup_file *file = pin_file(test, ORDER, 1, pages);

	unpin_user_page_range_dirty_lock(pages[0], 0, true);
	expect_pins(test, file, 0, NR, "unpin_user_page_range_dirty_lock() of 0 pages");
	unpin_user_folio(page_folio(pages[0]), 0);
	expect_pins(test, file, 0, NR, "unpin_user_folio() of 0 pages");
	KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
			    "times that 0 pages were marked dirty");
	unpin_user_pages(pages, NR);
}

static void leaves_other_entries_alone(struct kunit *test)
{
	const struct release *r;
	struct page *pages[3];
	struct gup_file *file;

	/* pages: [a] [b] [c], of which the first two are released */
	for_each_release(r) {
		file = pin_file(test, 0, 3, pages);
		r->unpin(pages, 2);

		expect_pins(test, file, 0, 0, r->name);
		expect_pins(test, file, 1, 0, r->name);
		expect_pins(test, file, 2, 1, r->name);
		unpin_user_page(pages[2]);
	}
}

static void releases_a_repeated_page_once_per_entry(struct kunit *test)
{
	struct page *pages[2], *repeated[5];
	const struct release *r;
	struct gup_file *file;
	unsigned long addr;

	for_each_release(r) {
		file = gup_create_file(test, 0, 2);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		/* [a] [a] [b] [a] [b]: side by side, and apart */
		pin(test, addr, 2, pages);
		repeated[0] = pages[0];
		repeated[1] = pages[0];
		repeated[2] = pages[1];
		pin(test, addr, 2, &repeated[3]);
		pin(test, addr, 1, pages);
		r->unpin(repeated, 5);

		expect_pins(test, file, 0, 0, r->name);
		expect_pins(test, file, 1, 0, r->name);
	}
}

static void releases_each_page_of_compound_pages(struct kunit *test)
{
	struct page *pages[2 * NR];
	const struct release *r;
	struct gup_file *file;

	/* pages: [H][t][t][t] [H][t][t][t], all but the first and the last */
	for_each_release(r) {
		file = pin_file(test, ORDER, 2, pages);
		r->unpin(pages + 1, 2 * NR - 2);

		expect_pins(test, file, 0, 1, r->name);
		expect_pins(test, file, 1, 1, r->name);
		unpin_user_page(pages[0]);
		unpin_user_page(pages[2 * NR - 1]);
	}
}

/*
 * Pin and release three tails of a huge page, which is mapped at @addr:
 * [H][t][t][t] ...
 *     -------
 */
static void expect_tails_released(struct kunit *test, unsigned long addr,
				  const char *what)
{
	struct page *head, *pages[3];
	const struct release *r;
	int refs;

	gup_get(test, addr, 1, &head);
	for_each_release(r) {
		refs = page_ref_count(head);
		pin(test, addr + PAGE_SIZE, 3, pages);
		KUNIT_EXPECT_EQ_MSG(test, pincount(head), 3,
				    "pincount of %s before %s", what, r->name);
		r->unpin(pages, 3);

		KUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(pages[0]), head,
					"head of a tail of %s", what);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(head), refs,
				    "refcount of %s after %s", what, r->name);
		KUNIT_EXPECT_EQ_MSG(test, pincount(head), 0,
				    "pincount of %s after %s", what, r->name);
	}
	put_page(head);
}

/* Anonymous pages are looked at more closely when they are released. */
static void releases_tails_of_an_anonymous_huge_page(struct kunit *test)
{
	unsigned long addr;

	gup_skip_without_thp(test);

	addr = gup_map_anon_aligned(test, 1, PROT_READ | PROT_WRITE);
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");
	expect_tails_released(test, addr, "an anonymous huge page");
}

static void releases_tails_of_a_hugetlb_page(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	expect_tails_released(test, gup_map_hugetlb(test), "a hugetlb page");
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

#ifdef CONFIG_ZONE_DEVICE
#define NR_DEVICE_PAGES		3
#define DEVICE_SIZE		SZ_128M

/*
 * Plug memory of a device. As nothing accesses it, there need not be any: it is
 * said to be where nothing else is, behind all other memory.
 */
static struct dev_pagemap *plug_device(struct kunit *test)
{
	phys_addr_t start = ALIGN(PFN_PHYS(max_pfn), SZ_1G);
	struct dev_pagemap *device;
	struct resource *res = NULL;
	unsigned int i;
	void *err;

	device = kzalloc_obj(*device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	for (i = 0; i < 16 && !res; i++, start += SZ_1G)
		res = request_mem_region(start, DEVICE_SIZE, "gup_kunit");
	if (!res)
		kfree(device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, res,
					 "no room for a device below %pa", &start);
	device->type = MEMORY_DEVICE_GENERIC;
	device->range.start = res->start;
	device->range.end = res->end;
	device->nr_range = 1;
	err = memremap_pages(device, NUMA_NO_NODE);
	if (IS_ERR(err)) {
		release_mem_region(device->range.start, DEVICE_SIZE);
		kfree(device);
	}
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(err), "no device: error %ld",
			       PTR_ERR(err));
	return device;
}

static void unplug_device(struct dev_pagemap *device)
{
	memunmap_pages(device);
	release_mem_region(device->range.start, DEVICE_SIZE);
	kfree(device);
}

/* Have pages of a device in place of those of a file, with their references */
static void fill_file(struct gup_file *file, struct dev_pagemap *device)
{
	struct page *page = pfn_to_page(PHYS_PFN(device->range.start));
	unsigned int i;

	for (i = 0; i < NR_DEVICE_PAGES; i++, page++) {
		gup_file_forget(file, i);
		page_folio(page)->mapping = &file->mapping;
		page_folio(page)->index = i;
		file->heads[i] = page;
	}
}

static void empty_file(struct gup_file *file)
{
	unsigned int i;

	for (i = 0; i < NR_DEVICE_PAGES; i++) {
		/* The device waits until all have the one that they began with. */
		set_page_count(file->heads[i], 2);
		gup_file_forget(file, i);
	}
}
#endif

static void releases_pages_of_a_device(struct kunit *test)
{
#ifdef CONFIG_ZONE_DEVICE
	struct gup_file *file = gup_create_file(test, 0, NR_DEVICE_PAGES);
	struct dev_pagemap *device = plug_device(test);
	struct gup_pin_counters before, after;
	struct page *pages[NR_DEVICE_PAGES];
	const struct release *r;
	unsigned long addr;
	unsigned int i;

	/* pages: [a] [b] [c] */
	fill_file(file, device);
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	gup_fault_in(test, addr, NR_DEVICE_PAGES, 0);
	for_each_release(r) {
		before = gup_read_pin_counters();
		pin(test, addr, NR_DEVICE_PAGES, pages);
		KUNIT_EXPECT_TRUE_MSG(test, is_zone_device_page(pages[0]),
				      "a page that is no device's was pinned");
		for (i = 0; i < NR_DEVICE_PAGES; i++)
			expect_pins(test, file, i, 1, "pin_user_pages()");
		r->unpin(pages, NR_DEVICE_PAGES);
		after = gup_read_pin_counters();

		for (i = 0; i < NR_DEVICE_PAGES; i++)
			expect_pins(test, file, i, 0, r->name);
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
				    (long)NR_DEVICE_PAGES,
				    "pins that NR_FOLL_PIN_ACQUIRED has from pin_user_pages()");
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released,
				    (long)NR_DEVICE_PAGES,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    r->name);
	}
	gup_unmap(test, addr, NR_DEVICE_PAGES);
	empty_file(file);
	unplug_device(device);
#else
	kunit_skip(test, "needs CONFIG_ZONE_DEVICE");
#endif
}

static void releases_a_mixed_array(struct kunit *test)
{
	struct page *compound[2 * NR], *small[2], *zero[2], *mixed[8];
	struct gup_file *large, *file;
	const struct release *r;
	unsigned long addr;
	int refs;

	for_each_release(r) {
		large = pin_file(test, ORDER, 2, compound);
		file = pin_file(test, 0, 2, small);
		addr = gup_map_anon(test, 2, PROT_READ);
		refs = page_ref_count(ZERO_PAGE(addr));
		pin(test, addr, 2, zero);
		/* [t][0][a][t][H'][0][b][t'], where ' is the second compound page */
		mixed[0] = compound[1];
		mixed[1] = zero[0];
		mixed[2] = small[0];
		mixed[3] = compound[2];
		mixed[4] = compound[NR];
		mixed[5] = zero[1];
		mixed[6] = small[1];
		mixed[7] = compound[NR + 1];
		r->unpin(mixed, 8);
		ClearPageDirty(zero[0]);

		expect_pins(test, large, 0, NR - 2, r->name);
		expect_pins(test, large, 1, NR - 2, r->name);
		expect_pins(test, file, 0, 0, r->name);
		expect_pins(test, file, 1, 0, r->name);
		gup_unmap(test, addr, 2);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(ZERO_PAGE(addr)), refs,
				    "refcount of the zero page after %s", r->name);
		unpin_user_page(compound[0]);
		unpin_user_page(compound[3]);
		unpin_user_pages(compound + NR + 2, NR - 2);
	}
}

static void dirties_each_clean_page_once_if_asked_to(struct kunit *test)
{
	struct page *pages[2 * NR];
	const struct release *r;
	struct gup_file *file;
	unsigned int i;

	/* pages: [H][t][t][t] [H][t][t][t] */
	for_each_release(r) {
		file = pin_file(test, ORDER, 2, pages);
		r->unpin(pages, 2 * NR);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, r->dirties ? 2U : 0U,
				    "times that %s marked 2 compound pages dirty",
				    r->name);
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied_locked, file->nr_dirtied,
				    "times that %s held the lock of the page for it",
				    r->name);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_FALSE_MSG(test, PageLocked(file->heads[i]),
					       "page %u is still locked after %s",
					       i, r->name);
	}
}

/* There is one flag for the whole of it, in the head. */
static void dirties_a_hugetlb_page_as_a_whole(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	unsigned long addr = gup_map_hugetlb(test);
	const struct release *r;
	struct page *head, *tail;

	gup_get(test, addr, 1, &head);
	for_each_release(r) {
		pin(test, addr + PAGE_SIZE, 1, &tail);
		ClearPageDirty(head);
		r->unpin(&tail, 1);

		KUNIT_EXPECT_EQ_MSG(test, (bool)PageDirty(head), r->dirties,
				    "whether a hugetlb page is dirty after %s of its tail",
				    r->name);
		KUNIT_EXPECT_FALSE_MSG(test, PageLocked(head),
				       "a hugetlb page is still locked after %s",
				       r->name);
	}
	put_page(head);
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

static void does_not_dirty_a_dirty_page_again(struct kunit *test)
{
	const struct release *r;
	struct page *pages[2];
	struct gup_file *file;

	/* pages: [a] [b], and a is dirty already */
	for_each_release(r) {
		if (!r->dirties)
			continue;
		file = pin_file(test, 0, 2, pages);
		SetPageDirty(pages[0]);
		r->unpin(pages, 2);

		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 1U,
				    "times that %s marked a dirty and a clean page dirty",
				    r->name);
		expect_pins(test, file, 0, 0, r->name);
		expect_pins(test, file, 1, 0, r->name);
	}
}

static void dirties_while_it_holds_the_pin(struct kunit *test)
{
	const struct release *r;
	struct page *pages[1];
	struct gup_file *file;

	for_each_release(r) {
		if (!r->dirties)
			continue;
		file = pin_file(test, 0, 1, pages);
		r->unpin(pages, 1);

		KUNIT_EXPECT_EQ_MSG(test, file->refs_when_dirtied,
				    refs_unpinned(file) + weight(file),
				    "refcount while %s marked the page dirty",
				    r->name);
	}
}

/* Pin pages of a mapping one at a time, which all belong to a page @head */
static void expect_never_dirtied(struct kunit *test, unsigned long addr,
				 struct page *head, const char *what)
{
	const struct release *r;
	struct page *page;
	bool dirty;

	ClearPageDirty(head);
	for_each_release(r) {
		pin(test, addr, 1, &page);
		r->unpin(&page, 1);
		dirty = PageDirty(head);
		/* It outlives the test. */
		ClearPageDirty(head);

		KUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(page), head,
					"%s is not what was pinned", what);
		KUNIT_EXPECT_FALSE_MSG(test, dirty, "%s marked %s dirty", r->name,
				       what);
	}
}

static void never_dirties_the_zero_page(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ);

	expect_never_dirtied(test, addr, ZERO_PAGE(addr), "the zero page");
}

static void never_dirties_the_huge_zero_page(struct kunit *test)
{
	struct page *page, *head;
	unsigned long addr;

	gup_skip_without_thp(test);

	addr = gup_map_anon_aligned(test, 1, PROT_READ) + PAGE_SIZE;
	gup_get(test, addr, 1, &page);
	head = compound_head(page);
	put_page(page);
	if (head == page || PageAnon(head))
		kunit_skip(test, "needs transparent_hugepage=always and use_zero_page");

	expect_never_dirtied(test, addr, head, "the huge zero page");
}

static void the_last_pin_frees_the_page(struct kunit *test)
{
	struct gup_ref_trace *trace;
	const struct release *r;
	struct page *pages[NR];
	struct gup_file *file;
	unsigned int order;
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");

	for (order = 0; order <= ORDER; order += ORDER) {
		for_each_release(r) {
			file = gup_create_file(test, order, 1);
			addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
			pin(test, addr, 1 << order, pages);
			/* Nobody has references but the pins. */
			gup_unmap(test, addr, 1 << order);
			gup_file_forget(file, 0);
			trace = gup_trace_refs(test, pages[0]);
			r->unpin(pages, 1 << order);
			gup_trace_refs_end(test);

			KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
					    "times that %s freed a page of order %u",
					    r->name, order);
		}
	}
}

/* Release pages of @head that have fewer pins than that, and see no change */
static void expect_refused(struct kunit *test, const struct release *r,
			   struct page *head, struct page **pages,
			   unsigned long nr)
{
	int refs = page_ref_count(head), refs_after, pins = 0, pins_after = 0;
	struct gup_pin_counters before, after;

	if (PageCompound(head))
		pins = pincount(head);
	before = gup_read_pin_counters();
	r->unpin(pages, nr);
	after = gup_read_pin_counters();

	/* Whatever has become of the page, put it right before it is freed. */
	refs_after = page_ref_count(head);
	page_ref_add(head, refs - refs_after);
	if (PageCompound(head))
		pins_after = atomic_xchg(gup_pincount_ptr(page_folio(head)),
					 pins);

	KUNIT_EXPECT_EQ_MSG(test, refs_after, refs,
			    "refcount of a page that is not pinned after %s",
			    r->name);
	KUNIT_EXPECT_EQ_MSG(test, pins_after, pins,
			    "pincount of a page that is not pinned after %s",
			    r->name);
	KUNIT_EXPECT_EQ_MSG(test, after.released, before.released,
			    "NR_FOLL_PIN_RELEASED after %s for a page that is not pinned",
			    r->name);
}

static void a_small_page_without_a_pin_is_reported_once_and_left_alone(struct kunit *test)
{
	const struct release *r;
	struct page *pages[1];

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	gup_forget_warnings();
	kunit_warning_suppress(test) {
		for_each_release(r) {
			pin_file(test, 0, 1, pages);
			unpin_user_page(pages[0]);
			expect_refused(test, r, pages[0], pages, 1);
		}
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

static void a_compound_page_without_a_pin_is_reported_once_and_left_alone(struct kunit *test)
{
	struct page *pages[NR];
	const struct release *r;

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	/* pages: [H][t][t][t], of which a tail is released */
	gup_forget_warnings();
	kunit_warning_suppress(test) {
		for_each_release(r) {
			pin_file(test, ORDER, 1, pages);
			unpin_user_pages(pages, NR);
			expect_refused(test, r, pages[0], pages + 1, 1);
		}
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

static void a_page_from_get_user_pages_is_reported_once_and_left_alone(struct kunit *test)
{
	const struct release *r;
	struct gup_file *file;
	struct page *page;
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	gup_forget_warnings();
	kunit_warning_suppress(test) {
		for_each_release(r) {
			file = gup_create_file(test, 0, 1);
			addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
			gup_get(test, addr, 1, &page);
			expect_refused(test, r, page, &page, 1);
			put_page(page);
		}
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

/* Release a page by two entries [a] [a] that is pinned once */
static void expect_one_at_most(struct kunit *test, const struct release *r,
			       unsigned int order)
{
	struct page *pages[NR], *twice[2];
	struct gup_file *file;
	int refs, none;

	file = pin_file(test, order, 1, pages);
	none = refs_unpinned(file);
	unpin_user_pages(pages + 1, (1 << order) - 1);
	twice[0] = pages[0];
	twice[1] = pages[0];
	r->unpin(twice, 2);
	refs = page_ref_count(pages[0]);

	/* Both may have been refused, or just the second. Put it right. */
	if (refs == none + weight(file)) {
		unpin_user_page(pages[0]);
	} else {
		page_ref_add(pages[0], none - refs);
		if (order)
			atomic_set(gup_pincount_ptr(page_folio(pages[0])), 0);
	}
	KUNIT_EXPECT_GE_MSG(test, refs, none,
			    "refcount of a page of order %u that was pinned once and released twice by %s",
			    order, r->name);
	expect_pins(test, file, 0, 0, "all of that");
}

static void a_page_gives_no_more_pins_than_it_has(struct kunit *test)
{
	const struct release *r;

	if (!IS_ENABLED(CONFIG_DEBUG_VM))
		kunit_skip(test, "needs CONFIG_DEBUG_VM");

	gup_forget_warnings();
	kunit_warning_suppress(test) {
		for_each_release(r) {
			expect_one_at_most(test, r, 0);
			expect_one_at_most(test, r, ORDER);
		}
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

/* Two million pins of a small page make its refcount negative. */
static void an_overflown_refcount_is_not_taken_for_a_missing_pin(struct kunit *test)
{
	const int far = INT_MIN + 4 * (int)GUP_PIN_COUNTING_BIAS;
	const struct release *r;
	struct page *pages[1];
	int refs, left;

	if (!GUP_OVERFLOW_IS_RELEASED)
		kunit_skip(test, "needs put_page_refs() without a check of its own");

	kunit_warning_suppress(test) {
		for_each_release(r) {
			pin_file(test, 0, 1, pages);
			refs = page_ref_count(pages[0]);
			set_page_count(pages[0], far);
			r->unpin(pages, 1);
			left = page_ref_count(pages[0]);
			set_page_count(pages[0],
				       refs - (int)GUP_PIN_COUNTING_BIAS);

			KUNIT_EXPECT_EQ_MSG(test, left,
					    far - (int)GUP_PIN_COUNTING_BIAS,
					    "refcount, which was %d, after %s",
					    far, r->name);
		}
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
}

/* What comes from here on, a kernel that gets it wrong does not survive. */

static void refuses_an_errno_in_place_of_a_count(struct kunit *test)
{
	struct page *pages[MAX_PAGES];
	const struct release *r;
	struct gup_file *file;
	unsigned int i;

	file = pin_file(test, 0, 1, pages);
	for (i = 1; i < MAX_PAGES; i++)
		pages[i] = ERR_PTR(-EFAULT);
	for_each_release(r) {
		if (!r->array)
			continue;
		kunit_warning_suppress(test) {
			r->unpin(pages, (unsigned long)-EFAULT);
			KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		}
		expect_pins(test, file, 0, 1, r->name);
		KUNIT_EXPECT_EQ_MSG(test, file->nr_dirtied, 0U,
				    "times that -EFAULT pages were marked dirty by %s",
				    r->name);
	}
	unpin_user_page(pages[0]);
}

/*
 * Release an array of two pages and NULL at a certain place:
 * [NULL] [a] [b], [a] [NULL] [b] or [a] [b] [NULL]; and the same with a head
 * and a tail of one compound page.
 */
static void expect_null_skipped(struct kunit *test, unsigned int place)
{
	struct page *pages[NR], *holed[3];
	const struct release *r;
	struct gup_file *file;
	unsigned int order, i;

	for (order = 0; order <= ORDER; order += ORDER) {
		for_each_release(r) {
			if (!r->array)
				continue;
			file = pin_file(test, order, order ? 1 : 2, pages);
			for (i = 0; i < 3; i++)
				holed[i] = i == place ? NULL
						      : pages[i - (i > place)];
			r->unpin(holed, 3);

			expect_pins(test, file, 0, order ? NR - 2 : 0, r->name);
			if (order)
				unpin_user_pages(pages + 2, NR - 2);
			else
				expect_pins(test, file, 1, 0, r->name);
		}
	}
}

static void skips_null_in_the_middle(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "needs an unpin_user_pages() that takes NULL");
	expect_null_skipped(test, 1);
}

static void skips_null_in_last_place(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "needs an unpin_user_pages() that takes NULL");
	expect_null_skipped(test, 2);
}

static void skips_null_in_first_place(struct kunit *test)
{
	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "needs an unpin_user_pages() that takes NULL");
	expect_null_skipped(test, 0);
}

static void skips_null_if_there_is_nothing_else(struct kunit *test)
{
	struct gup_pin_counters before, after;
	struct page *nulls[2] = { NULL, NULL };
	const struct release *r;

	if (!GUP_UNPIN_SKIPS_NULL)
		kunit_skip(test, "needs an unpin_user_pages() that takes NULL");
	for_each_release(r) {
		if (!r->array)
			continue;
		before = gup_read_pin_counters();
		r->unpin(nulls, 2);
		after = gup_read_pin_counters();

		KUNIT_EXPECT_EQ_MSG(test, after.released, before.released,
				    "NR_FOLL_PIN_RELEASED after %s of nothing but NULL",
				    r->name);
	}
}

static struct kunit_case gup_release_cases[] = {
	KUNIT_CASE(each_gives_back_one_pin_per_entry),
	KUNIT_CASE(needs_no_array_for_no_pages),
	KUNIT_CASE(no_pages_of_a_range_or_folio_are_none),
	KUNIT_CASE(leaves_other_entries_alone),
	KUNIT_CASE(releases_a_repeated_page_once_per_entry),
	KUNIT_CASE(releases_each_page_of_compound_pages),
	KUNIT_CASE(releases_tails_of_an_anonymous_huge_page),
	KUNIT_CASE(releases_tails_of_a_hugetlb_page),
	KUNIT_CASE(releases_pages_of_a_device),
	KUNIT_CASE(releases_a_mixed_array),
	KUNIT_CASE(dirties_each_clean_page_once_if_asked_to),
	KUNIT_CASE(dirties_a_hugetlb_page_as_a_whole),
	KUNIT_CASE(does_not_dirty_a_dirty_page_again),
	KUNIT_CASE(dirties_while_it_holds_the_pin),
	KUNIT_CASE(never_dirties_the_zero_page),
	KUNIT_CASE(never_dirties_the_huge_zero_page),
	KUNIT_CASE(the_last_pin_frees_the_page),
	KUNIT_CASE(a_small_page_without_a_pin_is_reported_once_and_left_alone),
	KUNIT_CASE(a_compound_page_without_a_pin_is_reported_once_and_left_alone),
	KUNIT_CASE(a_page_from_get_user_pages_is_reported_once_and_left_alone),
	KUNIT_CASE(a_page_gives_no_more_pins_than_it_has),
	KUNIT_CASE(an_overflown_refcount_is_not_taken_for_a_missing_pin),
	KUNIT_CASE(refuses_an_errno_in_place_of_a_count),
	KUNIT_CASE(skips_null_in_the_middle),
	KUNIT_CASE(skips_null_in_last_place),
	KUNIT_CASE(skips_null_in_first_place),
	KUNIT_CASE(skips_null_if_there_is_nothing_else),
	{}
};

static struct kunit_suite gup_release_suite = {
	.name = "gup_release",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_release_cases,
};

kunit_test_suite(gup_release_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the release of pinned pages");
MODULE_LICENSE("GPL");
