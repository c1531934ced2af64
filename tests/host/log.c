/*
 * printk, console_write and panic on the host: text is captured for the test
 * to look at; a panic ends the test unless the test expects it. Also the
 * small services that every test may need: randomness and the trace switch.
 */
#include "tests/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/trace.h"
#include "kernel/watchdog.h"

struct text {
	char buf[65536];
	size_t len;
};

static struct text log_text, console_text;
static char panic_text[512];
static bool panic_armed;
static u64 random_state;

jmp_buf host_panic_jmp;
bool host_panic_caught;

__weak int console_loglevel = 8;
__weak u32 trace_mask;
__weak void (*machine_exit_hook)(int code);

static void text_add(struct text *t, const char *s, size_t len)
{
	len = min(len, sizeof(t->buf) - 1 - t->len);
	memcpy(t->buf + t->len, s, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

static void text_clear(struct text *t)
{
	t->len = 0;
	t->buf[0] = '\0';
}

const char *host_log(void)
{
	return log_text.buf;
}

void host_log_clear(void)
{
	text_clear(&log_text);
}

const char *host_console(void)
{
	return console_text.buf;
}

size_t host_console_len(void)
{
	return console_text.len;
}

void host_console_clear(void)
{
	text_clear(&console_text);
}

void host_log_reset(void)
{
	text_clear(&log_text);
	text_clear(&console_text);
	panic_armed = false;
	host_panic_caught = false;
	trace_mask = 0;
	host_random_seed(1);
}

void host_panic_arm(bool on)
{
	panic_armed = on;
}

const char *host_panic_text(void)
{
	return panic_text;
}

__weak void printk(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	text_add(&log_text, line, strlen(line));
	if (getenv("HOST_LOG"))
		fprintf(stderr, "<%d>%s", (int)level, line);
}

__weak void console_write(const char *s, size_t len)
{
	text_add(&console_text, s, len);
}

__weak void register_console(struct console *con)
{
}

__weak void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, args);
	va_end(args);
	if (panic_armed) {
		host_panic_caught = true;
		longjmp(host_panic_jmp, 1);
	}
	fprintf(stderr, "panic: %s\n", panic_text);
	abort();
}

__weak void bug(const char *what, u32 line)
{
	panic("BUG in line %u: %s", line, what);
}

__weak void machine_exit(int code)
{
	panic("machine_exit(%d)", code);
}

__weak size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = min(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

/* --- deterministic randomness (SplitMix64) --- */

void host_random_seed(u64 seed)
{
	random_state = seed;
}

__weak u64 get_random_u64(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

__weak u32 get_random_u32(void)
{
	return (u32)(get_random_u64() >> 32);
}

__weak u32 get_random_below(u32 bound)
{
	return (u32)((u64)get_random_u32() * bound >> 32);
}

__weak void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = (u8)get_random_u64();
}

__weak bool random_ready(void)
{
	return true;
}

__weak void add_entropy(const void *data, size_t len,
			unsigned int entropy_bits)
{
}

__weak void trace_emit(enum trace_point point, u64 a, u64 b)
{
}

__weak void trace_dump(unsigned int n)
{
}

u32 watchdog_counts[NR_WATCHDOG_CASES];

__weak void watchdog_bark(enum watchdog_case which)
{
	watchdog_counts[which]++;
}

__weak void watchdog_turn(void)
{
}
