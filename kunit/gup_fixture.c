// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixture of the get_user_pages() KUnit suites, see gup_fixture.h.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/khugepaged.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/vmstat.h>
#include <trace/events/kmem.h>
#include <trace/events/page_ref.h>
#include <trace/events/printk.h>

#include "gup_fixture.h"

#define GUP_MAX_FILES	32
#define GUP_MAX_MOUNTS	2

struct gup_fixture {
	struct file *files[GUP_MAX_FILES];
	struct vfsmount *mounts[GUP_MAX_MOUNTS];
	unsigned int nr_files;
	unsigned int nr_mounts;
	int nr_reports;
	struct gup_ref_trace trace;
	bool tracing;
};

/* Mark a page dirty just as a file system without buffers would, and count. */
static bool gup_file_dirty_folio(struct address_space *mapping,
				 struct folio *folio)
{
	struct gup_file *file = container_of(mapping, struct gup_file, mapping);

	file->nr_dirtied++;
	if (folio_test_locked(folio))
		file->nr_dirtied_locked++;
	file->refs_when_dirtied = folio_ref_count(folio);

	return !folio_test_set_dirty(folio);
}

static const struct address_space_operations gup_file_aops = {
	.dirty_folio = gup_file_dirty_folio,
};

/* A page frame that has no struct page, and that nobody is going to access */
static unsigned long gup_bare_pfn(void)
{
	unsigned long pfn = page_to_pfn(ZERO_PAGE(0));

	while (pfn_valid(pfn))
		pfn += PMD_SIZE >> PAGE_SHIFT;
	return pfn;
}

static bool vma_is_shared_writable(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) && (vma->vm_flags & VM_WRITE);
}

static vm_fault_t gup_file_fault(struct vm_fault *vmf)
{
	struct gup_file *file = vmf->vma->vm_private_data;
	vm_fault_t ret = file->on_fault ? file->on_fault(file, vmf) : 0;

	if (ret)
		return ret;

	if (IS_ENABLED(CONFIG_MMU) && vmf->pgoff < BITS_PER_LONG &&
	    file->bare & BIT(vmf->pgoff)) {
		if (file->vm_flags & VM_PFNMAP)
			return vmf_insert_pfn(vmf->vma, vmf->address,
					      gup_bare_pfn());
		if (vma_is_shared_writable(vmf->vma) && !file->bare_is_clean)
			return vmf_insert_mixed_mkwrite(vmf->vma, vmf->address,
							gup_bare_pfn());
		return vmf_insert_mixed(vmf->vma, vmf->address, gup_bare_pfn());
	}

	vmf->page = gup_file_page(file, vmf->pgoff);
	if (!vmf->page)
		return VM_FAULT_SIGBUS;

	get_page(vmf->page);
	return 0;
}

static vm_fault_t gup_file_mkwrite(struct vm_fault *vmf)
{
	struct gup_file *file = vmf->vma->vm_private_data;

	return file->on_mkwrite(file, vmf);
}

static const struct vm_operations_struct gup_file_vm_ops = {
	.fault = gup_file_fault,
};

static const struct vm_operations_struct gup_file_mkwrite_vm_ops = {
	.fault = gup_file_fault,
	.page_mkwrite = gup_file_mkwrite,
};

static int gup_file_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct gup_file *file = filp->private_data;

	vma->vm_ops = file->on_mkwrite ? &gup_file_mkwrite_vm_ops :
					 &gup_file_vm_ops;
	vma->vm_private_data = file;
	if (file->vm_flags)
		vm_flags_set(vma, file->vm_flags);
	else if (file->bare)
		vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}

/* Runs when the last mapping is gone, which may be after the end of the test */
static int gup_file_release(struct inode *inode, struct file *filp)
{
	struct gup_file *file = filp->private_data;
	unsigned int i;

	for (i = 0; i < file->nr_heads; i++)
		gup_file_forget(file, i);
	kfree(file);
	return 0;
}

static const struct file_operations gup_file_fops = {
	.owner = THIS_MODULE,
	.mmap = gup_file_mmap,
	.release = gup_file_release,
};

