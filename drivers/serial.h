/* The first serial port (16550 at 0x3f8): console out and in. */
#pragma once

/*
 * Finds and programs the port and registers it as a console. Without one
 * nothing happens. Boot, first of all: needs no memory and no interrupts.
 */
void serial_init(void);

/*
 * Turns on input: received bytes go to console_input() from the interrupt.
 * Boot, when interrupts can be requested.
 */
void serial_input_init(void);
