/*
 * What net/dev.h keeps per CPU for its inline functions, for tests that do
 * not link net/dev.c.
 */
#include "net/dev.h"

#include "kernel/panic.h"

__weak u32 xmit_depth;
__weak struct net_device *xmit_unkicked;

__weak void dev_xmit_batch_kick(void)
{
	panic("a batch without net/dev.c owes a doorbell");
}
