/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of hugetlbfs for those KUnit suites of get_user_pages() that are built
 * in. Nothing that it takes is exported to modules.
 */
#ifndef _MM_TESTS_GUP_HUGETLB_H
#define _MM_TESTS_GUP_HUGETLB_H

#ifdef CONFIG_HUGETLBFS
#include <linux/fs.h>
#include <linux/hugetlb.h>

#include "gup_fixture.h"

/**
 * gup_create_hugetlb_file() - create a file of one huge page of hugetlbfs
 * @test: the test context, which closes the file at its end
 *
 * Needs no pool of huge pages: the page comes from the page allocator, and goes
 * back there with the file.
 *
 * Return: the file, with its page reserved, but not in the page cache.
 */
static inline struct file *gup_create_hugetlb_file(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long overcommit = h->nr_overcommit_huge_pages;
	struct file *filp;

	/* Pages of earlier cases may be on their way back. */
	h->nr_overcommit_huge_pages = overcommit + h->surplus_huge_pages + 1;
	filp = hugetlb_file_setup("gup_kunit", huge_page_size(h),
				  EMPTY_VMA_FLAGS, HUGETLB_ANONHUGE_INODE, 0);
	h->nr_overcommit_huge_pages = overcommit;
	return gup_own_file(test, filp);
}

/**
 * gup_map_hugetlb_file() - map such a file
 * @test: the test context
 * @filp: the file
 *
 * Return: the address, which is aligned to the size of the page. Nothing is
 * faulted in yet.
 */
static inline unsigned long gup_map_hugetlb_file(struct kunit *test,
						 struct file *filp)
{
	unsigned long len = huge_page_size(&default_hstate);
	unsigned long addr = ALIGN(gup_map_anon(test, 2 * len >> PAGE_SHIFT,
						PROT_READ | PROT_WRITE), len);

	gup_map_file_at(test, filp, addr, len >> PAGE_SHIFT,
			PROT_READ | PROT_WRITE);
	return addr;
}

/**
 * gup_map_hugetlb() - map one huge page of hugetlbfs, and write to it
 * @test: the test context
 *
 * Return: the address, which is aligned to the size of the page.
 */
static inline unsigned long gup_map_hugetlb(struct kunit *test)
{
	unsigned long addr = gup_map_hugetlb_file(test,
						  gup_create_hugetlb_file(test));

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	return addr;
}
#endif

#endif /* _MM_TESTS_GUP_HUGETLB_H */