/**
 * gup_own_file() - have a file closed at the end of the test
 * @test: the test context
 * @filp: the open file, or an error, which fails the test
 *
 * Return: the file.
 */
struct file *gup_own_file(struct kunit *test, struct file *filp)
{
	struct gup_fixture *fixture = test->priv;
	bool room = fixture->nr_files < GUP_MAX_FILES;

	if (!IS_ERR(filp) && !room)
		fput(filp);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(filp), "no file: error %ld",
			       PTR_ERR(filp));
	KUNIT_ASSERT_TRUE_MSG(test, room, "more than %d files of one case",
			      GUP_MAX_FILES);
	fixture->files[fixture->nr_files++] = filp;
	return filp;
}

/**
 * gup_mount() - mount a file system for the time of the test
 * @test: the test context, which unmounts it at its end
 * @type: name of the file system, which is built in
 * @options: mount options, or NULL
 *
 * Return: the mount.
 */
struct vfsmount *gup_mount(struct kunit *test, const char *type, char *options)
{
	struct gup_fixture *fixture = test->priv;
	struct file_system_type *fs;
	struct vfsmount *mnt;

	KUNIT_ASSERT_LT(test, fixture->nr_mounts, (unsigned int)GUP_MAX_MOUNTS);
	fs = get_fs_type(type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, fs, "no file system %s", type);
	mnt = vfs_kern_mount(fs, SB_KERNMOUNT, type, options);
	/* The mount has a reference of its own. */
	put_filesystem(fs);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(mnt), "no mount of %s: error %ld",
			       type, PTR_ERR(mnt));
	fixture->mounts[fixture->nr_mounts++] = mnt;
	return mnt;
}

/**
 * gup_create_file() - create a file of known pages
 * @test: the test context, which closes the file at its end
 * @order: order of each compound page, or 0 for small pages
 * @nr_heads: number of compound pages, or of small pages
 *
 * Fails the test if there is not enough memory.
 *
 * Return: the file, with all of its pages clean.
 */
struct gup_file *gup_create_file(struct kunit *test, unsigned int order,
				 unsigned int nr_heads)
{
	struct gup_file *file;
	struct file *filp;
	unsigned int i;

	file = kzalloc(struct_size(file, heads, nr_heads), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);

	filp = anon_inode_getfile("[gup_kunit]", &gup_file_fops, file, O_RDWR);
	if (IS_ERR(filp))
		kfree(file);
	gup_own_file(test, filp);

	address_space_init_once(&file->mapping);
	file->mapping.host = file_inode(filp);
	file->mapping.a_ops = &gup_file_aops;
	file->filp = filp;
	file->order = order;
	file->nr_heads = nr_heads;

	for (i = 0; i < nr_heads; i++) {
		struct page *head = alloc_pages(GFP_KERNEL | __GFP_COMP |
						__GFP_ZERO, order);

		KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, head,
						 "no memory for page %u of order %u",
						 i, order);
		page_folio(head)->mapping = &file->mapping;
		page_folio(head)->index = (pgoff_t)i << order;
		file->heads[i] = head;
	}

	return file;
}

/**
 * gup_file_page() - look up a page of a file
 * @file: the file
 * @offset: offset in pages
 *
 * Return: the page, which may be a tail page, or NULL if there is none.
 */
struct page *gup_file_page(struct gup_file *file, unsigned long offset)
{
	unsigned long i = offset >> file->order;

	if (i >= file->nr_heads || !file->heads[i])
		return NULL;
	return file->heads[i] + (offset & ((1UL << file->order) - 1));
}

/**
 * gup_file_forget() - truncate one page, and drop the file's reference to it
 * @file: the file
 * @i: index into the heads of the file
 *
 * The page must not be mapped. Does nothing if it was forgotten before.
 */
void gup_file_forget(struct gup_file *file, unsigned int i)
{
	struct page *head = file->heads[i];

	if (!head)
		return;
	file->heads[i] = NULL;
	page_folio(head)->mapping = NULL;
	put_page(head);
}

