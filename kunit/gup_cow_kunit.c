// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests that get_user_pages*() and pin_user_pages*() never give a page for
 * writing that others see, and that a page which is pinned stays the one that
 * is mapped. Both are at stake wherever private memory is shared for a while:
 * with the page cache, with the zero page, or with a child after a fork.
 */
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/swap.h>

#include "gup_fixture.h"
#include "gup_fork.h"

/* Whether a pin for reading gets a page of its own, if that was shared by fork */
#ifndef GUP_PIN_UNSHARES
#define GUP_PIN_UNSHARES	true
#endif

/* Takes the slow path, as GUP-fast makes nothing of FOLL_FORCE. */
#define FORCED_WRITE		(FOLL_WRITE | FOLL_FORCE)

/*
 * Have @m get the page at @addr for writing, and write to it. The caller says
 * what else was mapped there, or is, and has to stay as it was.
 */
static struct page *write_to(struct kunit *test, const struct gup_method *m,
			     unsigned long addr, unsigned int gup_flags,
			     unsigned long number)
{
	struct page *pages[1] = { GUP_POISON };
	long got = m->acquire(addr, 1, gup_flags, pages);

	if (got == 1)
		gup_write_number(pages[0], number);
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s() with flags %#x",
			    m->name, gup_flags);
	return pages[0];
}

/* An anonymous page of the test's own, with a number */
static struct page *own_page(struct kunit *test, unsigned long addr,
			     unsigned int gup_flags, unsigned long number)
{
	struct page *page = write_to(test, &gup_methods[GUP_GET], addr,
				     gup_flags, number);

	KUNIT_ASSERT_PTR_NE_MSG(test, page, GUP_POISON, "no anonymous page");
	return page;
}

/* The page that is mapped, whoever has it. The reference is not kept. */
static struct page *mapped_at(struct kunit *test, unsigned long addr)
{
	struct page *pages[1] = { GUP_POISON };
	long got = gup_methods[GUP_GET].acquire(addr, 1, FOLL_FORCE, pages);

	gup_release(&gup_methods[GUP_GET], pages, got);
	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "get_user_pages() for reading");
	return pages[0];
}

/*
 * A write to @addr in a private mapping of @file has to get a copy of its page,
 * which stays mapped from then on.
 */
static void expect_private_copy(struct kunit *test, const struct gup_method *m,
				struct gup_file *file, unsigned long addr,
				unsigned int gup_flags)
{
	struct page *copy;

	gup_write_number(file->heads[0], 1);
	copy = write_to(test, m, addr, gup_flags, 2);

	KUNIT_EXPECT_PTR_NE_MSG(test, copy, file->heads[0],
				"%s() with flags %#x returned the page of the file",
				m->name, gup_flags);
	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(file->heads[0]), 1UL,
			    "number in the file, of which a private copy was written to by way of %s()",
			    m->name);
	KUNIT_EXPECT_PTR_EQ_MSG(test, mapped_at(test, addr), copy,
				"page that is mapped after %s()", m->name);
}

static void forced_write_to_a_private_mapping_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file, PROT_READ,
						  MAP_PRIVATE);

		expect_private_copy(test, m, file, addr, FORCED_WRITE);
	}
}

/* The page of the file is in the page table, and is not to be written to. */
static void forced_write_after_a_read_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file, PROT_READ,
						  MAP_PRIVATE);

		gup_fault_in(test, addr, 1, 0);
		expect_private_copy(test, m, file, addr, FORCED_WRITE);
	}
}

/* That there has been a copy is no excuse: it is gone, and the file is back. */
static void forced_write_after_the_copy_is_gone_gets_a_new_one(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file, PROT_READ,
						  MAP_PRIVATE);
		int err;

		expect_private_copy(test, m, file, addr, FORCED_WRITE);
		err = do_madvise(current->mm, addr, PAGE_SIZE, MADV_DONTNEED);
		KUNIT_ASSERT_EQ_MSG(test, err, 0, "MADV_DONTNEED");
		KUNIT_ASSERT_PTR_EQ_MSG(test, mapped_at(test, addr),
					file->heads[0],
					"page that is mapped instead of the copy");

		expect_private_copy(test, m, file, addr, FORCED_WRITE);
	}
}

