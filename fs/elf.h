/*
 * Reading ELF programs: the header fields that matter, checked, in one plain
 * structure. System V ABI, AMD64 supplement; elf(5).
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define ELF_MAX_SEGMENTS 16

/* One PT_LOAD. All of it lies inside the file and inside user addresses. */
struct elf_segment {
	u64 vaddr;		/* where it wants to be, base not added */
	u64 memsz;		/* bytes in memory, > 0 */
	u64 offset, filesz;	/* where its bytes are in the file */
	u32 prot;		/* PROT_ bits */
};

struct elf_image {
	bool pie;		/* may be loaded anywhere */
	u64 entry;
	u64 phdr;		/* address of the headers, 0: unmapped */
	u32 phnum;
	u64 align;		/* the largest alignment asked for, >= a page */
	const char *interp;	/* its interpreter, a path in the file; NULL */
	u64 start, end;		/* page-aligned span of all segments */
	u32 nr_segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS]; /* by address */
};

#define ELF_PHENT_SIZE 56u

/*
 * Checks the file at @data and fills @img. NULL if it can be run, else what is
 * wrong with it and what to do, for the log. Any context.
 */
const char *elf_parse(const void *data, size_t size, struct elf_image *img)
	__must_check;
