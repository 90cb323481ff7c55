// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the FOLL_ flags that callers of get_user_pages*() and
 * pin_user_pages*() may pass: what each of them changes, and that it changes
 * nothing else. Flags with a suite of their own are FOLL_SPLIT_PMD (gup_split_pmd),
 * FOLL_LONGTERM for memory that has to be migrated (gup_longterm), FOLL_NOWAIT and
 * FOLL_INTERRUPTIBLE (gup_retry). What is refused is in gup_bad_args.
 */
#include <linux/anon_inodes.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "gup_fixture.h"
#include "gup_hugetlb.h"

#define NR_PAGES	4

/* Older kernels pin for long what a file system is not told about. */
#ifndef GUP_LONGTERM_MINDS_FILES
#define GUP_LONGTERM_MINDS_FILES	true
#endif

/* Expect the first @nr pages of @heads, or an errno. Then pages[] is untouched. */
static void expect_pages(struct kunit *test, const struct gup_method *m,
			 unsigned long addr, unsigned int gup_flags,
			 struct page **heads, long nr)
{
	struct page *pages[NR_PAGES];
	unsigned int i;
	long got;

	gup_poison(pages, NR_PAGES);
	got = m->acquire(addr, NR_PAGES, gup_flags, pages);
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, nr, "%s() with flags %#x", m->name,
			    gup_flags);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
					(long)i < nr ? heads[i] : GUP_POISON,
					"pages[%u] of %s() with flags %#x", i,
					m->name, gup_flags);
}

/* Map anonymous memory and write to the first @nr of NR_PAGES pages */
static unsigned long map_written(struct kunit *test, unsigned int nr,
				 struct page **pages)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES,
					  PROT_READ | PROT_WRITE);
	unsigned int i;

	gup_fault_in(test, addr, nr, FAULT_FLAG_WRITE);
	gup_get(test, addr, nr, pages);
	for (i = 0; i < nr; i++)
		put_page(pages[i]);
	return addr;
}

/* Flags of later kernels are 0, see gup_compat.h. */
static const struct {
	unsigned int flag;
	bool for_fast;
} flags[] = {
	{ FOLL_WRITE, true },
	{ FOLL_FORCE, true },
	{ FOLL_NOFAULT, true },
	{ FOLL_PCI_P2PDMA, true },
	{ FOLL_HONOR_NUMA_FAULT, true },
	{ FOLL_DUMP },
	{ FOLL_NOWAIT },
	{ FOLL_HWPOISON },
	{ FOLL_ANON },
	{ FOLL_SPLIT_PMD },
	{ FOLL_INTERRUPTIBLE },
};

static void each_flag_gets_anonymous_pages_that_are_there(struct kunit *test)
{
	const struct gup_method *m;
	struct page *anon[NR_PAGES];
	unsigned long addr = map_written(test, NR_PAGES, anon);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		gup_for_each(m)
			if (flags[i].for_fast || !gup_is_fast(m))
				expect_pages(test, m, addr, flags[i].flag, anon,
					     NR_PAGES);
}

static void a_get_may_say_that_it_is_one(struct kunit *test)
{
	const struct gup_method *m;
	struct page *anon[NR_PAGES];
	unsigned long addr = map_written(test, NR_PAGES, anon);

	gup_for_each_get(m)
		expect_pages(test, m, addr, FOLL_GET, anon, NR_PAGES);
}

static void nofault_stops_at_a_page_that_is_not_there(struct kunit *test)
{
	const struct gup_method *m;
	struct page *anon[NR_PAGES];
	unsigned long addr;

	if (!FOLL_NOFAULT)
		kunit_skip(test, "not applicable: there is no FOLL_NOFAULT");

	/* [page] [page] not there, not there */
	addr = map_written(test, 2, anon);
	gup_for_each(m) {
		expect_pages(test, m, addr, FOLL_NOFAULT, anon, 2);
		expect_pages(test, m, addr + 2 * PAGE_SIZE, FOLL_NOFAULT, NULL,
			     -EFAULT);
	}
}

/* COW would take a fault: the page is there, but not for writing. */
static void nofault_does_not_break_cow(struct kunit *test)
{
	const struct gup_method *m;
	struct gup_file *file;
	unsigned long addr;

	if (!FOLL_NOFAULT)
		kunit_skip(test, "not applicable: there is no FOLL_NOFAULT");

	file = gup_create_file(test, 0, NR_PAGES);
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	gup_fault_in(test, addr, NR_PAGES, 0);
	gup_for_each(m) {
		expect_pages(test, m, addr, FOLL_NOFAULT, file->heads,
			     NR_PAGES);
		expect_pages(test, m, addr, FOLL_NOFAULT | FOLL_WRITE, NULL,
			     -EFAULT);
	}
}

static vm_fault_t count_fault(struct gup_file *file, struct vm_fault *vmf)
{
	unsigned int *nr_faults = file->priv;

	(*nr_faults)++;
	return 0;
}