static unsigned long gup_map(struct kunit *test, struct file *filp,
			     unsigned long nr_pages, unsigned long prot,
			     unsigned long flags)
{
	unsigned long addr = kunit_vm_mmap(test, filp, 0, nr_pages * PAGE_SIZE,
					   prot, flags, 0);

	KUNIT_ASSERT_TRUE_MSG(test, addr && !IS_ERR_VALUE(addr),
			      "cannot map %lu pages: %ld", nr_pages, (long)addr);
	return addr;
}

/**
 * gup_map_file() - map the whole of a file into the test's address space
 * @test: the test context
 * @file: the file
 * @prot: PROT_* flags
 * @flags: MAP_SHARED or MAP_PRIVATE
 *
 * Return: the address. Nothing is faulted in yet.
 */
unsigned long gup_map_file(struct kunit *test, struct gup_file *file,
			   unsigned long prot, unsigned long flags)
{
	return gup_map(test, file->filp,
		       (unsigned long)file->nr_heads << file->order, prot,
		       flags);
}

/**
 * gup_map_file_at() - map a file, shared, in place of what is mapped somewhere
 * @test: the test context
 * @filp: the open file, which need not be one of gup_create_file()
 * @addr: the address
 * @nr_pages: length of the mapping in pages
 * @prot: PROT_* flags
 *
 * Nothing is faulted in yet.
 */
void gup_map_file_at(struct kunit *test, struct file *filp, unsigned long addr,
		     unsigned long nr_pages, unsigned long prot)
{
	unsigned long mapped = kunit_vm_mmap(test, filp, addr,
					     nr_pages * PAGE_SIZE, prot,
					     MAP_SHARED | MAP_FIXED, 0);

	KUNIT_ASSERT_EQ_MSG(test, mapped, addr, "address of the file's mapping");
}

/**
 * gup_map_anon() - map private anonymous memory
 * @test: the test context
 * @nr_pages: length of the mapping in pages
 * @prot: PROT_* flags
 *
 * Return: the address. Nothing is faulted in yet.
 */
unsigned long gup_map_anon(struct kunit *test, unsigned long nr_pages,
			   unsigned long prot)
{
	return gup_map(test, NULL, nr_pages, prot, MAP_PRIVATE | MAP_ANONYMOUS);
}

/**
 * gup_unmap() - unmap some pages, and with them the references of page tables
 * @test: the test context
 * @addr: address of the first page
 * @nr_pages: number of pages
 */
void gup_unmap(struct kunit *test, unsigned long addr, unsigned long nr_pages)
{
	int err = vm_munmap(addr, nr_pages * PAGE_SIZE);

	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot unmap %lu pages at %#lx",
			    nr_pages, addr);
}

/**
 * gup_fault_in() - fault pages in without get_user_pages()
 * @test: the test context
 * @addr: address of the first page
 * @nr_pages: number of pages
 * @fault_flags: FAULT_FLAG_WRITE, or 0 to read
 */
void gup_fault_in(struct kunit *test, unsigned long addr,
		  unsigned long nr_pages, unsigned int fault_flags)
{
	unsigned long i;
	int err = 0;

	mmap_read_lock(current->mm);
	for (i = 0; i < nr_pages && !err; i++)
		err = fixup_user_fault(current->mm, addr + i * PAGE_SIZE,
				       fault_flags, NULL);
	mmap_read_unlock(current->mm);

	KUNIT_ASSERT_EQ_MSG(test, err, 0, "no page %lu of %lu at %#lx", i,
			    nr_pages, addr);
}

/**
 * gup_get() - have get_user_pages() take references, or fail the test
 * @test: the test context
 * @addr: address of the first page
 * @nr_pages: number of pages
 * @pages: array that receives the pages, to be released by the caller
 */
void gup_get(struct kunit *test, unsigned long addr, unsigned long nr_pages,
	     struct page **pages)
{
	long got, i;

	mmap_read_lock(current->mm);
	got = get_user_pages(addr, nr_pages, 0, pages);
	mmap_read_unlock(current->mm);

	if (got == nr_pages)
		return;
	for (i = 0; i < got; i++)
		put_page(pages[i]);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)nr_pages,
			    "get_user_pages() for %lu pages at %#lx", nr_pages,
			    addr);
}

