/*
 * System calls with random arguments, from several threads at once, on a
 * kernel that must survive them. calls.c starts and ends the threads,
 * calls_args.c makes up arguments, calls_table.c says which call takes what,
 * calls_clean.c puts everything back as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096ul
#define ARENA_PAGES	32ul
#define WORKERS		3
#define HOME		"/fuzz"

/* What may not be in a mask, nor get another handler. */
#define KICK		10	/* SIGUSR1 */

/*
 * A thread that calls at random. It uses nothing of the C library that needs
 * thread-local storage, and touches memory only in its arena and stack.
 */
struct worker {
	uint64_t seed;
	uint8_t *arena;		/* ARENA_PAGES, and as many without access */
	uint8_t *stack;
	uint32_t todo, calls;
	int tid;
	long nr;		/* the call that runs, and its arguments */
	uint64_t arg[6];
};

/* A call's arguments, a letter each: see make_arg(). */
struct call {
	long nr;
	const char *args;
};

extern const struct call calls[];
extern const uint32_t nr_calls;

/* What all workers know. */
struct world {
	struct worker worker[WORKERS];
	const uint8_t *fixed;	/* a page that can be read only */
	int pid;
};

extern struct world world;

uint64_t draw(struct worker *w);
/* 0 to @n - 1. */
uint32_t below(struct worker *w, uint32_t n);
bool one_in(struct worker *w, uint32_t n);

/* Fills the page of well-formed masks, actions, ... that @fixed points to. */
void fill_fixed(uint8_t *page);
void fill_some_memory(struct worker *w);
/* The argument at @at of the string @args. */
uint64_t make_arg(struct worker *w, const char *args, int at);
bool in_an_arena(uint64_t va);

long raw(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
	 uint64_t f);

/*
 * The file's text, which is good until the next call. No memory is taken for
 * it: the heap goes with what the workers mapped.
 */
char *read_file(const char *path);
/* Remembers the address space and the root directory as they are. */
void remember(void);
/* Descriptors, timers, limits, files, mappings: what the workers left. */
void clean_up(void);
/* Those of the process, with the signals that they sent. */
void stop_timers(void);
