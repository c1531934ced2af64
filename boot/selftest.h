/* Checks of the running kernel that only it can make: selftest=NAME. */
#pragma once

/*
 * Does what selftest= asked for, if it did, and ends the machine: exit code
 * 0 if all is well, 1 if not, 127 where the test is a panic. Task context,
 * after boot.
 */
void run_selftest(void);
