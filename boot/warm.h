/* Starts from a saved machine. */
#pragma once

#include "kernel/compiler.h"

/*
 * If the command line says `warm`: a task stops the machine when the program
 * first waits, for a host that saves it. Not there in the kernel without
 * disks. Before the program starts, in a task.
 */
void warm_init(void) __weak;
