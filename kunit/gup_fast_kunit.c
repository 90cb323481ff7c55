// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of GUP-fast, the walk without the mmap lock, which serves
 * get_user_pages_fast() and pin_user_pages_fast() where it can.
 *
 * Results alone do not tell who served a call, as the slow path gives the same.
 * So tests take away what the slow path needs: most have SIGKILL pending, at
 * which the slow path gives up. The other way round, what
 * get_user_pages_fast_only() does not return was left to the slow path.
 */
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/stringify.h>

#include "gup_device.h"
#include "gup_fixture.h"
#include "gup_fork.h"
#include "gup_hugetlb.h"

#define NR_PAGES	4

/* Room for what a call writes that does not know where to stop */
#define NR_ROOM		1024

/* Older kernels take any page for long that is where it may stay. */
#ifndef GUP_FAST_TAKES_FILES_FOR_LONG
#define GUP_FAST_TAKES_FILES_FOR_LONG	false
#endif

/* Older kernels do not look for a missing array. */
#ifndef GUP_FAST_REFUSES_NULL
#define GUP_FAST_REFUSES_NULL	true
#endif

/* Expands to the name only if the option is off, as it has to be for a skip. */
#define skip_without_gup_fast(test)					\
do {									\
	if (!IS_ENABLED(CONFIG_HAVE_GUP_FAST))				\
		kunit_skip(test, "needs " __stringify(CONFIG_HAVE_GUP_FAST)); \
} while (0)

/* Where no entry of a page table can be special, GUP-fast looks at none. */
#define skip_without_small_pages(test)					\
do {									\
	skip_without_gup_fast(test);					\
	if (!IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL))			\
		kunit_skip(test, "needs CONFIG_ARCH_HAS_PTE_SPECIAL");	\
} while (0)

static long get_fast_only(unsigned long addr, unsigned long nr_pages,
			  unsigned int gup_flags, struct page **pages)
{
	return get_user_pages_fast_only(addr, nr_pages, gup_flags, pages);
}

/* put_page() is inline, and may be a macro. */
static void put_one_page(struct page *page)
{
	put_page(page);
}

static const struct gup_method fast_only = {
	"get_user_pages_fast_only", get_fast_only, put_one_page, 1, false
};

/* Those that try GUP-fast first and then the slow path */
static const struct gup_method * const fast_methods[] = {
	&gup_methods[GUP_GET_FAST],
	&gup_methods[GUP_PIN_FAST],
};

/*
 * Map a file at the end of an area that ends with a page table, or across it,
 * with nothing around that could be returned by mistake:
 *
 *	     page table     next page table
 *	[ ...  -  p0  p1 ][ p2  p3  -  ... ]
 *	          |
 *	          address, nr_ahead pages before the end
 *
 * Nothing is faulted in yet.
 */
static unsigned long map_at_end_of_table(struct kunit *test,
					 struct gup_file *file,
					 unsigned long nr_ahead)
{
	unsigned long area = gup_map_anon_aligned(test, 2, PROT_NONE);
	unsigned long addr = area + PMD_SIZE - nr_ahead * PAGE_SIZE;

	gup_map_file_at(test, file->filp, addr,
			(unsigned long)file->nr_heads << file->order,
			PROT_READ | PROT_WRITE);
	return addr;
}

/* Map a file of small pages, in the middle of a page table, and fault it in */
static unsigned long map_present(struct kunit *test, struct gup_file *file)
{
	unsigned long addr = map_at_end_of_table(test, file,
						 2 * file->nr_heads);

	gup_fault_in(test, addr, file->nr_heads, 0);
	return addr;
}

static struct page **alloc_pages_array(struct kunit *test, unsigned long nr)
{
	struct page **pages = kunit_kzalloc(test, nr * sizeof(*pages),
					    GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	gup_poison(pages, nr);
	return pages;
}

/* Ask for present pages in a way that the slow path fails */
static long acquire_while_being_killed(struct kunit *test,
				       const struct gup_method *m,
				       unsigned long addr,
				       unsigned long nr_pages,
				       unsigned int gup_flags,
				       struct page **pages)
{
	long got;

	gup_poison(pages, nr_pages);
	gup_begin_to_be_killed(test);
	got = m->acquire(addr, nr_pages, gup_flags, pages);
	gup_end_to_be_killed();
	return got;
}

static void expect_pages(struct kunit *test, const char *name,
			 struct page **pages, struct page **expected,
			 unsigned long nr)
{
	unsigned long i = 0;

	while (i < nr && pages[i] == expected[i])
		i++;
	KUNIT_EXPECT_EQ_MSG(test, i, nr,
			    "first entry of pages[] where %s() has another page than is mapped",
			    name);
}

/* The fast calls return the pages that the slow path returns, but without it */
static void expect_fast(struct kunit *test, unsigned long addr,
			unsigned long nr, unsigned int gup_flags)
{
	struct page **expected = alloc_pages_array(test, nr);
	struct page **pages = alloc_pages_array(test, nr + 1);
	unsigned long i;

	gup_get(test, addr, nr, expected);
	for (i = 0; i < nr; i++)
		put_page(expected[i]);

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];
		long got;

