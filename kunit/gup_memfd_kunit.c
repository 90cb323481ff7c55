// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfd_pin_folios(), which pins a range of a file in shmem or
 * hugetlbfs without mapping it, for what it refuses and for small folios. Then
 * of folio_add_pins(), which has the pin of a folio count for parts of it, and
 * of the functions that release such pins.
 */
#include <linux/limits.h>
#include <linux/module.h>

#include "gup_memfd.h"

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
	struct vfsmount *mnt;
	loff_t pos = 0;
	ssize_t len;
	long got;

	skip_without_memfd_pin_folios(test);
	mnt = gup_mount(test, "ramfs", NULL);
	set_file(test, file_open_root_mnt(mnt, "gup_kunit", O_RDWR | O_CREAT,
					  0600));
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

static void eintr_if_the_caller_is_being_killed(struct kunit *test)
{
	/* file: [a] [b] [ ] [ ] */
	skip_without_memfd_pin_folios(test);
	create_file(test, 4 * PAGE_SIZE);
	have_pages(test, 0, 2);

	gup_begin_to_be_killed(test);
	expect_error(test, memfd.filp, 2 * PAGE_SIZE, 4 * PAGE_SIZE - 1, 2,
		     -EINTR);
	unpin_all();
	expect_error(test, memfd.filp, 0, 2 * PAGE_SIZE - 1, 2, -EINTR);
	unpin_all();
	gup_end_to_be_killed();

	KUNIT_EXPECT_EQ_MSG(test, nr_cached(), 2UL,
			    "pages of a file that had two when SIGKILL came");
	expect_pins(test, page_folio(cached(0)), 0,
		    "memfd_pin_folios() of somebody who is being killed");
}

#ifdef CONFIG_MEMORY_FAILURE
static void pin_poisoned(struct kunit *test)
{
	struct page *page;

	/* file: [a] [b] [c], and [b] is poisoned */
	create_file(test, 3 * PAGE_SIZE);
	have_pages(test, 0, 3);
	page = cached(1);

	SetPageHWPoison(page);
	expect_error(test, memfd.filp, 0, 3 * PAGE_SIZE - 1, 3, -EIO);
	unpin_all();
	expect_error(test, memfd.filp, PAGE_SIZE, PAGE_SIZE, 1, -EIO);
	unpin_all();
	ClearPageHWPoison(page);

	expect_pins(test, page_folio(cached(0)), 0,
		    "memfd_pin_folios() that met a poisoned page behind it");
	expect_pins(test, page_folio(page), 0,
		    "memfd_pin_folios() of a poisoned page");
}
#else
static void pin_poisoned(struct kunit *test)
{
}
#endif

static void eio_if_a_page_is_poisoned(struct kunit *test)
{
	skip_without_memfd_pin_folios(test);
	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "needs CONFIG_MEMORY_FAILURE");
	pin_poisoned(test);
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
			    (int)(2 * GUP_PIN_COUNTING_BIAS),
			    "references of a pin of each kind");
	gup_release(m, pages, got);
	unpin_all();
	settle();
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(cached(0)), mapped,
			    "references after the release of both");
	gup_unmap(test, addr, 1);
}

/* Have @u release small folios, by their pages where it takes pages */
static void unpin_small(const struct gup_unpin *u, struct folio **folios,
			unsigned int nr)
{
	struct page *pages[GUP_MAX_UNPIN];
	unsigned int i;

	for (i = 0; i < nr; i++)
		pages[i] = folio_page(folios[i], 0);
	u->unpin(pages, nr);
}

static void each_function_releases_what_was_pinned(struct kunit *test)
{
	struct gup_pin_counters before, after;
	const struct gup_unpin *u;
	struct folio **folios;
	unsigned int i;

	skip_without_memfd_pin_folios(test);
	create_file(test, 3 * PAGE_SIZE);
	have_pages(test, 0, 3);

	gup_for_each_unpin(u) {
		before = gup_read_pin_counters();
		folios = pin_pages(test, 3);
		for (i = 0; i < 3; i++)
			ClearPageDirty(folio_page(folios[i], 0));
		memfd.nr_pinned = 0;
		unpin_small(u, folios, 3);
		after = gup_read_pin_counters();

		for (i = 0; i < 3; i++) {
			expect_pins(test, folios[i], 0, u->name);
			KUNIT_EXPECT_EQ_MSG(test,
					    (bool)PageDirty(folio_page(folios[i], 0)),
					    u->dirties,
					    "page %u is dirty after %s", i,
					    u->name);
		}
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 3L,
				    "pins that NR_FOLL_PIN_ACQUIRED has before %s",
				    u->name);
		KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 3L,
				    "pins that NR_FOLL_PIN_RELEASED has from %s",
				    u->name);
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
	const struct gup_unpin *u;
	struct folio *folio;
	int err;

	skip_without_folio_add_pins(test);
	folio = pin_small(test);

	gup_for_each_unpin(u) {
		before = gup_read_pin_counters();
		err = folio_add_pins(folio, 1);
		KUNIT_EXPECT_EQ_MSG(test, err, 0, "folio_add_pins(folio, 1)");
		unpin_small(u, &folio, 1);
		after = gup_read_pin_counters();

		expect_pins(test, folio, 1, u->name);
		KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired,
				    after.released - before.released,
				    "pins by folio_add_pins(), as compared to releases by %s",
				    u->name);
	}
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
	KUNIT_CASE(eintr_if_the_caller_is_being_killed),
	KUNIT_CASE(eio_if_a_page_is_poisoned),
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
	{}
};

static struct kunit_suite gup_memfd_suite = {
	.name = "gup_memfd",
	.init = gup_memfd_init,
	.exit = gup_memfd_exit,
	.test_cases = gup_memfd_cases,
};

kunit_test_suite(gup_memfd_suite);

MODULE_DESCRIPTION("KUnit tests of memfd_pin_folios() and folio_add_pins()");
MODULE_LICENSE("GPL");
