/*
 * Who answers questions of names: what ip= says, or DHCP, or a router
 * (RFC 8106), shown in /proc/net/pnp as resolv.conf(5) has it; the root's
 * /etc/resolv.conf leads there. lwIP's own resolver is not built: this is
 * where lwIP brings its servers, under the port's lock.
 */
#include "net/lwip/resolv.h"

#include "kernel/byteorder.h"
#include "kernel/hostname.h"
#include "kernel/string.h"
#include "net/lwip/ipconfig.h"
#include "net/lwip/lwip_port.h"
#include "net/lwip/port_internal.h"

#define OPTION_HOSTNAME	12
#define OPTION_DOMAIN	15

/* By family, as DHCP and routers number theirs each from 0. */
static ip_addr_t servers[2][DNS_MAX_SERVERS];	/* port.lock */
static char domain[HOSTNAME_MAX + 1];		/* port.lock */

void dns_init(void)
{
}

/* Only routers' servers are asked for, and taken away by NULL. */
const ip_addr_t *dns_getserver(u8_t n)
{
	return &servers[1][n];
}

void dns_setserver(u8_t n, const ip_addr_t *addr)
{
	static const ip_addr_t none;

	if (n < DNS_MAX_SERVERS)
		servers[!addr || IP_IS_V6(addr)][n] = addr ? *addr : none;
}

void resolv_set_v4(unsigned int n, be32 addr)
{
	ip_addr_t ip = IPADDR4_INIT(addr);

	dns_setserver((u8)n, &ip);
}

void lwip_port_dhcp_option(u8_t type, u8_t option, struct pbuf *p, u16_t len,
			   u16_t offset)
{
	char text[HOSTNAME_MAX + 1] = "";

	if (type != DHCP_ACK || len > HOSTNAME_MAX ||
	    (option != OPTION_HOSTNAME && option != OPTION_DOMAIN))
		return;
	pbuf_copy_partial(p, text, len, offset);
	/* Some count the string's end, too. */
	if (!hostname_valid(text, strlen(text)))
		return;
	if (option == OPTION_DOMAIN)
		memcpy(domain, text, sizeof(domain));
	else
		set_hostname(text, false);
}

static void show_v4(struct seq_file *m, const u8 *addr)
{
	seq_printf(m, "nameserver %u.%u.%u.%u\n", addr[0], addr[1], addr[2],
		   addr[3]);
}

static void show_v6(struct seq_file *m, const u32 *addr)
{
	for (int i = 0; i < 4; i++) {
		u32 word = be32_to_cpu((be32)addr[i]);

		seq_printf(m, "%s%x:%x", i ? ":" : "nameserver ", word >> 16,
			   word & 0xffff);
	}
	seq_puts(m, "\n");
}

bool resolv_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	lwip_lock();
	if (domain[0])
		seq_printf(m, "domain %s\n", domain);
	for (int i = 0; i < DNS_MAX_SERVERS; i++) {
		const ip_addr_t *s = &servers[0][i];

		if (!ip4_addr_isany_val(*ip_2_ip4(s)))
			show_v4(m, (const u8 *)&ip_2_ip4(s)->addr);
	}
	for (int i = 0; i < DNS_MAX_SERVERS; i++) {
		const ip_addr_t *s = &servers[1][i];

		if (IP_IS_V6(s) && !ip6_addr_isany(ip_2_ip6(s)))
			show_v6(m, ip_2_ip6(s)->addr);
	}
	lwip_unlock();
	return false;
}

bool hosts_show(struct seq_file *m, u64 *cursor)
{
	(void)cursor;
	seq_printf(m, "127.0.0.1\tlocalhost\n"
		   "::1\tlocalhost ip6-localhost ip6-loopback\n"
		   "127.0.1.1\t%s\n", get_hostname());
	return false;
}
