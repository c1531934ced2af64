/* The first serial port, by polling, until its driver registers. */
#pragma once

void early_console_init(void);
