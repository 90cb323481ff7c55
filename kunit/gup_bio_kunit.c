// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of who releases the pins of a bio. bio_iov_iter_get_pages() pins
 * user memory, one pin for each page, and has a bio_vec for as many pages of a
 * folio as follow each other. Then it cuts off what is less than a block at the
 * end, and the pins of what it has cut off are its own to release: whoever has
 * the bio releases the pages that are left in it.
 *
 * The bios here are for no device, so a block is as large as a case wants it.
 */
#include <linux/bio.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>

#include "gup_fixture.h"

#define SECTOR		512

/* Where the device wants memory to begin, which is less than a block */
#define DMA_MASK	3

/* As many as there are pages in a bio of a case, and more */
#define MAX_VECS	16

#ifndef GUP_HAS_ALIGNED_BIO
#define GUP_HAS_ALIGNED_BIO	1
#endif

/**
 * struct cut - a bio that ends with less than a block, and what is left of it
 * @order: order of the folios that the memory consists of
 * @offset: first byte of the memory that the bio is for
 * @len: bytes from there on, which is not a multiple of @block
 * @block: size of a block
 * @error: what bio_iov_iter_get_pages() returns
 * @vecs: number of bio_vecs that are left
 * @pages: number of pages that these have something of
 */
struct cut {
	unsigned int order;
	unsigned int offset;
	unsigned int len;
	unsigned int block;
	int error;
	unsigned int vecs;
	unsigned int pages;
};

#if defined(CONFIG_BLOCK) && GUP_HAS_ALIGNED_BIO
/*
 * Have a bio for the memory of @cut, which is followed by memory that is not
 * mapped: this is how a bio comes to end within a block. The caller releases
 * what is left in it.
 */
static void get_pages(struct kunit *test, struct bio *bio,
		      const struct cut *cut)
{
	unsigned long size = PAGE_SIZE << cut->order;
	unsigned int nr_folios = DIV_ROUND_UP(cut->offset + cut->len, size);
	unsigned int rest = cut->block - cut->len % cut->block;
	struct gup_file *file = gup_create_file(test, cut->order, nr_folios);
	unsigned long nr_pages = (unsigned long)nr_folios << cut->order;
	unsigned long hole = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	unsigned long addr = gup_map_file(test, file, PROT_READ | PROT_WRITE,
					  MAP_SHARED);
	struct iovec iov[2] = {
		{ (void __user *)addr + cut->offset, cut->len },
		{ (void __user *)hole, rest },
	};
	struct iov_iter iter;
	int err;

	gup_fault_in(test, addr, nr_pages, FAULT_FLAG_WRITE);
	gup_unmap(test, hole, 1);

	iov_iter_init(&iter, ITER_DEST, iov, 2, cut->len + rest);
	err = bio_iov_iter_get_pages(bio, &iter, DMA_MASK, cut->block - 1);

	KUNIT_EXPECT_EQ_MSG(test, err, cut->error,
			    "bio_iov_iter_get_pages() of %u bytes in blocks of %u",
			    cut->len, cut->block);
	KUNIT_EXPECT_EQ_MSG(test, iov_iter_count(&iter),
			    (size_t)(cut->len % cut->block + rest),
			    "bytes left to do out of %u", cut->len + rest);
	KUNIT_EXPECT_EQ_MSG(test, bio->bi_iter.bi_size,
			    cut->len - cut->len % cut->block,
			    "bytes in a bio for %u in blocks of %u", cut->len,
			    cut->block);
	KUNIT_EXPECT_EQ_MSG(test, bio->bi_vcnt, cut->vecs,
			    "bio_vecs of %u bytes in folios of order %u",
			    cut->len, cut->order);
}

/* Whatever was cut off is not pinned, what is left is until it is released. */
static void expect_cut(struct kunit *test, const struct cut *cut)
{
	struct bio_vec vecs[MAX_VECS];
	struct gup_pin_counters before, between, after;
	struct bio bio;

	bio_init(&bio, NULL, vecs, MAX_VECS, REQ_OP_READ);

	before = gup_read_pin_counters();
	get_pages(test, &bio, cut);
	between = gup_read_pin_counters();
	bio_release_pages(&bio, false);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, (between.acquired - before.acquired) -
				  (between.released - before.released),
			    (long)cut->pages,
			    "pins of %u bytes at %u in folios of order %u, in blocks of %u",
			    cut->len, cut->offset, cut->order, cut->block);
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released,
			    after.acquired - before.acquired,
			    "releases, as compared to pins, of %u bytes at %u in folios of order %u, in blocks of %u",
			    cut->len, cut->offset, cut->order, cut->block);
	bio_uninit(&bio);
}
#else
static void expect_cut(struct kunit *test, const struct cut *cut)
{
}
#endif

