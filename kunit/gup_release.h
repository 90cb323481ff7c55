/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins that the gup_release suites release. The pages come from a file of the
 * fixture, of which the test knows every page, every reference and every time it
 * is marked dirty; see struct gup_file. Its mappings are read faults only, so that
 * nobody else marks a page dirty.
 */
#ifndef _MM_TESTS_GUP_RELEASE_H
#define _MM_TESTS_GUP_RELEASE_H

#include "gup_fixture.h"

/*
 * Compound pages of a head and some tails, drawn as [H][t][t][t] in the cases,
 * while small pages are drawn as [a] [b] [c], and the zero page as [0].
 */
enum {
	ORDER = 2,
	NR = 1 << ORDER,
};

/* Map a file, fault all of it in for reading, and pin it */
static inline struct gup_file *gup_pin_file(struct kunit *test,
					    unsigned int order,
					    unsigned int nr_heads,
					    struct page **pages)
{
	struct gup_file *file = gup_create_file(test, order, nr_heads);
	unsigned long nr = (unsigned long)nr_heads << order;
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);

	gup_fault_in(test, addr, nr, 0);
	gup_pin(test, addr, nr, pages);
	return file;
}

/*
 * References to each head of a file when nothing of it is pinned: one of the
 * file itself, and one of a page table entry for each page.
 */
static inline int gup_refs_unpinned(struct gup_file *file)
{
	return 1 + (1 << file->order);
}

/* What a pin adds to the refcount: compound pages have a count of pins besides */
static inline int gup_weight(struct gup_file *file)
{
	return file->order ? 1 : GUP_PIN_COUNTING_BIAS;
}

static inline void gup_expect_pins(struct kunit *test, struct gup_file *file,
				   unsigned int i, int pins, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]),
			    gup_refs_unpinned(file) + pins * gup_weight(file),
			    "refcount of page %u, to have %d pins, after %s", i,
			    pins, what);
	if (file->order)
		KUNIT_EXPECT_EQ_MSG(test, gup_pincount(file->heads[i]), pins,
				    "pincount of page %u after %s", i, what);
}

#endif /* _MM_TESTS_GUP_RELEASE_H */
