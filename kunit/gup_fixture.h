/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Common ground of the get_user_pages() KUnit suites: an address space of the
 * test's own, files made of pages that the test knows, and a way to watch the
 * reference count of a page.
 */
#ifndef _MM_TESTS_GUP_FIXTURE_H
#define _MM_TESTS_GUP_FIXTURE_H

#include <kunit/test.h>
#include <linux/bug.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/string.h>
#include <asm/sections.h>

/* What a case puts into pages[] before a call, to see what the call wrote. */
#define GUP_POISON	((struct page *)0x6b6b6b6bUL)

/**
 * struct gup_file - a file that consists of pages which the test knows
 * @mapping: the address space that the pages belong to
 * @filp: the open file; what it holds lives until the last mapping is gone
 * @order: order of each compound page, or 0 for small pages
 * @nr_heads: number of entries in @heads
 * @bare: bitmap of page offsets that are mapped by a pfn without struct page,
 *	to be set before the file is mapped; their entries in @heads go unused
 * @nr_dirtied: how often a page was marked dirty through @mapping
 * @nr_dirtied_locked: how often that happened with the page locked
 * @refs_when_dirtied: refcount of the page that was marked dirty last, at the
 *	moment when that happened
 * @heads: the head pages, or the small pages, in file order
 *
 * With @order 2, a mapping of the whole file looks like this::
 *
 *	page offset   0  1  2  3    4  5  6  7
 *	             [H][t][t][t]  [H][t][t][t]  ...
 *	              |             |
 *	              heads[0]      heads[1]
 *
 * where H is a head page and t a tail. Each page is mapped by a page table
 * entry of its own, so get_user_pages() returns heads and tails alike.
 * The pages are on no LRU list. Therefore nobody but the file, the page tables
 * and the test holds references to them, and refcounts can be compared exactly.
 */
struct gup_file {
	struct address_space mapping;
	struct file *filp;
	unsigned int order;
	unsigned int nr_heads;
	unsigned long bare;
	unsigned int nr_dirtied;
	unsigned int nr_dirtied_locked;
	int refs_when_dirtied;
	struct page *heads[];
};

/**
 * struct gup_ref_trace - what happened to the refcount of one page
 * @head: the page being watched
 * @nr_drops: number of atomic operations that dropped references
 * @nr_dropped: number of references dropped by these operations
 * @nr_freed: how often the page was handed back to the page allocator
 */
struct gup_ref_trace {
	struct page *head;
	unsigned int nr_drops;
	int nr_dropped;
	unsigned int nr_freed;
};

/**
 * struct gup_method - a call that takes references, and the one that drops them
 * @name: name of the function that takes them
 * @acquire: calls it with all locks that it needs; returns pages or -errno
 * @release: releases one page that @acquire returned
 * @weight: what one reference adds to the refcount of a small page
 * @pins: whether these are pins
 */
struct gup_method {
	const char *name;
	long (*acquire)(unsigned long addr, unsigned long nr_pages,
			unsigned int gup_flags, struct page **pages);
	void (*release)(struct page *page);
	int weight;
	bool pins;
};

/* {get,pin}_user_pages(), and their _fast, _remote and _unlocked variants */
enum {
	GUP_GET,
	GUP_GET_FAST,
	GUP_GET_REMOTE,
	GUP_GET_UNLOCKED,
	GUP_PIN,
	GUP_PIN_FAST,
	GUP_PIN_REMOTE,
	GUP_PIN_UNLOCKED,
	GUP_NR_METHODS
};

extern const struct gup_method gup_methods[GUP_NR_METHODS];

/* Loops over all methods, and over those that get or those that pin */
#define gup_for_each(m)							\
	for (m = gup_methods; m < gup_methods + GUP_NR_METHODS; m++)
#define gup_for_each_get(m)						\
	for (m = gup_methods; m < gup_methods + GUP_PIN; m++)
#define gup_for_each_pin(m)						\
	for (m = gup_methods + GUP_PIN; m < gup_methods + GUP_NR_METHODS; m++)

/**
 * struct gup_pin_counters - how many pins there have been on all nodes
 * @acquired: NR_FOLL_PIN_ACQUIRED
 * @released: NR_FOLL_PIN_RELEASED
 */
struct gup_pin_counters {
	long acquired;
	long released;
};

int gup_fixture_init(struct kunit *test);
void gup_fixture_exit(struct kunit *test);

struct gup_file *gup_create_file(struct kunit *test, unsigned int order,
				 unsigned int nr_heads);
struct page *gup_file_page(struct gup_file *file, unsigned long offset);
void gup_file_forget(struct gup_file *file, unsigned int i);

unsigned long gup_map_file(struct kunit *test, struct gup_file *file,
			   unsigned long prot, unsigned long flags);
unsigned long gup_map_anon(struct kunit *test, unsigned long nr_pages,
			   unsigned long prot);
void gup_unmap(struct kunit *test, unsigned long addr, unsigned long nr_pages);
void gup_fault_in(struct kunit *test, unsigned long addr,
		  unsigned long nr_pages, unsigned int fault_flags);
void gup_get(struct kunit *test, unsigned long addr, unsigned long nr_pages,
	     struct page **pages);

void gup_poison(struct page **pages, unsigned int nr);
void gup_release(const struct gup_method *m, struct page **pages, long got);
struct gup_pin_counters gup_read_pin_counters(void);
void gup_begin_to_be_killed(struct kunit *test);
void gup_end_to_be_killed(void);

unsigned long gup_map_anon_aligned(struct kunit *test, unsigned long nr_pmds,
				   unsigned long prot);
bool gup_mapped_by_pmd(unsigned long addr);

/* Numbers by which a page is recognized, as when it was migrated */
static inline unsigned long gup_read_number(struct page *page)
{
	unsigned long *p = kmap_local_page(page), number = *p;

	kunmap_local(p);
	return number;
}

static inline void gup_write_number(struct page *page, unsigned long number)
{
	unsigned long *p = kmap_local_page(page);

	*p = number;
	kunmap_local(p);
}

/* Have warnings come again that come once. Not for modules. */
static inline void gup_forget_warnings(void)
{
	generic_bug_clear_once();
	memset(__start_once, 0, __end_once - __start_once);
}

/* For cases that skip without CONFIG_DEBUG_PAGE_REF. */
struct gup_ref_trace *gup_trace_refs(struct kunit *test, struct page *head);
void gup_trace_refs_end(struct kunit *test);

/* What there has to be for huge pages, or NULL. Modules see the option alone. */
static inline const char *gup_thp_lacks(void)
{
#ifndef CONFIG_TRANSPARENT_HUGEPAGE
	return "CONFIG_TRANSPARENT_HUGEPAGE";
#elif !defined(MODULE)
	if (!has_transparent_hugepage())
		return "a CPU with huge pages for CONFIG_TRANSPARENT_HUGEPAGE";
	if (!(transparent_hugepage_flags &
	      (BIT(TRANSPARENT_HUGEPAGE_FLAG) |
	       BIT(TRANSPARENT_HUGEPAGE_REQ_MADV_FLAG))))
		return "transparent_hugepage=always or =madvise of CONFIG_TRANSPARENT_HUGEPAGE";
#endif
	return NULL;
}

/* Expands in the case, which ends here if there are no huge pages. */
#define gup_skip_without_thp(test)					\
do {									\
	const char *lacks = gup_thp_lacks();				\
									\
	if (lacks)							\
		kunit_skip(test, "needs %s", lacks);			\
} while (0)

#endif /* _MM_TESTS_GUP_FIXTURE_H */