		got = acquire_while_being_killed(test, m, addr, nr, gup_flags,
						 pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)nr,
				    "pages that %s() took without the slow path",
				    m->name);
		expect_pages(test, m->name, pages, expected, nr);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[nr], GUP_POISON,
					"%s() wrote behind pages[]", m->name);
	}
}

/* GUP-fast leaves it to the slow path, without a trace */
static void expect_left_to_slow_path(struct kunit *test, unsigned long addr,
				     unsigned int gup_flags, const char *what)
{
	struct page *pages[1] = { GUP_POISON };
	long got = fast_only.acquire(addr, 1, gup_flags, pages);

	gup_release(&fast_only, pages, got);
	KUNIT_EXPECT_EQ_MSG(test, got, 0L,
			    "pages of get_user_pages_fast_only() for %s", what);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"get_user_pages_fast_only() took no page, but wrote to pages[]");
}

/* The slow path sleeps, which it must not do with interrupts off. */
static void gets_present_pages_with_interrupts_off(struct kunit *test)
{
	struct page *pages[NR_PAGES + 1];
	struct gup_file *file;
	unsigned long addr, flags;
	int got;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_present(test, file);
	gup_poison(pages, NR_PAGES + 1);

	local_irq_save(flags);
	got = get_user_pages_fast_only(addr, NR_PAGES, 0, pages);
	local_irq_restore(flags);
	gup_release(&fast_only, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES,
			    "pages of get_user_pages_fast_only() with interrupts off");
	expect_pages(test, fast_only.name, pages, file->heads, NR_PAGES);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
				"get_user_pages_fast_only() wrote behind pages[]");
}

/* Nor may it begin to: DEBUG_ATOMIC_SLEEP reports who asks for the lock. */
static void stops_at_an_absent_page_with_interrupts_off(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = map_present(test, file), flags;
	struct page *pages[NR_PAGES];
	int got;

	gup_unmap(test, addr + PAGE_SIZE, 1);
	gup_poison(pages, NR_PAGES);

	local_irq_save(flags);
	got = get_user_pages_fast_only(addr, NR_PAGES, 0, pages);
	local_irq_restore(flags);
	gup_release(&fast_only, pages, got);

	/* None if the architecture does not have GUP-fast */
	KUNIT_EXPECT_LE_MSG(test, got, 1,
			    "pages of get_user_pages_fast_only() ahead of a hole");
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[1], GUP_POISON,
				"get_user_pages_fast_only() wrote what it did not find");
}

/* The slow path waits for the lock, which nobody is going to release. */
static void gets_present_pages_while_the_mmap_lock_is_taken(struct kunit *test)
{
	struct page *pages[NR_PAGES];
	struct gup_file *file;
	unsigned long addr;
	int got;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_present(test, file);
	gup_poison(pages, NR_PAGES);

	mmap_write_lock(current->mm);
	got = get_user_pages_fast_only(addr, NR_PAGES, 0, pages);
	mmap_write_unlock(current->mm);
	gup_release(&fast_only, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, NR_PAGES,
			    "pages of get_user_pages_fast_only() while the mmap lock is taken");
	expect_pages(test, fast_only.name, pages, file->heads, NR_PAGES);
}

static void fast_only_returns_0_for_absent_pages(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);

	expect_left_to_slow_path(test, addr, FOLL_WRITE, "an absent page");
}

/* There is nothing that it could find pages by, though all of them are there. */
static void fast_only_returns_0_where_there_is_no_gup_fast(struct kunit *test)
{
	struct page *pages[NR_PAGES];
	struct gup_file *file;
	unsigned long addr;
	unsigned int i;
	int got;

	/* The name of it on either kernel, as a skip has to have it. */
	if (IS_ENABLED(CONFIG_HAVE_GUP_FAST))
		kunit_skip(test, "needs CONFIG_HAVE_GUP_FAST or CONFIG_HAVE_FAST_GUP to be off");
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_present(test, file);
	gup_poison(pages, NR_PAGES);

	got = get_user_pages_fast_only(addr, NR_PAGES, 0, pages);
	gup_release(&fast_only, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 0,
			    "pages of get_user_pages_fast_only() without GUP-fast");
	for (i = 0; i < NR_PAGES; i++) {
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[i], GUP_POISON,
					"get_user_pages_fast_only() took no page, but wrote pages[%u]",
					i);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u, of the file and the page table",
				    i);
	}
}

/* The slow path looks for signals. This also shows what others rely on. */
static void only_the_fast_calls_work_while_being_killed(struct kunit *test)
{
	const struct gup_method *m;
	struct page *pages[NR_PAGES];
	struct gup_file *file;
	unsigned long addr;
	long got;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_present(test, file);

	gup_for_each(m) {
		got = acquire_while_being_killed(test, m, addr, NR_PAGES, 0,
						 pages);
		gup_release(m, pages, got);
		if (gup_is_fast(m))
			KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
					    "%s() took the slow path, to judge by what it returned with SIGKILL pending",
					    m->name);
		else
			KUNIT_EXPECT_LT_MSG(test, got, 0L,
					    "%s() with SIGKILL pending",
					    m->name);
	}
}

static void takes_written_pages_for_writing(struct kunit *test)
{
	unsigned long addr;

	skip_without_small_pages(test);
	addr = gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);

	expect_fast(test, addr, NR_PAGES, FOLL_WRITE);
}

