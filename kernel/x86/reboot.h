/* How to leave a machine that has no better door. */
#pragma once

#include "kernel/compiler.h"

/*
 * Resets by the chipset, the keyboard controller, and at last by a triple
 * fault, which works everywhere. Any context.
 */
void machine_reset(void) __noreturn;
