/*
 * The kernel log. Lines go into a byte ring; whoever finds the consoles idle
 * writes out all that is there, the others only leave their line behind, so
 * that an interrupt never waits for a slow port.
 *
 * LOCKING: log.lock guards the ring and is held for a copy only. `flushing`
 * is owned by the one CPU that writes to consoles. After a panic both are
 * ignored: one CPU is left, and the text must come out.
 */
#include "kernel/printk.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"

#define LOG_SIZE	8192	/* power of two */
#define LINE_MAX	320
#define CHUNK		128
/* Whoever asks for less than errors wants it quick: the ring keeps no more. */
#define LOG_KEPT	((int)LOG_ERR + 1)

/*
 * A record is one byte level, the text, a newline. Positions only grow;
 * the byte of position p is text[p % LOG_SIZE].
 */
struct log_ring {
	struct spinlock lock;
	u64 head, tail;
	u8 text[LOG_SIZE];
};

static struct log_ring log;
static LIST_HEAD(consoles);
static u32 flushing;

int console_loglevel = LOG_NOTICE + 1;

static int set_loglevel(const char *val)
{
	u64 level;
	int err = val ? parse_u64(val, &level) : -1;

	if (err || level > LOG_DEBUG + 1)
		return -1;
	console_loglevel = (int)level;
	return 0;
}
KERNEL_PARAM("loglevel", set_loglevel, "0 (nothing) to 8 (everything); up to 3 it keeps no more than it shows");

static unsigned long log_lock(void)
	__acquires(log.lock) __no_lock_check
{
	if (unlikely(panic_in_progress))
		return 0;
	return spin_lock_irqsave(&log.lock);
}

static void log_unlock(unsigned long flags)
	__releases(log.lock) __no_lock_check
{
	if (likely(!panic_in_progress))
		spin_unlock_irqrestore(&log.lock, flags);
}

static void ring_put(const char *s, size_t n)
{
	for (; n--; log.head++)
		log.text[log.head % LOG_SIZE] = (u8)*s++;
}

/* Drops whole records from the old end until @n more bytes fit. */
static void ring_make_room(size_t n)
{
	while (log.head + n - log.tail > LOG_SIZE) {
		while (log.text[log.tail % LOG_SIZE] != '\n')
			log.tail++;
		log.tail++;
	}
}

/*
 * Copies what comes next for @con into @buf, without the level bytes, and
 * moves on. Returns 0 at the head. Lines over the log level are passed over.
 */
static size_t ring_next(struct console *con, char *buf, size_t size)
{
	unsigned long flags = log_lock();
	size_t n = 0;

	if (con->seq < log.tail) {
		con->seq = log.tail;
		con->in_line = false;
	}
	while (con->seq != log.head && n < size) {
		u8 c = log.text[con->seq++ % LOG_SIZE];

		if (!con->in_line) {
			con->in_line = true;
			con->skip_line = c >= console_loglevel;
			continue;
		}
		if (!con->skip_line)
			buf[n++] = (char)c;
		if (c == '\n')
			con->in_line = false;
	}
	log_unlock(flags);
	return n;
}

static bool ring_behind(void)
{
	struct console *con;

	list_for_each_entry(con, &consoles, list)
		if (con->seq != READ_ONCE(log.head))
			return true;
	return false;
}

static void flush_consoles(void)
{
	struct console *con;
	char buf[CHUNK];
	size_t n;

	list_for_each_entry(con, &consoles, list) {
		do {
			n = ring_next(con, buf, sizeof(buf));
			if (n)
				con->write(con, buf, n);
		} while (n || con->seq != READ_ONCE(log.head));
	}
}

/*
 * The loop catches a line that was left while the flusher was on its way
 * out: either we see it here, or its writer saw `flushing` clear.
 */
static void kick_consoles(void)
{
	do {
		if (__atomic_exchange_n(&flushing, 1, __ATOMIC_SEQ_CST) &&
		    !panic_in_progress)
			return;
		flush_consoles();
		__atomic_store_n(&flushing, 0, __ATOMIC_SEQ_CST);
	} while (ring_behind());
}

static void log_line(enum log_level level, const char *line, size_t n)
{
	char lead = (char)level;
	unsigned long flags = log_lock();

	ring_make_room(n + 2);
	ring_put(&lead, 1);
	ring_put(line, n);
	ring_put("\n", 1);
	log_unlock(flags);
}

void printk(enum log_level level, const char *fmt, ...)
{
	char buf[LINE_MAX], *line = buf, *end;
	va_list args;

	if ((int)level >= console_loglevel && console_loglevel < LOG_KEPT)
		return;
	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	/* A record is one line; a final newline is implied. */
	while ((end = strchr(line, '\n')) && end[1]) {
		log_line(level, line, (size_t)(end - line));
		line = end + 1;
	}
	log_line(level, line, end ? (size_t)(end - line) : strlen(line));
	kick_consoles();
}

void register_console(struct console *con)
{
	struct console *first = NULL;

	if (!list_empty(&consoles))
		first = list_first_entry(&consoles, struct console, list);
	con->seq = log.tail;
	con->in_line = false;
	if (first && first->early) {
		con->seq = first->seq;
		con->in_line = first->in_line;
		con->skip_line = first->skip_line;
		list_del(&first->list);
	}
	list_add_tail(&con->list, &consoles);
	if (ring_behind())
		kick_consoles();
}

void console_write(const char *s, size_t len)
{
	struct console *con;

	list_for_each_entry(con, &consoles, list)
		con->write(con, s, len);
}
