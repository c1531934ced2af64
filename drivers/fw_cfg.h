/* QEMU's fw_cfg: named pieces of data from its command line. */
#pragma once

#include "kernel/types.h"

/*
 * Copies at most @size bytes of the piece @name to @buf; how long it is, 0
 * without one. Task context, by one caller at a time.
 */
size_t fw_cfg_read(const char *name, void *buf, size_t size);
