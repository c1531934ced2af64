/*
 * What the boot loaders hand over. Each parser fills a struct boot_info from
 * the loader's tables, trusting no offset or length in them.
 */
#pragma once

#include "kernel/boot_info.h"
#include "kernel/compiler.h"
#include "kernel/types.h"

#define MULTIBOOT2_MAGIC 0x36d76289u	/* eax at entry, section 3.3 */
#define PVH_MAGIC	0x336ec578u	/* hvm_start_info.magic */

/*
 * Gives [@pa, @pa + @len) of physical memory as the parser can read it, NULL
 * if it cannot be reached.
 */
typedef const void *(*boot_phys_fn)(phys_addr_t pa, u64 len);

/* Both: 0, or -EINVAL if the tables make no sense. */
int multiboot2_parse(phys_addr_t pa, boot_phys_fn phys,
		     struct boot_info *out) __must_check;
int pvh_parse(phys_addr_t pa, boot_phys_fn phys,
	      struct boot_info *out) __must_check;

/*
 * Adds a region, merged with the one before it where they touch. Empty ones
 * and those past the table's end are left out.
 */
void boot_add_region(struct boot_info *out, phys_addr_t start, u64 len,
		     bool usable);
/* Copies at most @max bytes of @s up to its end; cuts what does not fit. */
void boot_set_cmdline(struct boot_info *out, const char *s, u64 max);

/* What `pollux build` has put beside the kernel, where no loader brought it. */
void boot_use_embedded(struct boot_info *out, boot_phys_fn phys);

/*
 * First C function, on the boot stack, interrupts off. @magic says which
 * loader left its data at physical @info. The kernel has moved when it
 * returns; boot_moved() is then called with what it returned.
 */
asmlinkage int boot_main(u32 magic, u32 info);
asmlinkage void boot_moved(u32 magic, int err) __noreturn;
void start_kernel(void) __noreturn;
