/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory without an MMU. No address is translated there: a mapping consists of
 * small pages in a row, and user space has them where the kernel has them::
 *
 *	addr: [page 0] [page 1] [page 2] [page 3]
 *	       |
 *	       virt_to_page(addr)
 *
 * They are allocated as soon as they are mapped. Nobody but the mapping and the
 * test holds references to them, so refcounts can be compared exactly.
 */
#ifndef _MM_TESTS_GUP_NOMMU_H
#define _MM_TESTS_GUP_NOMMU_H

#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "gup_fixture.h"

/* The page of an address, which is all that get_user_pages() has to find */
static inline struct page *nommu_page_at(unsigned long addr)
{
	return virt_to_page((void *)addr);
}

/**
 * gup_nommu_init() - the .init of a suite that runs without an MMU
 * @test: the test context, whose priv belongs to the fixture from here on
 *
 * Provides the address space, too, which ends with the thread of the test.
 *
 * Return: 0 or -ENOMEM.
 */
static inline int gup_nommu_init(struct kunit *test)
{
	struct mm_struct *mm;
	int err = gup_fixture_init(test);

	if (err)
		return err;
	mm = mm_alloc();
	if (!mm)
		return -ENOMEM;
	kthread_use_mm(mm);
	return 0;
}

#endif /* _MM_TESTS_GUP_NOMMU_H */
