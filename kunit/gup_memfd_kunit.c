// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfd_pin_folios(), which pins a range of a file in shmem or
 * hugetlbfs without mapping it, of folio_add_pins(), which has the pin of a
 * folio count for parts of it, and of the functions that release such pins.
 *
 * Small folios in the page cache are drawn as [a] [b] [c], what is not there
 * yet as [ ], and a large folio as [H][t][t][t].
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include <linux/swap.h>

#include "gup_area.h"
#include "gup_fixture.h"

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)

/* More than what one look-up in the page cache returns, whichever it is */
#define NR_MANY		100

/* Room for all that a case pins, and to see what is written behind that */
#define MAX_FOLIOS	(NR_MANY + 28)

#define POISON_OFFSET	((pgoff_t)0x6b6b6b6bUL)

/* Pages of an area that are enough to be found, and then to be pinned */
#define NR_TRIES	65536
#define NR_IN_AREA	8

#ifndef gup_pincount_ptr
#define gup_pincount_ptr(folio)		(&(folio)->_pincount)
#endif

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
		kunit_skip(test, "needs memfd_pin_folios()");		\
} while (0)

#define skip_without_folio_add_pins(test)				\
do {									\
	if (!GUP_HAS_FOLIO_ADD_PINS)					\
		kunit_skip(test, "needs folio_add_pins()");		\
} while (0)

#define skip_without_hugetlb(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_HUGETLBFS))				\
		kunit_skip(test, "needs CONFIG_HUGETLBFS");		\
} while (0)

/**
 * struct memfd - the file of a case, and what the case has pinned of it
 * @filp: the file
 * @mnt: the mount that @filp is on, if it has one to itself
 * @nr_hugetlb: huge pages of hugetlbfs that are allowed for because of @filp
 * @nr_pinned: number of entries in @folios that have yet to be released
 * @offset: what memfd_pin_folios() wrote to *offset
 * @folios: what memfd_pin_folios() returned
 *
 * Whatever a case leaves behind, be it because an expectation has failed, is
 * released when it ends.
 */
static struct memfd {
	struct file *filp;
	struct vfsmount *mnt;
	unsigned int nr_hugetlb;
	unsigned int nr_pinned;
	pgoff_t offset;
	struct folio *folios[MAX_FOLIOS];
} memfd;

static void set_file(struct kunit *test, struct file *filp)
{
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(filp), "no file: error %ld",
			       PTR_ERR(filp));
	memfd.filp = filp;
}

/*
 * Have a file in shmem, with nothing in the page cache. What is allocated for
 * it can be pinned where it is, while shmem would take from ZONE_MOVABLE.
 */
static void create_file(struct kunit *test, loff_t size)
{
	set_file(test, shmem_file_setup("gup_kunit", size, EMPTY_VMA_FLAGS));
	mapping_set_gfp_mask(memfd.filp->f_mapping, GFP_USER);
}

static void mount_fs(struct kunit *test, const char *name, char *options)
{
	struct file_system_type *type = get_fs_type(name);
	struct vfsmount *mnt;

	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, type, "no %s", name);
	mnt = vfs_kern_mount(type, SB_KERNMOUNT, name, options);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(mnt), "no mount: error %ld",
			       PTR_ERR(mnt));
	memfd.mnt = mnt;
}

/* The same on a tmpfs that has no other */
static void create_file_with(struct kunit *test, loff_t size, char *options)
{
	mount_fs(test, "tmpfs", options);
	set_file(test, shmem_file_setup_with_mnt(memfd.mnt, "gup_kunit", size,
						 EMPTY_VMA_FLAGS));
	mapping_set_gfp_mask(memfd.filp->f_mapping, GFP_USER);
}

static void close_file(void)
{
	if (memfd.filp)
		fput(memfd.filp);
	memfd.filp = NULL;
	/* In a thread of the kernel, that waits for somebody to do it. */
	flush_delayed_fput();
	if (memfd.mnt)
		kern_unmount(memfd.mnt);
	memfd.mnt = NULL;
}

/* Each CPU keeps references to what it adds to the LRU lists for a while. */
static void settle(void)
{
	lru_add_drain_all();
}

/*
 * Pin what is from @start to @end, or that much of it as fits in @max entries,
 * and expect that to be @nr folios.
 */
static struct folio **pin(struct kunit *test, loff_t start, loff_t end,
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
static struct folio **pin_pages(struct kunit *test, unsigned int nr)
{
	return pin(test, 0, nr * PAGE_SIZE - 1, nr, nr);
}

static void unpin_all(void)
{
	unpin_folios(memfd.folios, memfd.nr_pinned);
	memfd.nr_pinned = 0;
}

/* Look a page up in the page cache, without a reference: the cache has one. */
static struct page *cached(pgoff_t index)
{
	struct page *page = find_get_page(memfd.filp->f_mapping, index);

	if (page)
		put_page(page);
	return page;
}

static void fill(struct page *page, int c)
{
	void *p = kmap_local_page(page);

	memset(p, c, PAGE_SIZE);
	kunmap_local(p);
}

static bool is_clear(struct page *page)
{
	void *p = kmap_local_page(page);
	bool clear = !memchr_inv(p, 0, PAGE_SIZE);

	kunmap_local(p);
	return clear;
}

/* Have a page of a file in shmem, like a read of it does */
static struct page *read_page(struct kunit *test, pgoff_t index)
{
	struct page *page = shmem_read_mapping_page(memfd.filp->f_mapping,
						    index);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(page), "no page %lu: error %ld",
			       index, PTR_ERR(page));
	put_page(page);
	return page;
}

/* Have pages in the page cache, each with a number of its own */
static void have_pages(struct kunit *test, pgoff_t first, pgoff_t nr)
{
	pgoff_t i;

	for (i = first; i < first + nr; i++)
		gup_write_number(read_page(test, i), ~i);
}

