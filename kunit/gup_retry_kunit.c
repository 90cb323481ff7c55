// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what get_user_pages*() and pin_user_pages*() do if a fault
 * drops the mmap lock and has to be retried, as it does to wait for a disk.
 *
 * The file of these tests has one page whose faults do that as often as they are
 * told to, if they may. Those who may are callers of the _remote functions who
 * pass @locked, and all of the _unlocked and the fast ones, which take the lock
 * themselves. Whoever passes @locked has to find out by it whether the lock is
 * still held.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>

#include "gup_fixture.h"

#define NR_PAGES	4

/* Older kernels do not distinguish signals, or do not pass them to the fault. */
#ifndef GUP_HAS_FOLL_INTERRUPTIBLE
#define GUP_HAS_FOLL_INTERRUPTIBLE	true
#endif

/* Older kernels have no fault that is complete, but without the lock. */
#ifndef GUP_HAS_FAULT_COMPLETED
#define GUP_HAS_FAULT_COMPLETED		true
#endif

/**
 * struct retry - how the faults of one page end, and what they saw
 * @page: offset of the page in the file
 * @nr: how many faults are still to drop the lock
 * @outcome: what these return
 * @signal: what is sent while the lock is dropped, or 0
 * @last: how the fault after that ends; 0 if it finds the page
 * @nr_first: number of faults of that page without FAULT_FLAG_TRIED
 * @nr_tried: number of faults with it
 * @nr_nowait: number of faults that were not to wait
 * @nr_allowed: number of faults of any page which may be retried
 * @nr_interruptible: number of faults that may end by any signal
 */
struct retry {
	unsigned long page;
	unsigned int nr;
	vm_fault_t outcome;
	int signal;
	vm_fault_t last;
	unsigned int nr_first;
	unsigned int nr_tried;
	unsigned int nr_nowait;
	unsigned int nr_allowed;
	unsigned int nr_interruptible;
};

static vm_fault_t fault(struct gup_file *file, struct vm_fault *vmf)
{
	struct retry *retry = file->priv;

	if (!retry)
		return 0;
	if (vmf->flags & FAULT_FLAG_ALLOW_RETRY)
		retry->nr_allowed++;
	if (vmf->pgoff != retry->page)
		return 0;

	if (vmf->flags & FAULT_FLAG_TRIED)
		retry->nr_tried++;
	else
		retry->nr_first++;
	if (vmf->flags & FAULT_FLAG_INTERRUPTIBLE)
		retry->nr_interruptible++;
	if (!retry->nr || !(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return retry->last;

	retry->nr--;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT) {
		retry->nr_nowait++;
		return VM_FAULT_RETRY;
	}
	mmap_read_unlock(vmf->vma->vm_mm);
	if (retry->signal)
		send_sig(retry->signal, current, 1);
	return retry->outcome;
}

/* Calls with @locked, for which the caller holds the mmap lock */
static long get_remote(unsigned long addr, unsigned long nr_pages,
		       unsigned int gup_flags, struct page **pages, int *locked)
{
	return get_user_pages_remote(current->mm, addr, nr_pages, gup_flags,
				     pages, locked);
}

static long pin_remote(unsigned long addr, unsigned long nr_pages,
		       unsigned int gup_flags, struct page **pages, int *locked)
{
	return pin_user_pages_remote(current->mm, addr, nr_pages, gup_flags,
				     pages, locked);
}

/**
 * struct caller - a call that retries
 * @m: what it is, and how its pages are released
 * @with_locked: what to call with @locked; or NULL, and then @m is called
 */
struct caller {
	const struct gup_method *m;
	long (*with_locked)(unsigned long addr, unsigned long nr_pages,
			    unsigned int gup_flags, struct page **pages,
			    int *locked);
};

static const struct caller callers[] = {
	{ &gup_methods[GUP_GET_REMOTE], get_remote },
	{ &gup_methods[GUP_PIN_REMOTE], pin_remote },
	{ &gup_methods[GUP_GET_UNLOCKED] },
	{ &gup_methods[GUP_PIN_UNLOCKED] },
	{ &gup_methods[GUP_GET_FAST] },
	{ &gup_methods[GUP_PIN_FAST] },
};

#define for_each_caller(c)						\
	for (c = callers; c < callers + ARRAY_SIZE(callers); c++)

/**
 * struct outcome - what a call returned, and in which state it left the mmap lock
 * @got: number of pages, or an errno
 * @pages: its array
 * @locked: *locked after the call; 0 if it does not take that
 * @held: whether anyone holds the lock after the call
 * @refs: refcounts of the pages of the file before these were released
 */
struct outcome {
	long got;
	struct page *pages[NR_PAGES];
	int locked;
	bool held;
	int refs[NR_PAGES];
};

/*
 * Make one call for all pages of @file, and release them. Who calls the fast and
 * the _unlocked functions does not hold the lock, neither before nor afterwards.
 */
static struct outcome call(const struct caller *c, struct gup_file *file,
			   unsigned long addr, unsigned int gup_flags)
{
	struct outcome o = { .locked = 1 };
	unsigned int i;

	gup_poison(o.pages, NR_PAGES);
	if (c->with_locked) {
		mmap_read_lock(current->mm);
		o.got = c->with_locked(addr, NR_PAGES, gup_flags, o.pages,
				       &o.locked);
		o.held = rwsem_is_locked(&current->mm->mmap_lock);
		if (o.locked)
			mmap_read_unlock(current->mm);
	} else {
		o.locked = 0;
		o.got = c->m->acquire(addr, NR_PAGES, gup_flags, o.pages);
		o.held = rwsem_is_locked(&current->mm->mmap_lock);
	}
	for (i = 0; i < NR_PAGES; i++)
		o.refs[i] = page_ref_count(file->heads[i]);
	gup_release(c->m, o.pages, o.got);
	return o;
}

/*
 * Expect the first @nr pages, each with one reference more than what the file
 * and the page table hold, and the lock in state @locked; or an errno.
 */
static void expect_outcome(struct kunit *test, const struct caller *c,
			   struct gup_file *file, const struct outcome *o,
			   long nr, int locked)
{
	unsigned int i;

	KUNIT_EXPECT_EQ_MSG(test, o->got, nr, "%s()", c->m->name);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, o->pages[i],
					(long)i < nr ? file->heads[i] :
						       GUP_POISON,
					"pages[%u] of %s()", i, c->m->name);
	for (i = 0; (long)i < nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, o->refs[i], 2 + c->m->weight,
				    "references to page %u held by %s()", i,
				    c->m->name);
	KUNIT_EXPECT_EQ_MSG(test, o->locked, c->with_locked ? locked : 0,
			    "*locked after %s()", c->m->name);
	KUNIT_EXPECT_EQ_MSG(test, o->held, (bool)o->locked,
			    "whether the mmap lock is held after %s(), with *locked at %d",
			    c->m->name, o->locked);
}

