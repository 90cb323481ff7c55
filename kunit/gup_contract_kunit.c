// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what the kernel-doc of get_user_pages*() and pin_user_pages*()
 * promises to callers: which pages they get, what is returned if there are
 * fewer, and what happens to the references.
 *
 * Nothing here depends on how a promise is kept, so all of this holds with and
 * without GUP-fast.
 */
#include <linux/errno.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "gup_fixture.h"

#define NR_PAGES	4

/* What the fast calls say if the last page would be behind the last address */
#ifndef GUP_FAST_OVERFLOW
#define GUP_FAST_OVERFLOW	(-EOVERFLOW)
#endif

static long get_pages(unsigned long addr, unsigned long nr_pages,
		      unsigned int gup_flags, struct page **pages)
{
	return gup_methods[GUP_GET].acquire(addr, nr_pages, gup_flags, pages);
}

static void returns_all_pages_in_order(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES + 1];
	unsigned int m, i;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES + 1);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()",
				    gup_methods[m].name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], file->heads[i],
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
					"%s() wrote behind pages[]",
					gup_methods[m].name);
	}
}

static void takes_an_address_inside_of_a_page(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[1];
	unsigned int m;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 1);
		got = gup_methods[m].acquire(addr + PAGE_SIZE + 1, 1, 0,
					      pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], file->heads[1],
					"page that %s() returned",
					gup_methods[m].name);
	}
}

static void returns_0_for_0_pages(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	struct page *pages[1];
	unsigned int m;
	long got;

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 1);
		got = gup_methods[m].acquire(addr, 0, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 0L, "%s() for 0 pages",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() for 0 pages wrote to pages[]",
					gup_methods[m].name);
	}
}

static void stops_at_a_hole_in_the_mapping(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES];
	unsigned int m, i;
	long got;

	/* [page] [page] hole [page] */
	gup_unmap(test, addr + 2 * PAGE_SIZE, 1);

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 2L,
				    "pages that %s() found before the hole",
				    gup_methods[m].name);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], file->heads[i],
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		for (i = 2; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], GUP_POISON,
						"%s() wrote pages[%u], but did not count it",
						gup_methods[m].name, i);
	}
}

static void stops_at_the_end_of_the_file(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES];
	unsigned int m;
	long got;

	/* The mapping is as long as before, but its last page is no more. */
	gup_file_forget(file, NR_PAGES - 1);

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES - 1L,
				    "pages that %s() found in the file",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES - 1], GUP_POISON,
					"%s() wrote a page beyond the file",
					gup_methods[m].name);
	}
}

/* All methods refuse to access the first page and write nothing to pages[]. */
static void expect_efault(struct kunit *test, unsigned long addr,
			  unsigned int gup_flags)
{
	struct page *pages[2];
	unsigned int m;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 2);
		got = gup_methods[m].acquire(addr, 2, gup_flags, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT,
				    "%s() with flags %#x",
				    gup_methods[m].name, gup_flags);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() failed, but wrote to pages[]",
					gup_methods[m].name);
	}
}

static void efault_if_the_first_page_is_not_mapped(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 2, PROT_READ | PROT_WRITE);

	/* hole [page] */
	gup_unmap(test, addr, 1);
	expect_efault(test, addr, 0);
}

static void efault_if_nothing_is_mapped(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 2, PROT_READ | PROT_WRITE);

	gup_unmap(test, addr, 2);
	expect_efault(test, addr, 0);
}

static void efault_on_write_to_a_read_only_mapping(struct kunit *test)
{
	expect_efault(test, gup_map_anon(test, 2, PROT_READ), FOLL_WRITE);
}

static void efault_on_read_of_an_inaccessible_mapping(struct kunit *test)
{
	expect_efault(test, gup_map_anon(test, 2, PROT_NONE), 0);
}

static void efault_on_forced_write_to_a_shared_mapping(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);

	expect_efault(test, gup_map_file(test, file, PROT_READ, MAP_SHARED),
		      FOLL_WRITE | FOLL_FORCE);
}

