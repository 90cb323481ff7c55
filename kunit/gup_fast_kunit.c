// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests that GUP-fast, the walk without the mmap lock, is what serves
 * get_user_pages_fast() and pin_user_pages_fast() where it can.
 *
 * Results alone do not tell, as the slow path gives the same. So the tests take
 * away what the slow path needs.
 */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/stringify.h>

#include "gup_fixture.h"

#define NR_PAGES	4

/* Expands to the name only if the option is off, as it has to be for a skip. */
#define skip_without_gup_fast(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST))				\
		kunit_skip(test, "needs " __stringify(CONFIG_HAVE_GUP_FAST)); \
} while (0)

static unsigned long map_written(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, NR_PAGES,
					  PROT_READ | PROT_WRITE);

	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);
	return addr;
}

/* The slow path sleeps, which it must not do with interrupts off. */
static void gets_present_pages_with_interrupts_off(struct kunit *test)
{
	struct page *pages[NR_PAGES + 1];
	unsigned long addr, flags;
	int got, i;

	skip_without_gup_fast(test);
	addr = map_written(test);
	gup_poison(pages, NR_PAGES + 1);

	local_irq_save(flags);
	got = get_user_pages_fast_only(addr, NR_PAGES, FOLL_WRITE, pages);
	local_irq_restore(flags);
	for (i = 0; i < got; i++)
		put_page(pages[i]);

	KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES,
			    "pages of get_user_pages_fast_only() with interrupts off");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
				"get_user_pages_fast_only() wrote behind pages[]");
}

/* The slow path waits for the lock, which nobody is going to release. */
static void gets_present_pages_while_the_mmap_lock_is_taken(struct kunit *test)
{
	struct page *pages[NR_PAGES];
	unsigned long addr;
	int got, i;

	skip_without_gup_fast(test);
	addr = map_written(test);

	mmap_write_lock(current->mm);
	got = get_user_pages_fast_only(addr, NR_PAGES, FOLL_WRITE, pages);
	mmap_write_unlock(current->mm);
	for (i = 0; i < got; i++)
		put_page(pages[i]);

	KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES,
			    "pages of get_user_pages_fast_only() while the mmap lock is taken");
}

static void fast_only_returns_0_for_absent_pages(struct kunit *test)
{
	struct page *pages[1] = { GUP_POISON };
	unsigned long addr;
	int got;

	addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	got = get_user_pages_fast_only(addr, 1, FOLL_WRITE, pages);

	KUNIT_EXPECT_EQ_MSG(test, got, 0,
			    "pages of get_user_pages_fast_only() where there is none");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"get_user_pages_fast_only() found none, but wrote to pages[]");
}

/* Ask for present pages in a way that the slow path fails */
static long acquire_while_being_killed(struct kunit *test,
				       const struct gup_method *m,
				       unsigned long addr,
				       unsigned long nr_pages,
				       struct page **pages)
{
	long got;

	gup_poison(pages, nr_pages);
	gup_begin_to_be_killed(test);
	got = m->acquire(addr, nr_pages, FOLL_WRITE, pages);
	gup_end_to_be_killed();
	gup_release(m, pages, got);
	return got;
}

static bool is_fast(const struct gup_method *m)
{
	return m == &gup_methods[GUP_GET_FAST] ||
	       m == &gup_methods[GUP_PIN_FAST];
}

/* The slow path looks for signals. This also shows what the next ones rely on */
static void only_the_fast_calls_work_while_being_killed(struct kunit *test)
{
	const struct gup_method *m;
	struct page *pages[NR_PAGES];
	unsigned long addr;
	long got;

	skip_without_gup_fast(test);
	addr = map_written(test);

	gup_for_each(m) {
		got = acquire_while_being_killed(test, m, addr, NR_PAGES, pages);
		if (is_fast(m))
			KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
					    "%s() took the slow path, to judge by what it returned with SIGKILL pending",
					    m->name);
		else
			KUNIT_EXPECT_LT_MSG(test, got, 0L,
					    "%s() with SIGKILL pending",
					    m->name);
	}
}

static void takes_each_page_of_a_huge_page(struct kunit *test)
{
	unsigned long nr = PMD_SIZE >> PAGE_SHIFT, addr, i;
	const struct gup_method *m;
	struct page **pages;
	long got;

	skip_without_gup_fast(test);
	gup_skip_without_thp(test);
	pages = kunit_kzalloc(test, nr * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	addr = gup_map_anon_aligned(test, 1, PROT_READ | PROT_WRITE);
	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");

	gup_for_each(m) {
		if (!is_fast(m))
			continue;
		got = acquire_while_being_killed(test, m, addr, nr, pages);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)nr,
				    "pages of a huge page that %s() took without the slow path",
				    m->name);
		for (i = 1; i < nr; i++)
			if (pages[i] != pages[0] + i)
				break;
		KUNIT_EXPECT_EQ_MSG(test, i, nr,
				    "first entry of %s() that is not in its place",
				    m->name);
	}
}

static void the_slow_path_serves_what_is_absent(struct kunit *test)
{
	const struct gup_method *m;
	struct page *pages[NR_PAGES];
	unsigned long addr;
	long got;

	gup_for_each(m) {
		if (!is_fast(m))
			continue;
		/* Two pages are there, and two are not. */
		addr = gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
		gup_fault_in(test, addr, 2, FAULT_FLAG_WRITE);
		gup_poison(pages, NR_PAGES);
		got = m->acquire(addr, NR_PAGES, FOLL_WRITE, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s(), of which two were absent",
				    m->name);
	}
}

static struct kunit_case gup_fast_cases[] = {
	KUNIT_CASE(gets_present_pages_with_interrupts_off),
	KUNIT_CASE(gets_present_pages_while_the_mmap_lock_is_taken),
	KUNIT_CASE(fast_only_returns_0_for_absent_pages),
	KUNIT_CASE(only_the_fast_calls_work_while_being_killed),
	KUNIT_CASE(takes_each_page_of_a_huge_page),
	KUNIT_CASE(the_slow_path_serves_what_is_absent),
	{}
};

static struct kunit_suite gup_fast_suite = {
	.name = "gup_fast",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_fast_cases,
};

kunit_test_suite(gup_fast_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of GUP-fast");
MODULE_LICENSE("GPL");
