/* QEMU's isa-debug-exit: leaving the emulator with an exit code. */
#pragma once

/*
 * Sets machine_exit_hook if the device is there. Boot, first of all: needs
 * nothing else.
 */
void debug_exit_init(void);
