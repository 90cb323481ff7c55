/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file in shmem or hugetlbfs, and what memfd_pin_folios() has pinned of it,
 * for those KUnit suites of get_user_pages() that are about that function.
 *
 * Small folios in the page cache are drawn as [a] [b] [c], what is not there
 * yet as [ ], and a large folio as [H][t][t][t].
 */
#ifndef _MM_TESTS_GUP_MEMFD_H
#define _MM_TESTS_GUP_MEMFD_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include <linux/swap.h>

#include "gup_fixture.h"

/* More than what one look-up in the page cache returns, whichever it is */
#define NR_MANY		100

/* Room for all that a case pins, and to see what is written behind that */
#define MAX_FOLIOS	(NR_MANY + 28)

#define POISON_OFFSET	((pgoff_t)0x6b6b6b6bUL)

#ifndef GUP_HAS_MEMFD_PIN_FOLIOS
#define GUP_HAS_MEMFD_PIN_FOLIOS	true
#endif

#ifndef GUP_HAS_FOLIO_ADD_PINS
#define GUP_HAS_FOLIO_ADD_PINS		true
#endif

/* These expand in the case, which ends here if it cannot run. */
#define skip_without_memfd_pin_folios(test)				\
do {									\
	if (!GUP_HAS_MEMFD_PIN_FOLIOS)					\
		kunit_skip(test, "not applicable: there is no memfd_pin_folios()"); \
} while (0)

#define skip_without_folio_add_pins(test)				\
do {									\
	if (!GUP_HAS_FOLIO_ADD_PINS)					\
		kunit_skip(test, "not applicable: there is no folio_add_pins()"); \
} while (0)

/**
 * struct memfd - the file of a case, and what the case has pinned of it
 * @filp: the file
 * @nr_pinned: number of entries in @folios that have yet to be released
 * @offset: what memfd_pin_folios() wrote to *offset
 * @folios: what memfd_pin_folios() returned
 *
 * Whatever a case leaves behind, be it because an expectation has failed, is
 * released when it ends.
 */
static struct memfd {
	struct file *filp;
	unsigned int nr_pinned;
	pgoff_t offset;
	struct folio *folios[MAX_FOLIOS];
} memfd;

static inline void set_file(struct kunit *test, struct file *filp)
{
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(filp), "no file: error %ld",
			       PTR_ERR(filp));
	memfd.filp = filp;
}

/*
 * Have a file in shmem, with nothing in the page cache. What is allocated for
 * it can be pinned where it is, while shmem would take from ZONE_MOVABLE.
 */
static inline void create_file(struct kunit *test, loff_t size)
{
	set_file(test, shmem_file_setup("gup_kunit", size, EMPTY_VMA_FLAGS));
	mapping_set_gfp_mask(memfd.filp->f_mapping, GFP_USER);
}

/* The same on a tmpfs that has no other */
static inline void create_file_with(struct kunit *test, loff_t size,
				    char *options)
{
	struct vfsmount *mnt = gup_mount(test, "tmpfs", options);

	set_file(test, shmem_file_setup_with_mnt(mnt, "gup_kunit", size,
						 EMPTY_VMA_FLAGS));
	mapping_set_gfp_mask(memfd.filp->f_mapping, GFP_USER);
}

static inline void close_file(void)
{
	if (memfd.filp)
		fput(memfd.filp);
	memfd.filp = NULL;
	/* In a thread of the kernel, that waits for somebody to do it. */
	flush_delayed_fput();
}

/* Each CPU keeps references to what it adds to the LRU lists for a while. */
static inline void settle(void)
{
	lru_add_drain_all();
}

/*
 * Pin what is from @start to @end, or that much of it as fits in @max entries,
 * and expect that to be @nr folios.
 */
static inline struct folio **pin(struct kunit *test, loff_t start, loff_t end,
				 unsigned int max, long nr)
{
	struct folio **folios = memfd.folios + memfd.nr_pinned;
	unsigned int room = MAX_FOLIOS - memfd.nr_pinned, i;
	long got;

	KUNIT_ASSERT_LT(test, max, room);
	gup_poison((struct page **)folios, room);
	memfd.offset = POISON_OFFSET;
	got = memfd_pin_folios(memfd.filp, start, end, folios, max,
			       &memfd.offset);
	if (got > 0)
		memfd.nr_pinned += got;

	KUNIT_ASSERT_EQ_MSG(test, got, nr,
			    "folios from %lld to %lld, with room for %u", start,
			    end, max);
	for (i = nr; i < room; i++)
		if (folios[i] != (struct folio *)GUP_POISON)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, room,
			    "first entry that was written behind the %ld folios from %lld to %lld",
			    nr, start, end);
	return folios;
}

