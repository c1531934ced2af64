/*
 * Where TCP meets the rest of the kernel: boot, and the segments that IP
 * hands up.
 */
#include "net/tcp/tcp.h"

#include "net/drop.h"

void tcp_v4_rcv(struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_TCP_NO_SOCKET);
}

void tcp_v6_rcv(struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_TCP_NO_SOCKET);
}

void tcp_icmp_error(const struct ip_addr *saddr, const struct ip_addr *daddr,
		    const u8 quoted[8], int icmp_errno, u32 mtu)
{
	(void)saddr;
	(void)daddr;
	(void)quoted;
	(void)icmp_errno;
	(void)mtu;
}

void tcp_init(void)
{
}