/*
 *	  page table     next page table
 *	[ ...  p0  p1 ][ p2  p3  ... ]
 */
static void takes_pages_of_two_page_tables(struct kunit *test)
{
	struct gup_file *file;
	unsigned long addr;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_at_end_of_table(test, file, NR_PAGES / 2);
	gup_fault_in(test, addr, NR_PAGES, 0);

	expect_fast(test, addr, NR_PAGES, 0);
}

/*
 * Two compound pages, by entries of a page table. All but the first page are
 * asked for:
 *
 *	[H][t][t][t]  [H][t][t][t]
 *	    |                   |
 *	    first            last
 */
static void takes_tails_mapped_by_a_page_table(struct kunit *test)
{
	struct gup_file *file;
	unsigned long addr;

	skip_without_small_pages(test);
	file = gup_create_file(test, 2, 2);
	addr = map_at_end_of_table(test, file, 16);
	gup_fault_in(test, addr, 8, 0);

	expect_fast(test, addr + PAGE_SIZE, 7, 0);
}

/* Map a huge page, and return its address */
static unsigned long map_huge(struct kunit *test)
{
	unsigned long addr = gup_map_anon_aligned(test, 1,
						  PROT_READ | PROT_WRITE);

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(addr),
			      "no huge page was faulted in");
	return addr;
}

static void takes_each_page_of_a_huge_page(struct kunit *test)
{
	skip_without_gup_fast(test);
	gup_skip_without_thp(test);

	expect_fast(test, map_huge(test), PMD_SIZE >> PAGE_SHIFT, FOLL_WRITE);
}

/* From the second page to the last but one */
static void takes_the_middle_of_a_huge_page(struct kunit *test)
{
	skip_without_gup_fast(test);
	gup_skip_without_thp(test);

	expect_fast(test, map_huge(test) + PAGE_SIZE,
		    (PMD_SIZE >> PAGE_SHIFT) - 2, FOLL_WRITE);
}

/*
 *	  page table       huge page
 *	[ ...  p0  p1 ][ H  t  t  t  ... ]
 *	       |            |
 *	       first        last
 */
static void takes_small_pages_ahead_of_a_huge_one(struct kunit *test)
{
	unsigned long huge, addr;
	struct gup_file *file;

	skip_without_small_pages(test);
	gup_skip_without_thp(test);
	file = gup_create_file(test, 0, 2);
	huge = gup_map_anon_aligned(test, 2, PROT_READ | PROT_WRITE) + PMD_SIZE;
	addr = huge - 2 * PAGE_SIZE;
	gup_map_file_at(test, file->filp, addr, 2, PROT_READ);
	gup_fault_in(test, addr, 2, 0);
	gup_fault_in(test, huge, 1, FAULT_FLAG_WRITE);
	KUNIT_ASSERT_TRUE_MSG(test, gup_mapped_by_pmd(huge),
			      "no huge page was faulted in");

	expect_fast(test, addr, NR_PAGES, 0);
}

static void takes_pages_of_hugetlb(struct kunit *test)
{
	skip_without_gup_fast(test);
#ifdef CONFIG_HUGETLBFS
	expect_fast(test, gup_map_hugetlb(test) + PAGE_SIZE, NR_PAGES,
		    FOLL_WRITE);
#else
	kunit_skip(test, "needs CONFIG_HUGETLBFS");
#endif
}

#ifdef CONFIG_ZONE_DEVICE
static vm_fault_t insert_device(struct gup_file *file, struct vm_fault *vmf)
{
	return gup_device_insert_pmd(file->priv, vmf);
}

/*
 * Plug memory of a device, and map it by an entry of a PMD. It is unplugged by
 * expect_unplugged().
 */
static struct gup_device *map_device(struct kunit *test, unsigned long *addr)
{
	struct gup_file *file = gup_create_file(test, 0, 0);
	struct gup_device *device;

	*addr = gup_map_anon_aligned(test, 1, PROT_NONE);
	file->vm_flags = VM_MIXEDMAP;
	file->on_fault = insert_device;
	gup_map_file_at(test, file->filp, *addr, PMD_SIZE >> PAGE_SHIFT,
			PROT_READ | PROT_WRITE);

	device = gup_plug_device(test, true);
	file->priv = device;
	gup_fault_in(test, *addr, 1, FAULT_FLAG_WRITE);
	return device;
}

static void expect_unplugged(struct kunit *test, struct gup_device *device,
			     unsigned long addr, const char *what)
{
	gup_unmap(test, addr, PMD_SIZE >> PAGE_SHIFT);
	gup_unplug_device(test, device, what);
}
#endif

static void takes_pages_of_a_device(struct kunit *test)
{
#ifdef CONFIG_ZONE_DEVICE
	struct gup_device *device;
	unsigned long addr;

	skip_without_gup_fast(test);
	gup_skip_without_thp(test);
	device = map_device(test, &addr);

	KUNIT_EXPECT_PTR_EQ_MSG(test, gup_page_at(test, addr + PAGE_SIZE),
				gup_device_page(device, 1),
				"the page that is mapped, and the one of the device");
	expect_fast(test, addr + PAGE_SIZE, NR_PAGES, FOLL_WRITE);
	expect_unplugged(test, device, addr, "GUP-fast took pages of it");
#else
	kunit_skip(test, "needs CONFIG_ZONE_DEVICE");
#endif
}