static void forced_write_again_gets_the_same_copy(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_PRIVATE);
	const struct gup_method *m;
	struct page *copy;

	copy = own_page(test, addr, FORCED_WRITE, 1);
	gup_for_each(m) {
		/* A cache that has a reference may be taken for another owner. */
		lru_add_drain_all();
		KUNIT_EXPECT_PTR_EQ_MSG(test,
					write_to(test, m, addr, FORCED_WRITE, 2),
					copy, "page that %s() returned",
					m->name);
	}
}

static void write_after_a_read_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file,
						  PROT_READ | PROT_WRITE,
						  MAP_PRIVATE);

		KUNIT_ASSERT_PTR_EQ_MSG(test, mapped_at(test, addr),
					file->heads[0],
					"page that the read returned");
		expect_private_copy(test, m, file, addr, FOLL_WRITE);
	}
}

static void write_after_a_read_replaces_the_zero_page(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m) {
		unsigned long addr = gup_map_anon(test, 1,
						  PROT_READ | PROT_WRITE);
		struct page *read = mapped_at(test, addr);
		struct page *pages[1] = { GUP_POISON };
		long got = m->acquire(addr, 1, FOLL_WRITE, pages);

		gup_release(m, pages, got);

		KUNIT_EXPECT_PTR_EQ_MSG(test, read, ZERO_PAGE(addr),
					"page that the read returned");
		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "%s() for writing", m->name);
		KUNIT_EXPECT_PTR_NE_MSG(test, pages[0], ZERO_PAGE(addr),
					"%s() returned the zero page for writing",
					m->name);
	}
}

/*
 * After a fork, both sides have the page of @addr, with number 1. The test gets
 * it for writing, and writes number 2. The child must not see that.
 */
static void expect_child_left_alone(struct kunit *test,
				    const struct gup_method *m,
				    unsigned long addr, unsigned int gup_flags)
{
	struct page *shared, *written, *now;
	struct gup_child child;
	unsigned long number;

	shared = own_page(test, addr, gup_flags, 1);
	gup_fork(test, &child);
	written = write_to(test, m, addr, gup_flags, 2);
	now = mapped_at(test, addr);
	/* The child keeps that page from going away. */
	number = child.pid > 0 ? gup_read_number(shared) : 1;
	gup_fork_end(&child);

	KUNIT_EXPECT_PTR_NE_MSG(test, written, shared,
				"%s() with flags %#x returned the page of the child",
				m->name, gup_flags);
	KUNIT_EXPECT_EQ_MSG(test, number, 1UL,
			    "number that the child sees after %s() with flags %#x",
			    m->name, gup_flags);
	KUNIT_EXPECT_PTR_EQ_MSG(test, now, written,
				"page that is mapped after %s()", m->name);
}

static void write_after_fork_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m)
		expect_child_left_alone(test, m,
					gup_map_anon(test, 1,
						     PROT_READ | PROT_WRITE),
					FOLL_WRITE);
}

/* The page is anonymous, but is read-only and shared. */
static void forced_write_after_fork_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each(m)
		expect_child_left_alone(test, m,
					gup_map_anon(test, 1, PROT_READ),
					FORCED_WRITE);
}

/*
 * Pin for reading what a child shares, and write to the memory. What was pinned
 * has to be what is mapped afterwards, or the pin shows old contents for good.
 */
static void a_pin_after_fork_gets_a_page_of_its_own(struct kunit *test)
{
	const struct gup_method *m;

	if (!GUP_PIN_UNSHARES)
		kunit_skip(test, "not applicable: there is no FAULT_FLAG_UNSHARE");

	gup_for_each_pin(m) {
		unsigned long addr = gup_map_anon(test, 1,
						  PROT_READ | PROT_WRITE);
		struct page *pages[1] = { GUP_POISON }, *shared, *written;
		struct gup_child child;
		unsigned long number = 0;
		long got;

		shared = own_page(test, addr, FOLL_WRITE, 1);
		gup_fork(test, &child);
		got = m->acquire(addr, 1, 0, pages);
		if (got == 1)
			number = gup_read_number(pages[0]);
		written = write_to(test, &gup_methods[GUP_GET], addr,
				   FOLL_WRITE, 2);
		gup_release(m, pages, got);
		gup_fork_end(&child);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    m->name);
		KUNIT_EXPECT_PTR_NE_MSG(test, pages[0], shared,
					"%s() pinned the page of the child",
					m->name);
		KUNIT_EXPECT_EQ_MSG(test, number, 1UL,
				    "number in the page that %s() pinned",
				    m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, written, pages[0],
					"page that is written to while one is pinned by %s()",
					m->name);
	}
}

