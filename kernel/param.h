/*
 * The kernel command line, in Linux's syntax: words `name` or `name=value`
 * split at spaces, everything after `--` is for the program. A word nobody
 * declared is reported, not ignored: Linux hands such words to init as its
 * environment; here only NAME=value with an upper-case NAME goes there, so
 * that a typo is not silent.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct kernel_param {
	const char *name;
	/* Task context at boot. @val is NULL for a bare word; 0 or -errno. */
	int (*set)(const char *val);
	const char *help;	/* what a good value looks like */
};

/* Declares that `name=` on the command line calls @fn. */
#define KERNEL_PARAM(_name, _fn, _help)					\
	static const struct kernel_param param_##_fn __used		\
		__section(".kernel_param") __aligned(8) = {		\
		.name = _name, .set = _fn, .help = _help,		\
	}

/*
 * Walks boot_info.cmdline once and calls each declared handler in order;
 * unknown or refused words are logged with what would be right. Boot only.
 */
void parse_params(void);

/* What stands after `--`, NULL if nothing does. Borrowed, never freed. */
const char *param_init_args(void);

/*
 * Cut into words, quotes kept together, in @buf of @size bytes; @words gets
 * them with a NULL at the end, at most @max - 1. Both return how many there
 * are, or -E2BIG. Boot only.
 */
int param_init_words(char *buf, size_t size, char *words[], unsigned int max)
	__must_check;
/* The same for the NAME=value words: the program's environment. */
int param_env_words(char *buf, size_t size, char *words[], unsigned int max)
	__must_check;

/* Parses a decimal or 0x number into @out; -EINVAL if @s is not just that. */
int parse_u64(const char *s, u64 *out) __must_check;