/* Pin the first @nr pages, none of which is large */
static inline struct folio **pin_pages(struct kunit *test, unsigned int nr)
{
	return pin(test, 0, nr * PAGE_SIZE - 1, nr, nr);
}

static inline void unpin_all(void)
{
	unpin_folios(memfd.folios, memfd.nr_pinned);
	memfd.nr_pinned = 0;
}

/* Look a page up in the page cache, without a reference: the cache has one. */
static inline struct page *cached(pgoff_t index)
{
	struct page *page = find_get_page(memfd.filp->f_mapping, index);

	if (page)
		put_page(page);
	return page;
}

static inline void fill(struct page *page, int c)
{
	void *p = kmap_local_page(page);

	memset(p, c, PAGE_SIZE);
	kunmap_local(p);
}

static inline bool is_clear(struct page *page)
{
	void *p = kmap_local_page(page);
	bool clear = !memchr_inv(p, 0, PAGE_SIZE);

	kunmap_local(p);
	return clear;
}

/* Have a page of a file in shmem, like a read of it does */
static inline struct page *read_page(struct kunit *test, pgoff_t index)
{
	struct page *page = shmem_read_mapping_page(memfd.filp->f_mapping,
						    index);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(page), "no page %lu: error %ld",
			       index, PTR_ERR(page));
	put_page(page);
	return page;
}

/* Have pages in the page cache, each with a number of its own */
static inline void have_pages(struct kunit *test, pgoff_t first, pgoff_t nr)
{
	pgoff_t i;

	for (i = first; i < first + nr; i++)
		gup_write_number(read_page(test, i), ~i);
}

static inline unsigned long nr_cached(void)
{
	return memfd.filp->f_mapping->nrpages;
}

static inline int pincount(struct folio *folio)
{
	return atomic_read(gup_pincount_ptr(folio));
}

/*
 * Expect a folio in shmem that nobody has mapped to have the references of the
 * page cache, one for each page, and those of its pins.
 */
static inline void expect_pins(struct kunit *test, struct folio *folio,
			       int pins, const char *what)
{
	int weight = folio_test_large(folio) ? 1 : GUP_PIN_COUNTING_BIAS;

	settle();
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(folio),
			    (int)folio_nr_pages(folio) + pins * weight,
			    "refcount of a folio of %ld pages, to have %d pins, after %s",
			    (long)folio_nr_pages(folio), pins, what);
	if (folio_test_large(folio))
		KUNIT_EXPECT_EQ_MSG(test, pincount(folio), pins,
				    "pincount of a large folio after %s", what);
}

static inline void expect_pages_in_order(struct kunit *test,
					 struct folio **folios, pgoff_t first,
					 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (folio_page(folios[i], 0) != cached(first + i))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, nr,
			    "first of %u entries that is not what the page cache has there",
			    nr);
}

static inline void expect_offset(struct kunit *test, loff_t start,
				 pgoff_t offset)
{
	KUNIT_EXPECT_EQ_MSG(test, memfd.offset, offset,
			    "*offset for what begins at %lld", start);
}

/* What memfd_pin_folios() must not do if it returns an error */
static inline void expect_error(struct kunit *test, struct file *filp,
				loff_t start, loff_t end, unsigned int max,
				long error)
{
	struct gup_pin_counters before, after;
	long got;

	gup_poison((struct page **)memfd.folios, 1);
	memfd.offset = POISON_OFFSET;
	before = gup_read_pin_counters();
	got = memfd_pin_folios(filp, start, end, memfd.folios, max,
			       &memfd.offset);
	after = gup_read_pin_counters();
	if (got > 0)
		memfd.nr_pinned = got;

	KUNIT_EXPECT_EQ_MSG(test, got, error,
			    "memfd_pin_folios() from %lld to %lld, with room for %u",
			    start, end, max);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
			    after.released - before.released,
			    "pins, as compared to releases, from %lld to %lld",
			    start, end);
}

static inline int gup_memfd_init(struct kunit *test)
{
	memset(&memfd, 0, sizeof(memfd));
	return gup_fixture_init(test);
}

static inline void gup_memfd_exit(struct kunit *test)
{
	unpin_all();
	close_file();
	gup_fixture_exit(test);
}

#endif /* _MM_TESTS_GUP_MEMFD_H */