static void nofault_does_not_ask_the_file(struct kunit *test)
{
	const struct gup_method *m;
	unsigned int nr_faults = 0;
	struct gup_file *file;
	unsigned long addr;

	if (!FOLL_NOFAULT)
		kunit_skip(test, "not applicable: there is no FOLL_NOFAULT");

	file = gup_create_file(test, 0, NR_PAGES);
	file->priv = &nr_faults;
	file->on_fault = count_fault;
	addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	gup_for_each(m)
		expect_pages(test, m, addr, FOLL_NOFAULT, NULL, -EFAULT);

	KUNIT_EXPECT_EQ_MSG(test, nr_faults, 0U, "faults with FOLL_NOFAULT");
}

/* A core dump leaves out what would be zeroes, rather than have it faulted in. */
static void expect_dump_to_leave_out(struct kunit *test, unsigned long addr,
				     const char *what)
{
	const struct gup_method *m;

	gup_for_each(m) {
		unsigned long tables, faults;

		if (gup_is_fast(m))
			continue;
		tables = mm_pgtables_bytes(current->mm);
		faults = current->min_flt + current->maj_flt;
		expect_pages(test, m, addr, FOLL_DUMP, NULL, -EFAULT);

		KUNIT_EXPECT_EQ_MSG(test, mm_pgtables_bytes(current->mm), tables,
				    "bytes of page tables, after and before %s() of %s with FOLL_DUMP",
				    m->name, what);
		KUNIT_EXPECT_EQ_MSG(test, current->min_flt + current->maj_flt,
				    faults,
				    "page faults, after and before %s() of %s with FOLL_DUMP",
				    m->name, what);
	}
}

static void dump_leaves_out_what_was_not_written_to(struct kunit *test)
{
	const struct gup_method *m;
	struct page *anon[NR_PAGES];
	unsigned long addr = map_written(test, 2, anon);

	/* [page] [page] not there, not there */
	expect_dump_to_leave_out(test, addr + 2 * PAGE_SIZE,
				 "pages that are not there");
	gup_for_each(m)
		if (!gup_is_fast(m))
			expect_pages(test, m, addr, FOLL_DUMP, anon, 2);

	/* [page] [page] [zero] [zero] */
	gup_fault_in(test, addr + 2 * PAGE_SIZE, 2, 0);
	gup_for_each(m)
		if (!gup_is_fast(m))
			expect_pages(test, m, addr, FOLL_DUMP, anon, 2);
	expect_dump_to_leave_out(test, addr + 2 * PAGE_SIZE, "the zero page");
}

/*
 * Map so much that there is nothing else in what one entry of a PUD maps, so there
 * is not even a PMD. Return where that begins.
 */
static unsigned long map_without_page_table(struct kunit *test,
					    struct file *filp)
{
	unsigned long nr_pages = PUD_SIZE >> PAGE_SHIFT;
	unsigned long addr = ALIGN(gup_map_anon(test, 2 * nr_pages, PROT_READ),
				   PUD_SIZE);

	if (filp)
		gup_map_file_at(test, filp, addr, nr_pages, PROT_READ);
	return addr;
}

static void dump_allocates_no_page_table(struct kunit *test)
{
	expect_dump_to_leave_out(test, map_without_page_table(test, NULL),
				 "memory that has no page table");
}

static int map_nothing(struct file *filp, struct vm_area_struct *vma)
{
	return 0;
}

static const struct file_operations empty_file_fops = {
	.owner = THIS_MODULE,
	.mmap = map_nothing,
};

/* A driver may map all of its memory by mmap(), and have no handler of faults. */
static void dump_asks_nobody_where_nobody_handles_faults(struct kunit *test)
{
	struct file *filp = anon_inode_getfile("[gup_kunit]", &empty_file_fops,
					       NULL, O_RDWR);

	gup_own_file(test, filp);
	expect_dump_to_leave_out(test, map_without_page_table(test, filp),
				 "a file that handles no faults");
}

static void dump_leaves_out_a_hugetlb_page_that_is_not_there(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	struct file *filp = gup_create_hugetlb_file(test);
	unsigned long addr = gup_map_hugetlb_file(test, filp), other;
	const struct gup_method *m;
	struct page *pages[NR_PAGES];
	unsigned int i;

	expect_dump_to_leave_out(test, addr, "a hugetlb page");

	/* Now it is in the page cache, but not in the page table. */
	other = gup_map_hugetlb_file(test, filp);
	gup_fault_in(test, other, 1, FAULT_FLAG_WRITE);
	for (i = 0; i < NR_PAGES; i++)
		pages[i] = gup_page_at(test, other) + i;
	gup_for_each(m)
		if (!gup_is_fast(m))
			expect_pages(test, m, addr, FOLL_DUMP, pages, NR_PAGES);
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

static void dump_reads_a_file_that_is_not_there_yet(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		struct gup_file *file;
		unsigned long addr;

		if (gup_is_fast(m))
			continue;
		file = gup_create_file(test, 0, NR_PAGES);
		addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
		expect_pages(test, m, addr, FOLL_DUMP, file->heads, NR_PAGES);
	}
}