static void forced_read_of_an_inaccessible_mapping_works(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_NONE, MAP_SHARED);
	struct page *pages[1] = { GUP_POISON };
	long got;

	got = get_pages(addr, 1, FOLL_FORCE, pages);
	gup_release(&gup_methods[GUP_GET], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "get_user_pages() with FOLL_FORCE");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], file->heads[0],
				"page that get_user_pages() returned");
}

static void faults_pages_in_without_references_if_pages_is_null(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	unsigned int i;
	long got;

	got = get_pages(addr, 2, 0, NULL);

	KUNIT_EXPECT_EQ_MSG(test, got, 2L, "get_user_pages() without pages[]");
	/* One reference of the file, one of the page table */
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u", i);
}

static bool is_fast(unsigned int m)
{
	return m == GUP_GET_FAST || m == GUP_PIN_FAST;
}

static void takes_nothing_if_the_length_overflows(struct kunit *test)
{
	unsigned long addr = -2UL * PAGE_SIZE;
	struct page *pages[NR_PAGES];
	unsigned int m;
	long got;

	/* There has to be an address space, though not at that address. */
	gup_map_anon(test, 1, PROT_READ);

	/* From the last but one page of all over the end to the second one */
	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);

		/* Only the fast calls look at the length ahead of the memory. */
		KUNIT_EXPECT_EQ_MSG(test, got,
				    (long)(is_fast(m) ? GUP_FAST_OVERFLOW :
							-EFAULT),
				    "%s() with an overflow",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() with an overflow wrote to pages[]",
					gup_methods[m].name);
	}
}

/* The fast calls take an int, and have cases of their own. */
static void a_count_without_end_gets_what_is_mapped(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES + 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES + 1];
	unsigned int m, i;
	long got;

	/* [page] [page] [page] [page] hole */
	gup_unmap(test, addr + NR_PAGES * PAGE_SIZE, 1);

	for (m = 0; m < GUP_NR_METHODS; m++) {
		if (is_fast(m))
			continue;
		gup_poison(pages, NR_PAGES + 1);
		got = gup_methods[m].acquire(addr, -1UL, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "%s() for -1 pages", gup_methods[m].name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], file->heads[i],
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
					"%s() wrote a page that is not mapped",
					gup_methods[m].name);
	}
}

/* Map the first half of @file over the second half of what is at @addr */
static void map_over_second_half(struct kunit *test, struct gup_file *file,
				 unsigned long addr, unsigned long prot)
{
	gup_map_file_at(test, file->filp, addr + NR_PAGES / 2 * PAGE_SIZE,
			NR_PAGES / 2, prot);
}

/* Have all methods ask for both halves, of which the second is @second's */
static void expect_two_mappings(struct kunit *test, struct gup_file *first,
				struct gup_file *second, unsigned long addr,
				unsigned int gup_flags, long expected)
{
	struct page *pages[NR_PAGES], *page;
	unsigned int m, i;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, gup_flags, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, expected,
				    "pages of two mappings returned by %s() with flags %#x",
				    gup_methods[m].name, gup_flags);
		for (i = 0; i < NR_PAGES; i++) {
			page = i < NR_PAGES / 2 ? first->heads[i] :
						  second->heads[i - NR_PAGES / 2];
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						i < expected ? page : GUP_POISON,
						"pages[%u] of %s() with flags %#x",
						i, gup_methods[m].name,
						gup_flags);
		}
	}
}

static void goes_on_in_the_next_mapping(struct kunit *test)
{
	struct gup_file *first = gup_create_file(test, 0, NR_PAGES);
	struct gup_file *second = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, first, PROT_READ | PROT_WRITE,
					  MAP_SHARED);

	/* [first 0] [first 1] [second 0] [second 1] */
	map_over_second_half(test, second, addr, PROT_READ | PROT_WRITE);
	expect_two_mappings(test, first, second, addr, 0, NR_PAGES);
	expect_two_mappings(test, first, second, addr, FOLL_WRITE, NR_PAGES);
}

