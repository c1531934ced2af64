/* The device `lo`: what goes out comes in again (127.0.0.0/8 and ::1). */
#pragma once

#include "net/dev.h"

/* The most that an IP length field can say (Linux's lo says 65536). */
#define LOOPBACK_MTU 65535

extern struct net_device loopback_dev;

/* Registers it. Boot. */
void loopback_init(void);
