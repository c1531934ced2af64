/*
 * COM1 before its driver: whatever goes wrong during boot is seen. Needs no
 * interrupts, no memory, no set-up (firmware left the port usable).
 */
#include "kernel/x86/early_console.h"
#include "kernel/printk.h"
#include "kernel/x86/io.h"

#define COM1		0x3f8
#define LINE_STATUS	5
#define TX_EMPTY	0x20
#define MAX_POLLS	100000	/* then the byte is lost, not the boot */

static void put_byte(char c)
{
	unsigned int i;

	for (i = 0; i < MAX_POLLS; i++)
		if (inb(COM1 + LINE_STATUS) & TX_EMPTY)
			break;
	outb((u8)c, COM1);
}

static void early_write(struct console *con, const char *s, size_t len)
{
	(void)con;
	for (; len; len--, s++) {
		if (*s == '\n')
			put_byte('\r');
		put_byte(*s);
	}
}

static struct console early_console = {
	.name = "early", .write = early_write, .early = true,
};

void early_console_init(void)
{
	register_console(&early_console);
}
