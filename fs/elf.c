/*
 * The ELF checks. The file is untrusted: every offset is compared with what
 * is left of the file before it is used, every address with the user's part
 * of the address space, and segments may not share a page.
 */
#include "fs/elf.h"

#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"

#define ET_REL		1
#define ET_EXEC		2
#define ET_DYN		3
#define EM_386		3
#define EM_X86_64	62
#define EM_AARCH64	183
#define PT_LOAD		1
#define PT_INTERP	3
#define PF_X		1u
#define PF_W		2u
#define PF_R		4u
#define MAX_ALIGN	(1ull << 30)

struct elf64_ehdr {
	u8 e_ident[16];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
};

struct elf64_phdr {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
};

_Static_assert(sizeof(struct elf64_ehdr) == 64, "as the ABI has it");
_Static_assert(sizeof(struct elf64_phdr) == ELF_PHENT_SIZE, "likewise");

static const char *check_machine(const struct elf64_ehdr *eh)
{
	if (eh->e_ident[4] == 1 || eh->e_machine == EM_386)
		return "is a 32-bit program; compile it for x86-64";
	if (eh->e_machine == EM_AARCH64)
		return "is an Arm program; compile it for x86-64";
	if (eh->e_ident[4] != 2 || eh->e_ident[5] != 1 ||
	    eh->e_machine != EM_X86_64)
		return "is for another machine; compile it for x86-64";
	return NULL;
}

static const char *check_header(const struct elf64_ehdr *eh, size_t size)
{
	const char *why;

	if (memcmp(eh->e_ident, "\177ELF", 4))
		return "is no ELF program (a script?); name its interpreter";
	if (size < sizeof(*eh))
		return "is cut off inside the ELF header; copy it again";
	why = check_machine(eh);
	if (why)
		return why;
	if (eh->e_ident[6] != 1 || eh->e_version != 1)
		return "has an unknown ELF version; it is damaged";
	if (eh->e_type == ET_REL)
		return "is an object file; link it";
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return "is no program (wrong ELF type); link it statically";
	if (eh->e_phentsize != ELF_PHENT_SIZE || !eh->e_phnum)
		return "has no usable program headers; it is damaged";
	if (eh->e_phoff > size ||
	    (size - eh->e_phoff) / ELF_PHENT_SIZE < eh->e_phnum)
		return "is cut off inside the program headers; copy it again";
	return NULL;
}

static u32 to_prot(u32 flags)
{
	return (flags & PF_R ? PROT_READ : 0) |
	       (flags & PF_W ? PROT_WRITE : 0) |
	       (flags & PF_X ? PROT_EXEC : 0);
}

static const char *check_load(const struct elf64_phdr *ph, size_t size)
{
	if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset)
		return "is cut off inside a segment; copy it again";
	if (ph->p_filesz > ph->p_memsz)
		return "has a segment larger in the file than in memory; "
		       "it is damaged";
	if (ph->p_vaddr > TASK_SIZE_MAX ||
	    ph->p_memsz > TASK_SIZE_MAX - ph->p_vaddr)
		return "wants memory outside of the user's half; link it "
		       "at the usual address";
	if (ph->p_align > MAX_ALIGN || (ph->p_align & (ph->p_align - 1)))
		return "has a segment of impossible alignment; it is damaged";
	if ((ph->p_vaddr - ph->p_offset) % PAGE_SIZE)
		return "has a segment that does not lie as in its file; "
		       "it is damaged";
	return NULL;
}

/* Appends a PT_LOAD; the ABI has them sorted by address. */
static const char *add_load(struct elf_image *img, const struct elf64_phdr *ph,
			    u64 phoff)
{
	struct elf_segment *seg = &img->segment[img->nr_segments];
	u64 start = ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE);

	if (!ph->p_memsz)
		return NULL;
	if (img->nr_segments == ELF_MAX_SEGMENTS)
		return "has too many segments; link it with the usual script";
	if (img->nr_segments && start < img->end)
		return "has segments out of order or sharing a page; link it "
		       "with -z separate-code";
	if (!img->nr_segments)
		img->start = start;
	img->end = ALIGN_UP(ph->p_vaddr + ph->p_memsz, PAGE_SIZE);
	img->align = max(img->align, ph->p_align);
	if (phoff >= ph->p_offset && phoff - ph->p_offset < ph->p_filesz)
		img->phdr = ph->p_vaddr + (phoff - ph->p_offset);
	seg->vaddr = ph->p_vaddr;
	seg->memsz = ph->p_memsz;
	seg->offset = ph->p_offset;
	seg->filesz = ph->p_filesz;
	seg->prot = to_prot(ph->p_flags);
	img->nr_segments++;
	return NULL;
}

/* The path must end within the file, and be one that can be walked. */
static const char *set_interp(struct elf_image *img,
			      const struct elf64_phdr *ph, const char *data,
			      size_t size)
{
	if (ph->p_offset >= size || !ph->p_filesz ||
	    ph->p_filesz > size - ph->p_offset ||
	    data[ph->p_offset + ph->p_filesz - 1] ||
	    data[ph->p_offset] != '/')
		return "has no usable interpreter path; it is damaged";
	img->interp = data + ph->p_offset;
	return NULL;
}

static const char *check_entry(const struct elf_image *img)
{
	for (u32 i = 0; i < img->nr_segments; i++) {
		const struct elf_segment *seg = &img->segment[i];

		if (seg->prot & PROT_EXEC && img->entry >= seg->vaddr &&
		    img->entry - seg->vaddr < seg->memsz)
			return NULL;
	}
	return "starts outside of its code; it is damaged";
}

const char *elf_parse(const void *data, size_t size, struct elf_image *img)
{
	struct elf64_ehdr eh;
	const char *why;

	memset(&eh, 0, sizeof(eh));
	memcpy(&eh, data, min(size, sizeof(eh)));
	why = check_header(&eh, size);
	if (why)
		return why;
	memset(img, 0, sizeof(*img));
	img->pie = eh.e_type == ET_DYN;
	img->entry = eh.e_entry;
	img->phnum = eh.e_phnum;
	img->align = PAGE_SIZE;
	for (u32 i = 0; i < eh.e_phnum; i++) {
		struct elf64_phdr ph;

		memcpy(&ph, (const char *)data + eh.e_phoff +
			    i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_INTERP)
			why = set_interp(img, &ph, data, size);
		if (ph.p_type == PT_LOAD)
			why = check_load(&ph, size);
		if (ph.p_type == PT_LOAD && !why)
			why = add_load(img, &ph, eh.e_phoff);
		if (why)
			return why;
	}
	if (!img->nr_segments)
		return "has nothing to load; it is damaged";
	return check_entry(img);
}