/*
 * One more reference might be the one after which the count is 0. On kernels
 * where all pages of a device are small, the one ahead has been taken by then::
 *
 *	[a] [overflowed]		[overflowed]
 *	 |   |				 |
 *	 first				 first, and all that follow
 */
static void keeps_no_reference_to_a_device_that_it_cannot_take(struct kunit *test)
{
#ifdef CONFIG_ZONE_DEVICE
	const int far = INT_MIN + 4 * (int)GUP_PIN_COUNTING_BIAS;
	struct page *first, *overflowed, *pages[2];
	struct gup_device *device;
	unsigned long addr;
	unsigned int i;

	skip_without_gup_fast(test);
	gup_skip_without_thp(test);
	device = map_device(test, &addr);
	first = gup_device_page(device, 0);
	overflowed = compound_head(gup_device_page(device, 1));

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];
		int refs = page_ref_count(overflowed);
		int ahead = page_ref_count(first), left;
		long got = 0;

		gup_forget_warnings();
		set_page_count(overflowed, far);
		kunit_warning_suppress(test) {
			got = acquire_while_being_killed(test, m, addr, 2,
							 FOLL_WRITE, pages);
			gup_expect_warnings(test, 1);
		}
		left = page_ref_count(overflowed);
		set_page_count(overflowed, refs);
		gup_release(m, pages, got);

		KUNIT_EXPECT_LT_MSG(test, got, 0L,
				    "%s() of a page of a device with a refcount that has overflowed",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, left, far,
				    "refcount that has overflowed, after %s()",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(first), ahead,
				    "refcount of the first page, after %s() that could not take the second",
				    m->name);
	}
	expect_unplugged(test, device, addr,
			 "GUP-fast failed to take a page of it");
#else
	kunit_skip(test, "needs CONFIG_ZONE_DEVICE");
#endif
}

/*
 * Drivers map pages that belong to no file. Where there is secret memory, the
 * mapping of a page is looked at, and these have none.
 */
static void takes_pages_without_mapping(struct kunit *test)
{
	struct gup_file *file;
	unsigned long addr;
	unsigned int i;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		page_folio(file->heads[i])->mapping = NULL;
	addr = map_present(test, file);

	expect_fast(test, addr, NR_PAGES, 0);
}

/* The pages of the file are not movable, so they may stay where they are. */
static void pins_for_long_what_may_stay(struct kunit *test)
{
	struct page *pages[NR_PAGES];
	struct gup_file *file;
	unsigned long addr;
	long got;

	skip_without_small_pages(test);
	file = gup_create_file(test, 0, NR_PAGES);
	addr = map_present(test, file);

	got = acquire_while_being_killed(test, &gup_methods[GUP_PIN_FAST], addr,
					 NR_PAGES, FOLL_LONGTERM, pages);
	gup_release(&gup_methods[GUP_PIN_FAST], pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages that pin_user_pages_fast() took for long without the slow path");
	expect_pages(test, "pin_user_pages_fast", pages, file->heads, NR_PAGES);
}

/*
 * Whether a file can be written to behind its back is for the slow path to see.
 * That holds for a page without mapping, too: it may have been truncated.
 */
static void leaves_files_to_the_slow_path_for_long_writes(struct kunit *test)
{
	struct gup_file *file;
	unsigned long addr;
	unsigned int i;

	if (GUP_FAST_TAKES_FILES_FOR_LONG)
		kunit_skip(test, "not applicable: GUP-fast does not look at files");
	skip_without_small_pages(test);
	file = gup_create_file(test, 0, 2);
	page_folio(file->heads[1])->mapping = NULL;
	addr = map_at_end_of_table(test, file, 2 * NR_PAGES);
	gup_fault_in(test, addr, 2, FAULT_FLAG_WRITE);

	for (i = 0; i < 2; i++) {
		const struct gup_method *m = &gup_methods[GUP_PIN_FAST];
		int refs = page_ref_count(file->heads[i]);
		struct page *pages[1];
		long got;

		got = acquire_while_being_killed(test, m, addr + i * PAGE_SIZE,
						 1, FOLL_LONGTERM | FOLL_WRITE,
						 pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_LT_MSG(test, got, 0L,
				    "%s() of a page %s mapping, to be written to for long, with SIGKILL pending",
				    m->name, i ? "without" : "with");
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), refs,
				    "refcount of a page that GUP-fast left alone");
	}
}

/*
 * One call that both paths serve, each a half. Which page is where is not to
 * depend on that.
 *
 *	 p0   p1   p2   p3
 *	|present| |absent|
 */
static void the_slow_path_serves_what_is_absent(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];
		struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
		unsigned long addr = map_at_end_of_table(test, file, NR_PAGES);
		struct page *pages[NR_PAGES + 1];
		long got;

		gup_fault_in(test, addr, 2, 0);
		gup_poison(pages, NR_PAGES + 1);
		got = m->acquire(addr, NR_PAGES, 0, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
				    "pages returned by %s(), of which two were absent",
				    m->name);
		expect_pages(test, m->name, pages, file->heads, NR_PAGES);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[NR_PAGES], GUP_POISON,
					"%s() wrote behind pages[]", m->name);
	}
}