static void stops_at_a_mapping_that_forbids_it(struct kunit *test)
{
	struct gup_file *first = gup_create_file(test, 0, NR_PAGES);
	struct gup_file *second = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, first, PROT_READ | PROT_WRITE,
					  MAP_SHARED);

	/* [first 0] [first 1] [second 0] [second 1], these for reading only */
	map_over_second_half(test, second, addr, PROT_READ);
	expect_two_mappings(test, first, second, addr, FOLL_WRITE,
			    NR_PAGES / 2);
	expect_two_mappings(test, first, second, addr, 0, NR_PAGES);

	/* [first 0] [first 1] [second 0] [second 1], these not to be accessed */
	map_over_second_half(test, second, addr, PROT_NONE);
	expect_two_mappings(test, first, second, addr, 0, NR_PAGES / 2);
}

/*
 * [H][t][t][t]  [H][t][t][t]  [H][t][t][t]
 *     \____________________________/
 *       asked for, and each of them counts in its own head
 */
static void takes_pages_of_several_compound_pages(struct kunit *test)
{
	static const int counted[] = { 3, 4, 3 };
	struct gup_file *file = gup_create_file(test, 2, 3);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	int before[3], during[3], after[3];
	struct page *pages[11];
	unsigned int m, i;
	long got;

	gup_fault_in(test, addr, 12, 0);
	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 11);
		for (i = 0; i < 3; i++)
			before[i] = page_ref_count(file->heads[i]);
		got = gup_methods[m].acquire(addr + PAGE_SIZE, 10, 0, pages);
		for (i = 0; i < 3; i++)
			during[i] = page_ref_count(file->heads[i]);
		gup_release(&gup_methods[m], pages, got);
		for (i = 0; i < 3; i++)
			after[i] = page_ref_count(file->heads[i]);

		KUNIT_EXPECT_EQ_MSG(test, got, 10L, "pages returned by %s()",
				    gup_methods[m].name);
		for (i = 0; i < 10; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						gup_file_page(file, i + 1),
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[10], GUP_POISON,
					"%s() wrote behind what was asked for",
					gup_methods[m].name);
		for (i = 0; i < 3; i++) {
			KUNIT_EXPECT_EQ_MSG(test, during[i] - before[i],
					    counted[i],
					    "references of %s() to compound page %u",
					    gup_methods[m].name, i);
			KUNIT_EXPECT_EQ_MSG(test, after[i], before[i],
					    "refcount of compound page %u, released after %s()",
					    i, gup_methods[m].name);
		}
	}
}

/* The mm of the caller has another page at the same address. */
static void the_remote_calls_walk_the_mm_they_are_given(struct kunit *test)
{
	static const unsigned int remote[] = { GUP_GET_REMOTE, GUP_PIN_REMOTE };
	struct gup_file *theirs = gup_create_file(test, 0, 2);
	struct gup_file *own = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, own, PROT_READ, MAP_SHARED);
	struct mm_struct *own_mm = current->mm, *mm = mm_alloc();
	struct page *pages[2][2];
	unsigned long mapped;
	unsigned int i, j;
	long got[2];

	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, mm, "no memory for an mm");
	mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	kthread_unuse_mm(own_mm);
	kthread_use_mm(mm);
	mapped = vm_mmap(theirs->filp, addr, 2 * PAGE_SIZE, PROT_READ,
			 MAP_SHARED | MAP_FIXED, 0);
	kthread_unuse_mm(mm);
	kthread_use_mm(own_mm);

	for (i = 0; i < 2; i++) {
		const struct gup_method *m = &gup_methods[remote[i]];

		gup_poison(pages[i], 2);
		mmap_read_lock(mm);
		got[i] = m->pins ?
			pin_user_pages_remote(mm, addr, 2, 0, pages[i], NULL) :
			get_user_pages_remote(mm, addr, 2, 0, pages[i], NULL);
		mmap_read_unlock(mm);
		gup_release(m, pages[i], got[i]);
	}
	mmput(mm);

	KUNIT_EXPECT_EQ_MSG(test, mapped, addr, "where the other mm has its file");
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ_MSG(test, got[i], 2L,
				    "pages of another mm returned by %s()",
				    gup_methods[remote[i]].name);
		for (j = 0; j < 2; j++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i][j],
						theirs->heads[j],
						"pages[%u] of %s() for another mm",
						j, gup_methods[remote[i]].name);
	}
}

static vm_fault_t fault_outcome(struct gup_file *file, struct vm_fault *vmf)
{
	return vmf->pgoff ? *(vm_fault_t *)file->priv : 0;
}

