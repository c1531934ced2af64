/*
 * Between our one address type and lwIP's tagged union.
 */
#include "net/lwip/port_internal.h"

void lwip_addr_in(ip_addr_t *to, const struct ip_addr *from)
{
	if (ip_addr_is_v4(from)) {
		ip_addr_set_ip4_u32_val(*to, from->a[3]);
		return;
	}
	IP_SET_TYPE(to, IPADDR_TYPE_V6);
	for (int i = 0; i < 4; i++)
		ip_2_ip6(to)->addr[i] = from->a[i];
}

struct ip_addr lwip_addr_out(const ip_addr_t *from)
{
	struct ip_addr out;

	if (IP_IS_V4(from))
		return ip_addr_v4(ip_2_ip4(from)->addr);
	for (int i = 0; i < 4; i++)
		out.a[i] = ip_2_ip6(from)->addr[i];
	return out;
}
