// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what the kernel-doc of get_user_pages*() and pin_user_pages*()
 * promises to callers: which pages they get, what is returned if there are
 * fewer, and what happens to the references.
 *
 * Nothing here depends on how a promise is kept, so all of this holds with and
 * without GUP-fast.
 */
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/module.h>

#include "gup_fixture.h"

#define NR_PAGES	4

static long get_pages(unsigned long addr, unsigned long nr_pages,
		      unsigned int gup_flags, struct page **pages)
{
	return gup_methods[GUP_GET].acquire(addr, nr_pages, gup_flags, pages);
}

static void returns_all_pages_in_order(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES + 1];
	unsigned int m, i;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES + 1);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s()",
				    gup_methods[m].name);
		for (i = 0; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], file->heads[i],
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
					"%s() wrote behind pages[]",
					gup_methods[m].name);
	}
}

static void takes_an_address_inside_of_a_page(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[1];
	unsigned int m;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 1);
		got = gup_methods[m].acquire(addr + PAGE_SIZE + 1, 1, 0,
					      pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages returned by %s()",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], file->heads[1],
					"page that %s() returned",
					gup_methods[m].name);
	}
}

static void returns_0_for_0_pages(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	struct page *pages[1];
	unsigned int m;
	long got;

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 1);
		got = gup_methods[m].acquire(addr, 0, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 0L, "%s() for 0 pages",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() for 0 pages wrote to pages[]",
					gup_methods[m].name);
	}
}

static void stops_at_a_hole_in_the_mapping(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES];
	unsigned int m, i;
	long got;

	/* [page] [page] hole [page] */
	gup_unmap(test, addr + 2 * PAGE_SIZE, 1);

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 2L,
				    "pages that %s() found before the hole",
				    gup_methods[m].name);
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], file->heads[i],
						"pages[%u] of %s()", i,
						gup_methods[m].name);
		for (i = 2; i < NR_PAGES; i++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], GUP_POISON,
						"%s() wrote pages[%u], but did not count it",
						gup_methods[m].name, i);
	}
}

static void stops_at_the_end_of_the_file(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[NR_PAGES];
	unsigned int m;
	long got;

	/* The mapping is as long as before, but its last page is no more. */
	gup_file_forget(file, NR_PAGES - 1);

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES - 1L,
				    "pages that %s() found in the file",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES - 1], GUP_POISON,
					"%s() wrote a page beyond the file",
					gup_methods[m].name);
	}
}

/* All methods refuse to access the first page and write nothing to pages[]. */
static void expect_efault(struct kunit *test, unsigned long addr,
			  unsigned int gup_flags)
{
	struct page *pages[2];
	unsigned int m;
	long got;

	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, 2);
		got = gup_methods[m].acquire(addr, 2, gup_flags, pages);
		gup_release(&gup_methods[m], pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT,
				    "%s() with flags %#x",
				    gup_methods[m].name, gup_flags);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() failed, but wrote to pages[]",
					gup_methods[m].name);
	}
}

static void efault_if_the_first_page_is_not_mapped(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 2, PROT_READ | PROT_WRITE);

	/* hole [page] */
	gup_unmap(test, addr, 1);
	expect_efault(test, addr, 0);
}

static void efault_if_nothing_is_mapped(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 2, PROT_READ | PROT_WRITE);

	gup_unmap(test, addr, 2);
	expect_efault(test, addr, 0);
}

static void efault_on_write_to_a_read_only_mapping(struct kunit *test)
{
	expect_efault(test, gup_map_anon(test, 2, PROT_READ), FOLL_WRITE);
}

static void efault_on_read_of_an_inaccessible_mapping(struct kunit *test)
{
	expect_efault(test, gup_map_anon(test, 2, PROT_NONE), 0);
}

static void efault_on_forced_write_to_a_shared_mapping(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);

	expect_efault(test, gup_map_file(test, file, PROT_READ, MAP_SHARED),
		      FOLL_WRITE | FOLL_FORCE);
}

