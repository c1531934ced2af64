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

/* Up to four hexadecimal digits. How many there were. */
static size_t parse_group(const char *s, size_t len, u32 *out)
{
	size_t n = 0;

	for (*out = 0; n < len && n < 4; n++) {
		char c = s[n] | 0x20;

		if (s[n] >= '0' && s[n] <= '9')
			*out = *out << 4 | (u32)(s[n] - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out << 4 | (u32)(c - 'a' + 10);
		else
			break;
	}
	return n;
}

__stackprotect
bool ip_parse_v6(const char *s, size_t len, struct ip_addr *out)
{
	u32 group[8], n = 0, gap = ARRAY_SIZE(group), filled;

	if (len >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
		len -= 2;
	}
	while (len) {
		size_t digits = parse_group(s, len, &group[n]);

		if (!digits || ++n > 8 - (gap < 8))
			return false;
		s += digits;
		len -= digits;
		if (!len)
			break;
		/* A colon and more, or the two of the gap. */
		if (s[0] != ':' || len < 2 || n == 8)
			return false;
		s++;
		len--;
		if (s[0] == ':') {
			if (gap < 8)
				return false;
			gap = n;
			s++;
			len--;
		}
	}
	if (gap == 8 && n != 8)
		return false;
	*out = (struct ip_addr){ { 0 } };
	filled = 8 - n;
	for (u32 i = 0; i < n; i++) {
		u32 at = i < gap ? i : i + filled;

		out->a[at / 2] |= cpu_to_be32(group[i] << (at & 1 ? 0 : 16));
	}
	return true;
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
	for (bool six = false; *val; val++) {
		six = *val == '[' || (six && *val != ']');
		if (*val != ':' || six) {
			f[n].len++;
			continue;
		}
		if (++n == NR_FIELDS)
			return -1;
		f[n].s = val + 1;
	}
	return n + 1;
}

/* With or without brackets. */
static bool parse_six(const struct text *t, struct ip_addr *out)
{
	bool in = t->len > 2 && t->s[0] == '[' && t->s[t->len - 1] == ']';

	return ip_parse_v6(t->s + in, t->len - 2 * in, out) &&
	       !ip_addr_any(out) && !ip_addr_is_v4(out) &&
	       (out->a[0] & 0xff) != 0xff;
}

static bool parse_bits(const struct text *t, u32 most, u8 *out)
{
	u32 bits = 0;

	for (size_t i = 0; i < t->len; i++) {
		if (t->s[i] < '0' || t->s[i] > '9' || bits > most)
			return false;
		bits = bits * 10 + (u32)(t->s[i] - '0');
	}
	*out = (u8)bits;
	return t->len && bits && bits <= most;
}

/* One more address, with the length of its prefix. */
static const char *add_address(const struct text *addr, const struct text *bits,
			       struct ip_config *out)
{
	struct ip_addr *ip;
	be32 v4;
	u8 *n;

	if (out->nr_more == IP_CONFIG_MORE)
		return "there are too many addresses";
	ip = &out->more[out->nr_more].addr;
	n = &out->more[out->nr_more].bits;
	if (ip_parse_v4(addr->s, addr->len, &v4) && is_host(v4)) {
		*ip = ip_addr_v4(v4);
		if (!parse_bits(bits, 32, n))
			return "behind the / is no number from 1 to 32";
	} else if (!parse_six(addr, ip)) {
		return "before the / is no host's address";
	} else if (!parse_bits(bits, 64, n) || *n != 64) {
		return "of IPv6 only prefixes of 64 bits are known";
	}
	out->nr_more++;
	return NULL;
}

/* [ADDR]::[GATEWAY]:BITS; the other fields do not matter. */
static const char *parse_bracketed(const struct text *f, struct ip_config *out)
{
	if (f[GATEWAY].len && !parse_six(&f[GATEWAY], &out->gateway6))
		return "the third field is no gateway's IPv6 address";
	return add_address(&f[CLIENT], &f[NETMASK], out);
}

__stackprotect
const char *ip_config_parse(const char *val, struct ip_config *out)
{
	const char *slash = val ? strchr(val, '/') : NULL;
	struct text f[NR_FIELDS];
	const char *why;
	int n;

	if (slash)
		return add_address(&(struct text){ val, (size_t)(slash - val) },
				   &(struct text){ slash + 1,
						   strlen(slash + 1) }, out);
	n = val ? split(val, f) : 0;
	if (n == 0 || !*val)
		return "it is empty";
	if (n < 0)
		return "it has more than ten fields";
	if (f[CLIENT].len && f[CLIENT].s[0] == '[')
		return parse_bracketed(f, out);
	memset(out, 0, offsetof(struct ip_config, nr_more));
	out->given = true;
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
