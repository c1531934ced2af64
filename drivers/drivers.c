/* The order of drivers, read top to bottom. Called from boot/main.c. */
#include "drivers/drivers.h"

#include "drivers/debug_exit.h"
#include "drivers/serial.h"

void drivers_early_init(void)
{
	debug_exit_init();
	serial_init();
}

void drivers_init(void)
{
	serial_input_init();
}