/* A file whose faults end as @retry says, for one call */
static struct gup_file *map_file(struct kunit *test, struct retry *retry,
				 unsigned long *addr)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);

	file->priv = retry;
	file->on_fault = fault;
	*addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	return file;
}

/* Have each page in turn retried @nr times. All pages are to be returned. */
static void expect_retried(struct kunit *test, unsigned int nr,
			   vm_fault_t outcome)
{
	const struct caller *c;
	unsigned long page;

	for_each_caller(c) {
		for (page = 0; page < NR_PAGES; page++) {
			struct retry retry = {
				.page = page, .nr = nr, .outcome = outcome,
			};
			unsigned long addr;
			struct gup_file *file = map_file(test, &retry, &addr);
			struct outcome o = call(c, file, addr, 0);

			expect_outcome(test, c, file, &o, NR_PAGES, 0);
			KUNIT_EXPECT_EQ_MSG(test, retry.nr_first, 1U,
					    "faults of page %lu by %s() that claim to be the first",
					    page, c->m->name);
			KUNIT_EXPECT_EQ_MSG(test, retry.nr_tried, nr,
					    "faults of page %lu by %s() after %u that were to be retried",
					    page, c->m->name, nr);
			file->priv = NULL;
			gup_unmap(test, addr, NR_PAGES);
		}
	}
}

static void all_pages_after_a_retry(struct kunit *test)
{
	expect_retried(test, 1, VM_FAULT_RETRY);
}

static void all_pages_after_several_retries(struct kunit *test)
{
	expect_retried(test, 3, VM_FAULT_RETRY);
}

/* The fault has found its page, but came back without the lock. */
static void all_pages_after_a_fault_that_is_complete(struct kunit *test)
{
	if (!GUP_HAS_FAULT_COMPLETED)
		kunit_skip(test, "not applicable: there is no VM_FAULT_COMPLETED");
	expect_retried(test, 1, VM_FAULT_COMPLETED | VM_FAULT_NOPAGE);
}