static unsigned long nr_cached(void)
{
	return memfd.filp->f_mapping->nrpages;
}

static int pincount(struct folio *folio)
{
	return atomic_read(gup_pincount_ptr(folio));
}

/*
 * Expect a folio in shmem that nobody has mapped to have the references of the
 * page cache, one for each page, and those of its pins.
 */
static void expect_pins(struct kunit *test, struct folio *folio, int pins,
			const char *what)
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

static void expect_pages_in_order(struct kunit *test, struct folio **folios,
				  pgoff_t first, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (folio_page(folios[i], 0) != cached(first + i))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, nr,
			    "first of %u entries that is not what the page cache has there",
			    nr);
}

static void expect_offset(struct kunit *test, loff_t start, pgoff_t offset)
{
	KUNIT_EXPECT_EQ_MSG(test, memfd.offset, offset,
			    "*offset for what begins at %lld", start);
}

/* What memfd_pin_folios() must not do if it returns an error */
static void expect_error(struct kunit *test, struct file *filp, loff_t start,
			 loff_t end, unsigned int max, long error)
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

/* An argument that is wrong has nothing happen at all. */
static void expect_einval(struct kunit *test, struct file *filp, loff_t start,
			  loff_t end, unsigned int max)
{
	expect_error(test, filp, start, end, max, -EINVAL);
	KUNIT_EXPECT_PTR_EQ_MSG(test, memfd.folios[0],
				(struct folio *)GUP_POISON,
				"entry written from %lld to %lld", start, end);
	expect_offset(test, start, POISON_OFFSET);
	if (memfd.filp)
		KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 0UL,
				    "pages allocated from %lld to %lld", start,
				    end);
}

static void einval_if_there_is_no_file(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	expect_einval(test, NULL, 0, 0, 1);
}

static void einval_if_the_file_is_of_another_kind(struct kunit *test)
{
	struct gup_pin_counters before, after;
	loff_t pos = 0;
	ssize_t len;
	long got;

	skip_without_memfd_pin_folios(test);
	mount_fs(test, "ramfs", NULL);
	set_file(test, file_open_root_mnt(memfd.mnt, "gup_kunit",
					  O_RDWR | O_CREAT, 0600));
	len = kernel_write(memfd.filp, "x", 1, &pos);
	KUNIT_ASSERT_EQ_MSG(test, (long)len, 1L, "bytes written to the file");
	KUNIT_ASSERT_EQ_MSG(test, nr_cached(), 1UL, "pages of the file");

	before = gup_read_pin_counters();
	got = memfd_pin_folios(memfd.filp, 0, 0, memfd.folios, 1,
			       &memfd.offset);
	after = gup_read_pin_counters();
	if (got > 0)
		memfd.nr_pinned = got;

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
			    "memfd_pin_folios() of a file in ramfs");
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 0L,
			    "pins of a file in ramfs");
}

static void einval_if_the_end_is_ahead_of_the_start(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	create_file(test, 2 * PAGE_SIZE);
	expect_einval(test, memfd.filp, 1, 0, 1);
	expect_einval(test, memfd.filp, PAGE_SIZE, PAGE_SIZE - 1, 1);
	expect_einval(test, memfd.filp, 0, -1, 1);
}

static void einval_if_the_start_is_negative(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	create_file(test, 2 * PAGE_SIZE);
	expect_einval(test, memfd.filp, -1, 0, 1);
	expect_einval(test, memfd.filp, -1, -1, 1);
	expect_einval(test, memfd.filp, LLONG_MIN, PAGE_SIZE, 1);
}

static void einval_if_the_end_is_not_in_the_file(struct kunit *test)
{
	const loff_t size = PAGE_SIZE + 100;

	skip_without_memfd_pin_folios(test);
	create_file(test, size);
	/* There is a page for it, but the file ends before that does. */
	expect_einval(test, memfd.filp, 0, size, 1);
	expect_einval(test, memfd.filp, size, size, 1);
	expect_einval(test, memfd.filp, 0, 2 * PAGE_SIZE, 1);
	expect_einval(test, memfd.filp, 0, LLONG_MAX, 1);
	pin(test, 0, size - 1, 3, 2);
}

static void einval_if_there_is_room_for_nothing(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	create_file(test, PAGE_SIZE);
	expect_einval(test, memfd.filp, 0, PAGE_SIZE - 1, 0);
}

static void pins_what_is_in_the_page_cache(struct kunit *test)
{
	struct gup_pin_counters before, after;
	struct page *pages[4];
	struct folio **folios;
	unsigned int i;

	/* file: [a] [b] [c] [d] */
	skip_without_memfd_pin_folios(test);
	create_file(test, 4 * PAGE_SIZE);
	have_pages(test, 0, 4);
	for (i = 0; i < 4; i++)
		pages[i] = cached(i);

	before = gup_read_pin_counters();
	folios = pin_pages(test, 4);
	after = gup_read_pin_counters();

	expect_offset(test, 0, 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_PTR_EQ_MSG(test, folio_page(folios[i], 0),
					pages[i], "page %u", i);
		KUNIT_EXPECT_EQ_MSG(test, gup_read_number(pages[i]),
				    ~(unsigned long)i, "contents of page %u",
				    i);
		expect_pins(test, folios[i], 1, "memfd_pin_folios()");
	}
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 4L,
			    "pins that NR_FOLL_PIN_ACQUIRED has of 4 folios");
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 0L,
			    "pins that NR_FOLL_PIN_RELEASED has of 4 folios");
}

