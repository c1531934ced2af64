/* This machine's name: uname(2), /etc/hostname, DHCP. */
#pragma once

#include "kernel/types.h"

#define HOSTNAME_LEN 64		/* as uname(2) has it, without the end */

/* The name; "pollux" if nobody has said one. Any context. */
const char *get_hostname(void);

/*
 * Sets it, cut at HOSTNAME_LEN: @chosen by people, else only if they have not
 * chosen one. Called by one at a time (boot, then the network's lock).
 */
void set_hostname(const char *name, bool chosen);
