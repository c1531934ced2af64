/*
 * The memory system calls: mmap, munmap, mprotect, brk, mremap, madvise and
 * those that have nothing to do without a swap device. A mapping of a file has
 * the file's own pages, a private one until it is written to; of a file that
 * has none it is a copy made at once.
 */
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/mm_internal.h"
#include "kernel/mm/page.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/x86/paging.h"

#define MAP_TYPE		0x0f
#define MAP_SHARED_VALIDATE	0x03
#define MAP_NORESERVE		0x4000
#define MAP_HUGETLB		0x40000
#define PROT_KNOWN		(PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_GROWS		0x03000000

#define MREMAP_MAYMOVE		1
#define MREMAP_FIXED		2

#define MLOCK_ONFAULT		1

#define MS_ASYNC	1
#define MS_SYNC		4
#define MS_KNOWN	7

/* Bits of what there is; 5 to 7 were never given away. */
#define MADV_KNOWN		0x3ffff1fu
#define MADV_DONTNEED		4
#define MADV_FREE		8
#define MADV_REMOVE		9
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#define MADV_DONTNEED_LOCKED	24

ssize_t (*mmap_read_file)(int fd, u64 pos, void *buf, size_t n);
const struct mmap_source_ops *mmap_sources;

/* Fills the area from the file; what lies past its end stays zero. */
static int load_file(u64 addr, u64 len, int fd, u64 pos)
{
	void *buf = get_zeroed_page();
	u64 done = 0;
	ssize_t n;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	while (!err && done < len) {
		n = mmap_read_file(fd, pos + done, buf,
				   min(len - done, PAGE_SIZE));
		if (n <= 0) {
			err = (int)n;
			break;
		}
		err = mm_write(current->mm, addr + done, buf, (size_t)n);
		done += (u64)n;
	}
	free_page(buf);
	return err;
}

/*
 * Refuses a bad descriptor before anything is replaced. What is shared may
 * become writable later, unless the file is not.
 */
static int check_file(int fd, u32 prot, u32 *flags, void **source,
		      bool *copies)
{
	bool private = (*flags & MAP_TYPE) == MAP_PRIVATE;
	ssize_t n;
	u8 byte;
	int err;

	if (!mmap_sources)
		return -ENODEV;
	err = mmap_sources->open(fd, private ? PROT_READ : prot | PROT_WRITE,
				 source);
	if (err && !private && !(prot & PROT_WRITE)) {
		*flags |= MAP_NOWRITE;
		err = mmap_sources->open(fd, prot, source);
	}
	if (err != -ENODEV || !private)
		return err;
	n = mmap_read_file(fd, 0, &byte, 0);
	*copies = n >= 0;
	return n < 0 ? (int)n : 0;
}

/*
 * Maps what mmap(2) asks for, its arguments checked. A file's pages come when
 * they are touched.
 */
static s64 do_mmap(u64 addr, u64 len, u32 prot, u32 flags, int fd, u64 off)
{
	bool copies = false;
	void *source = NULL;
	s64 ret;
	int err = 0;

	if (!(flags & MAP_ANONYMOUS))
		err = check_file(fd, prot, &flags, &source, &copies);
	if (err)
		return err;
	ret = mm_map(current->mm, addr, len, prot, flags, NULL);
	if (ret < 0)
		err = (int)ret;
	else if (source)
		err = mm_set_source(current->mm, (u64)ret, len, source,
				    off / PAGE_SIZE);
	else if (copies)
		err = load_file((u64)ret, len, fd, off);
	if (!err)
		return ret;
	if (source)
		mmap_sources->put(source);
	if (ret > 0)
		(void)mm_unmap(current->mm, (u64)ret, len);
	return err;
}

SYSCALL_DEFINE6(mmap, u64, addr, u64, len, u64, prot, u64, flags, s64, fd,
		u64, off)
{
	u32 type = flags & MAP_TYPE;

	if (off % PAGE_SIZE || !len ||
	    (type != MAP_SHARED && type != MAP_PRIVATE &&
	     type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS) && (off | (off + len)) > INT64_MAX)
		return -EOVERFLOW;
	/* No huge pages are set aside, as on a default Linux. */
	if (flags & MAP_HUGETLB)
		return -ENOMEM;
	if (type == MAP_SHARED_VALIDATE)
		flags ^= MAP_SHARED ^ MAP_SHARED_VALIDATE;
	if (prot & PROT_WRITE && !(flags & MAP_NORESERVE) && !mm_may_grow(len))
		return -ENOMEM;
	return do_mmap(addr, len, prot & PROT_KNOWN,
		       (u32)flags & ~(MAP_GROWSDOWN | MAP_NOWRITE | MAP_VDSO),
		       (int)fd, off);
}