static void allocates_and_clears_what_is_not(struct kunit *test)
{
	struct gup_pin_counters before, after;
	struct folio **folios;
	unsigned int i;

	/* file: [ ] [ ] [ ] */
	skip_without_memfd_pin_folios(test);
	create_file(test, 3 * PAGE_SIZE);

	before = gup_read_pin_counters();
	folios = pin_pages(test, 3);
	after = gup_read_pin_counters();

	expect_pages_in_order(test, folios, 0, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE_MSG(test, is_clear(folio_page(folios[i], 0)),
				      "page %u is not clear", i);
		expect_pins(test, folios[i], 1, "memfd_pin_folios() of a hole");
	}
	/* What is allocated in order to be pinned is good to be pinned. */
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 3L,
			    "pins that NR_FOLL_PIN_ACQUIRED has of 3 folios");
}

static void pins_a_mix_of_both(struct kunit *test)
{
	struct folio **folios;
	unsigned int i;

	/* file: [ ] [b] [ ] [ ] [e] [f] [ ] */
	skip_without_memfd_pin_folios(test);
	create_file(test, 7 * PAGE_SIZE);
	have_pages(test, 1, 1);
	have_pages(test, 4, 2);

	folios = pin_pages(test, 7);

	expect_pages_in_order(test, folios, 0, 7);
	for (i = 0; i < 7; i++) {
		bool was_there = i == 1 || i == 4 || i == 5;

		KUNIT_EXPECT_EQ_MSG(test, gup_read_number(folio_page(folios[i], 0)),
				    was_there ? ~(unsigned long)i : 0,
				    "contents of page %u", i);
		expect_pins(test, folios[i], 1, "memfd_pin_folios()");
	}
	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 7UL,
			    "pages of the file, all of which are pinned");
}

static void what_was_allocated_is_what_the_file_has(struct kunit *test)
{
	struct folio **folios;

	skip_without_memfd_pin_folios(test);
	create_file(test, PAGE_SIZE);

	folios = pin_pages(test, 1);
	gup_write_number(folio_page(folios[0], 0), 12345);

	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(read_page(test, 0)), 12345UL,
			    "what the file has, after it was written to the pinned page");
}

/*
 * fallocate() does not clear what it allocates. It is not up to date until
 * somebody has it for the first time, and until then it may have anything in
 * it, such as what others have left in memory.
 */
static void have_fallocated(struct kunit *test, unsigned int nr)
{
	unsigned int i;
	int err;

	create_file(test, nr * PAGE_SIZE);
	err = vfs_fallocate(memfd.filp, 0, 0, nr * PAGE_SIZE);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot allocate %u pages", nr);
	KUNIT_ASSERT_EQ_MSG(test, nr_cached(), (unsigned long)nr,
			    "pages that fallocate() has added");
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_FALSE_MSG(test, PageUptodate(cached(i)),
				       "fallocate() has cleared page %u", i);
		fill(cached(i), 0x5a);
	}
}

static void clears_what_was_fallocated(struct kunit *test)
{
	struct folio **folios;
	unsigned int i;

	skip_without_memfd_pin_folios(test);
	have_fallocated(test, 3);
	/* The page in the middle is cleared here, and is written to then. */
	gup_write_number(read_page(test, 1), 12345);

	folios = pin_pages(test, 3);

	expect_pages_in_order(test, folios, 0, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ_MSG(test, gup_read_number(folio_page(folios[i], 0)),
				    i == 1 ? 12345UL : 0UL,
				    "contents of page %u, which was fallocated",
				    i);
		KUNIT_EXPECT_TRUE_MSG(test,
				      PageUptodate(folio_page(folios[i], 0)),
				      "page %u is pinned, and not up to date",
				      i);
		expect_pins(test, folios[i], 1,
			    "memfd_pin_folios() of what was fallocated");
	}
}

static void what_is_written_to_it_is_what_the_file_has(struct kunit *test)
{
	struct folio **folios;

	skip_without_memfd_pin_folios(test);
	have_fallocated(test, 1);

	folios = pin_pages(test, 1);
	gup_write_number(folio_page(folios[0], 0), 12345);

	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(read_page(test, 0)), 12345UL,
			    "what the file has, after it was written to the pinned page");
}

static void begins_and_ends_within_pages(struct kunit *test)
{
	struct folio **folios;

	/*
	 * file:  [ ] [ ] [ ] [ ]
	 * range:       <---->
	 */
	skip_without_memfd_pin_folios(test);
	create_file(test, 4 * PAGE_SIZE);

	folios = pin(test, PAGE_SIZE + 123, 2 * PAGE_SIZE + 45, 4, 2);

	expect_offset(test, PAGE_SIZE + 123, 123);
	expect_pages_in_order(test, folios, 1, 2);
	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 2UL,
			    "pages allocated for a range of two");
}

static void the_end_is_part_of_it(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	create_file(test, 4 * PAGE_SIZE);

	/* The last byte of a page, and the first of the next */
	pin(test, 0, PAGE_SIZE - 1, 4, 1);
	pin(test, 0, PAGE_SIZE, 4, 2);
	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 2UL,
			    "pages allocated for bytes 0 to PAGE_SIZE");
	pin(test, 0, 4 * PAGE_SIZE - 1, 4, 4);
}

static void one_byte_takes_one_folio(struct kunit *test)
{
	static const loff_t at[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE, 3 * PAGE_SIZE - 1,
	};
	struct folio **folios;
	unsigned int i;

	skip_without_memfd_pin_folios(test);
	create_file(test, 3 * PAGE_SIZE);

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		folios = pin(test, at[i], at[i], 3, 1);
		expect_offset(test, at[i], at[i] % PAGE_SIZE);
		expect_pages_in_order(test, folios, at[i] / PAGE_SIZE, 1);
	}
}

