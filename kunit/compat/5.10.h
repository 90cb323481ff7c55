/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the get_user_pages() KUnit suites use and 5.10 lacks, beside what later
 * ones lack. Included before everything else, see mm/tests/Kbuild.
 */
#ifndef _MM_TESTS_GUP_COMPAT_5_10_H
#define _MM_TESTS_GUP_COMPAT_5_10_H

#include <kunit/test.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uio.h>

/* There are no folios: the head page stands for all of a compound page. */
#define folio				page
#define page_folio(p)			compound_head(p)
#define folio_ref_count(p)		page_ref_count(p)
#define folio_test_locked(p)		PageLocked(p)
#define folio_test_referenced(p)	PageReferenced(p)
#define folio_test_set_dirty(p)		TestSetPageDirty(p)
#define folio_add_lru(p)		lru_cache_add(p)
#define folio_mark_accessed(p)		mark_page_accessed(p)
#define folio_page(p, n)		((p) + (n))
#define folio_nr_pages(p)		compound_nr(p)
#define folio_test_large(p)		PageHead(p)
#define folio_test_hugetlb(p)		PageHuge(p)
#define folio_maybe_dma_pinned(p)	page_maybe_dma_pinned(p)
#define folio_pincount_ptr(p)		compound_pincount_ptr(p)

#include "gup_compat_6.1.h"

/*
 * There is no result "skipped": the case passes, and the log says that it did
 * not run. Unlike the real one, this has to be called by the case itself.
 */
#define kunit_skip(test, fmt, ...)					\
do {									\
	kunit_log(KERN_INFO, test,					\
		  KUNIT_SUBTEST_INDENT "# SKIP %s: " fmt,		\
		  (test)->name, ##__VA_ARGS__);				\
	return;								\
} while (0)

/*
 * An address space learns of a dirty page by set_page_dirty(page), which wraps
 * the function that is being defined for dirty_folio(mapping, folio).
 */
#define dirty_folio			set_page_dirty
#define gup_file_dirty_folio(mapping, folio)				\
	gup_compat_dirty_folio(mapping, folio);				\
									\
static int gup_file_dirty_folio(struct page *page)			\
{									\
	return gup_compat_dirty_folio(page_mapping(page), page);	\
}									\
									\
static bool gup_compat_dirty_folio(mapping, folio)

/* Nobody here holds two such mappings at once. */
#define kmap_local_page(p)		kmap_atomic(p)
#define kunmap_local(addr)		kunmap_atomic(addr)

/* This has got another name. */
#define in_hardirq()			in_irq()

/*
 * A thread of the kernel is told its function by where others have their stack.
 */
struct gup_compat_clone_args {
	u64 flags;
	int exit_signal;
	int kthread;
	int (*fn)(void *arg);
	void *fn_arg;
};

static inline pid_t gup_compat_clone(struct gup_compat_clone_args *new)
{
	struct kernel_clone_args args = {
		.flags = new->flags,
		.exit_signal = new->exit_signal,
		.stack = (unsigned long)new->fn,
		.stack_size = (unsigned long)new->fn_arg,
	};

	return kernel_clone(&args);
}

#define kernel_clone_args		gup_compat_clone_args
#define kernel_clone(args)		gup_compat_clone(args)
#define kthread_complete_and_exit(done, code)				\
	complete_and_exit(done, code)

/* The user whom mlock() is accounted to is asked for, but only if needed. */
#define hugetlb_file_setup(name, size, flags, creat_flags, log)		\
({									\
	struct user_struct *user;					\
	hugetlb_file_setup(name, size, flags, &user, creat_flags, log);	\
})

/* A memory policy has one node, or several, but not in one place. */
#define gup_prefer_node(policy, nid)	((policy)->v.preferred_node = (nid))

/* A range is released page by page. */
#define GUP_HAS_UNPIN_RANGE		0

static inline void unpin_user_page_range_dirty_lock(struct page *page,
						    unsigned long npages,
						    bool make_dirty)
{
	for (; npages--; page++)
		unpin_user_pages_dirty_lock(&page, 1, make_dirty);
}

/* put_page_refs() takes a refcount that has overflowed for too low a one. */
#define GUP_OVERFLOW_IS_RELEASED	false

/* pin_user_pages() without an array is a bug of the caller, and not looked for. */
#define GUP_PIN_REFUSES_NULL		false

/*
 * A split of what maps the huge zero page fails if it is disturbed. Only uprobes
 * ask for one. They hold the mmap lock for writing, and files do not map it.
 */
#define GUP_SPLIT_PMD_NEVER_FAILS	false

/* Callers of get_user_pages*() depend on this one, see follow_pfn_pte(). */
#define GUP_NO_PAGE_ERRNO		(-EFAULT)

/* What the suite for memfd_pin_folios() uses, whose cases do not apply */
#ifndef PF_MEMALLOC_PIN
#define memalloc_pin_save()		memalloc_nocma_save()
#define memalloc_pin_restore(flags)	memalloc_nocma_restore(flags)
#endif
#define file_open_root_mnt(mnt, name, flags, mode)			\
	file_open_root((mnt)->mnt_root, mnt, name, flags, mode)

/* What is taken of an iov_iter is not skipped. */
#define GUP_HAS_ITER_NOFAULT		false
#define gup_iter_set_nofault(iter)	((void)(iter))

#define iov_iter_get_pages2(iter, pages, maxsize, maxpages, start)	\
	iov_iter_get_pages(iter, pages, maxsize, maxpages, start)

/* There is no such flag. */
#define FOLL_NOFAULT			0

/* A page that fork has shared is pinned as it is. */
#define GUP_PIN_UNSHARES		false

/* There is no fault that is complete, but without the mmap lock. */
#define GUP_HAS_FAULT_COMPLETED		false
#define VM_FAULT_COMPLETED		0

#endif /* _MM_TESTS_GUP_COMPAT_5_10_H */