/* Have the second page of a file fault with @outcome, as the first one and later */
static void expect_errno_of_fault(struct kunit *test, vm_fault_t outcome,
				  unsigned int gup_flags, long expected)
{
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[2];
	unsigned int m;
	long got;

	file->priv = &outcome;
	file->on_fault = fault_outcome;
	for (m = 0; m < GUP_NR_METHODS; m++) {
		if (gup_flags && is_fast(m))
			continue;
		gup_poison(pages, 2);
		got = gup_methods[m].acquire(addr + PAGE_SIZE, 1, gup_flags,
					     pages);
		gup_release(&gup_methods[m], pages, got);
		KUNIT_EXPECT_EQ_MSG(test, got, expected,
				    "%s() with flags %#x where a fault ends with %#x",
				    gup_methods[m].name, gup_flags,
				    (unsigned int)outcome);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() failed, but wrote to pages[]",
					gup_methods[m].name);

		gup_poison(pages, 2);
		got = gup_methods[m].acquire(addr, 2, gup_flags, pages);
		gup_release(&gup_methods[m], pages, got);
		KUNIT_EXPECT_EQ_MSG(test, got, 1L,
				    "pages of %s() ahead of a fault that ends with %#x",
				    gup_methods[m].name,
				    (unsigned int)outcome);
	}
}

static void efault_beyond_the_end_of_the_file(struct kunit *test)
{
	expect_errno_of_fault(test, VM_FAULT_SIGBUS, 0, -EFAULT);
}

static void efault_if_a_fault_is_refused(struct kunit *test)
{
	expect_errno_of_fault(test, VM_FAULT_SIGSEGV, 0, -EFAULT);
}

static void enomem_if_a_fault_finds_no_memory(struct kunit *test)
{
	expect_errno_of_fault(test, VM_FAULT_OOM, 0, -ENOMEM);
}

/* Who asks is told of broken memory. Not by the fast calls, which refuse to. */
static void ehwpoison_only_if_asked_for(struct kunit *test)
{
	expect_errno_of_fault(test, VM_FAULT_HWPOISON, 0, -EFAULT);
	expect_errno_of_fault(test, VM_FAULT_HWPOISON, FOLL_HWPOISON,
			      -EHWPOISON);
}

static vm_fault_t refuse_to_be_written(struct gup_file *file,
				       struct vm_fault *vmf)
{
	return vmf->pgoff == 2 ? VM_FAULT_SIGBUS : 0;
}

/* As a file system that has no space does. Pages may be mapped for reading. */
static void efault_if_the_file_refuses_to_be_written(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	struct page *pages[NR_PAGES];
	unsigned long addr;
	unsigned int m, i;
	long got;

	file->on_mkwrite = refuse_to_be_written;
	addr = gup_map_file(test, file, PROT_READ | PROT_WRITE, MAP_SHARED);
	/* First there is no such page in the page table, then it is read-only. */
	for (m = 0; m < GUP_NR_METHODS; m++) {
		if (m == GUP_NR_METHODS / 2)
			gup_fault_in(test, addr, NR_PAGES, 0);
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, FOLL_WRITE, pages);
		gup_release(&gup_methods[m], pages, got);
		KUNIT_EXPECT_EQ_MSG(test, got, 2L,
				    "pages for writing ahead of one that %s() cannot have",
				    gup_methods[m].name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i],
						i < 2 ? file->heads[i] : GUP_POISON,
						"pages[%u] of %s()", i,
						gup_methods[m].name);

		got = gup_methods[m].acquire(addr + 2 * PAGE_SIZE, 1,
					     FOLL_WRITE, pages);
		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT,
				    "%s() for writing to a page that it cannot have",
				    gup_methods[m].name);
	}
}

static void eintr_if_the_caller_is_being_killed(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[1] = { GUP_POISON };
	long got;

	gup_begin_to_be_killed(test);
	got = get_pages(addr, 1, 0, pages);
	gup_end_to_be_killed();
	gup_release(&gup_methods[GUP_GET], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINTR,
			    "get_user_pages() with SIGKILL pending");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), 1,
			    "references to the page, which only the file holds");
}