/* What GUP-fast has found stays found if the slow path finds nothing. */
static void returns_what_it_has_if_the_slow_path_fails(struct kunit *test)
{
	unsigned int i;

	skip_without_small_pages(test);
	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];
		struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
		unsigned long addr = map_at_end_of_table(test, file, NR_PAGES);
		struct page *pages[NR_PAGES];
		long got;

		gup_fault_in(test, addr, 2, 0);
		got = acquire_while_being_killed(test, m, addr, NR_PAGES, 0,
						 pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, 2L,
				    "pages that %s() took before the slow path failed",
				    m->name);
		expect_pages(test, m->name, pages, file->heads, 2);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[2], GUP_POISON,
					"%s() wrote a page that it did not count",
					m->name);
	}
}

/* Pins are counted as they are taken and released, and others are not at all. */
static void expect_counted(struct kunit *test, const struct gup_method *m,
			   unsigned long addr, unsigned long nr,
			   struct page **pages)
{
	long pins = m->pins ? nr : 0;
	struct gup_pin_counters before, during, after;
	long got;

	before = gup_read_pin_counters();
	got = acquire_while_being_killed(test, m, addr, nr, FOLL_WRITE, pages);
	during = gup_read_pin_counters();
	gup_release(m, pages, got);
	after = gup_read_pin_counters();

	KUNIT_EXPECT_EQ_MSG(test, got, (long)nr,
			    "pages that %s() took without the slow path",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, during.acquired - before.acquired, pins,
			    "NR_FOLL_PIN_ACQUIRED by %s() without the slow path",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, during.released - before.released, 0L,
			    "NR_FOLL_PIN_RELEASED by %s()", m->name);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - during.acquired, 0L,
			    "NR_FOLL_PIN_ACQUIRED by the release of what %s() took",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, after.released - during.released, pins,
			    "NR_FOLL_PIN_RELEASED by the release of what %s() took",
			    m->name);
}

static void counts_its_pins_of_small_pages(struct kunit *test)
{
	struct page *pages[NR_PAGES];
	unsigned long addr, i;

	skip_without_small_pages(test);
	addr = gup_map_anon(test, NR_PAGES, PROT_READ | PROT_WRITE);
	gup_fault_in(test, addr, NR_PAGES, FAULT_FLAG_WRITE);

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++)
		expect_counted(test, fast_methods[i], addr, NR_PAGES, pages);
}

static void counts_its_pins_of_a_huge_page(struct kunit *test)
{
	unsigned long nr = PMD_SIZE >> PAGE_SHIFT, addr, i;
	struct page **pages;

	skip_without_gup_fast(test);
	gup_skip_without_thp(test);
	pages = alloc_pages_array(test, nr);
	addr = map_huge(test);

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++)
		expect_counted(test, fast_methods[i], addr, nr, pages);
}

/* Neither the first nor the last pages of it, which count in its head */
static void adds_one_pin_per_page_to_a_huge_page(struct kunit *test)
{
	const struct gup_method *m = &gup_methods[GUP_PIN_FAST];
	int before, during, after, pins, pins_left;
	struct page *pages[NR_PAGES], *head;
	unsigned long addr;
	long got;

	skip_without_gup_fast(test);
	gup_skip_without_thp(test);
	addr = map_huge(test);
	head = gup_page_at(test, addr);

	before = page_ref_count(head);
	got = acquire_while_being_killed(test, m, addr + PAGE_SIZE, NR_PAGES,
					 FOLL_WRITE, pages);
	during = page_ref_count(head);
	pins = gup_pincount(head);
	gup_release(m, pages, got);
	after = page_ref_count(head);
	pins_left = gup_pincount(head);

	KUNIT_EXPECT_EQ_MSG(test, got, (long)NR_PAGES,
			    "pages that %s() took without the slow path",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, during, before + NR_PAGES,
			    "references while %s() has %d pages of a huge page",
			    m->name, NR_PAGES);
	KUNIT_EXPECT_EQ_MSG(test, pins, NR_PAGES,
			    "pincount while %s() has %d pages of a huge page",
			    m->name, NR_PAGES);
	KUNIT_EXPECT_EQ_MSG(test, after, before,
			    "references after what %s() took is released",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, pins_left, 0,
			    "pincount after what %s() took is released",
			    m->name);
}

/* The pages are on no list, so nobody else has references to them. */
static void adds_the_weight_of_one_reference_to_a_small_page(struct kunit *test)
{
	unsigned int i;

	skip_without_small_pages(test);
	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = map_present(test, file);
		int before, during, after;
		struct page *pages[1];
		long got;

		before = page_ref_count(file->heads[0]);
		got = acquire_while_being_killed(test, m, addr, 1, 0, pages);
		during = page_ref_count(file->heads[0]);
		gup_release(m, pages, got);
		after = page_ref_count(file->heads[0]);

		KUNIT_EXPECT_EQ_MSG(test, during, before + m->weight,
				    "references while %s() has the page without the slow path",
				    m->name);
		KUNIT_EXPECT_EQ_MSG(test, after, before,
				    "references after what %s() took is released",
				    m->name);
	}
}

