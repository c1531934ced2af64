/*
 * 16550 serial port. Output is polled: once the transmit FIFO is empty it
 * takes 16 bytes, so there is one status read for 16 bytes written (each is
 * slow under an emulator). Input comes by interrupt. write() is called in any
 * context, panic included.
 *
 * LOCKING: lock keeps writers apart, interrupts off. A writer that cannot get
 * it in a while goes on without: a panic inside write() must still be heard.
 */
#include "drivers/serial.h"

#include "kernel/console_input.h"
#include "kernel/irq.h"
#include "kernel/printk.h"
#include "kernel/spinlock.h"
#include "kernel/x86/io.h"

#define COM1		0x3f8
#define COM1_GSI	4

/* Registers, from the base; the first two are DLL and DLM while DLAB is on. */
enum {
	UART_DATA,
	UART_IER,
	UART_FCR,
	UART_LCR,
	UART_MCR,
	UART_LSR,
	UART_MSR,
	UART_SCRATCH,
};

#define IER_RX		0x01
#define FCR_ON_CLEAR	0x87	/* FIFOs on and emptied, interrupt at 8 */
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define MCR_DTR_RTS	0x03
#define MCR_OUT2	0x08	/* lets the interrupt out of the chip */
#define LSR_DATA	0x01
#define LSR_THR_EMPTY	0x20
#define LSR_ALL_SENT	0x40

#define TX_FIFO		16
/* 16 bytes at 115200 baud take 1.4 ms; a port read takes a microsecond. */
#define TX_PATIENCE	100000
#define LOCK_PATIENCE	1000000

/* Locks: l lock, c const after serial_init(). */
struct serial_port {
	struct console console;
	u16 base;		/* c */
	bool present;		/* c */
	bool stuck;		/* l  the far end takes nothing */
	struct spinlock lock;
};

/* True if @state is reached. Waits for it, unless it was stuck before. */
static bool tx_ready(struct serial_port *port, u8 state)
{
	unsigned int tries = port->stuck ? 1 : TX_PATIENCE;

	while (tries--) {
		if (inb(port->base + UART_LSR) & state) {
			port->stuck = false;
			return true;
		}
		cpu_relax();
	}
	port->stuck = true;
	return false;
}

static void put_char(struct serial_port *port, char c, unsigned int *room)
{
	if (!*room) {
		if (!tx_ready(port, LSR_THR_EMPTY))
			return;
		*room = TX_FIFO;
	}
	outb((u8)c, port->base + UART_DATA);
	(*room)--;
}

static bool lock_patiently(struct spinlock *lock)
	__cond_acquires(lock) __no_lock_check
{
	for (unsigned int i = 0; i < LOCK_PATIENCE; i++) {
		if (spin_trylock(lock))
			return true;
		cpu_relax();
	}
	return false;
}

static void serial_write(struct console *con, const char *s, size_t len)
	__no_lock_check
{
	struct serial_port *port =
		container_of(con, struct serial_port, console);
	unsigned long flags = local_irq_save();
	bool locked = lock_patiently(&port->lock);
	unsigned int room = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n')
			put_char(port, '\r', &room);
		put_char(port, s[i], &room);
	}
	if (!len)
		(void)tx_ready(port, LSR_ALL_SENT);
	if (locked)
		spin_unlock(&port->lock);
	local_irq_restore(flags);
}

static struct serial_port com1 = {
	.console = { .name = "com1", .write = serial_write },
	.base = COM1,
	.lock = SPINLOCK_INIT,
};

/*
 * Hardirq. The line falls only when the FIFO is empty, and the interrupt is
 * edge triggered: all must be read, or no other interrupt comes.
 */
static void serial_interrupt(void *data)
{
	struct serial_port *port = data;
	char buf[TX_FIFO];
	size_t n;

	do {
		n = 0;
		while (n < sizeof(buf) &&
		       inb(port->base + UART_LSR) & LSR_DATA)
			buf[n++] = (char)inb(port->base + UART_DATA);
		console_input(buf, n);
	} while (n == sizeof(buf));
}

/* A port that is not there reads as ones and keeps nothing. */
static bool serial_probe(u16 base)
{
	outb(0x5a, base + UART_SCRATCH);
	if (inb(base + UART_SCRATCH) != 0x5a)
		return false;
	outb(0xa5, base + UART_SCRATCH);
	return inb(base + UART_SCRATCH) == 0xa5;
}

void serial_init(void)
{
	u16 base = com1.base;

	if (!serial_probe(base))
		return;
	com1.present = true;
	outb(0, base + UART_IER);
	outb(LCR_8N1 | LCR_DLAB, base + UART_LCR);
	outb(1, base + UART_DATA);		/* divisor 1: 115200 baud */
	outb(0, base + UART_IER);
	outb(LCR_8N1, base + UART_LCR);
	outb(FCR_ON_CLEAR, base + UART_FCR);
	outb(MCR_DTR_RTS | MCR_OUT2, base + UART_MCR);
	register_console(&com1.console);
}

void serial_input_init(void)
{
	int vector;

	if (!com1.present)
		return;
	vector = request_irq(serial_interrupt, &com1, "serial");
	if (vector < 0 || ioapic_route(COM1_GSI, vector, false)) {
		if (vector >= 0)
			free_irq(vector);
		pr_warn("serial: no interrupt for input; typing at the console has no effect\n");
		return;
	}
	outb(IER_RX, com1.base + UART_IER);
}