static long gup_get_normal(unsigned long addr, unsigned long nr_pages,
			   unsigned int gup_flags, struct page **pages)
{
	long got;

	mmap_read_lock(current->mm);
	got = get_user_pages(addr, nr_pages, gup_flags, pages);
	mmap_read_unlock(current->mm);
	return got;
}

static long gup_get_fast(unsigned long addr, unsigned long nr_pages,
			 unsigned int gup_flags, struct page **pages)
{
	return get_user_pages_fast(addr, nr_pages, gup_flags, pages);
}

static long gup_get_remote(unsigned long addr, unsigned long nr_pages,
			   unsigned int gup_flags, struct page **pages)
{
	long got;

	mmap_read_lock(current->mm);
	got = get_user_pages_remote(current->mm, addr, nr_pages, gup_flags,
				    pages, NULL);
	mmap_read_unlock(current->mm);
	return got;
}

static long gup_get_unlocked(unsigned long addr, unsigned long nr_pages,
			     unsigned int gup_flags, struct page **pages)
{
	return get_user_pages_unlocked(addr, nr_pages, pages, gup_flags);
}

static long gup_pin_normal(unsigned long addr, unsigned long nr_pages,
			   unsigned int gup_flags, struct page **pages)
{
	long got;

	mmap_read_lock(current->mm);
	got = pin_user_pages(addr, nr_pages, gup_flags, pages);
	mmap_read_unlock(current->mm);
	return got;
}

static long gup_pin_fast(unsigned long addr, unsigned long nr_pages,
			 unsigned int gup_flags, struct page **pages)
{
	return pin_user_pages_fast(addr, nr_pages, gup_flags, pages);
}

static long gup_pin_remote(unsigned long addr, unsigned long nr_pages,
			   unsigned int gup_flags, struct page **pages)
{
	long got;

	mmap_read_lock(current->mm);
	got = pin_user_pages_remote(current->mm, addr, nr_pages, gup_flags,
				    pages, NULL);
	mmap_read_unlock(current->mm);
	return got;
}

static long gup_pin_unlocked(unsigned long addr, unsigned long nr_pages,
			     unsigned int gup_flags, struct page **pages)
{
	return pin_user_pages_unlocked(addr, nr_pages, pages, gup_flags);
}

/* put_page() is inline, and may be a macro. */
static void gup_put_page(struct page *page)
{
	put_page(page);
}

#define GUP_METHOD_GET(suffix, acquire)					\
	{ "get_user_pages" suffix, acquire, gup_put_page, 1, false }
#define GUP_METHOD_PIN(suffix, acquire)					\
	{ "pin_user_pages" suffix, acquire, unpin_user_page,		\
	  GUP_PIN_COUNTING_BIAS, true }

const struct gup_method gup_methods[GUP_NR_METHODS] = {
	[GUP_GET] = GUP_METHOD_GET("", gup_get_normal),
	[GUP_GET_FAST] = GUP_METHOD_GET("_fast", gup_get_fast),
	[GUP_GET_REMOTE] = GUP_METHOD_GET("_remote", gup_get_remote),
	[GUP_GET_UNLOCKED] = GUP_METHOD_GET("_unlocked", gup_get_unlocked),
	[GUP_PIN] = GUP_METHOD_PIN("", gup_pin_normal),
	[GUP_PIN_FAST] = GUP_METHOD_PIN("_fast", gup_pin_fast),
	[GUP_PIN_REMOTE] = GUP_METHOD_PIN("_remote", gup_pin_remote),
	[GUP_PIN_UNLOCKED] = GUP_METHOD_PIN("_unlocked", gup_pin_unlocked),
};

/**
 * gup_pin() - have pin_user_pages() pin pages, or fail the test
 * @test: the test context
 * @addr: address of the first page
 * @nr_pages: number of pages
 * @pages: array that receives the pages, to be unpinned by the caller
 */
void gup_pin(struct kunit *test, unsigned long addr, unsigned long nr_pages,
	     struct page **pages)
{
	const struct gup_method *m = &gup_methods[GUP_PIN];
	long got;