static void takes_no_more_than_there_is_room_for(struct kunit *test)
{
	struct folio **folios;
	unsigned int i;

	/* file: [a] [b] [c] [d] [e] [f] [ ] [ ] */
	skip_without_memfd_pin_folios(test);
	create_file(test, 8 * PAGE_SIZE);
	have_pages(test, 0, 6);

	folios = pin(test, 0, 8 * PAGE_SIZE - 1, 3, 3);

	expect_pages_in_order(test, folios, 0, 3);
	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 6UL,
			    "pages of the file, of which three were to be pinned");
	for (i = 0; i < 6; i++)
		expect_pins(test, page_folio(cached(i)), i < 3,
			    "memfd_pin_folios() of the first three");
}

static void allocates_no_more_than_there_is_room_for(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	create_file(test, 8 * PAGE_SIZE);

	pin(test, 0, 8 * PAGE_SIZE - 1, 3, 3);

	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 3UL,
			    "pages allocated for three that were to be pinned");
}

static void pins_more_than_one_batch_of_the_page_cache(struct kunit *test)
{
	struct folio **folios;
	unsigned int i;

	/* As many as there are, and one less than there are */
	skip_without_memfd_pin_folios(test);
	create_file(test, NR_MANY * PAGE_SIZE);
	have_pages(test, 0, NR_MANY);

	folios = pin(test, 123, NR_MANY * PAGE_SIZE - 1, NR_MANY, NR_MANY);
	expect_offset(test, 123, 123);
	expect_pages_in_order(test, folios, 0, NR_MANY);
	settle();
	for (i = 0; i < NR_MANY; i++)
		if (folio_ref_count(folios[i]) != 1 + GUP_PIN_COUNTING_BIAS)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned int)NR_MANY,
			    "first folio that has other references than one pin and that of the page cache");
	unpin_all();

	folios = pin(test, 0, NR_MANY * PAGE_SIZE - 1, NR_MANY - 1,
		     NR_MANY - 1);
	expect_pages_in_order(test, folios, 0, NR_MANY - 1);
	unpin_all();
	settle();
	for (i = 0; i < NR_MANY; i++)
		if (page_ref_count(cached(i)) != 1)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned int)NR_MANY,
			    "first page that has references left after the release");
}

static void a_folio_pinned_twice_is_released_twice(struct kunit *test)
{
	struct folio **folios;

	skip_without_memfd_pin_folios(test);
	create_file(test, PAGE_SIZE);
	folios = pin_pages(test, 1);
	pin_pages(test, 1);
	KUNIT_EXPECT_PTR_EQ_MSG(test, folios[1], folios[0], "the same page");
	expect_pins(test, folios[0], 2, "memfd_pin_folios(), twice");

	memfd.nr_pinned--;
	unpin_folio(folios[0]);
	expect_pins(test, folios[0], 1, "the first release");
	memfd.nr_pinned--;
	unpin_folio(folios[0]);
	expect_pins(test, folios[0], 0, "the second release");
}

static void a_page_that_is_mapped_is_pinned_alike(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct page *pages[1] = { GUP_POISON };
	struct folio **folios;
	unsigned long addr;
	int mapped;
	long got;

	skip_without_memfd_pin_folios(test);
	create_file(test, PAGE_SIZE);
	addr = kunit_vm_mmap(test, memfd.filp, 0, PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR_VALUE(addr), "no mapping: %ld",
			       (long)addr);
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	settle();
	mapped = page_ref_count(cached(0));

	folios = pin_pages(test, 1);
	got = m->acquire(addr, 1, FOLL_WRITE, pages);
	settle();
	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()", m->name);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], folio_page(folios[0], 0),
				"page returned by %s()", m->name);
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(folios[0]) - mapped,
			    2 * GUP_PIN_COUNTING_BIAS,
			    "references of a pin of each kind");
	gup_release(m, pages, got);
	unpin_all();
	settle();
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(cached(0)), mapped,
			    "references after the release of both");
	gup_unmap(test, addr, 1);
}

static void unpin_folio_by_folio(struct folio **folios, unsigned int nr)
{
	while (nr--)
		unpin_folio(*folios++);
}

static void unpin_array(struct folio **folios, unsigned int nr)
{
	unpin_folios(folios, nr);
}

static void unpin_user_folio_by_folio(struct folio **folios, unsigned int nr)
{
	while (nr--)
		unpin_user_folio(*folios++, 1);
}

static void unpin_range_clean(struct folio **folios, unsigned int nr)
{
	while (nr--)
		unpin_user_page_range_dirty_lock(folio_page(*folios++, 0), 1,
						 false);
}

static void unpin_range_dirty(struct folio **folios, unsigned int nr)
{
	while (nr--)
		unpin_user_page_range_dirty_lock(folio_page(*folios++, 0), 1,
						 true);
}

/**
 * struct release - a function that releases what memfd_pin_folios() pinned
 * @name: its name, and the argument make_dirty if there is one
 * @unpin: calls it, as often as it takes, for small folios
 * @dirties: whether it marks clean folios dirty
 */
struct release {
	const char *name;
	void (*unpin)(struct folio **folios, unsigned int nr);
	bool dirties;
};

static const struct release releases[] = {
	{ "unpin_folio()", unpin_folio_by_folio, false },
	{ "unpin_folios()", unpin_array, false },
	{ "unpin_user_folio()", unpin_user_folio_by_folio, false },
	{ "unpin_user_page_range_dirty_lock(false)", unpin_range_clean, false },
	{ "unpin_user_page_range_dirty_lock(true)", unpin_range_dirty, true },
};

#define for_each_release(r)						\
	for (r = releases; r < releases + ARRAY_SIZE(releases); r++)

