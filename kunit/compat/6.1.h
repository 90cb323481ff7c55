/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the get_user_pages() KUnit suites use and 6.1 lacks, beside what later
 * ones lack. Included before everything else, see mm/tests/Kbuild, and by the
 * headers of older ones.
 */
#ifndef _MM_TESTS_GUP_COMPAT_6_1_H
#define _MM_TESTS_GUP_COMPAT_6_1_H

#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

/* Pages of hugetlbfs are isolated by no suite that applies. */
#define gup_isolate_hugetlb(folio, list)	false
#define gup_putback_hugetlb(folio)	((void)0)
#define gup_hugetlb_cgroup(folio)	((void *)folio)

#include "gup_compat_6.12.h"

/* There is an argument for the VMAs of the pages, which nobody here wants. */
#define get_user_pages(start, nr, flags, pages)				\
	get_user_pages(start, nr, flags, pages, NULL)
#define pin_user_pages(start, nr, flags, pages)				\
	pin_user_pages(start, nr, flags, pages, NULL)
#define get_user_pages_remote(mm, start, nr, flags, pages, locked)	\
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#define pin_user_pages_remote(mm, start, nr, flags, pages, locked)	\
	pin_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)

/* Map into an address space of the test's own, which ends with its thread. */
static inline unsigned long kunit_vm_mmap(struct kunit *test, struct file *file,
					  unsigned long addr, unsigned long len,
					  unsigned long prot,
					  unsigned long flag,
					  unsigned long offset)
{
	if (!current->mm) {
		struct mm_struct *mm = mm_alloc();

		if (!mm)
			return -ENOMEM;
		mm->task_size = TASK_SIZE;
		arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
		kthread_use_mm(mm);
	}

	return vm_mmap(file, addr, len, prot, flag, offset);
}

/* Flags of a VMA can be written as they are. */
static inline void gup_compat_vm_flags_set(struct vm_area_struct *vma,
					   vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

#define vm_flags_set			gup_compat_vm_flags_set

/* This option has got another name. */
#define CONFIG_HAVE_GUP_FAST		CONFIG_HAVE_FAST_GUP

/* GUP-fast looks neither at the file of a page nor for a missing array. */
#define GUP_FAST_TAKES_FILES_FOR_LONG	true
#define GUP_FAST_REFUSES_NULL		false

/* Folios are released by their pages. */
static inline void unpin_folio(struct folio *folio)
{
	unpin_user_page(folio_page(folio, 0));
}

static inline void unpin_user_folio(struct folio *folio, unsigned long npages)
{
	while (npages--)
		unpin_user_page(folio_page(folio, 0));
}

#define unpin_folios(folios, nfolios)					\
	unpin_user_pages((struct page **)(folios), nfolios)

/* Pins of a large folio are counted here. */
#define gup_pincount_ptr(folio)		folio_pincount_ptr(folio)

/* A NULL entry is a bug of the caller, wherever it stands. */
#define GUP_UNPIN_SKIPS_NULL		false

/* A page of hugetlb is returned as it is. */
#define GUP_SPLIT_PMD_OF_HUGETLB	1

/* The huge zero page is recognized by its head. */
#define is_huge_zero_folio(folio)	is_huge_zero_page(folio_page(folio, 0))

/* What the suite for it calls, of which no case is applicable */
static inline void folio_add_pin(struct folio *folio)
{
}

/* Cases have no attributes. */
#define KUNIT_CASE_SLOW(test_name)	KUNIT_CASE(test_name)

/* Pins are released by their pages, and none is added to a page. */
#define GUP_HAS_UNPIN_FOLIO		0
#define GUP_HAS_FOLIO_ADD_PIN		0

/* Files are pinned by where they are mapped, and not otherwise. */
#define GUP_HAS_MEMFD_PIN_FOLIOS	false

static inline long memfd_pin_folios(struct file *memfd, loff_t start,
				    loff_t end, struct folio **folios,
				    unsigned int max_folios, pgoff_t *offset)
{
	return -EOPNOTSUPP;
}

/* User memory of an iov_iter is not pinned. */
#define GUP_HAS_EXTRACT_PAGES		false

static inline ssize_t iov_iter_extract_pages(struct iov_iter *iter,
					     struct page ***pages,
					     size_t maxsize,
					     unsigned int maxpages,
					     unsigned int flags, size_t *offset)
{
	return -EOPNOTSUPP;
}

/* The fast calls do not tell an overflow from a call for 0 pages. */
#define GUP_FAST_OVERFLOW		0

/* A long-term pin for reading has what is mapped, be it the zero page. */
#define GUP_LONGTERM_BREAKS_COW		false

/* FOLL_LONGTERM and pin_user_pages_unlocked() exclude each other. */
#define GUP_HAS_UNLOCKED_LONGTERM	false

/* A file system is not told of long-term pins. */
#define GUP_LONGTERM_MINDS_FILES	false

/* Of the flags that are not for callers, FOLL_PIN is looked for. */
#define GUP_REFUSES_INTERNAL_FLAGS	false

/* There is a BUG_ON(). */
#define GUP_REFUSES_UNLOCKED		false

/* Flags that there are not */
#define GUP_HAS_FOLL_INTERRUPTIBLE	false
#define FOLL_INTERRUPTIBLE		0
#define FOLL_PCI_P2PDMA			0
#define FOLL_HONOR_NUMA_FAULT		0
#define FOLL_UNLOCKABLE			0
#define FOLL_MADV_POPULATE		0

#endif /* _MM_TESTS_GUP_COMPAT_6_1_H */
