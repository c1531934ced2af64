/* ELF files in an address space: the program's, and its interpreter's. */
#pragma once

#include "fs/elf.h"
#include "fs/namei.h"
#include "kernel/compiler.h"
#include "kernel/mm/mm.h"

/* One ELF file of the two that a program may consist of. */
struct exec_image {
	struct exec_file file;
	struct elf_image img;
	u64 base;		/* added to every address of the file */
};

/*
 * Finds @path and checks it; the log says what is wrong with it, where it is
 * not there (-ENOENT) nothing. -ENOEXEC, -ENOMEM. Task.
 */
int exec_open(const char *path, struct exec_image *im) __must_check;

/*
 * Maps the segments of @im, for a program at its place or at a random one,
 * for an @interp where there is room. @name as in mm_map(). -ENOMEM. Task.
 */
int exec_load(struct mm_struct *mm, struct exec_image *im, bool interp,
	      const char *name) __must_check;