static void each_function_releases_what_was_pinned(struct kunit *test)
{
	struct gup_pin_counters before, after;
	const struct release *r;
	struct folio **folios;
	unsigned int i;

	skip_without_memfd_pin_folios(test);
	create_file(test, 3 * PAGE_SIZE);
	have_pages(test, 0, 3);

	for_each_release(r) {
		before = gup_read_pin_counters();
		folios = pin_pages(test, 3);
		for (i = 0; i < 3; i++)
			ClearPageDirty(folio_page(folios[i], 0));
		memfd.nr_pinned = 0;
		r->unpin(folios, 3);
		after = gup_read_pin_counters();

		for (i = 0; i < 3; i++) {
			expect_pins(test, folios[i], 0, r->name);
			KUNIT_EXPECT_EQ_MSG(test,
					    (bool)PageDirty(folio_page(folios[i], 0)),
					    r->dirties,
					    "page %u is dirty after %s", i,
					    r->name);
		}
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 3L,
				    "pins that NR_FOLL_PIN_ACQUIRED has before %s",
				    r->name);
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 3L,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    r->name);
	}
}

static void a_pin_keeps_a_page_that_is_truncated(struct kunit *test)
{
	struct gup_ref_trace *trace;
	struct folio **folios;

	skip_without_memfd_pin_folios(test);
	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF))
		kunit_skip(test, "needs CONFIG_DEBUG_PAGE_REF");
	create_file(test, PAGE_SIZE);
	have_pages(test, 0, 1);
	folios = pin_pages(test, 1);
	trace = gup_trace_refs(test, folio_page(folios[0], 0));

	shmem_truncate_range(file_inode(memfd.filp), 0, (loff_t)-1);
	settle();
	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 0UL,
			    "pages of a file that was truncated");
	KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 0U,
			    "times that a pinned page was freed");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(folios[0]),
			    (int)GUP_PIN_COUNTING_BIAS,
			    "references to a page that has nothing but a pin");
	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(folio_page(folios[0], 0)),
			    ~0UL, "contents of a page that has nothing but a pin");

	unpin_all();
	KUNIT_EXPECT_EQ_MSG(test, trace->nr_freed, 1U,
			    "times that the page was freed after the release");
	gup_trace_refs_end(test);
}

/* A tmpfs of four blocks has no room for the fifth page. */
static void leaves_nothing_behind_if_it_fails_half_way(struct kunit *test)
{
	char options[] = "nr_blocks=4";
	unsigned int i;

	/* file: [a] [ ] [c] [ ] [ ] [ ], and room for two more */
	skip_without_memfd_pin_folios(test);
	create_file_with(test, 6 * PAGE_SIZE, options);
	have_pages(test, 0, 1);
	have_pages(test, 2, 1);

	expect_error(test, memfd.filp, 0, 6 * PAGE_SIZE - 1, 6, -ENOSPC);

	KUNIT_ASSERT_EQ_MSG(test, nr_cached(), 4UL,
			    "pages of a file on a tmpfs of four");
	for (i = 0; i < 4; i++)
		expect_pins(test, page_folio(cached(i)), 0,
			    "memfd_pin_folios(), which has failed");
}

static void leaves_nothing_behind_if_it_fails_at_once(struct kunit *test)
{
	char options[] = "nr_blocks=4";

	/* file: [ ] [b] [c] [d] [e], and no room for one more */
	skip_without_memfd_pin_folios(test);
	create_file_with(test, 5 * PAGE_SIZE, options);
	have_pages(test, 1, 4);

	expect_error(test, memfd.filp, 0, 5 * PAGE_SIZE - 1, 5, -ENOSPC);
	expect_pins(test, page_folio(cached(1)), 0,
		    "memfd_pin_folios(), which has failed");

	/* What there is can be pinned all the same. */
	pin(test, PAGE_SIZE, 5 * PAGE_SIZE - 1, 5, 4);
}

/* Whose pin is added to: a page of a file in shmem */
static struct folio *pin_small(struct kunit *test)
{
	create_file(test, PAGE_SIZE);
	return *pin_pages(test, 1);
}

static void add_pins_adds_as_many_as_it_is_told_to(struct kunit *test)
{
	struct gup_pin_counters before, after;
	struct folio *folio;
	int err;

	skip_without_folio_add_pins(test);
	folio = pin_small(test);

	before = gup_read_pin_counters();
	err = folio_add_pins(folio, 3);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 3)");
	expect_pins(test, folio, 4, "folio_add_pins(folio, 3)");
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 3L,
			    "pins that NR_FOLL_PIN_ACQUIRED has from folio_add_pins(folio, 3)");
	unpin_user_folio(folio, 3);
	expect_pins(test, folio, 1, "unpin_user_folio(folio, 3)");
}

static void add_pins_adds_none_if_it_is_told_to(struct kunit *test)
{
	struct folio *folio;
	int err;

	skip_without_folio_add_pins(test);
	folio = pin_small(test);

	err = folio_add_pins(folio, 0);

	KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 0)");
	expect_pins(test, folio, 1, "folio_add_pins(folio, 0)");
}

static void each_function_releases_an_added_pin(struct kunit *test)
{
	struct gup_pin_counters before, after;
	const struct release *r;
	struct folio *folio;
	int err;

	skip_without_folio_add_pins(test);
	folio = pin_small(test);

	for_each_release(r) {
		before = gup_read_pin_counters();
		err = folio_add_pins(folio, 1);
		KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 1)");
		r->unpin(&folio, 1);
		after = gup_read_pin_counters();

		expect_pins(test, folio, 1, r->name);
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
				    after.released - before.released,
				    "pins by folio_add_pins(), as compared to releases by %s",
				    r->name);
	}
}

/*
 * One pin for each page of a compound page, as if each had been pinned by
 * itself, and then pages are released in parts::
 *
 *	[H][t][t][t]	1 pin
 *	[H][t][t][t]	4 pins
 *	[H]		1 pin, after a range of three is released
 */
