// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of FOLL_SPLIT_PMD, which has the mapping of a huge page split
 * before a page of it is returned. The page itself stays as it is.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/smp.h>

#include "gup_fixture.h"
#include "gup_hugetlb.h"

/* What a page of hugetlb gives, as there is nothing to split it to */
#ifndef GUP_SPLIT_PMD_OF_HUGETLB
#define GUP_SPLIT_PMD_OF_HUGETLB	(-EOPNOTSUPP)
#endif

/* Whether others may change the mapping meanwhile */
#ifndef GUP_SPLIT_PMD_NEVER_FAILS
#define GUP_SPLIT_PMD_NEVER_FAILS	true
#endif

#define NR_HUGE		(PMD_SIZE >> PAGE_SHIFT)

/* Which page of the huge one is asked for: neither the first nor the last */
#define OFFSET		3

/* Those that can be told to split. GUP-fast does not take the flag. */
static const unsigned int methods[] = {
	GUP_GET, GUP_GET_REMOTE, GUP_GET_UNLOCKED,
	GUP_PIN, GUP_PIN_REMOTE, GUP_PIN_UNLOCKED,
};

/* Fault a huge page in at @addr, for reading or FAULT_FLAG_WRITE */
static void fault_in_huge(struct kunit *test, unsigned long addr,
			  unsigned int fault_flags)
{
	gup_fault_in(test, addr, 1, fault_flags);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");
}

static unsigned long map_anon_huge(struct kunit *test)
{
	unsigned long addr = gup_map_anon_aligned(test, 1,
						  PROT_READ | PROT_WRITE);

	fault_in_huge(test, addr, FAULT_FLAG_WRITE);
	return addr;
}

/* Ask for one page at @addr, which has to be @page or any if that is NULL */
static void expect_split(struct kunit *test, const struct gup_method *m,
			 unsigned long addr, unsigned int gup_flags,
			 struct page *page)
{
	struct page *pages[2];
	bool huge;
	long got;

	gup_poison(pages, 2);
	got = m->acquire(addr, 1, gup_flags | FOLL_SPLIT_PMD, pages);
	huge = gup_mapped_by_pmd(addr);
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "%s() with FOLL_SPLIT_PMD", m->name);
	if (page)
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], page,
					"page returned by %s()", m->name);
	KUNIT_EXPECT_FALSE_MSG(test, huge,
			       "%s() left the mapping of the huge page unsplit",
			       m->name);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[1], GUP_POISON,
				"%s() wrote behind pages[]", m->name);
}

static void splits_the_mapping_of_an_anonymous_page(struct kunit *test)
{
	unsigned int i;

	gup_skip_without_thp(test);
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		unsigned long addr = map_anon_huge(test);
		struct page *head = gup_page_at(test, addr);

		expect_split(test, &gup_methods[methods[i]],
			     addr + OFFSET * PAGE_SIZE, FOLL_WRITE,
			     head + OFFSET);
	}
}

static void leaves_the_anonymous_page_whole(struct kunit *test)
{
	struct page **pages, *head;
	unsigned long addr, i;
	long got;

	gup_skip_without_thp(test);
	pages = kunit_kzalloc(test, NR_HUGE * sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	addr = map_anon_huge(test);
	head = gup_page_at(test, addr);

	expect_split(test, &gup_methods[GUP_GET], addr, FOLL_WRITE, head);
	gup_poison(pages, NR_HUGE);
	got = gup_methods[GUP_GET].acquire(addr, NR_HUGE, FOLL_WRITE, pages);
	for (i = 0; i < NR_HUGE; i++)
		if (pages[i] != head + i || compound_head(pages[i]) != head)
			break;
	gup_release(&gup_methods[GUP_GET], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_HUGE,
			    "pages that are mapped after the split");
	KUNIT_EXPECT_EQ_MSG(test, i, NR_HUGE,
			    "first page that is no longer mapped as part of the huge one");
}

static void does_nothing_to_small_pages(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file, PROT_READ,
						  MAP_SHARED);

		expect_split(test, &gup_methods[methods[i]], addr, 0,
			     file->heads[0]);
	}
}