/* References are not pins: for reading, the page that is mapped will do. */
static void a_get_after_fork_shares_the_page(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_get(m) {
		unsigned long addr = gup_map_anon(test, 1,
						  PROT_READ | PROT_WRITE);
		struct page *pages[1] = { GUP_POISON }, *shared;
		struct gup_child child;
		long got;

		shared = own_page(test, addr, FOLL_WRITE, 1);
		gup_fork(test, &child);
		got = m->acquire(addr, 1, 0, pages);
		gup_release(m, pages, got);
		gup_fork_end(&child);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], shared,
					"page that %s() returned", m->name);
	}
}

/* What is pinned stays with the one who pinned it, and the child gets a copy. */
static void fork_leaves_a_pinned_page_to_the_parent(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m) {
		unsigned long addr = gup_map_anon(test, 1,
						  PROT_READ | PROT_WRITE);
		struct page *pages[1] = { GUP_POISON }, *written;
		struct gup_child child;
		long got;

		got = m->acquire(addr, 1, FOLL_WRITE, pages);
		gup_fork(test, &child);
		written = write_to(test, &gup_methods[GUP_GET], addr,
				   FOLL_WRITE, 1);
		gup_release(m, pages, got);
		gup_fork_end(&child);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    m->name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, written, pages[0],
					"page that is written to after a fork, while one is pinned by %s()",
					m->name);
	}
}

static bool has_longterm(const struct gup_method *m)
{
	return GUP_HAS_UNLOCKED_LONGTERM || m != &gup_methods[GUP_PIN_UNLOCKED];
}

/*
 * A file is mapped privately and pinned for reading. When the memory is written
 * to later on, a short-term pin is over, but a long-term one has to see it.
 */
static void expect_page_for_reading(struct kunit *test,
				    const struct gup_method *m,
				    unsigned int gup_flags, bool copy)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE);
	struct page *pages[1] = { GUP_POISON }, *written;
	long got;

	gup_fault_in(test, addr, 1, 0);
	got = m->acquire(addr, 1, gup_flags, pages);
	written = write_to(test, &gup_methods[GUP_GET], addr, FOLL_WRITE, 1);
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L,
			    "pages returned by %s() with flags %#x", m->name,
			    gup_flags);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0],
				copy ? written : file->heads[0],
				"page that %s() with flags %#x pinned; %s",
				m->name, gup_flags,
				copy ? "it is to be what is written to" :
				       "it is to be the page of the file");
}

static void a_long_term_pin_of_a_private_file_gets_a_copy(struct kunit *test)
{
	const struct gup_method *m;

	if (!GUP_LONGTERM_BREAKS_COW)
		kunit_skip(test, "not applicable: there is no COW for a long-term pin for reading");

	gup_for_each_pin(m)
		if (has_longterm(m))
			expect_page_for_reading(test, m, FOLL_LONGTERM, true);
}

static void a_short_pin_of_a_private_file_gets_its_page(struct kunit *test)
{
	const struct gup_method *m;

	gup_for_each_pin(m)
		expect_page_for_reading(test, m, 0, false);
}

static struct kunit_case gup_cow_cases[] = {
	KUNIT_CASE(forced_write_to_a_private_mapping_gets_a_copy),
	KUNIT_CASE(forced_write_after_a_read_gets_a_copy),
	KUNIT_CASE(forced_write_after_the_copy_is_gone_gets_a_new_one),
	KUNIT_CASE(forced_write_again_gets_the_same_copy),
	KUNIT_CASE(write_after_a_read_gets_a_copy),
	KUNIT_CASE(write_after_a_read_replaces_the_zero_page),
	KUNIT_CASE(write_after_fork_gets_a_copy),
	KUNIT_CASE(forced_write_after_fork_gets_a_copy),
	KUNIT_CASE(a_pin_after_fork_gets_a_page_of_its_own),
	KUNIT_CASE(a_get_after_fork_shares_the_page),
	KUNIT_CASE(fork_leaves_a_pinned_page_to_the_parent),
	KUNIT_CASE(a_long_term_pin_of_a_private_file_gets_a_copy),
	KUNIT_CASE(a_short_pin_of_a_private_file_gets_its_page),
	{}
};

static struct kunit_suite gup_cow_suite = {
	.name = "gup_cow",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_cow_cases,
};

kunit_test_suite(gup_cow_suite);

MODULE_DESCRIPTION("KUnit tests of get_user_pages() in memory that is shared");
MODULE_LICENSE("GPL");