static void parts_of_a_compound_page_are_released(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	struct page *pages[1] = { GUP_POISON };
	struct gup_pin_counters before, after;
	struct gup_file *file;
	struct folio *head;
	unsigned long addr;
	int refs, err;
	long got;

	skip_without_folio_add_pins(test);
	file = gup_create_file(test, 2, 1);
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	head = page_folio(file->heads[0]);
	gup_fault_in(test, addr, 1, 0);
	refs = folio_ref_count(head);

	before = gup_read_pin_counters();
	got = m->acquire(addr, 1, 0, pages);
	KUNIT_ASSERT_EQ_MSG(test, got, 1L, "pages returned by %s()", m->name);
	err = folio_add_pins(head, 3);
	KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 3)");
	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 4,
			    "pincount after folio_add_pins(folio, 3)");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs + 4,
			    "refcount after folio_add_pins(folio, 3)");

	unpin_user_page_range_dirty_lock(folio_page(head, 1), 3, false);
	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 1,
			    "pincount after the release of three pages");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs + 1,
			    "refcount after the release of three pages");
	unpin_user_folio(head, 1);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, pincount(head), 0,
			    "pincount after the release of all");
	KUNIT_EXPECT_EQ_MSG(test, folio_ref_count(head), refs,
			    "refcount after the release of all");
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 4L,
			    "pins that NR_FOLL_PIN_ACQUIRED has of four pages");
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 4L,
			    "pins that NR_FOLL_PIN_RELEASED has of four pages");
}

/* Have a file of large folios only, with nothing in the page cache */
static void create_huge_file(struct kunit *test, unsigned int nr_huge)
{
	char options[] = "huge=always";

	create_file_with(test, nr_huge * PMD_SIZE, options);
}

/* Have one of them in the page cache */
static void have_huge(struct kunit *test, pgoff_t index)
{
	struct page *page = read_page(test, index);

	KUNIT_ASSERT_EQ_MSG(test, (unsigned long)folio_nr_pages(page_folio(page)),
			    (unsigned long)NR_HUGE,
			    "pages of the folio at page %lu", index);
}

static void a_large_folio_is_pinned_once(struct kunit *test)
{
	struct folio **folios, *huge;

	/*
	 * file:  [H][t][t][t][t][t]...
	 * range:           <---->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	have_huge(test, 0);
	huge = page_folio(cached(0));

	folios = pin(test, 3 * PAGE_SIZE + 123, 5 * PAGE_SIZE, 3, 1);

	KUNIT_EXPECT_PTR_EQ_MSG(test, folios[0], huge, "the large folio");
	expect_offset(test, 3 * PAGE_SIZE + 123, 3 * PAGE_SIZE + 123);
	expect_pins(test, huge, 1, "memfd_pin_folios()");
	unpin_all();
	expect_pins(test, huge, 0, "unpin_folios()");

	pin(test, 0, PMD_SIZE - 1, 3, 1);
	expect_offset(test, 0, 0);
	expect_pins(test, huge, 1, "memfd_pin_folios() of the whole of it");
}

static void the_offset_is_into_the_first_large_folio(struct kunit *test)
{
	const loff_t start = PMD_SIZE + 7 * PAGE_SIZE + 123;
	struct folio **folios;

	/*
	 * file:  [H][t]... [H][t]... [ ][ ]... [ ][ ]...
	 * range:              <------------------->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 4);
	have_huge(test, 0);
	have_huge(test, NR_HUGE + 3);

	folios = pin(test, start, 3 * PMD_SIZE, 4, 3);

	expect_offset(test, start, start - PMD_SIZE);
	expect_pages_in_order(test, folios, NR_HUGE, 1);
	expect_pages_in_order(test, folios + 1, 2 * NR_HUGE, 1);
	expect_pages_in_order(test, folios + 2, 3 * NR_HUGE, 1);
	expect_pins(test, page_folio(cached(0)), 0,
		    "memfd_pin_folios() of what is behind it");
	expect_pins(test, folios[0], 1, "memfd_pin_folios()");
	expect_pins(test, folios[1], 1, "memfd_pin_folios() of a hole");
	expect_pins(test, folios[2], 1, "memfd_pin_folios() of a hole");
}

static void a_small_folio_may_follow_a_large_one(struct kunit *test)
{
	char options[] = "huge=within_size";
	struct folio **folios;

	/*
	 * file:  [H][t][t][t]... [a]
	 * range:        <--------->
	 */
	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_file_with(test, PMD_SIZE + PAGE_SIZE, options);
	have_huge(test, 0);

	folios = pin(test, 3 * PAGE_SIZE + 123, PMD_SIZE + 123, 3, 2);

	expect_offset(test, 3 * PAGE_SIZE + 123, 3 * PAGE_SIZE + 123);
	expect_pages_in_order(test, folios, 0, 1);
	expect_pages_in_order(test, folios + 1, NR_HUGE, 1);
	KUNIT_EXPECT_EQ_MSG(test, (long)folio_nr_pages(folios[1]), 1L,
			    "pages of the last folio of the file");
	expect_pins(test, folios[0], 1, "memfd_pin_folios()");
	expect_pins(test, folios[1], 1, "memfd_pin_folios() of a hole");
}

static void pages_of_a_large_folio_are_released_one_by_one(struct kunit *test)
{
	struct folio **folios, *huge;
	unsigned long i;
	int err;

	skip_without_folio_add_pins(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	have_huge(test, 0);
	folios = pin(test, 0, PMD_SIZE - 1, 1, 1);
	huge = folios[0];

	err = folio_add_pins(huge, NR_HUGE - 1);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "folio_add_pins()");
	expect_pins(test, huge, NR_HUGE, "folio_add_pins()");
	unpin_user_page_range_dirty_lock(folio_page(huge, 3), 100, true);
	expect_pins(test, huge, NR_HUGE - 100, "the release of a hundred pages");
	for (i = 0; i < NR_HUGE - 101; i++)
		unpin_user_page_range_dirty_lock(folio_page(huge, i), 1, true);
	expect_pins(test, huge, 1, "the release of all pages but one");
	unpin_all();
	expect_pins(test, huge, 0, "the release of all pages");
}