static void forced_read_of_an_inaccessible_mapping_works(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_NONE, MAP_SHARED);
	struct page *pages[1] = { GUP_POISON };
	long got;

	got = get_pages(addr, 1, FOLL_FORCE, pages);
	gup_release(&gup_methods[GUP_GET], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "get_user_pages() with FOLL_FORCE");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], file->heads[0],
				"page that get_user_pages() returned");
}

static void write_byte(struct page *page, char byte)
{
	char *p = kmap_local_page(page);

	*p = byte;
	kunmap_local(p);
}

static char read_byte(struct page *page)
{
	char *p = kmap_local_page(page), byte = *p;

	kunmap_local(p);
	return byte;
}

/* A write to @addr in a private mapping of @file must get a copy of its page */
static void expect_private_copy(struct kunit *test, struct gup_file *file,
				unsigned long addr, unsigned int gup_flags)
{
	struct page *pages[1] = { GUP_POISON };
	char in_copy, in_file;
	long got;

	write_byte(file->heads[0], 'f');
	got = get_pages(addr, 1, gup_flags, pages);
	KUNIT_ASSERT_EQ_MSG(test, got, 1L, "get_user_pages() with flags %#x",
			    gup_flags);
	in_copy = read_byte(pages[0]);
	write_byte(pages[0], 'w');
	in_file = read_byte(file->heads[0]);
	put_page(pages[0]);

	KUNIT_EXPECT_EQ_MSG(test, in_copy, (char)'f',
			    "first byte of what was to be a copy");
	KUNIT_EXPECT_EQ_MSG(test, in_file, (char)'f',
			    "first byte of the file after a private write");
}

static void forced_write_to_a_private_mapping_gets_a_copy(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_PRIVATE);

	expect_private_copy(test, file, addr, FOLL_WRITE | FOLL_FORCE);
}

static void write_after_a_read_gets_a_copy(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE);
	struct page *page;

	gup_get(test, addr, 1, &page);
	put_page(page);
	KUNIT_ASSERT_PTR_EQ_MSG(test, page, file->heads[0],
				"page that the read returned");

	expect_private_copy(test, file, addr, FOLL_WRITE);
}

static void write_after_a_read_replaces_the_zero_page(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);
	struct page *read, *written[1] = { GUP_POISON };
	long got;

	gup_get(test, addr, 1, &read);
	put_page(read);
	got = get_pages(addr, 1, FOLL_WRITE, written);
	gup_release(&gup_methods[GUP_GET], written, got);

	KUNIT_EXPECT_PTR_EQ_MSG(test, read, ZERO_PAGE(addr),
				"page that the read returned");
	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "get_user_pages() for writing");
	KUNIT_EXPECT_TRUE_MSG(test, written[0] != ZERO_PAGE(addr),
			      "the zero page was returned for writing");
}

static void faults_pages_in_without_references_if_pages_is_null(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 2);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	unsigned int i;
	long got;

	got = get_pages(addr, 2, 0, NULL);

	KUNIT_EXPECT_EQ_MSG(test, got, 2L, "get_user_pages() without pages[]");
	/* One reference of the file, one of the page table */
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u", i);
}

static void takes_nothing_if_the_length_overflows(struct kunit *test)
{
	unsigned long addr = -2UL * PAGE_SIZE;
	struct page *pages[NR_PAGES];
	unsigned int m;
	long got;

	/* There has to be an address space, though not at that address. */
	gup_map_anon(test, 1, PROT_READ);

	/* From the last but one page of all over the end to the second one */
	for (m = 0; m < GUP_NR_METHODS; m++) {
		gup_poison(pages, NR_PAGES);
		got = gup_methods[m].acquire(addr, NR_PAGES, 0, pages);

		/* GUP-fast says 0 or -EOVERFLOW, others look for a mapping. */
		KUNIT_EXPECT_LE_MSG(test, got, 0L, "%s() with an overflow",
				    gup_methods[m].name);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() with an overflow wrote to pages[]",
					gup_methods[m].name);
	}
}

