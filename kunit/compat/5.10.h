/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the get_user_pages() KUnit suites use and this kernel lacks. Included
 * before everything else, see mm/tests/Kbuild.
 */
#ifndef _MM_TESTS_GUP_COMPAT_H
#define _MM_TESTS_GUP_COMPAT_H

#include <kunit/test.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/pfn_t.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uio.h>

/*
 * Warnings cannot be suppressed, so the log says which ones are expected and
 * how many. The reports are counted by whoever reads it.
 */
static bool gup_compat_expecting __maybe_unused;

static inline void gup_compat_expect(struct kunit *test, bool begin)
{
	gup_compat_expecting = begin;
	pr_info("kunit-expect: %s\n", begin ? "begin" : "end");
}

static inline void gup_compat_expect_count(struct kunit *test, int expected)
{
	pr_info("kunit-expect: count %d\n", expected);
}

#define kunit_warning_suppress(test)					\
	for (gup_compat_expect(test, true); gup_compat_expecting;	\
	     gup_compat_expect(test, false))

#define KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, expected)		\
	gup_compat_expect_count(test, expected)

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

/* There are no folios: the head page stands for all of a compound page. */
#define folio				page
#define page_folio(p)			compound_head(p)
#define folio_ref_count(p)		page_ref_count(p)
#define folio_test_locked(p)		PageLocked(p)
#define folio_test_referenced(p)	PageReferenced(p)
#define folio_test_set_dirty(p)		TestSetPageDirty(p)
#define folio_add_lru(p)		lru_cache_add(p)
#define folio_mark_accessed(p)		mark_page_accessed(p)

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

/* Flags of an address space are an integer, too. */
#define mm_flags_set(flag, mm)		set_bit(flag, &(mm)->flags)

