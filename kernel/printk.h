/*
 * The kernel log: formatted lines with a level, kept in a ring and written to
 * the consoles that registered. Any context; never sleeps.
 */
#pragma once

#include <stdarg.h>

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/types.h"

/* Levels as syslog(2) numbers them; a line is shown if level < loglevel. */
enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

/* Lines below this number reach the consoles; command line: loglevel=N. */
extern int console_loglevel;

/* A place that log lines and the program's own output are written to. */
struct console {
	const char *name;
	/*
	 * Any context, never sleeps; borrows @s. @len 0: waits, but not for
	 * ever, until all is out.
	 */
	void (*write)(struct console *con, const char *s, size_t len);
	bool early;		/* gives way to the next one that registers */
	/* printk's: how far this console has come in the log. */
	struct list_head list;
	u64 seq;
	bool in_line, skip_line;
};

/*
 * Adds @con for good and gives it what the log holds so far, or takes over
 * from the early console where that stopped. Boot only.
 */
void register_console(struct console *con);

/* Writes raw bytes to every console, past the log (the program's output). */
void console_write(const char *s, size_t len);

/*
 * Logs one line; the newline at its end may be left out. Newlines inside make
 * several lines; what is longer than 319 bytes is cut.
 */
void printk(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define pr_err(...)	printk(LOG_ERR, __VA_ARGS__)
#define pr_warn(...)	printk(LOG_WARNING, __VA_ARGS__)
#define pr_notice(...)	printk(LOG_NOTICE, __VA_ARGS__)
#define pr_info(...)	printk(LOG_INFO, __VA_ARGS__)
#define pr_debug(...)	printk(LOG_DEBUG, __VA_ARGS__)

/*
 * C99 printf without floating point, plus %pI4 (be32 *), %pM (u8[6] MAC) and
 * %pS (code address as symbol+offset). Returns the length the whole text has.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