static void eintr_if_the_caller_is_being_killed(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	struct page *pages[1] = { GUP_POISON };
	long got;

	gup_begin_to_be_killed(test);
	got = get_pages(addr, 1, 0, pages);
	gup_end_to_be_killed();
	gup_release(&gup_methods[GUP_GET], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINTR,
			    "get_user_pages() with SIGKILL pending");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), 1,
			    "references to the page, which only the file holds");
}

/*
 * After n calls to @m a small page has n times the weight of one reference more
 * than before, and after n releases it has what it had.
 */
static void expect_exact_references(struct kunit *test,
				    const struct gup_method *m)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_READ, MAP_SHARED);
	int before, held[3], left[3];
	struct page *pages[3];
	unsigned int i;

	gup_fault_in(test, addr, 1, 0);
	before = page_ref_count(file->heads[0]);

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ_MSG(test, m->acquire(addr, 1, 0, &pages[i]), 1L,
				    "pages returned by %s()", m->name);
		held[i] = page_ref_count(file->heads[0]);
	}
	while (i--) {
		m->release(pages[i]);
		left[i] = page_ref_count(file->heads[0]);
	}

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ_MSG(test, held[i],
				    before + (int)(i + 1) * m->weight,
				    "references after call %u of %s()", i + 1,
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, left[i], before + (int)i * m->weight,
				    "references after releases down to %u of %s()",
				    i, m->name);
	}
}

static void get_user_pages_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET]);
}

static void get_user_pages_fast_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_FAST]);
}

static void get_user_pages_remote_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_REMOTE]);
}

static void get_user_pages_unlocked_takes_one_reference(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_GET_UNLOCKED]);
}

static void pin_user_pages_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN]);
}

static void pin_user_pages_fast_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_FAST]);
}

static void pin_user_pages_remote_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_REMOTE]);
}

static void pin_user_pages_unlocked_takes_one_pin(struct kunit *test)
{
	expect_exact_references(test, &gup_methods[GUP_PIN_UNLOCKED]);
}

static struct kunit_case gup_contract_cases[] = {
	KUNIT_CASE(returns_all_pages_in_order),
	KUNIT_CASE(takes_an_address_inside_of_a_page),
	KUNIT_CASE(returns_0_for_0_pages),
	KUNIT_CASE(stops_at_a_hole_in_the_mapping),
	KUNIT_CASE(stops_at_the_end_of_the_file),
	KUNIT_CASE(efault_if_the_first_page_is_not_mapped),
	KUNIT_CASE(efault_if_nothing_is_mapped),
	KUNIT_CASE(efault_on_write_to_a_read_only_mapping),
	KUNIT_CASE(efault_on_read_of_an_inaccessible_mapping),
	KUNIT_CASE(efault_on_forced_write_to_a_shared_mapping),
	KUNIT_CASE(forced_read_of_an_inaccessible_mapping_works),
	KUNIT_CASE(forced_write_to_a_private_mapping_gets_a_copy),
	KUNIT_CASE(write_after_a_read_gets_a_copy),
	KUNIT_CASE(write_after_a_read_replaces_the_zero_page),
	KUNIT_CASE(faults_pages_in_without_references_if_pages_is_null),
	KUNIT_CASE(takes_nothing_if_the_length_overflows),
	KUNIT_CASE(eintr_if_the_caller_is_being_killed),
	KUNIT_CASE(get_user_pages_takes_one_reference),
	KUNIT_CASE(get_user_pages_fast_takes_one_reference),
	KUNIT_CASE(get_user_pages_remote_takes_one_reference),
	KUNIT_CASE(get_user_pages_unlocked_takes_one_reference),
	KUNIT_CASE(pin_user_pages_takes_one_pin),
	KUNIT_CASE(pin_user_pages_fast_takes_one_pin),
	KUNIT_CASE(pin_user_pages_remote_takes_one_pin),
	KUNIT_CASE(pin_user_pages_unlocked_takes_one_pin),
	{}
};

static struct kunit_suite gup_contract_suite = {
	.name = "gup_contract",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_contract_cases,
};

kunit_test_suite(gup_contract_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the get_user_pages() contract");
MODULE_LICENSE("GPL");
