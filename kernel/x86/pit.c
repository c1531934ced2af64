/* The legacy timer as a counter that is only ever read. */
#include "kernel/x86/pit.h"

#include "kernel/x86/io.h"

#define PIT_CHANNEL0	0x40
#define PIT_COMMAND	0x43
#define PIT_MODE0	0x30	/* channel 0, low then high byte, one shot */
#define PIT_LATCH	0x00	/* channel 0 */

u64 pit_read(void)
{
	u32 low, high;

	outb(PIT_LATCH, PIT_COMMAND);
	low = inb(PIT_CHANNEL0);
	high = inb(PIT_CHANNEL0);
	/* It counts down. */
	return -(u64)(high << 8 | low) & PIT_MASK;
}

/*
 * Mode 0 goes on counting round and round after its one interrupt, which is
 * masked, where the modes that firmware leaves it in interrupt for ever.
 */
bool pit_start(void)
{
	u64 first;

	outb(PIT_MODE0, PIT_COMMAND);
	outb(0, PIT_CHANNEL0);
	outb(0, PIT_CHANNEL0);
	first = pit_read();
	/* Three port accesses take longer than one count. */
	return pit_read() != first || pit_read() != first;
}