/* @addr is mapped, but read-only: a write has to get a page of its own */
static void expect_cow(struct kunit *test, const struct gup_method *m,
		       unsigned long addr, struct page *shared)
{
	struct page *pages[1] = { GUP_POISON };
	unsigned long copied = 0;
	long got;

	gup_write_number(shared, 11);
	expect_left_to_slow_path(test, addr, FOLL_WRITE,
				 "a write to a read-only entry");
	got = m->acquire(addr, 1, FOLL_WRITE, pages);
	if (got == 1) {
		copied = gup_read_number(pages[0]);
		gup_write_number(pages[0], 22);
	}
	gup_release(m, pages, got);

	KUNIT_EXPECT_EQ_MSG(test, got, 1L, "pages that %s() took to write to",
			    m->name);
	KUNIT_EXPECT_TRUE_MSG(test, pages[0] != shared,
			      "%s() took the shared page to write to", m->name);
	KUNIT_EXPECT_EQ_MSG(test, copied, 11UL, "number in the copy of %s()",
			    m->name);
	KUNIT_EXPECT_EQ_MSG(test, gup_read_number(shared), 11UL,
			    "number in the shared page after a write to what %s() took",
			    m->name);
}

static void breaks_cow_of_a_private_file(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file,
						  PROT_READ | PROT_WRITE,
						  MAP_PRIVATE);

		gup_fault_in(test, addr, 1, 0);
		expect_cow(test, fast_methods[i], addr, file->heads[0]);
	}
}

/* The child maps the page, so it does not go away. */
static void expect_cow_after_a_fork(struct kunit *test,
				    unsigned long (*map)(struct kunit *test))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		unsigned long addr = map(test);
		struct page *page = gup_page_at(test, addr);
		struct gup_child child;

		/* No assertion from here to gup_fork_end() */
		gup_fork(test, &child);
		expect_cow(test, fast_methods[i], addr, page);
		gup_fork_end(&child);
	}
}

static unsigned long map_written_page(struct kunit *test)
{
	unsigned long addr = gup_map_anon(test, 1, PROT_READ | PROT_WRITE);

	gup_fault_in(test, addr, 1, FAULT_FLAG_WRITE);
	return addr;
}

static void breaks_cow_after_a_fork(struct kunit *test)
{
	expect_cow_after_a_fork(test, map_written_page);
}

static void breaks_cow_of_a_huge_page_after_a_fork(struct kunit *test)
{
	gup_skip_without_thp(test);
	expect_cow_after_a_fork(test, map_huge);
}

/* The fast calls fail with -EFAULT, and take nothing */
static void expect_efault(struct kunit *test, unsigned long addr,
			  unsigned long nr, unsigned int gup_flags,
			  const char *what)
{
	struct page *pages[NR_PAGES];
	unsigned int i;
	long got;

	for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
		const struct gup_method *m = fast_methods[i];

		gup_poison(pages, NR_PAGES);
		got = m->acquire(addr, nr, gup_flags, pages);
		gup_release(m, pages, got);

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EFAULT, "%s() of %s",
				    m->name, what);
		KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
					"%s() of %s wrote to pages[]", m->name,
					what);
	}
}

static void efault_on_write_to_a_present_read_only_page(struct kunit *test)
{
	static const unsigned long types[] = { MAP_SHARED, MAP_PRIVATE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct gup_file *file = gup_create_file(test, 0, 1);
		unsigned long addr = gup_map_file(test, file, PROT_READ,
						  types[i]);
		int refs;

		gup_fault_in(test, addr, 1, 0);
		refs = page_ref_count(file->heads[0]);

		expect_left_to_slow_path(test, addr, FOLL_WRITE,
					 "a write to a read-only mapping");
		expect_efault(test, addr, 1, FOLL_WRITE,
			      "a page of a read-only mapping, to write to it");
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), refs,
				    "refcount of a page that may not be written to");
	}
}

/* A forced read is what faults such a page in. */
static void efault_on_read_of_a_present_inaccessible_page(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_NONE, MAP_SHARED);
	struct page *pages[1] = { GUP_POISON };
	int refs;
	long got;

	mmap_read_lock(current->mm);
	got = get_user_pages(addr, 1, FOLL_FORCE, pages);
	mmap_read_unlock(current->mm);
	gup_release(&gup_methods[GUP_GET], pages, got);
	KUNIT_ASSERT_EQ_MSG(test, got, 1L, "pages of a forced read");
	refs = page_ref_count(file->heads[0]);

	expect_left_to_slow_path(test, addr, 0, "an inaccessible page");
	expect_efault(test, addr, 1, 0, "an inaccessible page");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), refs,
			    "refcount of an inaccessible page");
}

