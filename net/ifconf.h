/* The ioctls that ask for interfaces (netdevice(7)), on any socket. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* True if @cmd asks for an interface, whatever the socket. */
bool dev_ioctl_known(unsigned int cmd);
/* 0; -EFAULT, -ENODEV (no such interface), -EADDRNOTAVAIL (no address). */
long dev_ioctl(unsigned int cmd, void __user *arg);
