/*
 * The two pages behind the vDSO: struct vvar lies on a page of its own of the
 * kernel image, the code is copied to a fresh one so that the program sees
 * nothing else of the image. Both live as long as the machine.
 */
#include "kernel/mm/vdso.h"

#include "kernel/mm/page.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"
#include "kernel/vvar.h"
#include "kernel/x86/sections.h"

extern const char vdso_image[], vdso_image_end[];

static struct page *vdso_pages[2];

struct page *vdso_page(u64 index)
{
	get_page(vdso_pages[index]);
	return vdso_pages[index];
}

static bool make_pages(void)
{
	void *image = get_zeroed_page();

	if (!image)
		return false;
	memcpy(image, vdso_image, (size_t)(vdso_image_end - vdso_image));
	vdso_pages[VDSO_PAGE_IMAGE] = virt_to_page(image);
	vdso_pages[VDSO_PAGE_VVAR] = keep_reserved_page(image_to_phys(&vvar));
	return true;
}

u64 vdso_map(struct mm_struct *mm)
{
	u64 at = ALIGN_UP(mm->stack_top, PAGE_SIZE);
	u64 room = (TASK_SIZE_MAX - at) / PAGE_SIZE;
	s64 ret;

	if (room < 2 || !make_pages())
		return 0;
	at += get_random_below((u32)min(room - 1, (u64)UINT32_MAX)) * PAGE_SIZE;
	ret = mm_map_special(mm, at, PROT_READ, "[vvar]", VDSO_PAGE_VVAR);
	if (ret > 0)
		ret = mm_map_special(mm, at + PAGE_SIZE, PROT_READ | PROT_EXEC,
				     "[vdso]", VDSO_PAGE_IMAGE);
	return ret > 0 ? (u64)ret : 0;
}