static void a_forced_read_is_for_the_slow_path(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = gup_map_file(test, file, PROT_NONE, MAP_SHARED);
	unsigned int i, round;

	/* In the second round, the page is present. */
	for (round = 0; round < 2; round++) {
		expect_left_to_slow_path(test, addr, FOLL_FORCE,
					 "a forced read of an inaccessible page");
		for (i = 0; i < ARRAY_SIZE(fast_methods); i++) {
			const struct gup_method *m = fast_methods[i];
			struct page *pages[1] = { GUP_POISON };
			long got = m->acquire(addr, 1, FOLL_FORCE, pages);

			gup_release(m, pages, got);
			KUNIT_EXPECT_EQ_MSG(test, got, 1L,
					    "pages of a forced read by %s()",
					    m->name);
			expect_pages(test, m->name, pages, file->heads, 1);
		}
	}
}

static void efault_where_user_space_ends(struct kunit *test)
{
	unsigned long kernel = (unsigned long)test & PAGE_MASK, end = TASK_SIZE;

	/* There has to be an address space, though not at that address. */
	gup_map_anon(test, 1, PROT_READ);

	expect_efault(test, end - PAGE_SIZE, 1, 0, "the last user page");
	/* On s390, all addresses are for user space, and there is no next. */
	if (ULONG_MAX - end > PAGE_SIZE)
		expect_efault(test, end - PAGE_SIZE, 2, 0,
			      "the last user page and the next");
	expect_efault(test, kernel, 1, 0, "a page of the kernel");
	expect_efault(test, kernel, 1, FOLL_WRITE,
		      "a page of the kernel, to write to it");
}

/* These say what the slow path is to do, so nobody has use for them here. */
static void einval_for_flags_of_the_slow_path(struct kunit *test)
{
	static const unsigned int flags[] = {
		FOLL_DUMP, FOLL_NOWAIT, FOLL_HWPOISON, FOLL_ANON,
		FOLL_SPLIT_PMD,
	};
	struct gup_file *file = gup_create_file(test, 0, 1);
	unsigned long addr = map_present(test, file);
	int refs = page_ref_count(file->heads[0]);
	struct page *pages[1] = { GUP_POISON };
	unsigned int i, j;
	long got = 0;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (j = 0; j < ARRAY_SIZE(fast_methods); j++) {
			const struct gup_method *m = fast_methods[j];

			gup_forget_warnings();
			kunit_warning_suppress(test) {
				got = m->acquire(addr, 1, flags[i], pages);
				gup_expect_warnings(test, 1);
			}
			gup_release(m, pages, got);

			KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
					    "%s() with flags %#x", m->name,
					    flags[i]);
		}
	}
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"pages[0] of calls that were refused");
	KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), refs,
			    "refcount of a page that no call returned");
}

/* Unlike get_user_pages(), the fast calls are of no use without an array. */
static void einval_without_an_array(struct kunit *test)
{
	const struct gup_method *m;
	struct gup_file *file;
	unsigned long addr;
	unsigned int i;
	long got = 0;
	int refs;

	if (!GUP_FAST_REFUSES_NULL)
		kunit_skip(test, "not applicable: GUP-fast does not look for a missing array");
	file = gup_create_file(test, 0, 1);
	addr = map_present(test, file);
	refs = page_ref_count(file->heads[0]);

	for (i = 0; i < ARRAY_SIZE(fast_methods) + 1; i++) {
		m = i ? fast_methods[i - 1] : &fast_only;
		gup_forget_warnings();
		kunit_warning_suppress(test) {
			got = m->acquire(addr, 1, 0, NULL);
			gup_expect_warnings(test, 1);
		}

		KUNIT_EXPECT_EQ_MSG(test, got, (long)-EINVAL,
				    "%s() without an array", m->name);
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[0]), refs,
				    "refcount of a page that %s() could not return",
				    m->name);
	}
}

/* Ask for @nr pages, which is 0 or less, where there are some */
static void expect_none(struct kunit *test, const struct gup_method *m,
			unsigned long addr, int nr, const char *what,
			struct page **pages)
{
	struct gup_pin_counters before, after;
	long got;

	gup_poison(pages, NR_ROOM);
	before = gup_read_pin_counters();
	got = m->acquire(addr, nr, 0, pages);
	after = gup_read_pin_counters();
	gup_release(m, pages, min_t(long, got, NR_ROOM));

	KUNIT_EXPECT_EQ_MSG(test, got, 0L, "%s() for %d pages of %s", m->name,
			    nr, what);
	KUNIT_EXPECT_PTR_EQ_MSG(test, pages[0], GUP_POISON,
				"%s() for %d pages of %s wrote to pages[]",
				m->name, nr, what);
	KUNIT_EXPECT_EQ_MSG(test, after.acquired - before.acquired, 0L,
			    "NR_FOLL_PIN_ACQUIRED by %s() for %d pages of %s",
			    m->name, nr, what);
	KUNIT_EXPECT_EQ_MSG(test, after.released - before.released, 0L,
			    "NR_FOLL_PIN_RELEASED by %s() for %d pages of %s",
			    m->name, nr, what);
}

static void expect_0_for_0_pages(struct kunit *test, unsigned long addr,
				 const char *what)
{
	struct page **pages = alloc_pages_array(test, NR_ROOM);
	const struct gup_method *m;

	gup_for_each(m)
		expect_none(test, m, addr, 0, what, pages);
	expect_none(test, &fast_only, addr, 0, what, pages);
}

/* Nothing behind the pages can be faulted in, whatever is asked for. */
static void returns_0_for_0_present_pages(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = map_present(test, file);
	unsigned int i;

	expect_0_for_0_pages(test, addr, "a page table");
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u, of the file and the page table",
				    i);
}

