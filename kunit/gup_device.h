/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a device for those KUnit suites of get_user_pages() that are built
 * in. As nothing accesses it, there need not be any: it is said to be where
 * nothing else is, behind all other memory.
 */
#ifndef _MM_TESTS_GUP_DEVICE_H
#define _MM_TESTS_GUP_DEVICE_H

#ifdef CONFIG_ZONE_DEVICE
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/memblock.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "gup_fixture.h"

#define GUP_DEVICE_SIZE		SZ_128M

/* How long it may take to unplug a device that nobody uses */
#define GUP_DEVICE_PATIENCE	(30 * HZ)

/* How many references are looked for that nobody gives back */
#define GUP_DEVICE_MAX_KEPT	8

/**
 * struct gup_device - a device with memory
 * @pgmap: what the kernel knows of it
 * @unplug: what waits until nobody uses the memory any more
 * @unplugged: completed after that
 */
struct gup_device {
	struct dev_pagemap pgmap;
	struct work_struct unplug;
	struct completion unplugged;
};

static inline struct page *gup_device_page(struct gup_device *device,
					   unsigned long i)
{
	return pfn_to_page(PHYS_PFN(device->pgmap.range.start) + i);
}

#ifdef CONFIG_ARCH_HAS_PTE_DEVMAP
#include <linux/pfn_t.h>

/* Its pages are small, and an entry of a page table says what it maps. */
static inline void gup_device_want_huge_pages(struct gup_device *device)
{
}

static inline vm_fault_t gup_device_insert_pmd(struct gup_device *device,
					       struct vm_fault *vmf)
{
	pfn_t pfn = phys_to_pfn_t(device->pgmap.range.start,
				  PFN_DEV | PFN_MAP);

	return vmf_insert_pfn_pmd(vmf, pfn, true);
}
#else
static inline void gup_device_want_huge_pages(struct gup_device *device)
{
	device->pgmap.vmemmap_shift = PMD_SHIFT - PAGE_SHIFT;
}

static inline vm_fault_t gup_device_insert_pmd(struct gup_device *device,
					       struct vm_fault *vmf)
{
	return vmf_insert_folio_pmd(vmf, page_folio(gup_device_page(device, 0)),
				    true);
}
#endif

static inline void gup_device_unplug_fn(struct work_struct *work)
{
	struct gup_device *device = container_of(work, struct gup_device,
						 unplug);

	memunmap_pages(&device->pgmap);
	complete(&device->unplugged);
}

/**
 * gup_plug_device() - plug memory of a device
 * @test: the test context, which fails if there is no room for it
 * @by_pmd: whether gup_device_insert_pmd() is to map it
 *
 * Return: the device, to be unplugged by the caller.
 */
static inline struct gup_device *gup_plug_device(struct kunit *test, bool by_pmd)
{
	phys_addr_t start = ALIGN(PFN_PHYS(max_pfn), SZ_1G);
	struct gup_device *device;
	struct resource *res = NULL;
	unsigned int i;
	void *err;

	device = kzalloc_obj(*device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	for (i = 0; i < 16 && !res; i++, start += SZ_1G)
		res = request_mem_region(start, GUP_DEVICE_SIZE, "gup_kunit");
	if (!res)
		kfree(device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, res,
					 "no room for a device below %pa", &start);

	INIT_WORK(&device->unplug, gup_device_unplug_fn);
	init_completion(&device->unplugged);
	device->pgmap.type = MEMORY_DEVICE_GENERIC;
	device->pgmap.range.start = res->start;
	device->pgmap.range.end = res->end;
	device->pgmap.nr_range = 1;
	if (by_pmd)
		gup_device_want_huge_pages(device);
	err = memremap_pages(&device->pgmap, NUMA_NO_NODE);
	if (IS_ERR(err)) {
		release_mem_region(device->pgmap.range.start, GUP_DEVICE_SIZE);
		kfree(device);
	}
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(err), "no device: error %ld",
			       PTR_ERR(err));
	return device;
}

/**
 * gup_unplug_device() - unplug the memory of a device
 * @test: the test context, which fails if the memory has been kept from it
 * @device: the device, of which no page is mapped any more
 * @what: what has happened to it, such as "it was pinned"
 *
 * It waits for all references to the memory, and would do so forever for one that
 * nobody gives back. So they are given back here, one after the other.
 */
static inline void gup_unplug_device(struct kunit *test,
				     struct gup_device *device, const char *what)
{
	unsigned int kept = 0;

	queue_work(system_long_wq, &device->unplug);
	while (!wait_for_completion_timeout(&device->unplugged,
					    GUP_DEVICE_PATIENCE)) {
		if (kept++ == GUP_DEVICE_MAX_KEPT) {
			KUNIT_FAIL(test, "the device cannot be unplugged since %s",
				   what);
			return;
		}
		put_dev_pagemap(&device->pgmap);
	}
	flush_work(&device->unplug);
	release_mem_region(device->pgmap.range.start, GUP_DEVICE_SIZE);
	kfree(device);

	KUNIT_EXPECT_EQ_MSG(test, kept, 0U,
			    "references that keep the device from being unplugged, since %s",
			    what);
}
#endif /* CONFIG_ZONE_DEVICE */

#endif /* _MM_TESTS_GUP_DEVICE_H */