/* Flags of a VMA can be written as they are. */
static inline void gup_compat_vm_flags_set(struct vm_area_struct *vma,
					   vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

#define vm_flags_set			gup_compat_vm_flags_set

/* Pages without struct page are given by a pfn and flags, here none. */
#define vmf_insert_mixed(vma, addr, pfn)				\
	vmf_insert_mixed(vma, addr, pfn_to_pfn_t(pfn))

/* This has got another name, */
#define in_hardirq()			in_irq()

/* and so has this option. */
#define CONFIG_HAVE_GUP_FAST		CONFIG_HAVE_FAST_GUP

/* GUP-fast looks neither at the file of a page nor for a missing array. */
#define GUP_FAST_TAKES_FILES_FOR_LONG	true
#define GUP_FAST_REFUSES_NULL		false

/* Objects are allocated by their size, unless a point release has more. */
#ifndef kzalloc_obj
#define kzalloc_obj(obj)		kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/* Flags of a VMA are an integer, and no flags are 0. */
#define EMPTY_VMA_FLAGS			0

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

/* Pages are released by their heads, and a range is released page by page. */
static inline void unpin_user_folio(struct page *head, unsigned long npages)
{
	while (npages--)
		unpin_user_page(head);
}

static inline void unpin_user_page_range_dirty_lock(struct page *page,
						    unsigned long npages,
						    bool make_dirty)
{
	for (; npages--; page++)
		unpin_user_pages_dirty_lock(&page, 1, make_dirty);
}

#define unpin_folio(head)		unpin_user_page(head)
#define unpin_folios(heads, nheads)	unpin_user_pages(heads, nheads)

/* Pins of a compound page are counted here. */
#define gup_pincount_ptr(head)		compound_pincount_ptr(head)

/* put_page_refs() takes a refcount that has overflowed for too low a one. */
#define GUP_OVERFLOW_IS_RELEASED	false

/* A NULL entry is a bug of the caller, wherever it stands. */
#define GUP_UNPIN_SKIPS_NULL		false

/* pin_user_pages() without an array is a bug of the caller, and not looked for. */
#define GUP_PIN_REFUSES_NULL		false

/* A page of hugetlb is returned as it is. */
#define GUP_SPLIT_PMD_OF_HUGETLB	1

/*
 * A split of what maps the huge zero page fails if it is disturbed. Only uprobes
 * ask for one. They hold the mmap lock for writing, and files do not map it.
 */
#define GUP_SPLIT_PMD_NEVER_FAILS	false

/* The huge zero page is recognized by its head. */
#define is_huge_zero_folio(p)		is_huge_zero_page(p)
#define folio_maybe_dma_pinned(p)	page_maybe_dma_pinned(p)

/* What the suite for it calls, of which no case is applicable */
static inline void folio_add_pin(struct folio *folio)
{
}

/* Cases have no attributes. */
#define KUNIT_CASE_SLOW(test_name)	KUNIT_CASE(test_name)

/* Callers of get_user_pages*() depend on this one, see follow_pfn_pte(). */
#define GUP_NO_PAGE_ERRNO		(-EFAULT)

/* Pins are released by their pages, and none is added to a page. */
#define GUP_HAS_UNPIN_RANGE		0
#define GUP_HAS_UNPIN_FOLIO		0
#define GUP_HAS_FOLIO_ADD_PIN		0

/* Files are pinned by where they are mapped, and not otherwise. */
#define GUP_HAS_MEMFD_PIN_FOLIOS	false
#define GUP_HAS_FOLIO_ADD_PINS		false

static inline long memfd_pin_folios(struct file *memfd, loff_t start,
				    loff_t end, struct folio **folios,
				    unsigned int max_folios, pgoff_t *offset)
{
	return -EOPNOTSUPP;
}

static inline int folio_add_pins(struct folio *folio, unsigned int pins)
{
	return -EOPNOTSUPP;
}

/* What else the suite for it uses, whose cases are all skipped */
#define folio_page(p, n)		((p) + (n))
#define folio_nr_pages(p)		compound_nr(p)
#define folio_test_large(p)		PageHead(p)
#define folio_test_hugetlb(p)		PageHuge(p)
#ifndef PF_MEMALLOC_PIN
#define memalloc_pin_save()		memalloc_nocma_save()
#define memalloc_pin_restore(flags)	memalloc_nocma_restore(flags)
#endif
#define file_open_root_mnt(mnt, name, flags, mode)			\
	file_open_root((mnt)->mnt_root, mnt, name, flags, mode)

/* User memory of an iov_iter is not pinned, and what is taken is not skipped. */
#define GUP_HAS_EXTRACT_PAGES		false
#define GUP_HAS_ITER_NOFAULT		false
#define gup_iter_set_nofault(iter)	((void)(iter))

#define iov_iter_get_pages2(iter, pages, maxsize, maxpages, start)	\
	iov_iter_get_pages(iter, pages, maxsize, maxpages, start)

static inline ssize_t iov_iter_extract_pages(struct iov_iter *iter,
					     struct page ***pages,
					     size_t maxsize,
					     unsigned int maxpages,
					     unsigned int flags, size_t *offset)
{
	return -EOPNOTSUPP;
}

/* A bio is aligned as its pages are pinned, and for a device only. */
#define GUP_HAS_ALIGNED_BIO		0

/* Pages of hugetlbfs are not counted. */
#define GUP_HAS_NR_HUGETLB		false
#define GUP_NR_HUGETLB			NR_FOLL_PIN_ACQUIRED
#define gup_isolate_hugetlb(folio, list)	false
#define gup_putback_hugetlb(folio)	((void)0)
#define gup_hugetlb_cgroup(folio)	((void *)folio)

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
#define FOLL_NOFAULT			0

/* A page that fork has shared is pinned as it is. */
#define GUP_PIN_UNSHARES		false

/* There is no fault that is complete, but without the mmap lock. */
#define GUP_HAS_FAULT_COMPLETED		false
#define VM_FAULT_COMPLETED		0

#endif /* _MM_TESTS_GUP_COMPAT_H */