/*
 * After n calls to @m a small page has n times the weight of one reference more
 * than before, and after n releases it has what it had.
 */
static void expect_exact_references(struct kunit *test,
				    const struct gup_method *m)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	int before, held[3], left[3];
	struct page *pages[3];
	unsigned int i;

	gup_fault_in(test, addr, 1, 0);
	before = page_ref_count(file->heads[0]);

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ_MSG(test, m->acquire(addr, 1, 0, &pages[i]), 1L,
				    "pages returned by %s()", m->name);
		held[i] = page_ref_count(file->heads[0]);
	}
	while (i--) {
		m->release(pages[i]);
		left[i] = page_ref_count(file->heads[0]);
	}

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ_MSG(test, held[i],
				    before + (int)(i + 1) * m->weight,
				    "references after call %u of %s()", i + 1,
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, left[i], before + (int)i * m->weight,
				    "references after releases down to %u of %s()",
				    i, m->name);
	}
}

static void get_user_pages_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET]);
}

static void get_user_pages_fast_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_FAST]);
}

static void get_user_pages_remote_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_REMOTE]);
}

static void get_user_pages_unlocked_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_UNLOCKED]);
}

static void pin_user_pages_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN]);
}

static void pin_user_pages_fast_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_FAST]);
}

static void pin_user_pages_remote_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_REMOTE]);
}

static void pin_user_pages_unlocked_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_UNLOCKED]);
}

static struct kunit_case gup_contract_cases[] = {
	KUNIT_CASE(returns_all_pages_in_order),
	KUNIT_CASE(takes_an_address_inside_of_a_page),
	KUNIT_CASE(returns_0_for_0_pages),
	KUNIT_CASE(stops_at_a_hole_in_the_mapping),
	KUNIT_CASE(stops_at_the_end_of_the_file),
	KUNIT_CASE(efault_if_the_first_page_is_not_mapped),
	KUNIT_CASE(efault_if_nothing_is_mapped),
	KUNIT_CASE(efault_on_write_to_a_read_only_mapping),
	KUNIT_CASE(efault_on_read_of_an_inaccessible_mapping),
	KUNIT_CASE(efault_on_forced_write_to_a_shared_mapping),
	KUNIT_CASE(forced_read_of_an_inaccessible_mapping_works),
	KUNIT_CASE(faults_pages_in_without_references_if_pages_is_null),
	KUNIT_CASE(takes_nothing_if_the_length_overflows),
	KUNIT_CASE(a_count_without_end_gets_what_is_mapped),
	KUNIT_CASE(goes_on_in_the_next_mapping),
	KUNIT_CASE(stops_at_a_mapping_that_forbids_it),
	KUNIT_CASE(takes_pages_of_several_compound_pages),
	KUNIT_CASE(the_remote_calls_walk_the_mm_they_are_given),
	KUNIT_CASE(efault_beyond_the_end_of_the_file),
	KUNIT_CASE(efault_if_a_fault_is_refused),
	KUNIT_CASE(enomem_if_a_fault_finds_no_memory),
	KUNIT_CASE(ehwpoison_only_if_asked_for),
	KUNIT_CASE(efault_if_the_file_refuses_to_be_written),
	KUNIT_CASE(eintr_if_the_caller_is_being_killed),
	KUNIT_CASE(get_user_pages_takes_one_reference),
	KUNIT_CASE(get_user_pages_fast_takes_one_reference),
	KUNIT_CASE(get_user_pages_remote_takes_one_reference),
	KUNIT_CASE(get_user_pages_unlocked_takes_one_reference),
	KUNIT_CASE(pin_user_pages_takes_one_pin),
	KUNIT_CASE(pin_user_pages_fast_takes_one_pin),
	KUNIT_CASE(pin_user_pages_remote_takes_one_pin),
	KUNIT_CASE(pin_user_pages_unlocked_takes_one_pin),
	{}
};

static struct kunit_suite gup_contract_suite = {
	.name = "gup_contract",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_contract_cases,
};

kunit_test_suite(gup_contract_suite);

MODULE_DESCRIPTION("KUnit tests of the get_user_pages() contract");
MODULE_LICENSE("GPL");
