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
 * @bare_is_clean: have the entries of @bare writable, but not yet dirty, in a
 *	mapping that is shared and writable
 * @vm_flags: VM_* flags that a mapping of the file gets, to be set before that
 * @on_fault: asked ahead of each fault, unless it is NULL; what it returns, if
 *	not 0, is the outcome of the fault
 * @on_mkwrite: the same when a page of a shared mapping is about to become
 *	writable; to be set before the file is mapped
 * @priv: for these two
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
	bool bare_is_clean;
	unsigned long vm_flags;
	vm_fault_t (*on_fault)(struct gup_file *file, struct vm_fault *vmf);
	vm_fault_t (*on_mkwrite)(struct gup_file *file, struct vm_fault *vmf);
	void *priv;
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

/* Those that try GUP-fast first, and then the slow path */
static inline bool gup_is_fast(const struct gup_method *m)
{
	return m == &gup_methods[GUP_GET_FAST] ||
	       m == &gup_methods[GUP_PIN_FAST];
}

/**
 * struct gup_unpin - a way to release pins, and what it promises
 * @name: name of the function, and its argument make_dirty if it has one
 * @unpin: calls it, as often as it takes, for all entries of an array. NULL if
 *	this kernel does not have the function.
 * @array: whether it takes an array, and so may be passed NULL or an errno
 * @dirties: whether it marks clean pages dirty
 *
 * An array for @unpin has up to GUP_MAX_UNPIN entries, or an errno as @nr.
 */
struct gup_unpin {
	const char *name;
	void (*unpin)(struct page **pages, unsigned long nr);
	bool array;
	bool dirties;
};

enum {
	GUP_UNPIN_PAGE,
	GUP_UNPIN_PAGES,
	GUP_UNPIN_PAGES_CLEAN,
	GUP_UNPIN_PAGES_DIRTY,
	GUP_UNPIN_RANGE_CLEAN,
	GUP_UNPIN_RANGE_DIRTY,
	GUP_UNPIN_FOLIO,
	GUP_UNPIN_USER_FOLIO,
	GUP_UNPIN_FOLIOS,
	GUP_NR_UNPINS
};

enum { GUP_MAX_UNPIN = 16 };

extern const struct gup_unpin gup_unpins[GUP_NR_UNPINS];

/* The next one that this kernel has, from @u on; NULL if there is none */
static inline const struct gup_unpin *gup_next_unpin(const struct gup_unpin *u)
{
	for (; u < gup_unpins + GUP_NR_UNPINS; u++)
		if (u->unpin)
			return u;
	return NULL;
}

/* Loops over all that this kernel has */
#define gup_for_each_unpin(u)						\
	for (u = gup_next_unpin(gup_unpins); u; u = gup_next_unpin(u + 1))

/*
 * What some kernels do not have. A case of it is not applicable there.
 */
#ifndef GUP_HAS_UNPIN_RANGE
#define GUP_HAS_UNPIN_RANGE		1
#endif

#ifndef GUP_HAS_UNPIN_FOLIO
#define GUP_HAS_UNPIN_FOLIO		1
#endif

/* A pin without an array is refused. Older kernels dereference it. */
#ifndef GUP_PIN_REFUSES_NULL
#define GUP_PIN_REFUSES_NULL		true
#endif

/* A long-term pin in a private mapping breaks COW, even if it is for reading. */
#ifndef GUP_LONGTERM_BREAKS_COW
#define GUP_LONGTERM_BREAKS_COW		true
#endif

/* pin_user_pages_unlocked() takes FOLL_LONGTERM. */
#ifndef GUP_HAS_UNLOCKED_LONGTERM
#define GUP_HAS_UNLOCKED_LONGTERM	true
#endif

#ifndef GUP_HAS_FOLIO_ADD_PIN
#define GUP_HAS_FOLIO_ADD_PIN		1
#endif

/* Older kernels dereference the array. */
#ifndef GUP_PIN_REFUSES_NULL
#define GUP_PIN_REFUSES_NULL		true
#endif

/* Older kernels have no long-term pins by pin_user_pages_unlocked(). */
#ifndef GUP_HAS_UNLOCKED_LONGTERM
#define GUP_HAS_UNLOCKED_LONGTERM	true
#endif

