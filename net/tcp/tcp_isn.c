/*
 * ISN = M + F(localip, localport, remoteip, remoteport, secret), RFC 6528
 * section 3, where M is a clock of 4 microseconds and F one half of a SipHash;
 * the other half is where the timestamps begin.
 */
#include "net/tcp/tcp_isn.h"

#include "kernel/random.h"
#include "kernel/siphash.h"

static struct siphash_key key;

void tcp_isn_init(void)
{
	get_random_bytes(&key, sizeof(key));
}

static u64 hash_tuple(const struct tcp_tuple *t)
{
	u64 addrs = (u64)t->local.a[3] << 32 | t->remote.a[3];

	if (!ip_addr_is_v4(&t->remote))
		addrs = siphash(t, offsetof(struct tcp_tuple, lport), &key);
	return siphash_3u32(addrs, (u32)t->lport << 16 | t->rport, &key);
}

struct tcp_start tcp_new_start(const struct tcp_tuple *t, u64 now)
{
	u64 hash = hash_tuple(t);

	return (struct tcp_start){
		.isn = (u32)hash + (u32)(now >> 12),
		.ts_off = (u32)(hash >> 32),
	};
}