static void returns_0_for_0_pages_of_a_huge_page(struct kunit *test)
{
	unsigned long addr;

	gup_skip_without_thp(test);
	addr = map_huge(test);

	expect_0_for_0_pages(test, addr, "the head of a huge page");
	expect_0_for_0_pages(test, addr + PAGE_SIZE, "a tail of a huge page");
	expect_0_for_0_pages(test, addr + PMD_SIZE - PAGE_SIZE,
			     "the end of a huge page");
}

/* Only the fast calls take an int. */
static void returns_0_for_a_negative_count(struct kunit *test)
{
	static const int counts[] = { -1, -NR_PAGES, INT_MIN + 1, INT_MIN };
	struct page **pages = alloc_pages_array(test, NR_ROOM);
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = map_present(test, file);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(fast_methods); j++)
			expect_none(test, fast_methods[j], addr, counts[i],
				    "a page table", pages);
		expect_none(test, &fast_only, addr, counts[i], "a page table",
			    pages);
	}
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, page_ref_count(file->heads[i]), 2,
				    "references to page %u, of the file and the page table",
				    i);
}

/*
 * The last case: a kernel that gets this wrong takes whatever is behind the page
 * table for more of it, and may not survive.
 *
 *	      page table
 *	[ ...  p0  p1  p2  p3 ] ?
 *	                   |
 *	                   0 pages from here
 */
static void returns_0_for_0_pages_at_the_end_of_a_table(struct kunit *test)
{
	struct gup_file *file = gup_create_file(test, 0, NR_PAGES);
	unsigned long addr = map_at_end_of_table(test, file, NR_PAGES);

	gup_fault_in(test, addr, NR_PAGES, 0);

	expect_0_for_0_pages(test, addr, "a page table, up to its end");
	expect_0_for_0_pages(test, addr + (NR_PAGES - 1) * PAGE_SIZE,
			     "a page table, at its last entry");
}

static struct kunit_case gup_fast_cases[] = {
	KUNIT_CASE(gets_present_pages_with_interrupts_off),
	KUNIT_CASE(stops_at_an_absent_page_with_interrupts_off),
	KUNIT_CASE(gets_present_pages_while_the_mmap_lock_is_taken),
	KUNIT_CASE(fast_only_returns_0_for_absent_pages),
	KUNIT_CASE(fast_only_returns_0_where_there_is_no_gup_fast),
	KUNIT_CASE(only_the_fast_calls_work_while_being_killed),
	KUNIT_CASE(takes_written_pages_for_writing),
	KUNIT_CASE(takes_pages_of_two_page_tables),
	KUNIT_CASE(takes_tails_mapped_by_a_page_table),
	KUNIT_CASE(takes_each_page_of_a_huge_page),
	KUNIT_CASE(takes_the_middle_of_a_huge_page),
	KUNIT_CASE(takes_small_pages_ahead_of_a_huge_one),
	KUNIT_CASE(takes_pages_of_hugetlb),
	KUNIT_CASE(takes_pages_of_a_device),
	KUNIT_CASE(keeps_no_reference_to_a_device_that_it_cannot_take),
	KUNIT_CASE(takes_pages_without_mapping),
	KUNIT_CASE(pins_for_long_what_may_stay),
	KUNIT_CASE(leaves_files_to_the_slow_path_for_long_writes),
	KUNIT_CASE(the_slow_path_serves_what_is_absent),
	KUNIT_CASE(returns_what_it_has_if_the_slow_path_fails),
	KUNIT_CASE(counts_its_pins_of_small_pages),
	KUNIT_CASE(counts_its_pins_of_a_huge_page),
	KUNIT_CASE(adds_one_pin_per_page_to_a_huge_page),
	KUNIT_CASE(adds_the_weight_of_one_reference_to_a_small_page),
	KUNIT_CASE(breaks_cow_of_a_private_file),
	KUNIT_CASE(breaks_cow_after_a_fork),
	KUNIT_CASE(breaks_cow_of_a_huge_page_after_a_fork),
	KUNIT_CASE(efault_on_write_to_a_present_read_only_page),
	KUNIT_CASE(efault_on_read_of_a_present_inaccessible_page),
	KUNIT_CASE(a_forced_read_is_for_the_slow_path),
	KUNIT_CASE(efault_where_user_space_ends),
	KUNIT_CASE(einval_for_flags_of_the_slow_path),
	KUNIT_CASE(einval_without_an_array),
	KUNIT_CASE(returns_0_for_a_negative_count),
	KUNIT_CASE(returns_0_for_0_pages_of_a_huge_page),
	KUNIT_CASE(returns_0_for_0_present_pages),
	KUNIT_CASE(returns_0_for_0_pages_at_the_end_of_a_table),
	{}
};

static struct kunit_suite gup_fast_suite = {
	.name = "gup_fast",
	.init = gup_fixture_init,
	.exit = gup_fixture_exit,
	.test_cases = gup_fast_cases,
};

kunit_test_suite(gup_fast_suite);

MODULE_DESCRIPTION("KUnit tests of GUP-fast");
MODULE_LICENSE("GPL");
