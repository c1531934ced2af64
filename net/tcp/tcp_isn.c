/*
 * ISN = M + F(localip, localport, remoteip, remoteport, secret), RFC 6528
 * section 3, where M is a clock of 4 microseconds and F is SipHash.
 */
#include "net/tcp/tcp_isn.h"

#include "kernel/random.h"
#include "kernel/siphash.h"

static struct siphash_key isn_key, ts_key;

void tcp_isn_init(void)
{
	get_random_bytes(&isn_key, sizeof(isn_key));
	get_random_bytes(&ts_key, sizeof(ts_key));
}

u32 tcp_new_isn(const struct tcp_tuple *t, u64 now)
{
	u64 ports = (u64)t->lport << 16 | t->rport;
	u64 local = (u64)t->local.a[2] << 32 | t->local.a[3];
	u64 remote = (u64)t->remote.a[2] << 32 | t->remote.a[3];

	if (!ip_addr_is_v4(&t->remote)) {
		local ^= siphash(&t->local, sizeof(t->local), &isn_key);
		remote ^= siphash(&t->remote, sizeof(t->remote), &isn_key);
	}
	return (u32)siphash_3u64(local, remote, ports, &isn_key) +
	       (u32)(now >> 12);
}

/* The same for all ports, so that RFC 6191 can compare across connections. */
u32 tcp_new_ts_off(const struct tcp_tuple *t)
{
	if (ip_addr_is_v4(&t->remote))
		return (u32)siphash_2u64(t->local.a[3], t->remote.a[3],
					 &ts_key);
	return (u32)(siphash(&t->local, sizeof(t->local), &ts_key) +
		     3 * siphash(&t->remote, sizeof(t->remote), &ts_key));
}