static void clears_a_large_folio_that_was_fallocated(struct kunit *test)
{
	struct folio **folios;
	unsigned long i;
	int err;

	skip_without_memfd_pin_folios(test);
	gup_skip_without_thp(test);
	create_huge_file(test, 1);
	err = vfs_fallocate(memfd.filp, 0, 0, PMD_SIZE);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot allocate a large folio");
	KUNIT_ASSERT_FALSE_MSG(test, PageUptodate(cached(0)),
			       "fallocate() has cleared it");
	for (i = 0; i < NR_HUGE; i++)
		fill(cached(0) + i, 0x5a);

	folios = pin(test, 3 * PAGE_SIZE, 3 * PAGE_SIZE, 1, 1);

	for (i = 0; i < folio_nr_pages(folios[0]); i++)
		if (!is_clear(folio_page(folios[0], i)))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned long)NR_HUGE,
			    "first page that is not clear of a large folio that was fallocated");
	KUNIT_EXPECT_TRUE_MSG(test, PageUptodate(folio_page(folios[0], 0)),
			      "a large folio is pinned, and not up to date");
}

/* Have pages until some in a row are in @area, and return the first of them */
static pgoff_t have_pages_in(struct kunit *test, const struct gup_area *area)
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
	KUNIT_ASSERT_EQ_MSG(test, found, (unsigned int)NR_IN_AREA,
			    "pages in a row that were taken from %s",
			    area->name);
	return i - NR_IN_AREA;
}

/* Pages in @area are migrated, those around them stay, and holes are filled. */
static void expect_migration(struct kunit *test, const struct gup_area *area)
{
	pgoff_t first = have_pages_in(test, area), i;
	const unsigned int nr = NR_IN_AREA + 2;
	struct gup_pin_counters before, after;
	unsigned int inside = 0, wrong = 0;
	struct folio **folios;

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
	expect_migration(test, &gup_cma_area);
}

static void migrates_pages_out_of_zone_movable(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	gup_skip_without_movable_zone(test);
	expect_migration(test, &gup_movable_area);
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

#ifdef CONFIG_HUGETLBFS
/*
 * Have a file of huge pages without a pool, so they are allocated here and now.
 * Of those in ZONE_MOVABLE, memfd_pin_folios() takes none.
 */
static void create_hugetlb_file(struct kunit *test, unsigned int nr)
{
	struct hstate *h = &default_hstate;
	unsigned int flags = memalloc_pin_save();
	struct file *filp;

	h->nr_overcommit_huge_pages += nr;
	memfd.nr_hugetlb += nr;
	filp = hugetlb_file_setup("gup_kunit", nr * huge_page_size(h),
				  EMPTY_VMA_FLAGS, HUGETLB_ANONHUGE_INODE, 0);
	memalloc_pin_restore(flags);
	set_file(test, filp);
}

static void forget_hugetlb(void)
{
	default_hstate.nr_overcommit_huge_pages -= memfd.nr_hugetlb;
	memfd.nr_hugetlb = 0;
}

/* Have the first page of it in the page cache, with a number in it */
static struct page *have_hugetlb_page(struct kunit *test, unsigned long number)
{
	unsigned long len = huge_page_size(&default_hstate), addr, mapped;
	struct page *page;

	addr = gup_map_anon(test, 2 * len >> PAGE_SHIFT, PROT_READ | PROT_WRITE);
	addr = ALIGN(addr, len);
	mapped = kunit_vm_mmap(test, memfd.filp, addr, len,
			       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 0);
	KUNIT_ASSERT_EQ_MSG(test, mapped, addr,
			    "address of the file's mapping");
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	gup_get(test, addr, 1, &page);
	gup_write_number(page, number);
	put_page(page);
	gup_unmap(test, addr, len >> PAGE_SHIFT);
	return page;
}

static void expect_hugetlb(struct kunit *test, struct folio *folio,
			   unsigned long number)
{
	unsigned long i;

	KUNIT_EXPECT_TRUE_MSG(test, folio_test_hugetlb(folio),
			      "not a page of hugetlbfs");
	KUNIT_EXPECT_EQ_MSG(test, pincount(folio), 1,
			    "pincount of a page of hugetlbfs");
	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(folio_page(folio, 0)), number,
			    "contents of a page of hugetlbfs");
	for (i = 1; i < folio_nr_pages(folio); i++)
		if (!is_clear(folio_page(folio, i)))
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned long)folio_nr_pages(folio),
			    "first page that is not clear of a huge page");
}

static void pin_hugetlb(struct kunit *test)
{
	unsigned long len = huge_page_size(&default_hstate);
	loff_t start = len / 2 + 123;
	struct folio **folios;
	struct page *first;
	int refs;

	/*
	 * file:  [H][t][t][t]... [ ][ ][ ][ ]... [ ][ ][ ][ ]...
	 * range:        <------------------------->
	 */
	create_hugetlb_file(test, 3);
	first = have_hugetlb_page(test, 12345);
	refs = page_ref_count(first);

	folios = pin(test, start, 2 * len, 4, 3);
	expect_offset(test, start, start);
	KUNIT_EXPECT_PTR_EQ_MSG(test, folio_page(folios[0], 0), first,
				"page that is in the page cache");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs + 1,
			    "references to a page that is pinned");
	expect_hugetlb(test, folios[0], 12345);
	expect_hugetlb(test, folios[1], 0);
	expect_hugetlb(test, folios[2], 0);
	unpin_all();
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs,
			    "references to a page that was released");

	/* The last byte of a page, and all of two */
	pin(test, 2 * len - 1, 2 * len - 1, 4, 1);
	expect_offset(test, 2 * len - 1, len - 1);
	pin(test, len, 3 * len - 1, 4, 2);
	expect_offset(test, len, 0);
}