	gup_poison(pages, nr_pages);
	got = m->acquire(addr, nr_pages, 0, pages);
	if (got != nr_pages)
		gup_release(m, pages, got);
	KUNIT_ASSERT_EQ_MSG(test, got, (long)nr_pages,
			    "pin_user_pages() for %lu pages at %#lx", nr_pages,
			    addr);
}

static void gup_unpin_one_by_one(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_user_page(*pages++);
}

static void gup_unpin_clean(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, false);
}

static void gup_unpin_dirty(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
}

#if GUP_HAS_UNPIN_RANGE
/* Call unpin_user_page_range_dirty_lock() for each range in an array */
static void gup_unpin_ranges(struct page **pages, unsigned long nr,
			     bool make_dirty)
{
	unsigned long i, len;

	for (i = 0; i < nr; i += len) {
		for (len = 1; i + len < nr; len++)
			if (pages[i + len] != pages[i] + len)
				break;
		unpin_user_page_range_dirty_lock(pages[i], len, make_dirty);
	}
}

static void gup_unpin_ranges_clean(struct page **pages, unsigned long nr)
{
	gup_unpin_ranges(pages, nr, false);
}

static void gup_unpin_ranges_dirty(struct page **pages, unsigned long nr)
{
	gup_unpin_ranges(pages, nr, true);
}
#endif

#if GUP_HAS_UNPIN_FOLIO
static void gup_unpin_folio_by_folio(struct page **pages, unsigned long nr)
{
	while (nr--)
		unpin_folio(page_folio(*pages++));
}

/* Call unpin_user_folio() for each run of pages of a folio */
static void gup_unpin_folio_runs(struct page **pages, unsigned long nr)
{
	unsigned long i, len;

	for (i = 0; i < nr; i += len) {
		for (len = 1; i + len < nr; len++)
			if (page_folio(pages[i + len]) != page_folio(pages[i]))
				break;
		unpin_user_folio(page_folio(pages[i]), len);
	}
}

static void gup_unpin_folio_array(struct page **pages, unsigned long nr)
{
	struct folio *folios[GUP_MAX_UNPIN];
	unsigned long i;

	for (i = 0; i < nr && i < GUP_MAX_UNPIN; i++)
		folios[i] = IS_ERR_OR_NULL(pages[i]) ? ERR_CAST(pages[i])
						     : page_folio(pages[i]);
	unpin_folios(nr ? folios : NULL, nr);
}
#endif

const struct gup_unpin gup_unpins[GUP_NR_UNPINS] = {
	[GUP_UNPIN_PAGE] = {
		"unpin_user_page()", gup_unpin_one_by_one, false, false },
	[GUP_UNPIN_PAGES] = {
		"unpin_user_pages()", unpin_user_pages, true, false },
	[GUP_UNPIN_PAGES_CLEAN] = {
		"unpin_user_pages_dirty_lock(false)", gup_unpin_clean, true, false },
	[GUP_UNPIN_PAGES_DIRTY] = {
		"unpin_user_pages_dirty_lock(true)", gup_unpin_dirty, true, true },
#if GUP_HAS_UNPIN_RANGE
	[GUP_UNPIN_RANGE_CLEAN] = {
		"unpin_user_page_range_dirty_lock(false)",
		gup_unpin_ranges_clean, false, false },
	[GUP_UNPIN_RANGE_DIRTY] = {
		"unpin_user_page_range_dirty_lock(true)",
		gup_unpin_ranges_dirty, false, true },
#endif
#if GUP_HAS_UNPIN_FOLIO
	[GUP_UNPIN_FOLIO] = {
		"unpin_folio()", gup_unpin_folio_by_folio, false, false },
	[GUP_UNPIN_USER_FOLIO] = {
		"unpin_user_folio()", gup_unpin_folio_runs, false, false },
	[GUP_UNPIN_FOLIOS] = {
		"unpin_folios()", gup_unpin_folio_array, true, false },
#endif
};

/**
 * gup_page_at() - look up the page that is mapped at an address
 * @test: the test context
 * @addr: the address
 *
 * Return: the page, to which the mapping has a reference, and not the caller.
 */
struct page *gup_page_at(struct kunit *test, unsigned long addr)
{
	struct page *page;