/* Without pages[] the same goes for what is counted. */
static void all_pages_are_faulted_in_without_an_array(struct kunit *test)
{
	struct retry retry = {
		.page = 1, .nr = 2, .outcome = VM_FAULT_RETRY,
	};
	unsigned long addr;
	struct gup_file *file = map_file(test, &retry, &addr);
	unsigned int i;
	int locked = 1;
	long got;

	mmap_read_lock(current->mm);
	got = get_user_pages_remote(current->mm, addr, NR_PAGES, 0, NULL,
				    &locked);
	if (locked)
		mmap_read_unlock(current->mm);
	file->priv = NULL;

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "get_user_pages_remote() without pages[]");
	KUNIT_EXPECT_EQ_MSG(test, locked, 0, "*locked after a retry");
	/* One reference of the file, one of the page table */
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u", i);
}

static void the_lock_is_kept_if_no_fault_drops_it(struct kunit *test)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = { .page = 1, .nr = 0 };
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		struct outcome o = call(c, file, addr, 0);

		file->priv = NULL;
		expect_outcome(test, c, file, &o, NR_PAGES, 1);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_allowed,
				    (unsigned int)NR_PAGES,
				    "faults of %s() that may be retried",
				    c->m->name);
	}
}

/* A caller who could not be told that the lock was dropped keeps it. */
static void no_fault_is_retried_if_the_caller_has_no_locked(struct kunit *test)
{
	static const unsigned int methods[] = {
		GUP_GET, GUP_GET_REMOTE, GUP_PIN, GUP_PIN_REMOTE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		struct caller c = { &gup_methods[methods[i]] };
		struct retry retry = {
			.page = 1, .nr = 1, .outcome = VM_FAULT_RETRY,
		};
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		struct outcome o = call(&c, file, addr, 0);

		file->priv = NULL;
		expect_outcome(test, &c, file, &o, NR_PAGES, 0);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_allowed, 0U,
				    "faults of %s() that may be retried",
				    c.m->name);
	}
}

/* [page] [page] retry, then error [page] */
static void stops_if_the_retry_fails(struct kunit *test)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = {
			.page = 2, .nr = 1, .outcome = VM_FAULT_RETRY,
			.last = VM_FAULT_SIGBUS,
		};
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		struct outcome o = call(c, file, addr, 0);

		file->priv = NULL;
		expect_outcome(test, c, file, &o, 2, 0);
	}
}

static void efault_if_the_retry_of_the_first_page_fails(struct kunit *test)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = {
			.page = 0, .nr = 2, .outcome = VM_FAULT_RETRY,
			.last = VM_FAULT_SIGBUS,
		};
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		struct outcome o = call(c, file, addr, 0);

		file->priv = NULL;
		expect_outcome(test, c, file, &o, -EFAULT, 0);
	}
}

/* [page] retry [page] hole */
static void goes_on_to_a_hole_after_a_retry(struct kunit *test)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = {
			.page = 1, .nr = 1, .outcome = VM_FAULT_RETRY,
		};
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		struct outcome o;

		gup_unmap(test, addr + 3 * PAGE_SIZE, 1);
		o = call(c, file, addr, 0);
		file->priv = NULL;
		expect_outcome(test, c, file, &o, 3, 0);
	}
}

/* Have @signal come while page @page waits, and expect @nr pages or an errno */
static void expect_end_by_signal(struct kunit *test, int signal,
				 unsigned int gup_flags, unsigned long page,
				 long nr)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = {
			.page = page, .nr = 1, .outcome = VM_FAULT_RETRY,
			.signal = signal,
		};
		unsigned long addr;
		struct gup_file *file;
		struct outcome o;

		/* The fast calls refuse most flags. */
		if (gup_flags && gup_is_fast(c->m))
			continue;
		file = map_file(test, &retry, &addr);
		/* A kernel thread ignores signals unless it asks for them. */
		allow_signal(signal);
		o = call(c, file, addr, gup_flags);
		flush_signals(current);
		disallow_signal(signal);
		file->priv = NULL;

		expect_outcome(test, c, file, &o, nr, 0);
		KUNIT_EXPECT_EQ_MSG(test, !!retry.nr_interruptible,
				    !!gup_flags,
				    "whether %s() with flags %#x has faults that end by any signal",
				    c->m->name, gup_flags);
	}
}

static void a_kill_ends_the_retries(struct kunit *test)
{
	/* [page] [page] retry, and a signal [page] */
	expect_end_by_signal(test, SIGKILL, 0, 2, 2);
}

static void eintr_if_a_kill_ends_the_first_retry(struct kunit *test)
{
	expect_end_by_signal(test, SIGKILL, 0, 0, -EINTR);
}

static void other_signals_do_not_end_the_retries(struct kunit *test)
{
	expect_end_by_signal(test, SIGUSR1, 0, 2, NR_PAGES);
}