/* Older kernels pin for long what they pin for a short while: as it is mapped. */
#ifndef GUP_LONGTERM_BREAKS_COW
#define GUP_LONGTERM_BREAKS_COW		true
#endif

#ifndef gup_pincount_ptr
#define gup_pincount_ptr(folio)		(&(folio)->_pincount)
#endif

/* The pins of a compound page, which have a counter of their own */
static inline int gup_pincount(struct page *head)
{
	return atomic_read(gup_pincount_ptr(page_folio(head)));
}

/**
 * struct gup_pin_counters - how many pins there have been on all nodes
 * @acquired: NR_FOLL_PIN_ACQUIRED
 * @released: NR_FOLL_PIN_RELEASED
 */
struct gup_pin_counters {
	long acquired;
	long released;
};

/**
 * struct gup_counts - all that the pin of a page is counted in
 * @refs: the refcount of its head
 * @pins: the counters of all nodes
 * @pinned: whether it looks pinned
 */
struct gup_counts {
	int refs;
	struct gup_pin_counters pins;
	bool pinned;
};

int gup_fixture_init(struct kunit *test);
void gup_fixture_exit(struct kunit *test);

struct gup_file *gup_create_file(struct kunit *test, unsigned int order,
				 unsigned int nr_heads);
struct page *gup_file_page(struct gup_file *file, unsigned long offset);
void gup_file_forget(struct gup_file *file, unsigned int i);

unsigned long gup_map_file(struct kunit *test, struct gup_file *file,
			   unsigned long prot, unsigned long flags);
void gup_map_file_at(struct kunit *test, struct file *filp, unsigned long addr,
		     unsigned long nr_pages, unsigned long prot);
unsigned long gup_map_anon(struct kunit *test, unsigned long nr_pages,
			   unsigned long prot);
void gup_unmap(struct kunit *test, unsigned long addr, unsigned long nr_pages);
void gup_fault_in(struct kunit *test, unsigned long addr,
		  unsigned long nr_pages, unsigned int fault_flags);
void gup_get(struct kunit *test, unsigned long addr, unsigned long nr_pages,
	     struct page **pages);
void gup_pin(struct kunit *test, unsigned long addr, unsigned long nr_pages,
	     struct page **pages);

struct page *gup_page_at(struct kunit *test, unsigned long addr);
struct vfsmount *gup_mount(struct kunit *test, const char *type, char *options);
struct file *gup_own_file(struct kunit *test, struct file *filp);

void gup_poison(struct page **pages, unsigned int nr);
void gup_release(const struct gup_method *m, struct page **pages, long got);
struct gup_pin_counters gup_read_pin_counters(void);
struct gup_counts gup_read_counts(struct page *page);
__printf(6, 7)
void gup_expect_counts(struct kunit *test, const struct gup_counts *before,
		       const struct gup_counts *after, int refs,
		       struct gup_pin_counters pins, const char *fmt, ...);
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

/* Have warnings come again that come once. */
static inline void gup_forget_warnings(void)
{
	generic_bug_clear_once();
	memset(__start_once, 0, __end_once - __start_once);
}

/* In kunit_warning_suppress(): so many warnings, none in a kernel without them */
#define gup_expect_warnings(test, nr)					\
	KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test,			\
					      IS_ENABLED(CONFIG_BUG) ? (nr) : 0)

/* For cases that skip without CONFIG_DEBUG_PAGE_REF. */
struct gup_ref_trace *gup_trace_refs(struct kunit *test, struct page *head);
void gup_trace_refs_end(struct kunit *test);

/* Expands in the case, which ends here if there is nothing to test. */
#define gup_skip_without_folio_add_pin(test)				\
do {									\
	if (!GUP_HAS_FOLIO_ADD_PIN)					\
		kunit_skip(test, "not applicable: there is no folio_add_pin()"); \
} while (0)

/* What there has to be for huge pages, or NULL. */
static inline const char *gup_thp_lacks(void)
{
#ifndef CONFIG_TRANSPARENT_HUGEPAGE
	return "CONFIG_TRANSPARENT_HUGEPAGE";
#else
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