	gup_get(test, addr, 1, &page);
	put_page(page);
	return page;
}

/**
 * gup_poison() - fill pages[] with something that no call takes for a page
 * @pages: the array
 * @nr: number of entries
 */
void gup_poison(struct page **pages, unsigned int nr)
{
	while (nr--)
		pages[nr] = GUP_POISON;
}

/**
 * gup_release() - release what a call took, before anything is expected of it
 * @m: the call
 * @pages: its array, which was poisoned before
 * @got: what it returned, be it a number of pages or an errno
 *
 * Entries that were counted but not written are left out, lest a kernel that
 * gets this wrong dies before it fails the test.
 */
void gup_release(const struct gup_method *m, struct page **pages, long got)
{
	while (got-- > 0)
		if (pages[got] != GUP_POISON)
			m->release(pages[got]);
}

/* What a CPU has counted stays with it for a while. */
static long gup_sum_node_counter(struct pglist_data *pgdat,
				 enum node_stat_item item)
{
	long sum = atomic_long_read(&pgdat->vm_stat[item]);
	int cpu;

	for_each_online_cpu(cpu)
		sum += per_cpu_ptr(pgdat->per_cpu_nodestats,
				   cpu)->vm_node_stat_diff[item];
	return sum;
}

/*
 * Another CPU may add what it has to the sum at any time, which is seen twice
 * or not at all while it does. So this looks until nothing has moved.
 */
static long gup_read_node_counter(struct pglist_data *pgdat,
				  enum node_stat_item item)
{
	long last, sum = gup_sum_node_counter(pgdat, item);
	int tries = 1000;

	do {
		last = sum;
		/* Read them anew. */
		barrier();
		sum = gup_sum_node_counter(pgdat, item);
	} while (sum != last && --tries);
	return sum;
}

/**
 * gup_read_pin_counters() - read the counters of pins, exact to the page
 *
 * Return: their values on all nodes together.
 */
struct gup_pin_counters gup_read_pin_counters(void)
{
	struct gup_pin_counters sum = { 0, 0 };
	int nid;

	for_each_online_node(nid) {
		struct pglist_data *pgdat = NODE_DATA(nid);

		sum.acquired += gup_read_node_counter(pgdat,
						      NR_FOLL_PIN_ACQUIRED);
		sum.released += gup_read_node_counter(pgdat,
						      NR_FOLL_PIN_RELEASED);
	}
	return sum;
}

/**
 * gup_read_counts() - read all that the pin of a page is counted in
 * @page: the page, which may be a tail
 *
 * Return: the counts of the page as a whole.
 */
struct gup_counts gup_read_counts(struct page *page)
{
	struct gup_counts counts = {
		.refs = page_ref_count(compound_head(page)),
		.pins = gup_read_pin_counters(),
		.pinned = folio_maybe_dma_pinned(page_folio(page)),
	};

	return counts;
}

/**
 * gup_expect_counts() - expect counts to have changed by so much
 * @test: the test context
 * @before: the counts of a page
 * @after: the same later on
 * @refs: by how much its refcount is to have grown
 * @pins: by how much the counters of pins are to have grown
 * @fmt: says what has happened, such as "unpin_user_page() of a small page"
 */
void gup_expect_counts(struct kunit *test, const struct gup_counts *before,
		       const struct gup_counts *after, int refs,
		       struct gup_pin_counters pins, const char *fmt, ...)
{
	struct va_format what = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	what.va = &args;
	KUNIT_EXPECT_EQ_MSG(test, after->refs - before->refs, refs,
			    "references that came by %pV", &what);
	KUNIT_EXPECT_EQ_MSG(test, after->pins.acquired - before->pins.acquired,
			    pins.acquired, "NR_FOLL_PIN_ACQUIRED by %pV", &what);
	KUNIT_EXPECT_EQ_MSG(test, after->pins.released - before->pins.released,
			    pins.released, "NR_FOLL_PIN_RELEASED by %pV", &what);
	va_end(args);
}

/**
 * gup_begin_to_be_killed() - have SIGKILL pending
 * @test: the test context
 *
 * From here on to gup_end_to_be_killed(), which the caller must not miss, the
 * slow path gives up at once. GUP-fast does not look at signals.
 */