SYSCALL_DEFINE2(munmap, u64, addr, u64, len)
{
	return mm_unmap(current->mm, addr, len);
}

SYSCALL_DEFINE3(mprotect, u64, addr, u64, len, u64, prot)
{
	if (prot & ~(u64)(PROT_KNOWN | PROT_GROWS))
		return -EINVAL;
	return mm_protect(current->mm, addr, len, prot & PROT_KNOWN);
}

SYSCALL_DEFINE5(mremap, u64, addr, u64, old_len, u64, new_len, u64, flags,
		u64, new_addr)
{
	if (flags & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED))
		return -EINVAL;
	return mm_remap(current->mm, addr, old_len, new_len,
			flags & MREMAP_MAYMOVE, flags & MREMAP_FIXED,
			new_addr);
}

SYSCALL_DEFINE1(brk, u64, want)
{
	return (long)mm_brk(current->mm, want);
}

/* All of it must be mapped; nothing is ever paged out. */
static long check_mapped(u64 addr, u64 len)
{
	u64 start = ALIGN_DOWN(addr, PAGE_SIZE), end;
	struct mm_struct *mm = current->mm;
	long err = 0;

	if (!len)
		return 0;
	if (addr + len < addr || check_range(start, addr + len - start, &end))
		return -EINVAL;
	mutex_lock(&mm->lock);
	if (!range_covered(mm, start, end))
		err = -ENOMEM;
	mutex_unlock(&mm->lock);
	return err;
}

/* Touches every page; what would be a signal is an error. */
static long populate(u64 addr, u64 len, u32 why)
{
	u64 end;
	int err = check_range(addr, len, &end);

	for (; !err && addr < end && !signal_pending(current);
	     addr += PAGE_SIZE) {
		err = mm_fault(current->mm, addr, why);
		cond_resched();
	}
	if (err == -EFAULT)
		return -ENOMEM;
	if (err == -ENXIO)
		return -EFAULT;
	return err == -EACCES ? -EINVAL : err;
}

SYSCALL_DEFINE3(madvise, u64, addr, u64, len, u64, advice)
{
	struct mm_struct *mm = current->mm;

	if (addr % PAGE_SIZE || advice >= 32 || !(MADV_KNOWN >> advice & 1))
		return -EINVAL;
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return mm_discard(mm, addr, len, advice == MADV_FREE);
	case MADV_REMOVE:
		return mm_remove(mm, addr, len);
	case MADV_POPULATE_READ:
		return populate(addr, len, 0);
	case MADV_POPULATE_WRITE:
		return populate(addr, len, FAULT_WRITE);
	default:
		return check_mapped(addr, len);
	}
}

SYSCALL_DEFINE3(msync, u64, addr, u64, len, u64, flags)
{
	long err;

	if (addr % PAGE_SIZE || flags & ~(u64)MS_KNOWN ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	err = check_mapped(addr, len);
	if (err || !(flags & MS_SYNC) || !mmap_sources->sync)
		return err;
	return mmap_sources->sync(addr, addr + len);
}

SYSCALL_DEFINE2(mlock, u64, addr, u64, len)
{
	return check_mapped(addr, len);
}

SYSCALL_DEFINE3(mlock2, u64, addr, u64, len, u64, flags)
{
	return flags & ~(u64)MLOCK_ONFAULT ? -EINVAL : check_mapped(addr, len);
}

SYSCALL_DEFINE2(munlock, u64, addr, u64, len)
{
	return check_mapped(addr, len);
}

SYSCALL_DEFINE1(mlockall, u64, flags)
{
	/* MCL_CURRENT, MCL_FUTURE, and how. */
	return !(flags & 3) || flags > 7 ? -EINVAL : 0;
}

SYSCALL_DEFINE0(munlockall)
{
	return 0;
}

/* Protection keys: all taken, as on a CPU without them. */
SYSCALL_DEFINE2(pkey_alloc, u64, flags, u64, rights)
{
	return flags || rights > 3 ? -EINVAL : -ENOSPC;
}

/* One byte for each page: is it in memory? */
SYSCALL_DEFINE3(mincore, u64, addr, u64, len, u64, vec)
{
	struct mm_struct *mm = current->mm;
	u64 at, end, *entry;
	u8 here;
	int err = 0;

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (check_range(addr, len, &end))
		return -ENOMEM;
	for (at = addr; !err && at < end; at += PAGE_SIZE, vec++) {
		mutex_lock(&mm->lock);
		if (!area_find(mm, at))
			err = -ENOMEM;
		entry = pt_user_entry(mm->pgd, at, false);
		here = entry && *entry;
		mutex_unlock(&mm->lock);
		if (!err)
			err = put_user(here, (u8 __user *)vec);
		cond_resched();
	}
	return err;
}
