/* TCP's numbers, with Linux's names and defaults. Read without a lock. */
#include "net/tcp/tcp_sysctl.h"

#include "kernel/compiler.h"
#include "kernel/errno.h"
#include "kernel/param.h"
#include "kernel/printk.h"

u32 tcp_rmem[3] = { 4096, 131072, 6 << 20 };
u32 tcp_wmem[3] = { 4096, 16384, 4 << 20 };
u32 tcp_ecn = 2;
u32 tcp_fastopen = 0;
u32 tcp_mtu_probing = 1;
u32 tcp_moderate_rcvbuf = 1;
u32 ip_local_port_range[2] = { 32768, 60999 };

#define BUFFER(name)	{ #name, name, 3, 4096, 64u << 20 }

static int param_ecn(const char *val)
{
	if (!val || val[0] < '0' || val[0] > '2' || val[1]) {
		pr_err("tcp_ecn=%s: say 0, 1 or 2.\n", val ? val : "");
		return -EINVAL;
	}
	tcp_ecn = (u32)(val[0] - '0');
	return 0;
}

KERNEL_PARAM("tcp_ecn", param_ecn, "tcp_ecn=0 (never), 1 or 2 (if asked)");

const struct sysctl_entry tcp_sysctls[] = {
	BUFFER(tcp_rmem),
	BUFFER(tcp_wmem),
	{ "tcp_ecn", &tcp_ecn, 1, 0, 2 },
	{ "tcp_fastopen", &tcp_fastopen, 1, 0, 3 },
	{ "tcp_mtu_probing", &tcp_mtu_probing, 1, 0, 1 },
	{ "tcp_moderate_rcvbuf", &tcp_moderate_rcvbuf, 1, 0, 1 },
	{ "ip_local_port_range", ip_local_port_range, 2, 1, UINT16_MAX },
	{ NULL, NULL, 0, 0, 0 },
};
