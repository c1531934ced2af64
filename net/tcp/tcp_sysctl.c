/* TCP's numbers, with Linux's names and defaults. Read without a lock. */
#include "net/tcp/tcp_sysctl.h"

#include "kernel/compiler.h"

u32 tcp_rmem[3] = { 4096, 131072, 6 << 20 };
u32 tcp_wmem[3] = { 4096, 16384, 4 << 20 };
u32 tcp_moderate_rcvbuf = 1;

#define BUFFER(name)	{ #name, name, 3, 4096, 64u << 20 }

const struct sysctl_entry tcp_sysctls[] = {
	BUFFER(tcp_rmem),
	BUFFER(tcp_wmem),
	{ "tcp_moderate_rcvbuf", &tcp_moderate_rcvbuf, 1, 0, 1 },
	{ NULL, NULL, 0, 0, 0 },
};