void gup_begin_to_be_killed(struct kunit *test)
{
	/* A kernel thread ignores signals unless it asks for them. */
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_TRUE_MSG(test, fatal_signal_pending(current),
			      "no SIGKILL is pending");
}

/**
 * gup_end_to_be_killed() - have SIGKILL pending no longer
 */
void gup_end_to_be_killed(void)
{
	flush_signals(current);
	disallow_signal(SIGKILL);
}

/*
 * Have huge pages where only those get them who ask. khugepaged, which would put
 * together what a case has split, takes the address space for one that it knows
 * and never looks at it.
 */
static void gup_ask_for_huge_pages(unsigned long addr)
{
	struct vm_area_struct *vma;

	mm_flags_set(MMF_VM_HUGEPAGE, current->mm);
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	if (vma)
		vm_flags_set(vma, VM_HUGEPAGE);
	mmap_write_unlock(current->mm);
}

/**
 * gup_map_anon_aligned() - map private anonymous memory that huge pages fit in
 * @test: the test context
 * @nr_pmds: length of the memory in entries of a PMD
 * @prot: PROT_* flags
 *
 * What is faulted in there is a huge page if there are any, and what a case
 * makes of it is left alone by khugepaged.
 *
 * Return: the address, which is a multiple of PMD_SIZE. Nothing is faulted in.
 */
unsigned long gup_map_anon_aligned(struct kunit *test, unsigned long nr_pmds,
				   unsigned long prot)
{
	unsigned long nr_pages = (nr_pmds + 1) * (PMD_SIZE >> PAGE_SHIFT);
	unsigned long addr = gup_map_anon(test, nr_pages, prot);

	gup_ask_for_huge_pages(addr);
	return ALIGN(addr, PMD_SIZE);
}

#ifdef CONFIG_MMU
/**
 * gup_mapped_by_pmd() - is there an entry of a PMD that maps a huge page?
 * @addr: the address that it would map
 *
 * Return: true if there is. False if there is a page table, or nothing.
 */
bool gup_mapped_by_pmd(unsigned long addr)
{
	bool huge = false;
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;

	mmap_read_lock(current->mm);
	pgd = pgd_offset(current->mm, addr);
	if (pgd_none(*pgd))
		goto unlock;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		goto unlock;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud))
		goto unlock;
	huge = pmd_trans_huge(*pmd_offset(pud, addr));
unlock:
	mmap_read_unlock(current->mm);
	return huge;
}
#endif /* CONFIG_MMU */

static void gup_count_drop(void *data, struct page *page, int v)
{
	struct gup_ref_trace *trace = data;

	if (page == trace->head && v < 0) {
		trace->nr_drops++;
		trace->nr_dropped -= v;
	}
}

static void gup_count_drop_and_ret(void *data, struct page *page, int v, int ret)
{
	gup_count_drop(data, page, v);
}

static void gup_count_free(void *data, struct page *page, unsigned int order)
{
	struct gup_ref_trace *trace = data;

	if (page == trace->head)
		trace->nr_freed++;
}

/**
 * gup_trace_refs() - begin to watch the refcount of a page
 * @test: the test context
 * @head: a small page or the head of a compound page
 *
 * Watches one page at a time, until gup_trace_refs_end().
 *
 * Return: what has happened to @head since, valid until the end of the test.
 */
struct gup_ref_trace *gup_trace_refs(struct kunit *test, struct page *head)
{
	struct gup_fixture *fixture = test->priv;
	struct gup_ref_trace *trace = &fixture->trace;
	int err = 0;

	/* Drops the rest of the function, which would not link. */
	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF)) {
		KUNIT_FAIL(test, "cannot watch a page without CONFIG_DEBUG_PAGE_REF");
		return trace;
	}

	KUNIT_ASSERT_FALSE_MSG(test, fixture->tracing,
			       "another page is being watched");
	memset(trace, 0, sizeof(*trace));
	trace->head = head;
	fixture->tracing = true;
	err |= register_trace_mm_page_free(gup_count_free, trace);
	err |= register_trace_page_ref_mod(gup_count_drop, trace);
	err |= register_trace_page_ref_mod_and_test(gup_count_drop_and_ret,
						    trace);
	err |= register_trace_page_ref_mod_and_return(gup_count_drop_and_ret,
						      trace);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "cannot watch the refcount");

	return trace;
}

