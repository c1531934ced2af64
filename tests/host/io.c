/* I/O on the host: to whom a test says, else to plain memory and nowhere. */
#include "kernel/x86/io.h"

#include <string.h>

u32 (*host_mmio_read)(const volatile void *p, unsigned int size);
void (*host_mmio_write)(volatile void *p, u32 v, unsigned int size);
u32 (*host_port_in)(u16 port, unsigned int size);
void (*host_port_out)(u16 port, u32 v, unsigned int size);

u32 host_io_in(u16 port, unsigned int size)
{
	return host_port_in ? host_port_in(port, size) : UINT32_MAX;
}

void host_io_out(u16 port, u32 v, unsigned int size)
{
	if (host_port_out)
		host_port_out(port, v, size);
}

u32 host_io_read(const volatile void *p, unsigned int size)
{
	u32 v = 0;

	if (host_mmio_read)
		return host_mmio_read(p, size);
	memcpy(&v, (const void *)p, size);
	return v;
}

void host_io_write(volatile void *p, u32 v, unsigned int size)
{
	if (host_mmio_write)
		host_mmio_write(p, v, size);
	else
		memcpy((void *)p, &v, size);
}