static void does_nothing_if_it_was_split_before(struct kunit *test)
{
	unsigned long addr;
	struct page *head;
	unsigned int i;

	gup_skip_without_thp(test);
	addr = map_anon_huge(test);
	head = gup_page_at(test, addr);
	for (i = 0; i < ARRAY_SIZE(methods); i++)
		expect_split(test, &gup_methods[methods[i]],
			     addr + OFFSET * PAGE_SIZE, FOLL_WRITE,
			     head + OFFSET);
}

static void keeps_references_in_balance(struct kunit *test)
{
	unsigned int i;

	gup_skip_without_thp(test);
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct gup_method *m = &gup_methods[methods[i]];
		unsigned long addr = map_anon_huge(test);
		struct page *head = gup_page_at(test, addr);
		int before, after;

		/* The first split moves references to the page table. */
		expect_split(test, m, addr, FOLL_WRITE, head);
		before = page_ref_count(head);
		expect_split(test, m, addr, FOLL_WRITE, head);
		after = page_ref_count(head);

		KUNIT_EXPECT_EQ_MSG(test, after, before,
				    "references to the huge page after %s() and release",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, before, (int)NR_HUGE,
				    "references to the huge page, which are one for each entry of the page table, after %s()",
				    m->name);
	}
}

static void splits_the_mapping_of_the_huge_zero_page(struct kunit *test)
{
	unsigned int i;

	gup_skip_without_thp(test);
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		unsigned long addr = gup_map_anon_aligned(test, 1,
							  PROT_READ | PROT_WRITE);

		fault_in_huge(test, addr, 0);
		expect_split(test, &gup_methods[methods[i]],
			     addr + OFFSET * PAGE_SIZE, 0,
			     ZERO_PAGE(addr + OFFSET * PAGE_SIZE));
	}
}

static void splits_the_huge_zero_page_for_writing(struct kunit *test)
{
	unsigned int i;

	gup_skip_without_thp(test);
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		unsigned long addr = gup_map_anon_aligned(test, 1,
							  PROT_READ | PROT_WRITE);

		fault_in_huge(test, addr, 0);
		expect_split(test, &gup_methods[methods[i]], addr, FOLL_WRITE,
			     NULL);
		KUNIT_EXPECT_TRUE_MSG(test,
				      gup_page_at(test, addr) != ZERO_PAGE(addr),
				      "%s() for writing has left the zero page mapped",
				      gup_methods[methods[i]].name);
	}
}

/* A file of one huge page, on a tmpfs that has no other */
static struct file *create_shmem_huge(struct kunit *test)
{
	char options[] = "huge=always";
	struct vfsmount *mnt = gup_mount(test, "tmpfs", options);

	return gup_own_file(test, shmem_file_setup_with_mnt(mnt, "gup_kunit",
							    PMD_SIZE,
							    EMPTY_VMA_FLAGS));
}

/* Replace anonymous memory at @addr by @filp, and expect that to have worked */
static bool map_over(struct kunit *test, struct file *filp, unsigned long addr)
{
	unsigned long mapped = kunit_vm_mmap(test, filp, addr, PMD_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_FIXED, 0);

	KUNIT_EXPECT_EQ_MSG(test, mapped, addr, "address of the file's mapping");
	return mapped == addr;
}

static void splits_the_mapping_of_a_shmem_page(struct kunit *test)
{
	unsigned long addr;
	struct file *filp;
	unsigned int i;

	gup_skip_without_thp(test);
	if (!IS_ENABLED(CONFIG_SHMEM))
		kunit_skip(test, "needs CONFIG_SHMEM");
	addr = gup_map_anon_aligned(test, 1, PROT_READ | PROT_WRITE);
	filp = create_shmem_huge(test);

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct gup_method *m = &gup_methods[methods[i]];
		struct page *head;

		/* A new mapping each time: one that was split remains so. */
		if (!map_over(test, filp, addr))
			break;
		gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
		KUNIT_EXPECT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
				      "no huge page was faulted in");
		head = gup_page_at(test, addr);

		/* The split leaves the PMD empty, and the fault comes after. */
		expect_split(test, m, addr + OFFSET * PAGE_SIZE, FOLL_WRITE,
			     head + OFFSET);
		KUNIT_EXPECT_PTR_EQ_MSG(test, compound_head(head + OFFSET), head,
					"%s() split the page itself", m->name);
	}

	gup_unmap(test, addr, NR_HUGE);
}