/* Expands in the case, which ends here if it cannot run. */
#define skip_without_aligned_bio(test)					\
do {									\
	if (!GUP_HAS_ALIGNED_BIO)					\
		kunit_skip(test, "not applicable: bio_iov_iter_get_pages() has no mask"); \
	if (!IS_ENABLED(CONFIG_BLOCK))					\
		kunit_skip(test, "needs CONFIG_BLOCK");			\
} while (0)

static void what_ends_with_a_block_stays_as_it_is(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .len = 3 * PAGE_SIZE, .block = SECTOR,
		.vecs = 1, .pages = 3,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folio: [H         ][t         ][t         ][t         ]
 * bio:   <--------------------->
 * cut:                       <->
 */
static void a_page_that_is_cut_in_two_stays_pinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .len = 2 * PAGE_SIZE - 8, .block = SECTOR,
		.vecs = 1, .pages = 2,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folio: [H         ][t         ][t         ][t         ]
 * bio:   <------------->
 * cut:               <->
 */
static void the_last_page_of_a_folio_is_unpinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .len = PAGE_SIZE + SECTOR / 2, .block = SECTOR,
		.vecs = 1, .pages = 1,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folio: [H         ][t         ][t         ][t         ]
 * bio:           <----------------->
 * cut:                           <->
 */
static void so_it_is_if_the_bio_begins_within_a_page(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .offset = PAGE_SIZE - SECTOR,
		.len = SECTOR + PAGE_SIZE + SECTOR / 2, .block = SECTOR,
		.vecs = 1, .pages = 2,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folio: [H][t][t][t][t][t][t][t]
 * bio:   <-------------------->
 * cut:               <-------->
 */
static void many_pages_of_a_folio_are_unpinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 3, .len = 7 * PAGE_SIZE + 8, .block = 4 * PAGE_SIZE,
		.vecs = 1, .pages = 4,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folios: [H][t][t][t] [H][t][t][t] [H][t][t][t]
 * bio:    <-------------------------------->
 * cut:                              <------>
 */
static void all_pages_of_a_folio_are_unpinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .len = 11 * PAGE_SIZE - 8, .block = 8 * PAGE_SIZE,
		.vecs = 2, .pages = 8,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/*
 * folios: [H][t] [H][t] [H][t] [H][t]
 * bio:    <------------------------>
 * cut:              <-------------->
 */
static void folios_and_a_part_of_one_are_unpinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 1, .offset = PAGE_SIZE, .len = 7 * PAGE_SIZE - 8,
		.block = 4 * PAGE_SIZE, .vecs = 3, .pages = 4,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

static void small_folios_are_unpinned(struct kunit *test)
{
	static const struct cut cut = {
		.order = 0, .len = 6 * PAGE_SIZE + 8, .block = 4 * PAGE_SIZE,
		.vecs = 4, .pages = 4,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

/* folio: [H][t][t][t], and a block is larger than what is mapped of it. */
static void nothing_stays_pinned_of_less_than_a_block(struct kunit *test)
{
	static const struct cut cut = {
		.order = 2, .len = 3 * PAGE_SIZE + 8, .block = 4 * PAGE_SIZE,
		.error = -EFAULT,
	};

	skip_without_aligned_bio(test);
	expect_cut(test, &cut);
}

static struct kunit_case gup_bio_cases[] = {
	KUNIT_CASE(what_ends_with_a_block_stays_as_it_is),
	KUNIT_CASE(a_page_that_is_cut_in_two_stays_pinned),
	KUNIT_CASE(the_last_page_of_a_folio_is_unpinned),
	KUNIT_CASE(so_it_is_if_the_bio_begins_within_a_page),
	KUNIT_CASE(many_pages_of_a_folio_are_unpinned),
	KUNIT_CASE(all_pages_of_a_folio_are_unpinned),
	KUNIT_CASE(folios_and_a_part_of_one_are_unpinned),
	KUNIT_CASE(small_folios_are_unpinned),
	KUNIT_CASE(nothing_stays_pinned_of_less_than_a_block),
	{}
};

static struct kunit_suite gup_bio_suite = {
	.name = "gup_bio",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_bio_cases,
};

kunit_test_suite(gup_bio_suite);

MODULE_DESCRIPTION("KUnit tests of the pins of a bio");
MODULE_LICENSE("GPL");
