// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of get_user_pages*() and pin_user_pages*() where a page is mapped
 * that has no struct page, as device memory has none.
 *
 * VM_IO and VM_PFNMAP mappings are refused as a whole. Such a page is met in
 * a VM_MIXEDMAP mapping, next to ordinary ones; see @bare of struct gup_file.
 * A caller that wants pages cannot be given this one, so the walk ends there:
 * what is counted has been written to pages[], and nothing else has.
 */
#include <linux/errno.h>
#include <linux/module.h>

#include "gup_fixture.h"

#define NR_PAGES	4

/* The errno if the first page is such a page */
#ifndef GUP_NO_PAGE_ERRNO
#define GUP_NO_PAGE_ERRNO	(-EEXIST)
#endif

/* A file of NR_PAGES pages, of which some have no struct page */
static struct gup_file *create_file(struct kunit *test, unsigned long bare)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);

	file->bare = bare;
	return file;
}

/*
 * Have each method ask for @nr pages from page @first of the file on, of which
 * @expected are to be returned, or that errno.
 */
static void expect_pages(struct kunit *test, struct gup_file *file,
			 unsigned long addr, unsigned int first,
			 unsigned int nr, long expected, unsigned int gup_flags)
{
	unsigned int nr_expected = expected > 0 ? expected : 0;
	struct page *pages[NR_PAGES + 1];
	const struct gup_method *m;
	int before[NR_PAGES];
	unsigned int i;
	long got;

	addr += first * PAGE_SIZE;
	for (i = 0; i < NR_PAGES; i++)
		before[i] = page_ref_count(file->heads[i]);

	gup_for_each(m) {
		gup_poison(pages, NR_PAGES + 1);
		got = m->acquire(addr, nr, gup_flags, pages);

		for (i = 0; i < nr_expected; i++)
			KUNIT_EXPECT_EQ_MSG(test,
					    page_ref_count(file->heads[first + i]),
					    before[first + i] + m->weight,
					    "references to page %u held by %s()",
					    first + i, m->name);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, expected,
				    "%s() for %u pages from page %u on, flags %#x, no struct page at %#lx (bitmap)",
				    m->name, nr, first, gup_flags, file->bare);
		for (i = 0; i < nr_expected; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						file->heads[first + i],
						"pages[%u] of %s()", i,
						m->name);
		for (; i <= NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], GUP_POISON,
						"%s() wrote pages[%u], which is not to be counted",
						m->name, i);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_EQ_MSG(test,
					    page_ref_count(file->heads[i]),
					    before[i],
					    "references to page %u after %s() and release",
					    i, m->name);
	}
}

/* Map a file and have every page in its page table before anyone asks for it */
static unsigned long map_faulted_in(struct kunit *test, struct gup_file *file)
{
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);

	gup_fault_in(test, addr, NR_PAGES, 0);
	return addr;
}

static void fails_if_the_first_page_has_none(struct kunit *test)
{
	/* none [page] [page] [page] */
	struct gup_file *file = create_file(test, BIT(0));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, NR_PAGES, GUP_NO_PAGE_ERRNO, 0);
}

static void fails_if_the_only_page_has_none(struct kunit *test)
{
	struct gup_file *file = create_file(test, BIT(0));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, 1, GUP_NO_PAGE_ERRNO, 0);
}

static void stops_before_a_middle_page_that_has_none(struct kunit *test)
{
	/* [page] [page] none [page] */
	struct gup_file *file = create_file(test, BIT(2));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, NR_PAGES, 2, 0);
}

static void stops_before_a_last_page_that_has_none(struct kunit *test)
{
	/* [page] [page] [page] none */
	struct gup_file *file = create_file(test, BIT(3));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, NR_PAGES, 3, 0);
}

static void stops_before_the_first_of_several_that_have_none(struct kunit *test)
{
	/* [page] none, none [page] */
	struct gup_file *file = create_file(test, BIT(1) | BIT(2));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, NR_PAGES, 1, 0);
}

static void fails_if_asked_again_from_there_on(struct kunit *test)
{
	/* [page] [page] none [page] */
	struct gup_file *file = create_file(test, BIT(2));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, NR_PAGES, 2, 0);
	expect_pages(test, file, addr, 2, 2, GUP_NO_PAGE_ERRNO, 0);
	/* Whoever skips that page finds the one behind it. */
	expect_pages(test, file, addr, 3, 1, 1, 0);
}

static void returns_the_pages_around_it(struct kunit *test)
{
	/* [page] [page] none [page] */
	struct gup_file *file = create_file(test, BIT(2));
	unsigned long addr = map_faulted_in(test, file);

	expect_pages(test, file, addr, 0, 2, 2, 0);
	expect_pages(test, file, addr, 3, 1, 1, 0);
}

static void stops_there_in_a_mapping_that_is_written_to(struct kunit *test)
{
	/* [page] [page] none [page] */
	struct gup_file *file = create_file(test, BIT(2));
	unsigned long addr = gup_map_file(test, file, PROT_READ | PROT_WRITE,
					  MAP_SHARED);

	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);
	expect_pages(test, file, addr, 0, NR_PAGES, 2, FOLL_WRITE);
	expect_pages(test, file, addr, 2, 2, GUP_NO_PAGE_ERRNO, FOLL_WRITE);
}

/* The page table is empty at first, so the walk is what faults pages in. */
static void expect_dirty(struct kunit *test, unsigned long addr, bool dirty)
{
	spinlock_t *ptl;	/* of the page table */
	pte_t *ptep = get_locked_pte(current->mm, addr, &ptl);
	pte_t entry;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptep);
	entry = ptep_get(ptep);
	pte_unmap_unlock(ptep, ptl);
	KUNIT_EXPECT_EQ_MSG(test, !!pte_dirty(entry), dirty,
			    "whether the entry is dirty");
}

