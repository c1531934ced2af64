/*
 * The serial port and isa-debug-exit against made-up ports.
 * sources: drivers/serial.c drivers/debug_exit.c
 */
#include "tests/unit/unit.h"

#include "drivers/debug_exit.h"
#include "drivers/serial.h"
#include "kernel/console_input.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/x86/io.h"
#include "tests/host/host.h"

#define COM1	0x3f8
#define ABSENT	0xff

/* The 16550 as far as the driver can tell. */
static struct {
	bool present;
	bool stuck;		/* never ready to send */
	u8 scratch, lcr, ier, mcr;
	char sent[4096];
	size_t nr_sent;
	unsigned int room;	/* in the FIFO; a status read empties it */
	unsigned int sending;	/* status reads until the last byte is out */
	const char *typed;
	unsigned int status_reads;
} uart;

static struct console *console;
static irq_handler_t handler;
static void *handler_data;
static bool no_vectors, no_ioapic;
static char input[256];
static size_t nr_input;
static unsigned int exit_port_value, exit_code;

void register_console(struct console *con)
{
	console = con;
}

int request_irq(irq_handler_t fn, void *data, const char *name)
{
	if (no_vectors)
		return -ENOSPC;
	handler = fn;
	handler_data = data;
	return 40;
}

void free_irq(int vector)
{
	assert_int_equal(vector, 40);
	handler = NULL;
}

int ioapic_route(unsigned int gsi, int vector, bool level)
{
	assert_int_equal(gsi, 4);
	assert_int_equal(vector, 40);
	assert_false(level);
	return no_ioapic ? -ENODEV : 0;
}

void console_input(const char *s, size_t n)
{
	memcpy(input + nr_input, s, n);
	nr_input += n;
}

static u32 read_status(void)
{
	u32 status = *uart.typed ? 0x01 : 0;

	uart.status_reads++;
	if (uart.stuck)
		return status;
	uart.room = 16;
	if (uart.sending && --uart.sending)
		return status | 0x20;
	return status | 0x60;
}

static u32 port_in(u16 port, unsigned int size)
{
	assert_int_equal(size, 1);
	if (port == 0xf4)
		return exit_port_value;
	if (!uart.present)
		return ABSENT;
	switch (port - COM1) {
	case 0:
		assert_true(*uart.typed);
		return (u8)*uart.typed++;
	case 5:
		return read_status();
	case 7:
		return uart.scratch;
	default:
		return 0;
	}
}

static void send(u32 v)
{
	if (uart.lcr & 0x80)
		return;
	assert_true(uart.room > 0);
	uart.room--;
	uart.sent[uart.nr_sent++] = (char)v;
}

static void port_out(u16 port, u32 v, unsigned int size)
{
	assert_int_equal(size, 1);
	if (port == 0xf4)
		exit_code = v;
	if (!uart.present)
		return;
	switch (port - COM1) {
	case 0:
		send(v);
		break;
	case 1:
		if (!(uart.lcr & 0x80))
			uart.ier = (u8)v;
		break;
	case 3:
		uart.lcr = (u8)v;
		break;
	case 4:
		uart.mcr = (u8)v;
		break;
	case 7:
		uart.scratch = (u8)v;
		break;
	default:
		break;
	}
}

static int setup(void **state)
{
	host_reset();
	host_port_in = port_in;
	host_port_out = port_out;
	memset(&uart, 0, sizeof(uart));
	uart.present = true;
	uart.typed = "";
	console = NULL;
	handler = NULL;
	no_vectors = no_ioapic = false;
	nr_input = 0;
	exit_port_value = ABSENT;
	exit_code = 0;
	machine_exit_hook = NULL;
	return 0;
}

static int teardown(void **state)
{
	host_port_in = NULL;
	host_port_out = NULL;
	return 0;
}

static void say(const char *s)
{
	console->write(console, s, strlen(s));
}

static void test_no_port_no_console(void **state)
{
	uart.present = false;
	serial_init();
	assert_null(console);
	serial_input_init();
	assert_null(handler);
}

static void test_lines_go_out(void **state)
{
	serial_init();
	assert_non_null(console);
	assert_int_equal(uart.lcr, 0x03);
	assert_int_equal(uart.ier, 0);
	say("one\ntwo\n");
	assert_int_equal(uart.nr_sent, 10);
	assert_memory_equal(uart.sent, "one\r\ntwo\r\n", 10);
}

static void test_one_status_read_for_16_bytes(void **state)
{
	char text[161];

	serial_init();
	memset(text, 'x', 160);
	text[160] = '\0';
	uart.status_reads = 0;
	say(text);
	assert_int_equal(uart.nr_sent, 160);
	assert_int_equal(uart.status_reads, 10);
}

static void test_a_stuck_port_does_not_stop_us(void **state)
{
	serial_init();
	uart.stuck = true;
	say("lost");
	assert_int_equal(uart.nr_sent, 0);
	/* Patience once; afterwards one look for each byte. */
	uart.status_reads = 0;
	say("lost");
	assert_int_equal(uart.status_reads, 4);
	uart.stuck = false;
	say("back");
	assert_memory_equal(uart.sent, "back", 4);
}

static void test_the_end_waits_for_the_last_byte(void **state)
{
	serial_init();
	say("last words");
	uart.sending = 50;
	uart.status_reads = 0;
	say("");
	assert_int_equal(uart.status_reads, 50);
	/* But not for ever. */
	uart.stuck = true;
	say("");
	assert_int_equal(uart.nr_sent, 10);
}

static void test_input(void **state)
{
	serial_init();
	serial_input_init();
	assert_int_equal(uart.ier, 1);
	assert_true(uart.mcr & 0x08);
	uart.typed = "more than one FIFO holds at a time";
	handler(handler_data);
	assert_int_equal(nr_input, 34);
	assert_memory_equal(input, "more than one FIFO holds at a time", 34);
}

static void test_input_without_an_interrupt(void **state)
{
	serial_init();
	no_ioapic = true;
	serial_input_init();
	assert_null(handler);
	assert_int_equal(uart.ier, 0);
	assert_non_null(strstr(host_log(), "no interrupt for input"));
	no_vectors = true;
	serial_input_init();
	assert_int_equal(uart.ier, 0);
}

static void test_debug_exit(void **state)
{
	debug_exit_init();
	assert_null(machine_exit_hook);
	exit_port_value = 0;
	debug_exit_init();
	assert_non_null(machine_exit_hook);
	machine_exit_hook(127);
	assert_int_equal(exit_code, 127);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lines_go_out),
		T(test_one_status_read_for_16_bytes),
		T(test_a_stuck_port_does_not_stop_us),
		T(test_the_end_waits_for_the_last_byte),
		T(test_input),
		T(test_input_without_an_interrupt),
		T(test_debug_exit),
	};
	const struct CMUnitTest absent[] = {
		T(test_no_port_no_console),
	};

	/* The driver notes for good that the port is there. */
	return cmocka_run_group_tests(absent, NULL, NULL) |
	       cmocka_run_group_tests(tests, NULL, NULL);
}
