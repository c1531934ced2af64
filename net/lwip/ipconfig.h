/*
 * The command line's ip= in Linux's syntax (nfsroot documentation):
 * CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS0:DNS1:NTP,
 * trailing fields left out as one likes, or a single word. Given again it adds:
 * ADDR/BITS, of IPv4 or IPv6, or (as dracut has it) [ADDR]::[GATEWAY]:BITS.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/ip_addr.h"

#define HOSTNAME_MAX 63

enum ip_config_mode {
	IP_CONFIG_DHCP,
	IP_CONFIG_STATIC,
	IP_CONFIG_OFF,
};

#define IP_CONFIG_MORE 6	/* addresses */

struct ip_config {
	enum ip_config_mode mode;
	be32 addr, mask, gateway;	/* gateway 0: none */
	be32 dns[2];			/* name servers; 0: none */
	char hostname[HOSTNAME_MAX + 1];
	char device[16];		/* "": the first */
	bool given;			/* what is above; else it is defaults */

	/* These collect. */
	u32 nr_more;
	struct {
		struct ip_addr addr;
		u8 bits;		/* of IPv6: 64 */
	} more[IP_CONFIG_MORE];
	struct ip_addr gateway6;	/* any: routers say */
};

/*
 * Adds what @val says to @out. NULL, or what is wrong with it, for people;
 * @out is then unspecified. Any context.
 */
const char *ip_config_parse(const char *val, struct ip_config *out)
	__must_check;

/* A dotted quad, all of @len characters. False if it is none. */
bool ip_parse_v4(const char *s, size_t len, be32 *out) __must_check;
/* RFC 4291 section 2.2, with :: but without a dotted quad. The same. */
bool ip_parse_v6(const char *s, size_t len, struct ip_addr *out) __must_check;
/* Letters, digits, dots and hyphens, 1 to HOSTNAME_MAX of them. */
bool hostname_valid(const char *s, size_t len) __must_check;

/* What ip= and hostname= do (config.c); as kernel_param's set. */
int lwip_param_ip(const char *val);
int lwip_param_hostname(const char *val);
