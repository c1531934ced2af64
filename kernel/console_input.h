/*
 * Bytes typed at the console, between the driver that receives them and the
 * console file that reads them. Raw: what Enter or Ctrl-C mean is the
 * reader's affair.
 */
#pragma once

#include "kernel/types.h"
#include "kernel/wait.h"

/* Woken, with EPOLLIN, whenever bytes arrive. */
extern struct wait_queue_head console_input_wait;

/*
 * Hands over @n received bytes; what finds no room is lost and counted in
 * console_input_lost. Any context.
 */
void console_input(const char *s, size_t n);
extern u32 console_input_lost;

/* Takes up to @n bytes; 0 if there are none. Never sleeps. Any context. */
size_t console_input_read(char *buf, size_t n);
/* How many bytes wait. */
size_t console_input_pending(void);