static void other_signals_end_them_if_asked_for(struct kunit *test)
{
	if (!GUP_HAS_FOLL_INTERRUPTIBLE)
		kunit_skip(test, "not applicable: there is no FOLL_INTERRUPTIBLE");
	expect_end_by_signal(test, SIGUSR1, FOLL_INTERRUPTIBLE, 2, 2);
	expect_end_by_signal(test, SIGUSR1, FOLL_INTERRUPTIBLE, 0, -EINTR);
}

/*
 * Have page @page not be there at once. Who is not to wait gets what is ahead of
 * it, with the lock held as it was; if nothing is, 0 rather than an errno.
 */
static void expect_no_wait(struct kunit *test, unsigned long page)
{
	const struct caller *c;

	for_each_caller(c) {
		struct retry retry = {
			.page = page, .nr = 1, .outcome = VM_FAULT_RETRY,
		};
		unsigned long addr;
		struct gup_file *file;
		struct outcome o;

		/* The fast calls refuse most flags. */
		if (gup_is_fast(c->m))
			continue;
		file = map_file(test, &retry, &addr);
		o = call(c, file, addr, FOLL_NOWAIT);
		file->priv = NULL;

		expect_outcome(test, c, file, &o, page, 1);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_nowait, 1U,
				    "faults of %s() that were not to wait",
				    c->m->name);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_tried, 0U,
				    "faults of %s() that were tried again, though not to wait",
				    c->m->name);
	}
}

static void nowait_returns_what_is_there(struct kunit *test)
{
	expect_no_wait(test, 2);
}

static void nowait_returns_0_if_nothing_is_there(struct kunit *test)
{
	expect_no_wait(test, 0);
}

/* A fault may come back without the lock; who resolves one by this never does. */
static void fixup_user_fault_returns_with_the_lock_held(struct kunit *test)
{
	unsigned int nr;

	for (nr = 0; nr < 3; nr++) {
		struct retry retry = {
			.page = 1, .nr = nr, .outcome = VM_FAULT_RETRY,
		};
		bool unlocked = false, held;
		unsigned long addr;
		struct gup_file *file = map_file(test, &retry, &addr);
		int err;

		mmap_read_lock(current->mm);
		err = fixup_user_fault(current->mm, addr + PAGE_SIZE, 0,
				       &unlocked);
		held = rwsem_is_locked(&current->mm->mmap_lock);
		if (held)
			mmap_read_unlock(current->mm);
		file->priv = NULL;

		KUNIT_EXPECT_EQ_MSG(test, err, 0,
				    "fixup_user_fault() with %u retries", nr);
		KUNIT_EXPECT_TRUE_MSG(test, held,
				      "the mmap lock is not held after fixup_user_fault() with %u retries",
				      nr);
		KUNIT_EXPECT_EQ_MSG(test, unlocked, (bool)nr,
				    "*unlocked after fixup_user_fault() with %u retries",
				    nr);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_first, 1U,
				    "faults that claim to be the first, with %u retries",
				    nr);
		KUNIT_EXPECT_EQ_MSG(test, retry.nr_tried, nr,
				    "faults after those that were to be retried");
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[1]), 2,
				    "references to the page, of the file and the page table");
		gup_unmap(test, addr, NR_PAGES);
	}
}

static struct kunit_case gup_retry_cases[] = {
	KUNIT_CASE(all_pages_after_a_retry),
	KUNIT_CASE(all_pages_after_several_retries),
	KUNIT_CASE(all_pages_after_a_fault_that_is_complete),
	KUNIT_CASE(all_pages_are_faulted_in_without_an_array),
	KUNIT_CASE(the_lock_is_kept_if_no_fault_drops_it),
	KUNIT_CASE(no_fault_is_retried_if_the_caller_has_no_locked),
	KUNIT_CASE(stops_if_the_retry_fails),
	KUNIT_CASE(efault_if_the_retry_of_the_first_page_fails),
	KUNIT_CASE(goes_on_to_a_hole_after_a_retry),
	KUNIT_CASE(a_kill_ends_the_retries),
	KUNIT_CASE(eintr_if_a_kill_ends_the_first_retry),
	KUNIT_CASE(other_signals_do_not_end_the_retries),
	KUNIT_CASE(other_signals_end_them_if_asked_for),
	KUNIT_CASE(nowait_returns_what_is_there),
	KUNIT_CASE(nowait_returns_0_if_nothing_is_there),
	KUNIT_CASE(fixup_user_fault_returns_with_the_lock_held),
	{}
};

static struct kunit_suite gup_retry_suite = {
	.name = "gup_retry",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_retry_cases,
};

kunit_test_suite(gup_retry_suite);

MODULE_DESCRIPTION("KUnit tests of faults that get_user_pages() retries");
MODULE_LICENSE("GPL");
