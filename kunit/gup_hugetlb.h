/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of hugetlbfs for those KUnit suites of get_user_pages() that are built
 * in. Nothing that it takes is exported to modules.
 */
#ifndef _MM_TESTS_GUP_HUGETLB_H
#define _MM_TESTS_GUP_HUGETLB_H

#ifdef CONFIG_HUGETLBFS
#include <linux/err.h>
#include <linux/file.h>
#include <linux/hugetlb.h>

#include "gup_fixture.h"

/**
 * gup_map_hugetlb() - map one huge page of hugetlbfs, and write to it
 * @test: the test context
 *
 * Needs no pool of huge pages: the page comes from the page allocator, and goes
 * back there when it is unmapped.
 *
 * Return: the address, which is aligned to the size of the page.
 */
static inline unsigned long gup_map_hugetlb(struct kunit *test)
{
	struct hstate *h = &default_hstate;
	unsigned long overcommit = h->nr_overcommit_huge_pages;
	unsigned long addr, mapped, len = huge_page_size(h);
	struct file *filp;

	addr = gup_map_anon(test, 2 * len >> PAGE_SHIFT, PROT_READ | PROT_WRITE);
	addr = ALIGN(addr, len);

	/* The page is reserved here and now. */
	h->nr_overcommit_huge_pages = overcommit + 1;
	filp = hugetlb_file_setup("gup_kunit", len, EMPTY_VMA_FLAGS,
				  HUGETLB_ANONHUGE_INODE, 0);
	h->nr_overcommit_huge_pages = overcommit;
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(filp), "no file: error %ld",
			       PTR_ERR(filp));
	mapped = kunit_vm_mmap(test, filp, addr, len, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, 0);
	fput(filp);
	KUNIT_ASSERT_EQ_MSG(test, mapped, addr, "address of the file's mapping");
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	return addr;
}
#endif

#endif /* _MM_TESTS_GUP_HUGETLB_H */