static void give_hugetlb_back(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long huge = h->nr_huge_pages;
	unsigned long resv = h->resv_huge_pages;
	unsigned long len = huge_page_size(h);

	create_hugetlb_file(test, 2);
	pin(test, 0, 2 * len - 1, 2, 2);
	unpin_all();
	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge + 2,
			    "pages of hugetlbfs while there is a file of two");
	close_file();

	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge,
			    "pages of hugetlbfs when the file is gone");
	KUNIT_EXPECT_EQ_MSG(test, h->resv_huge_pages, resv,
			    "pages of hugetlbfs that are reserved when the file is gone");
}

/* There is a page for the first half of the file, and no other. */
static void run_out_of_hugetlb(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long huge = h->nr_huge_pages;
	unsigned long len = huge_page_size(h);
	struct page *first;
	int refs;

	create_hugetlb_file(test, 1);
	first = have_hugetlb_page(test, 12345);
	refs = page_ref_count(first);
	i_size_write(file_inode(memfd.filp), 2 * len);

	expect_error(test, memfd.filp, 0, 2 * len - 1, 2, -ENOMEM);

	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), refs,
			    "references to a page that could not be pinned");
	close_file();
	KUNIT_EXPECT_EQ_MSG(test, h->nr_huge_pages, huge,
			    "pages of hugetlbfs when the file is gone");
}
#else
static void forget_hugetlb(void)
{
}

static void pin_hugetlb(struct kunit *test)
{
}

static void give_hugetlb_back(struct kunit *test)
{
}

static void run_out_of_hugetlb(struct kunit *test)
{
}
#endif

static void pins_pages_of_hugetlbfs(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	pin_hugetlb(test);
}

static void a_file_in_hugetlbfs_gives_all_pages_back(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	give_hugetlb_back(test);
}

static void leaves_nothing_behind_if_huge_pages_run_out(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	skip_without_hugetlb(test);
	run_out_of_hugetlb(test);
}

static int gup_memfd_init(struct kunit *test)
{
	memset(&memfd, 0, sizeof(memfd));
	return gup_fixture_init(test);
}

static void gup_memfd_exit(struct kunit *test)
{
	unpin_all();
	close_file();
	forget_hugetlb();
	gup_fixture_exit(test);
}

static struct kunit_case gup_memfd_cases[] = {
	KUNIT_CASE(einval_if_there_is_no_file),
	KUNIT_CASE(einval_if_the_file_is_of_another_kind),
	KUNIT_CASE(einval_if_the_end_is_ahead_of_the_start),
	KUNIT_CASE(einval_if_the_start_is_negative),
	KUNIT_CASE(einval_if_the_end_is_not_in_the_file),
	KUNIT_CASE(einval_if_there_is_room_for_nothing),
	KUNIT_CASE(pins_what_is_in_the_page_cache),
	KUNIT_CASE(allocates_and_clears_what_is_not),
	KUNIT_CASE(pins_a_mix_of_both),
	KUNIT_CASE(what_was_allocated_is_what_the_file_has),
	KUNIT_CASE(clears_what_was_fallocated),
	KUNIT_CASE(what_is_written_to_it_is_what_the_file_has),
	KUNIT_CASE(begins_and_ends_within_pages),
	KUNIT_CASE(the_end_is_part_of_it),
	KUNIT_CASE(one_byte_takes_one_folio),
	KUNIT_CASE(takes_no_more_than_there_is_room_for),
	KUNIT_CASE(allocates_no_more_than_there_is_room_for),
	KUNIT_CASE(pins_more_than_one_batch_of_the_page_cache),
	KUNIT_CASE(a_folio_pinned_twice_is_released_twice),
	KUNIT_CASE(a_page_that_is_mapped_is_pinned_alike),
	KUNIT_CASE(each_function_releases_what_was_pinned),
	KUNIT_CASE(a_pin_keeps_a_page_that_is_truncated),
	KUNIT_CASE(leaves_nothing_behind_if_it_fails_half_way),
	KUNIT_CASE(leaves_nothing_behind_if_it_fails_at_once),
	KUNIT_CASE(add_pins_adds_as_many_as_it_is_told_to),
	KUNIT_CASE(add_pins_adds_none_if_it_is_told_to),
	KUNIT_CASE(each_function_releases_an_added_pin),
	KUNIT_CASE(parts_of_a_compound_page_are_released),
	KUNIT_CASE(a_large_folio_is_pinned_once),
	KUNIT_CASE(the_offset_is_into_the_first_large_folio),
	KUNIT_CASE(a_small_folio_may_follow_a_large_one),
	KUNIT_CASE(pages_of_a_large_folio_are_released_one_by_one),
	KUNIT_CASE(clears_a_large_folio_that_was_fallocated),
	KUNIT_CASE(migrates_pages_out_of_cma),
	KUNIT_CASE(migrates_pages_out_of_zone_movable),
	KUNIT_CASE(allocates_outside_of_zone_movable),
	KUNIT_CASE(pins_pages_of_hugetlbfs),
	KUNIT_CASE(a_file_in_hugetlbfs_gives_all_pages_back),
	KUNIT_CASE(leaves_nothing_behind_if_huge_pages_run_out),
	{}
};

static struct kunit_suite gup_memfd_suite = {
	.name = "gup_memfd",
	.init = gup_memfd_init,
	.exit = gup_memfd_exit,
	.test_cases = gup_memfd_cases,
};

kunit_test_suite(gup_memfd_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of memfd_pin_folios() and folio_add_pins()");
MODULE_LICENSE("GPL");