/*
 * The entry is valid when it is marked, so some architectures want that to be
 * done in another way than for a new one. powerpc warns if it is not.
 */
static void marks_its_entry_dirty_when_it_is_written_to(struct kunit *test)
{
	/* none */
	struct gup_file *file = create_file(test, BIT(0));
	unsigned long addr;

	if (GUP_NO_PAGE_ERRNO == -EFAULT)
		kunit_skip(test, "not applicable: no entry is marked for who wants pages");
	/* UML maps the page in its host then, which does not have it either. */
	if (IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "needs CONFIG_UML to be off");

	file->bare_is_clean = true;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	gup_fault_in(test, addr, 1, 0);
	expect_dirty(test, addr, false);

	expect_pages(test, file, addr, 0, 1, GUP_NO_PAGE_ERRNO, FOLL_WRITE);
	expect_dirty(test, addr, true);
}

static void stops_there_if_nothing_was_faulted_in(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		/* [page] [page] none [page] */
		struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
		struct page *pages[NR_PAGES];
		unsigned long addr;
		unsigned int i;
		long got;

		file->bare = BIT(2);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		gup_poison(pages, NR_PAGES);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 2L,
				    "pages returned by %s(), which had to fault them in",
				    m->name);
		for (i = 2; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], GUP_POISON,
						"%s() wrote pages[%u], which is not to be counted",
						m->name, i);
	}
}

static void populate_goes_on_behind_it(struct kunit *test)
{
	/* none [page] none [page] */
	struct gup_file *file = create_file(test, BIT(0) | BIT(2));
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	unsigned int i;
	long got;

	/* Without pages[] there is nothing to write, and nothing to stop for. */
	mmap_read_lock(current->mm);
	got = get_user_pages(addr, NR_PAGES, 0, NULL);
	mmap_read_unlock(current->mm);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "get_user_pages() without pages[]");
	/* One reference of the file, one of the page table */
	for (i = 1; i < NR_PAGES; i += 2)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u, which was to be faulted in",
				    i);
}

/* What the file is mapped with hides its pages, be they ordinary or not. */
static void expect_refused(struct kunit *test, struct gup_file *file,
			   unsigned long addr, unsigned int gup_flags)
{
	const struct gup_method *m;
	struct page *pages[NR_PAGES];
	long got;

	gup_for_each(m) {
		gup_poison(pages, NR_PAGES);
		got = m->acquire(addr, NR_PAGES, gup_flags, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT,
				    "%s() with flags %#x for a mapping with VM_ flags %#lx",
				    m->name, gup_flags, file->vm_flags);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() failed, but wrote to pages[]",
					m->name);
	}
}

static void efault_if_the_mapping_is_of_a_device(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr;
	unsigned int i;

	/* Ordinary pages, none of which may be faulted in */
	file->vm_flags = VM_IO;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	expect_refused(test, file, addr, 0);
	expect_refused(test, file, addr, FOLL_WRITE);
	expect_refused(test, file, addr, FOLL_FORCE);

	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 1,
				    "references to page %u, which only the file holds",
				    i);
}

/* Not -EEXIST: nobody looks at the entries of such a mapping. */
static void efault_if_the_mapping_is_of_page_frames(struct kunit *test)
{
	/* none, none, none, none */
	struct gup_file *file = create_file(test, BIT(NR_PAGES) - 1);
	unsigned long addr;

	file->vm_flags = VM_PFNMAP;
	addr = map_faulted_in(test, file);
	expect_refused(test, file, addr, 0);
	expect_refused(test, file, addr, FOLL_FORCE);
}

static void efault_if_such_a_mapping_is_to_be_faulted_in(struct kunit *test)
{
	static const unsigned long vm_flags[] = { VM_IO, VM_PFNMAP };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vm_flags); i++) {
		struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
		unsigned long addr;
		long got;

		file->vm_flags = vm_flags[i];
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		mmap_read_lock(current->mm);
		got = get_user_pages(addr, NR_PAGES, 0, NULL);
		mmap_read_unlock(current->mm);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT,
				    "get_user_pages() without pages[] for a mapping with VM_ flags %#lx",
				    file->vm_flags);
	}
}

static struct kunit_case gup_no_struct_page_cases[] = {
	KUNIT_CASE(fails_if_the_first_page_has_none),
	KUNIT_CASE(fails_if_the_only_page_has_none),
	KUNIT_CASE(stops_before_a_middle_page_that_has_none),
	KUNIT_CASE(stops_before_a_last_page_that_has_none),
	KUNIT_CASE(stops_before_the_first_of_several_that_have_none),
	KUNIT_CASE(fails_if_asked_again_from_there_on),
	KUNIT_CASE(returns_the_pages_around_it),
	KUNIT_CASE(stops_there_in_a_mapping_that_is_written_to),
	KUNIT_CASE(marks_its_entry_dirty_when_it_is_written_to),
	KUNIT_CASE(stops_there_if_nothing_was_faulted_in),
	KUNIT_CASE(populate_goes_on_behind_it),
	KUNIT_CASE(efault_if_the_mapping_is_of_a_device),
	KUNIT_CASE(efault_if_the_mapping_is_of_page_frames),
	KUNIT_CASE(efault_if_such_a_mapping_is_to_be_faulted_in),
	{}
};

static struct kunit_suite gup_no_struct_page_suite = {
	.name = "gup_no_struct_page",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_no_struct_page_cases,
};

kunit_test_suite(gup_no_struct_page_suite);

MODULE_DESCRIPTION("KUnit tests of get_user_pages() without struct page");
MODULE_LICENSE("GPL");
