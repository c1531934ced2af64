/* The kernel's own address, drawn at each boot (boot/kaslr.c). */
#pragma once

#include "kernel/types.h"

/* How tools/relocs writes a distance: up to here in one byte. */
#define KASLR_TWO	0xc0u	/* so much more in this byte and the next */
#define KASLR_FAR	0xffu	/* in the next three */

/*
 * How far the kernel is above where it was linked. Debuggers read it at the
 * physical address of its symbol, which does not move.
 */
extern u64 pollux_kaslr_offset;

/* Whether `nokaslr` stands among the kernel's words. */
bool kaslr_refused(const char *cmdline);

/*
 * Moves the kernel, once, on head.S's page tables; the caller's own addresses
 * stay good until it enters the moved kernel, which head.S does.
 */
void kaslr_move(const char *cmdline);
