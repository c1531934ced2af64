/*
 * Memory for the tests of the real allocators: an arena that stands for
 * physical memory from 0 on, filled with rubbish as real memory is.
 */
#pragma once

#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "kernel/mm/memblock.h"
#include "kernel/mm/page.h"
#include "tests/host/host.h"

#define ARENA_BYTES (64ul << 20)

static u8 *arena;

static void arena_setup(void)
{
	host_reset();
	arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(arena, MAP_FAILED);
	memset(arena, 0x5c, ARENA_BYTES);
	direct_map_base = (u64)arena;
	memset(&memblock, 0, sizeof(memblock));
}

static inline void arena_add(phys_addr_t start, phys_addr_t end)
{
	memblock_add(&memblock, start, end);
	memblock.ram_end = max(memblock.ram_end, end);
}

static void arena_teardown(void)
{
	munmap(arena, ARENA_BYTES);
}
