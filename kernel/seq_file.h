/*
 * Text that is made while it is read, for /proc: whoever has something to
 * show prints it into a buffer, record by record, and does not care how much
 * of it is asked for at once. Task context.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct seq_file {
	char *buf;
	size_t len, size;	/* what is there, what there is room for */
	bool overflow;		/* something did not fit: it is asked again */
	u64 arg;		/* whom it is about: a descriptor, a thread */
};

/*
 * Prints the next record, a few at most: the first when *@cursor is 0; where
 * to go on is its own business to note there. True if there are more.
 */
typedef bool (*seq_show_t)(struct seq_file *m, u64 *cursor);

/* A file that others than fs/ have in /proc. */
struct seq_entry {
	const char *name;
	seq_show_t show;
};

void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq_file *m, const char *s);
/* Any bytes, zeroes too. */
void seq_write(struct seq_file *m, const void *data, size_t n);
/* Spaces until column @width of a record that began at @start. */
void seq_pad(struct seq_file *m, size_t start, size_t width);