/**
 * gup_trace_refs_end() - stop watching
 * @test: the test context
 */
void gup_trace_refs_end(struct kunit *test)
{
	struct gup_fixture *fixture = test->priv;
	struct gup_ref_trace *trace = &fixture->trace;

	if (!IS_ENABLED(CONFIG_DEBUG_PAGE_REF) || !fixture->tracing)
		return;
	fixture->tracing = false;

	unregister_trace_page_ref_mod_and_return(gup_count_drop_and_ret, trace);
	unregister_trace_page_ref_mod_and_test(gup_count_drop_and_ret, trace);
	unregister_trace_page_ref_mod(gup_count_drop, trace);
	unregister_trace_mm_page_free(gup_count_free, trace);
	tracepoint_synchronize_unregister();
}

/* What the kernel has reported about itself without being provoked */
static atomic_t gup_nr_reports = ATOMIC_INIT(0);

#ifdef CONFIG_TRACEPOINTS
/* Looks at each line of the log, and runs wherever somebody writes one. */
static void gup_look_for_report(void *data, const char *text, size_t len)
{
	static const char * const begins[] = { "BUG: ", "WARNING: ", "UBSAN: " };
	static bool provoked;
	unsigned int i;

	/* Kernels that cannot suppress warnings have them announced. */
	if (strnstr(text, "kunit-expect: begin", len))
		WRITE_ONCE(provoked, true);
	if (strnstr(text, "kunit-expect: end", len))
		WRITE_ONCE(provoked, false);

	for (i = 0; i < ARRAY_SIZE(begins); i++)
		if (strnstr(text, begins[i], len) && !READ_ONCE(provoked))
			atomic_inc(&gup_nr_reports);
}

static int __init gup_fixture_load(void)
{
	return register_trace_console(gup_look_for_report, NULL);
}
module_init(gup_fixture_load);

static void __exit gup_fixture_unload(void)
{
	unregister_trace_console(gup_look_for_report, NULL);
	tracepoint_synchronize_unregister();
}
module_exit(gup_fixture_unload);
#endif

/**
 * gup_fixture_init() - the .init of a suite that uses the fixture
 * @test: the test context, whose priv belongs to the fixture from here on
 *
 * Return: 0 or -ENOMEM.
 */
int gup_fixture_init(struct kunit *test)
{
	struct gup_fixture *fixture;

	fixture = kunit_kzalloc(test, sizeof(*fixture), GFP_KERNEL);
	if (!fixture)
		return -ENOMEM;
	fixture->nr_reports = atomic_read(&gup_nr_reports);
	test->priv = fixture;
	return 0;
}

/**
 * gup_fixture_exit() - the .exit of a suite that uses the fixture
 * @test: the test context
 *
 * The mappings go away together with the address space, when the thread of the
 * test ends. That may be before or after this, and the files wait for it.
 *
 * A case during which the kernel reports a bug or a warning in its log fails, as
 * far as there is CONFIG_TRACEPOINTS to see it. If it is meant to happen, it has
 * to be in kunit_warning_suppress().
 */
void gup_fixture_exit(struct kunit *test)
{
	struct gup_fixture *fixture = test->priv;
	unsigned int i;

	if (!fixture)
		return;
	gup_trace_refs_end(test);
	for (i = 0; i < fixture->nr_files; i++)
		fput(fixture->files[i]);
	/* A thread of the kernel leaves that to somebody else. */
	if (fixture->nr_mounts)
		flush_delayed_fput();
	for (i = 0; i < fixture->nr_mounts; i++)
		kern_unmount(fixture->mounts[i]);

	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&gup_nr_reports),
			    fixture->nr_reports,
			    "reports of the kernel in its log, after and before this case");
}

MODULE_DESCRIPTION("Fixture of the get_user_pages() KUnit suites");
MODULE_LICENSE("GPL");
