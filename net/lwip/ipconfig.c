/*
 * The parser of ip=. Text in, struct ip_config out; touches nothing else.
 */
#include "net/lwip/ipconfig.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

enum field {
	CLIENT, SERVER, GATEWAY, NETMASK, HOSTNAME, DEVICE, AUTOCONF,
	DNS0, DNS1, NTP,
	NR_FIELDS,
};

struct text {
	const char *s;
	size_t len;
};

static bool text_is(const struct text *t, const char *word)
{
	return t->len == strlen(word) && !strncmp(t->s, word, t->len);
}

/* One octet; leading zeros are refused, as they mean octal to some. */
static size_t parse_octet(const char *s, size_t len, u32 *out)
{
	size_t n = 0;

	*out = 0;
	while (n < len && n < 3 && s[n] >= '0' && s[n] <= '9')
		*out = *out * 10 + (u32)(s[n++] - '0');
	if (!n || *out > 255 || (n > 1 && s[0] == '0'))
		return 0;
	return n;
}

bool ip_parse_v4(const char *s, size_t len, be32 *out)
{
	u32 addr = 0;

	for (int i = 0; i < 4; i++) {
		u32 octet;
		size_t n;

		if (i) {
			if (!len || *s != '.')
				return false;
			s++;
			len--;
		}
		n = parse_octet(s, len, &octet);
		if (!n)
			return false;
		s += n;
		len -= n;
		addr = addr << 8 | octet;
	}
	*out = cpu_to_be32(addr);
	return !len;
}

bool hostname_valid(const char *s, size_t len)
{
	if (!len || len > HOSTNAME_MAX || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
	}
	return true;
}

/* A host's address: not this network, loopback, multicast or beyond. */
static bool is_host(be32 addr)
{
	u32 top = be32_to_cpu(addr) >> 24;

	return top && top != 127 && top < 224;
}

static bool is_mask(be32 mask)
{
	u32 inverse = ~be32_to_cpu(mask);

	return mask && !(inverse & (inverse + 1));
}

/* What Linux assumes when none is given: the class of the address. */
static be32 class_mask(be32 addr)
{
	u32 top = be32_to_cpu(addr) >> 24;

	if (top < 128)
		return cpu_to_be32(0xff000000);
	return cpu_to_be32(top < 192 ? 0xffff0000 : 0xffffff00);
}

/* "" in *why: the word is known. */
static const char *parse_autoconf(const struct text *t,
				  enum ip_config_mode *mode)
{
	if (text_is(t, "off") || text_is(t, "none"))
		*mode = IP_CONFIG_OFF;
	else if (!t->len || text_is(t, "dhcp") || text_is(t, "on") ||
		 text_is(t, "any") || text_is(t, "both"))
		*mode = IP_CONFIG_DHCP;
	else
		return "autoconf is dhcp or off";
	return NULL;
}

static const char *parse_addresses(const struct text *f,
				   struct ip_config *out)
{
	if (!ip_parse_v4(f[CLIENT].s, f[CLIENT].len, &out->addr) ||
	    !is_host(out->addr))
		return "the first field is no host's IPv4 address";
	out->mask = class_mask(out->addr);
	if (f[NETMASK].len &&
	    (!ip_parse_v4(f[NETMASK].s, f[NETMASK].len, &out->mask) ||
	     !is_mask(out->mask)))
		return "the fourth field is no netmask";
	if (f[GATEWAY].len &&
	    (!ip_parse_v4(f[GATEWAY].s, f[GATEWAY].len, &out->gateway) ||
	     !is_host(out->gateway)))
		return "the third field is no gateway's IPv4 address";
	if (out->gateway && (out->gateway ^ out->addr) & out->mask)
		return "the gateway is not in the address's network";
	out->mode = IP_CONFIG_STATIC;
	return NULL;
}

static int split(const char *val, struct text f[NR_FIELDS])
{
	int n = 0;

	for (int i = 0; i < NR_FIELDS; i++)
		f[i] = (struct text){ "", 0 };
	f[0].s = val;
	for (; *val; val++) {
		if (*val != ':') {
			f[n].len++;
			continue;
		}
		if (++n == NR_FIELDS)
			return -1;
		f[n].s = val + 1;
	}
	return n + 1;
}

const char *ip_config_parse(const char *val, struct ip_config *out)
{
	struct text f[NR_FIELDS];
	const char *why;
	int n;

	memset(out, 0, sizeof(*out));
	n = val ? split(val, f) : 0;
	if (n == 0 || !*val)
		return "it is empty";
	if (n < 0)
		return "it has more than ten fields";
	if (n == 1 && !(f[0].s[0] >= '0' && f[0].s[0] <= '9'))
		return parse_autoconf(&f[0], &out->mode);
	why = parse_autoconf(&f[AUTOCONF], &out->mode);
	if (why)
		return why;
	if (f[HOSTNAME].len) {
		if (!hostname_valid(f[HOSTNAME].s, f[HOSTNAME].len))
			return "the fifth field is no host name";
		memcpy(out->hostname, f[HOSTNAME].s, f[HOSTNAME].len);
	}
	for (n = 0; n < 2; n++) {
		const struct text *dns = &f[DNS0 + n];

		if (dns->len && !ip_parse_v4(dns->s, dns->len, &out->dns[n]))
			return "a name server is no IPv4 address";
	}
	if (f[DEVICE].len >= sizeof(out->device))
		return "the sixth field is no device name (eth0)";
	memcpy(out->device, f[DEVICE].s, f[DEVICE].len);
	if (f[CLIENT].len)
		return parse_addresses(f, out);
	if (out->mode == IP_CONFIG_OFF && (f[GATEWAY].len || f[NETMASK].len))
		return "gateway or netmask without an address";
	return NULL;
}
