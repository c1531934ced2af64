/* Port and memory-mapped I/O that a test can answer: see tests/host/io.c. */
#pragma once

#include "kernel/types.h"

/*
 * NULL: registers are plain memory, ports read as ones. Sizes in bytes. A
 * test that sets one clears it at its end.
 */
extern u32 (*host_mmio_read)(const volatile void *p, unsigned int size);
extern void (*host_mmio_write)(volatile void *p, u32 v, unsigned int size);
extern u32 (*host_port_in)(u16 port, unsigned int size);
extern void (*host_port_out)(u16 port, u32 v, unsigned int size);

u32 host_io_in(u16 port, unsigned int size);
void host_io_out(u16 port, u32 v, unsigned int size);
u32 host_io_read(const volatile void *p, unsigned int size);
void host_io_write(volatile void *p, u32 v, unsigned int size);

static inline void outb(u8 v, u16 port)
{
	host_io_out(port, v, 1);
}

static inline void outw(u16 v, u16 port)
{
	host_io_out(port, v, 2);
}

static inline void outl(u32 v, u16 port)
{
	host_io_out(port, v, 4);
}

static inline u8 inb(u16 port)
{
	return (u8)host_io_in(port, 1);
}

static inline u16 inw(u16 port)
{
	return (u16)host_io_in(port, 2);
}

static inline u32 inl(u16 port)
{
	return host_io_in(port, 4);
}

static inline u8 readb(const volatile void *p)
{
	return (u8)host_io_read(p, 1);
}

static inline u16 readw(const volatile void *p)
{
	return (u16)host_io_read(p, 2);
}

static inline u32 readl(const volatile void *p)
{
	return host_io_read(p, 4);
}

static inline void writeb(u8 v, volatile void *p)
{
	host_io_write(p, v, 1);
}

static inline void writew(u16 v, volatile void *p)
{
	host_io_write(p, v, 2);
}

static inline void writel(u32 v, volatile void *p)
{
	host_io_write(p, v, 4);
}