/* As for the command line of a process, which may not be what it has mapped. */
static void anon_refuses_files(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long shared = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	unsigned long private = gup_map_file(test, file, PROT_READ,
					     MAP_PRIVATE);
	const struct gup_method *m;

	gup_fault_in(test, shared, NR_PAGES, 0);
	gup_for_each(m) {
		if (gup_is_fast(m))
			continue;
		expect_pages(test, m, shared, FOLL_ANON, NULL, -EFAULT);
		expect_pages(test, m, private, FOLL_ANON, NULL, -EFAULT);
		expect_pages(test, m, shared, 0, file->heads, NR_PAGES);
	}
}

/* Whether a call marked the page as accessed, which was not before */
static bool marks_accessed(struct kunit *test, const struct gup_method *m)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct folio *folio;

	gup_fault_in(test, addr, NR_PAGES, 0);
	folio = page_folio(file->heads[0]);
	KUNIT_ASSERT_FALSE_MSG(test, folio_test_referenced(folio),
			       "a fault marked a page as accessed");
	expect_pages(test, m, addr, 0, file->heads, NR_PAGES);
	return folio_test_referenced(folio);
}

static void all_calls_but_pin_user_pages_mark_pages_accessed(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m)
		KUNIT_EXPECT_EQ_MSG(test, marks_accessed(test, m),
				    (bool)(m != &gup_methods[GUP_PIN]),
				    "whether a page is marked as accessed after %s()",
				    m->name);
}

static vm_fault_t allow(struct gup_file *file, struct vm_fault *vmf)
{
	return 0;
}

/*
 * A file that wants to know when its pages become dirty is not told if someone
 * writes to them by a pin, which may be long after they were clean again.
 */
static void a_file_that_tracks_dirty_pages_is_not_written_for_long(struct kunit *test)
{
	const struct gup_method *m;
	struct gup_file *file;
	unsigned long addr;

	if (!GUP_LONGTERM_MINDS_FILES)
		kunit_skip(test, "not applicable: there is no writable_file_mapping_allowed()");

	file = gup_create_file(test, 0, NR_PAGES);
	file->on_mkwrite = allow;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	gup_for_each_pin(m)
		expect_pages(test, m, addr, FOLL_WRITE | FOLL_LONGTERM, NULL,
			     -EFAULT);

	/* GUP-fast looks at the page, not at the mapping. */
	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);
	gup_for_each_pin(m)
		expect_pages(test, m, addr, FOLL_WRITE | FOLL_LONGTERM, NULL,
			     -EFAULT);
}

/* Reading for long, and writing for a short while, are as before. */
static void such_a_file_is_pinned_otherwise(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	const struct gup_method *m;
	unsigned long addr;

	file->on_mkwrite = allow;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	gup_for_each(m)
		expect_pages(test, m, addr, FOLL_WRITE, file->heads, NR_PAGES);
	gup_for_each_pin(m)
		if (GUP_HAS_UNLOCKED_LONGTERM ||
		    m != &gup_methods[GUP_PIN_UNLOCKED])
			expect_pages(test, m, addr, FOLL_LONGTERM, file->heads,
				     NR_PAGES);
}

/* Nobody writes its pages back, so there is nothing to be told. */
static void a_file_that_tracks_nothing_is_written_for_long(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ | PROT_WRITE,
					  MAP_SHARED);
	const struct gup_method *m;

	gup_for_each_pin(m)
		if (GUP_HAS_UNLOCKED_LONGTERM ||
		    m != &gup_methods[GUP_PIN_UNLOCKED])
			expect_pages(test, m, addr, FOLL_WRITE | FOLL_LONGTERM,
				     file->heads, NR_PAGES);
}

static struct kunit_case gup_flags_cases[] = {
	KUNIT_CASE(each_flag_gets_anonymous_pages_that_are_there),
	KUNIT_CASE(a_get_may_say_that_it_is_one),
	KUNIT_CASE(nofault_stops_at_a_page_that_is_not_there),
	KUNIT_CASE(nofault_does_not_break_cow),
	KUNIT_CASE(nofault_does_not_ask_the_file),
	KUNIT_CASE(dump_leaves_out_what_was_not_written_to),
	KUNIT_CASE(dump_allocates_no_page_table),
	KUNIT_CASE(dump_asks_nobody_where_nobody_handles_faults),
	KUNIT_CASE(dump_leaves_out_a_hugetlb_page_that_is_not_there),
	KUNIT_CASE(dump_reads_a_file_that_is_not_there_yet),
	KUNIT_CASE(anon_refuses_files),
	KUNIT_CASE(all_calls_but_pin_user_pages_mark_pages_accessed),
	KUNIT_CASE(a_file_that_tracks_dirty_pages_is_not_written_for_long),
	KUNIT_CASE(such_a_file_is_pinned_otherwise),
	KUNIT_CASE(a_file_that_tracks_nothing_is_written_for_long),
	{}
};

static struct kunit_suite gup_flags_suite = {
	.name = "gup_flags",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_flags_cases,
};

kunit_test_suite(gup_flags_suite);

MODULE_DESCRIPTION("KUnit tests of the flags of get_user_pages()");
MODULE_LICENSE("GPL");