/* There is nothing to split it to. */
static void leaves_hugetlb_alone(struct kunit *test)
{
#ifdef CONFIG_HUGETLBFS
	unsigned long addr = gup_map_hugetlb(test);
	struct page *head = gup_page_at(test, addr);
	bool huge = gup_mapped_by_pmd(addr);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct gup_method *m = &gup_methods[methods[i]];
		struct page *pages[1] = { GUP_POISON };
		long got;

		got = m->acquire(addr + OFFSET * PAGE_SIZE, 1,
				 FOLL_WRITE | FOLL_SPLIT_PMD, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)GUP_SPLIT_PMD_OF_HUGETLB,
				    "%s() of hugetlb with FOLL_SPLIT_PMD",
				    m->name);
		if (got == 1)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], head + OFFSET,
						"page of hugetlb returned by %s()",
						m->name);
		KUNIT_EXPECT_EQ_MSG(test, gup_mapped_by_pmd(addr), huge,
				    "whether a PMD maps the page of hugetlb after %s()",
				    m->name);
	}
	KUNIT_EXPECT_PTR_EQ_MSG(test, gup_page_at(test, addr), head,
				"page of hugetlb that is mapped in the end");
	KUNIT_EXPECT_TRUE_MSG(test, PageHuge(head),
			      "the page is none of hugetlb any more");
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

/*
 * One thread maps the huge zero page again and again, at the place where the
 * other one is about to ask for a page with FOLL_SPLIT_PMD::
 *
 *	asks			zaps
 *	PMD maps huge zero page
 *	split the mapping	MADV_DONTNEED
 *				read
 *	PMD is empty, or maps the huge zero page again, or points to a table
 *
 * A mapping that has been split remains so. The next one is in the next PMD
 * then, and when all of them are used up, the memory is mapped anew.
 */
#define RACE_PMDS	64
#define RACE_SIZE	(RACE_PMDS * PMD_SIZE)
#define RACE_ROUNDS	20000
#define RACE_MIN_ROUNDS	RACE_PMDS
#define RACE_SECONDS	10

/**
 * struct race - what the two threads know of each other
 * @mm: the address space, to which the one that zaps has a reference
 * @timeout: when it is over, in jiffies
 * @addr: what is to be zapped, or 0
 * @zapped: what was zapped and read last
 * @nr_huge: how often a PMD has mapped a huge page after that
 */
static struct race {
	struct mm_struct *mm;
	unsigned long timeout;
	unsigned long addr;
	unsigned long zapped;
	unsigned int nr_huge;
} race;

static void zap_and_read(unsigned long addr)
{
	do_madvise(race.mm, addr, PMD_SIZE, MADV_DONTNEED);
	mmap_read_lock(race.mm);
	fixup_user_fault(race.mm, addr, 0, NULL);
	mmap_read_unlock(race.mm);
	race.nr_huge += gup_mapped_by_pmd(addr);
	WRITE_ONCE(race.zapped, addr);
}

