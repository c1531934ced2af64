/*
 * ELF files in an address space. A segment is a private mapping of its part
 * of the file, so what is only read stays where the archive has it, and of
 * the rest there is a copy of what is written to; zeroes follow. Used once,
 * by exec.c, before the program runs.
 */
#include "fs/exec_load.h"

#include "fs/inode.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/uaccess.h"

/* Where Linux puts PIE programs: two thirds up, and 28 random bits. */
#define PIE_BASE	(TASK_SIZE_MAX / 3 * 2)
#define PIE_RANDOM_PAGES (1u << 28)

#define MAP_FILE_FIXED	(MAP_PRIVATE | MAP_FIXED)

int exec_open(const char *path, struct exec_image *im)
{
	const char *why;
	int err = namei_exec(path, &im->file);

	if (err == -ENOMEM)
		pr_err("exec: no memory; give the machine more (-m)");
	if (err)
		return err;
	why = elf_parse(im->file.data, im->file.size, &im->img);
	if (why) {
		pr_err("exec: %s %s", path, why);
		return -ENOEXEC;
	}
	if (!(im->file.mode & 0111))
		pr_warn("exec: %s is not marked executable; started all the "
			"same", path);
	return 0;
}

/* A random base for a program that may lie anywhere. */
static u64 pie_base(const struct elf_image *img)
{
	u64 at = PIE_BASE +
		 (u64)get_random_below(PIE_RANDOM_PAGES) * PAGE_SIZE;

	return ALIGN_DOWN(at, img->align) - ALIGN_DOWN(img->start, img->align);
}

/* Room for all of @img, which its segments then take; 0 or -ENOMEM. */
static int find_base(struct mm_struct *mm, struct exec_image *im)
{
	const struct elf_image *img = &im->img;
	u64 start = ALIGN_DOWN(img->start, img->align);
	s64 at = mm_map(mm, 0, img->end - start + img->align - PAGE_SIZE,
			PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, NULL);

	if (at < 0)
		return (int)at;
	im->base = ALIGN_UP((u64)at, img->align) - start;
	return 0;
}

static int map_part(struct mm_struct *mm, u64 start, u64 end, u32 prot,
		    u32 flags, const char *name)
{
	s64 at;

	if (start == end)
		return 0;
	at = mm_map(mm, start, end - start, prot, flags, name);
	return at < 0 ? (int)at : 0;
}

static int map_file(struct mm_struct *mm, struct inode *inode, u64 start,
		    u64 end, const struct elf_segment *seg, const char *name)
{
	int err = map_part(mm, start, end, seg->prot, MAP_FILE_FIXED, name);

	if (err || start == end)
		return err;
	iget(inode);
	err = mm_set_source(mm, start, end - start, inode,
			    seg->offset / PAGE_SIZE);
	if (err)
		iput(inode);
	return err;
}

/* What stands in the file behind the data is not part of the program. */
static int clear_tail(struct mm_struct *mm, u64 start, u64 end)
{
	void *zeroes = get_zeroed_page();
	int err;

	if (!zeroes)
		return -ENOMEM;
	err = mm_write(mm, start, zeroes, end - start);
	free_page(zeroes);
	return err;
}

static int load_segment(struct mm_struct *mm, const struct exec_image *im,
			const struct elf_segment *seg, const char *name)
{
	u64 at = im->base + seg->vaddr;
	u64 start = ALIGN_DOWN(at, PAGE_SIZE);
	u64 end = ALIGN_UP(at + seg->memsz, PAGE_SIZE);
	u64 data_end = at + seg->filesz;
	u64 file_end = seg->filesz ? ALIGN_UP(data_end, PAGE_SIZE) : start;
	int err = map_file(mm, im->file.inode, start, file_end, seg, name);

	if (!err)
		err = map_part(mm, file_end, end, seg->prot,
			       MAP_FILE_FIXED | MAP_ANONYMOUS, name);
	if (!err && seg->memsz > seg->filesz && file_end > data_end)
		err = clear_tail(mm, data_end, file_end);
	return err;
}

int exec_load(struct mm_struct *mm, struct exec_image *im, bool interp,
	      const char *name)
{
	int err = 0;

	im->file.inode->running = !interp;
	if (!im->img.pie)
		im->base = 0;
	else if (interp)
		err = find_base(mm, im);
	else
		im->base = pie_base(&im->img);
	for (u32 i = 0; !err && i < im->img.nr_segments; i++)
		err = load_segment(mm, im, &im->img.segment[i], name);
	return err;
}
