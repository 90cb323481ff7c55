/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the get_user_pages() KUnit suites use and 6.12 lacks. Included
 * before everything else, see mm/tests/Kbuild, and by the headers of older ones.
 */
#ifndef _MM_TESTS_GUP_COMPAT_6_12_H
#define _MM_TESTS_GUP_COMPAT_6_12_H

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>

/*
 * Warnings cannot be suppressed, so the log says which ones are expected and
 * how many. The reports are counted by whoever reads it.
 *
 * A report has some forty lines, and a console that is a pipe, as that of UML,
 * loses what is not read in time. So the console gets the first lines alone; the
 * stack is printed without a level, and stays in the ring buffer.
 */
static bool gup_compat_expecting __maybe_unused;
static int gup_compat_loglevel __maybe_unused;

static inline void gup_compat_expect(struct kunit *test, bool begin)
{
	if (begin && !gup_compat_expecting)
		gup_compat_loglevel = default_message_loglevel;
	gup_compat_expecting = begin;
	default_message_loglevel = begin ? LOGLEVEL_DEBUG : gup_compat_loglevel;
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

/* Pages without struct page are given by a pfn and flags, here none. */
#define vmf_insert_mixed(vma, addr, pfn)				\
	vmf_insert_mixed(vma, addr, pfn_to_pfn_t(pfn))
#define vmf_insert_mixed_mkwrite(vma, addr, pfn)			\
	vmf_insert_mixed_mkwrite(vma, addr, pfn_to_pfn_t(pfn))

/* Objects are allocated by their size, unless a point release has more. */
#ifndef kzalloc_obj
#define kzalloc_obj(obj)		kzalloc(sizeof(obj), GFP_KERNEL)
#endif

/* Flags of an address space are an integer, too. */
#define mm_flags_set(flag, mm)		set_bit(flag, &(mm)->flags)

/* Flags of a VMA are an integer, and no flags are 0. */
#define EMPTY_VMA_FLAGS			0

/* More than one pin at once cannot be added to a folio. */
#define GUP_HAS_FOLIO_ADD_PINS		false

static inline int folio_add_pins(struct folio *folio, unsigned int pins)
{
	return -EOPNOTSUPP;
}

/* A bio is aligned as its pages are pinned, and for a device only. */
#define GUP_HAS_ALIGNED_BIO		0

/* Pages of hugetlbfs are not counted. */
#define GUP_HAS_NR_HUGETLB		false
#define GUP_NR_HUGETLB			NR_FOLL_PIN_ACQUIRED

#ifndef gup_isolate_hugetlb
#define gup_isolate_hugetlb(folio, list)	isolate_hugetlb(folio, list)
#define gup_putback_hugetlb(folio)	folio_putback_active_hugetlb(folio)
#endif

#endif /* _MM_TESTS_GUP_COMPAT_6_12_H */