static int zap_until_stopped(void *unused)
{
	kthread_use_mm(race.mm);
	while (!kthread_should_stop() && time_before(jiffies, race.timeout)) {
		unsigned long addr = READ_ONCE(race.addr);

		if (addr)
			zap_and_read(addr);
		cond_resched();
	}
	kthread_unuse_mm(race.mm);
	mmput(race.mm);

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Have memory without page tables at @base, which is mapped. */
static bool map_anew(unsigned long base)
{
	unsigned long mapped = vm_mmap(NULL, base, RACE_SIZE, PROT_READ,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				       0);

	return mapped == base &&
	       !do_madvise(current->mm, base, RACE_SIZE, MADV_HUGEPAGE);
}

/* Nothing here may end the test as long as the other thread runs. */
static void never_fails_while_the_mapping_changes(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_GET];
	unsigned int rounds, busy = 0, failed = 0;
	struct task_struct *task;
	bool mapped = true;
	unsigned long base;
	long last = 0;

	gup_skip_without_thp(test);
	if (!GUP_SPLIT_PMD_NEVER_FAILS)
		kunit_skip(test, "not applicable: a split may fail if it is disturbed");
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs CONFIG_SMP and two CPUs");
	base = gup_map_anon_aligned(test, RACE_PMDS, PROT_READ);
	race = (struct race) {
		.mm = current->mm,
		.timeout = jiffies + RACE_SECONDS * HZ,
	};
	task = kthread_create(zap_until_stopped, NULL, "gup_kunit_zap");
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(task), "no thread: error %ld",
			       PTR_ERR(task));
	mmget(race.mm);
	/* On one CPU, the two would not meet. */
	kthread_bind(task, cpumask_any_but(cpu_online_mask,
					   raw_smp_processor_id()));
	wake_up_process(task);

	for (rounds = 0; rounds < RACE_ROUNDS; rounds++) {
		unsigned long addr = base + rounds % RACE_PMDS * PMD_SIZE;
		struct page *pages[1] = { GUP_POISON };
		long got;

		if (rounds && addr == base) {
			WRITE_ONCE(race.addr, 0);
			mapped = map_anew(base);
			if (!mapped)
				break;
		}
		WRITE_ONCE(race.addr, addr);
		while (READ_ONCE(race.zapped) != addr &&
		       time_before(jiffies, race.timeout))
			cond_resched();
		if (!time_before(jiffies, race.timeout))
			break;

		got = m->acquire(addr, 1, FOLL_SPLIT_PMD, pages);
		gup_release(m, pages, got);
		if (got == -EBUSY) {
			busy++;
		} else if (got != 1) {
			failed++;
			last = got;
		}
	}
	kthread_stop(task);

	kunit_info(test, "%u rounds, %u huge pages, %u times -EBUSY", rounds,
		   race.nr_huge, busy);
	KUNIT_EXPECT_TRUE_MSG(test, mapped, "no memory was mapped anew");
	KUNIT_EXPECT_GE_MSG(test, rounds, (unsigned int)RACE_MIN_ROUNDS,
			    "rounds within %d seconds", RACE_SECONDS);
	KUNIT_EXPECT_GT_MSG(test, race.nr_huge, 0U,
			    "huge pages that were read in %u rounds", rounds);
	KUNIT_EXPECT_EQ_MSG(test, busy, 0U,
			    "calls out of %u that failed with -EBUSY", rounds);
	KUNIT_EXPECT_EQ_MSG(test, failed, 0U,
			    "calls out of %u that failed otherwise, the last with %ld",
			    rounds, last);
}

static struct kunit_case gup_split_pmd_cases[] = {
	KUNIT_CASE(does_nothing_to_small_pages),
	KUNIT_CASE(splits_the_mapping_of_an_anonymous_page),
	KUNIT_CASE(leaves_the_anonymous_page_whole),
	KUNIT_CASE(does_nothing_if_it_was_split_before),
	KUNIT_CASE(keeps_references_in_balance),
	KUNIT_CASE(splits_the_mapping_of_the_huge_zero_page),
	KUNIT_CASE(splits_the_huge_zero_page_for_writing),
	KUNIT_CASE(splits_the_mapping_of_a_shmem_page),
	KUNIT_CASE(leaves_hugetlb_alone),
	KUNIT_CASE_SLOW(never_fails_while_the_mapping_changes),
	{}
};

static struct kunit_suite gup_split_pmd_suite = {
	.name = "gup_split_pmd",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_split_pmd_cases,
};

kunit_test_suite(gup_split_pmd_suite);

MODULE_DESCRIPTION("KUnit tests of FOLL_SPLIT_PMD");
MODULE_LICENSE("GPL");
