/*
 * Addresses by DHCP (RFC 2131) through the port: the exchange, what can go
 * wrong with it, and that it keeps nobody waiting.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/hostname.h"
#include "kernel/seq_file.h"
#include "kernel/time.h"
#include "net/lwip/ipconfig.h"
#include "net/lwip/resolv.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

#define OFFER	2
#define DISCOVER 1
#define REQUEST	3
#define ACK	5
#define NAK	6

#define SERVER	GATEWAY
#define OFFERED	IP4(10, 0, 0, 77)
#define LEASE	3600u

static struct frame_buf f;

/* --- what the client sent --- */

/* The last DHCP message that was sent, from op on; NULL if none was. */
static const u8 *client_message(void)
{
	for (unsigned int i = wire_count(); i-- > 0;) {
		const u8 *d = wire_sent(i)->data;

		if (get_be16(d + 12) == ETH_P_IP && d[23] == IPPROTO_UDP &&
		    get_be16(d + ETH_HLEN + 22) == 67)
			return d + ETH_HLEN + 28;
	}
	return NULL;
}

/* Option @code of @msg; its value, its length before it. NULL if not there. */
static const u8 *option(const u8 *msg, u8 code)
{
	const u8 *o = msg + 240;

	while (*o != 255 && o < msg + 548) {
		if (*o == code)
			return o + 2;
		o += *o ? o[1] + 2 : 1;
	}
	return NULL;
}

static u8 message_type(void)
{
	const u8 *msg = client_message();

	return msg ? *option(msg, 53) : 0;
}

/* --- what the server says --- */

struct reply {
	u8 type;
	u8 options[312];
	u32 len;
	bool wrong_xid;
	u8 cut;			/* bytes missing at the end */
};

static void add_option(struct reply *r, u8 code, u32 value)
{
	r->options[r->len++] = code;
	r->options[r->len++] = 4;
	put_be32(value, r->options + r->len);
	r->len += 4;
}

static void start_reply(struct reply *r, u8 type)
{
	memset(r, 0, sizeof(*r));
	r->type = type;
	r->options[0] = 53;
	r->options[1] = 1;
	r->options[2] = type;
	r->len = 3;
	if (type == NAK)
		return;
	add_option(r, 1, 0xffffff00);
	add_option(r, 3, GATEWAY);
	add_option(r, 51, LEASE);
}

static void send_reply(struct reply *r)
{
	static u8 udp[700];
	u8 msg[600] = { 2, 1, 6 };
	const u8 *asked = client_message();
	u32 len;

	assert_non_null(asked);
	memcpy(msg + 4, asked + 4, 4);
	msg[4] ^= r->wrong_xid;
	put_be32(r->type == NAK ? 0 : OFFERED, msg + 16);
	memcpy(msg + 28, my_mac, 6);
	put_be32(0x63825363, msg + 236);
	memcpy(msg + 240, r->options, r->len);
	msg[240 + r->len] = 255;
	len = max(240 + r->len + 1, 300u) - r->cut;
	wire_clear();
	put_ip4(&f, IPPROTO_UDP, SERVER, 0xffffffff, 0, udp,
		make_udp(udp, SERVER, 67, 0xffffffff, 68, msg, len));
	memcpy(f.data, all_mac, 6);
	wire_rx(&f);
}

static void reply(u8 type)
{
	struct reply r;

	start_reply(&r, type);
	add_option(&r, 54, SERVER);
	send_reply(&r);
}

static u32 my_address(void)
{
	struct lwip_ifaddr ifa;

	return lwip_get_ifaddr(&wire_dev, &ifa) ? be32_to_cpu(ifa.addr) : 0;
}

/* --- tests --- */

static int setup(void **state)
{
	wire_setup(state);
	assert_int_equal(lwip_param_ip("dhcp"), 0);
	lwip_configure();
	return 0;
}

/* A lease that runs out in the end takes everything with it. */
static int teardown(void **state)
{
	assert_int_equal(lwip_param_ip("off"), 0);
	return wire_teardown(state);
}

static void test_lease_without_waiting(void **state)
{
	struct lwip_ifaddr ifa;
	u32 gen = ip_route_gen;
	u64 start = host_now;

	assert_int_equal(message_type(), DISCOVER);
	reply(OFFER);
	assert_int_equal(message_type(), REQUEST);
	assert_int_equal(get_be32(option(client_message(), 50)), OFFERED);
	assert_int_equal(get_be32(option(client_message(), 54)), SERVER);
	assert_int_equal(my_address(), 0);
	reply(ACK);
	assert_int_equal(host_now, start);
	assert_true(lwip_get_ifaddr(&wire_dev, &ifa));
	assert_int_equal(ifa.addr, cpu_to_be32(OFFERED));
	assert_int_equal(ifa.mask, cpu_to_be32(0xffffff00));
	assert_int_equal(ifa.gateway, cpu_to_be32(GATEWAY));
	assert_int_not_equal(ip_route_gen, gen);
	assert_non_null(strstr(host_log(), "eth0: address"));
	assert_non_null(strstr(host_log(), "gateway"));
}

static void test_new_gateway_takes_effect(void **state)
{
	struct lwip_ifaddr ifa;
	struct reply r;
	u32 gen;

	reply(OFFER);
	reply(ACK);
	lwip_configure();
	reply(OFFER);
	gen = ip_route_gen;
	start_reply(&r, ACK);
	put_be32(GATEWAY + 3, r.options + 3 + 6 + 2);
	add_option(&r, 54, SERVER);
	send_reply(&r);
	assert_true(lwip_get_ifaddr(&wire_dev, &ifa));
	assert_int_equal(ifa.gateway, cpu_to_be32(GATEWAY + 3));
	assert_int_not_equal(ip_route_gen, gen);
}

static void add_text(struct reply *r, u8 code, const char *text)
{
	r->options[r->len++] = code;
	r->options[r->len++] = (u8)strlen(text);
	memcpy(r->options + r->len, text, strlen(text));
	r->len += (u32)strlen(text);
}

/* What a file in /etc leads to. */
static const char *shown(bool (*show)(struct seq_file *m, u64 *cursor))
{
	static char text[512];
	struct seq_file m = { .buf = text, .size = sizeof(text) };
	u64 cursor = 0;

	assert_false(show(&m, &cursor));
	text[m.len] = '\0';
	return text;
}

static const char *resolv_conf(void)
{
	return shown(resolv_show);
}

static void name_reply(u8 type, const char *name, const char *domain)
{
	struct reply r;

	start_reply(&r, type);
	add_option(&r, 54, SERVER);
	r.options[r.len++] = 6;
	r.options[r.len++] = 8;
	put_be32(0x0a000203, r.options + r.len);
	put_be32(0x0a000204, r.options + r.len + 4);
	r.len += 8;
	add_text(&r, 12, name);
	add_text(&r, 15, domain);
	send_reply(&r);
}

static void test_names_from_the_server(void **state)
{
	lwip_configure();
	assert_string_equal(resolv_conf(), "");
	name_reply(OFFER, "offered", "not.yet");
	assert_string_equal(get_hostname(), "pollux");
	name_reply(ACK, "guest-1", "example.org");
	assert_string_equal(get_hostname(), "guest-1");
	assert_non_null(strstr(shown(hosts_show), "\n127.0.1.1\tguest-1\n"));
	assert_string_equal(resolv_conf(), "domain example.org\n"
			    "nameserver 10.0.2.3\nnameserver 10.0.2.4\n");
}

/* What is no name is not taken for one. */
static void test_bad_names_from_the_server(void **state)
{
	static const char *const bad[] = {
		"two words", "-x", "a\nnameserver 6.6.6.6", "\xff", "" };
	char before[65];

	strcpy(before, get_hostname());
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		lwip_configure();
		name_reply(OFFER, bad[i], bad[i]);
		name_reply(ACK, bad[i], bad[i]);
		assert_string_equal(get_hostname(), before);
		assert_null(strstr(resolv_conf(), "6.6.6.6"));
	}
}

static void test_host_name_is_sent(void **state)
{
	const u8 *name;

	assert_int_equal(lwip_param_hostname("box-7"), 0);
	lwip_configure();
	reply(OFFER);
	name = option(client_message(), 12);
	assert_non_null(name);
	assert_int_equal(name[-1], 5);
	assert_memory_equal(name, "box-7", 5);
	assert_int_not_equal(lwip_param_hostname("no_good"), 0);
	assert_non_null(strstr(host_log(), "hostname=no_good"));
}

static void test_lost_packets_are_sent_again(void **state)
{
	wire_clear();
	host_advance(3 * NSEC_PER_SEC);
	assert_int_equal(message_type(), DISCOVER);
	reply(OFFER);
	wire_clear();
	host_advance(5 * NSEC_PER_SEC);
	assert_int_equal(message_type(), REQUEST);
	reply(ACK);
	assert_int_equal(my_address(), OFFERED);
}

static void test_nak_begins_anew(void **state)
{
	reply(OFFER);
	reply(NAK);
	assert_int_equal(my_address(), 0);
	assert_int_equal(message_type(), DISCOVER);
	reply(OFFER);
	reply(ACK);
	assert_int_equal(my_address(), OFFERED);
}

static void test_answers_to_others_are_ignored(void **state)
{
	struct reply r;

	start_reply(&r, OFFER);
	add_option(&r, 54, SERVER);
	r.wrong_xid = true;
	send_reply(&r);
	assert_null(client_message());
	host_advance(3 * NSEC_PER_SEC);
	assert_int_equal(message_type(), DISCOVER);
}

/* Options that point beyond the message, of wrong lengths, without an end. */
static void test_malformed_options(void **state)
{
	struct reply r;

	for (u32 seed = 1; seed < 400; seed++) {
		u32 x = seed * 2654435761u;

		if (!client_message())
			host_advance(61 * NSEC_PER_SEC);
		start_reply(&r, seed & 1 ? OFFER : ACK);
		add_option(&r, 54, SERVER);
		for (int i = 0; i < 4; i++) {
			r.options[3 + x % 40] = (u8)(x >> 8);
			x = x * 1664525 + 1013904223;
		}
		r.cut = (u8)(x >> 24) % 61;
		send_reply(&r);
		if (my_address())
			lwip_configure();
	}
}

/* Lets @seconds pass; the server answers ARP. True: a request came. */
static bool wait_for_request(unsigned int seconds)
{
	while (seconds--) {
		host_advance(NSEC_PER_SEC);
		if (wire_count_ip4() && !client_message()) {
			wire_clear();
			put_arp(&f, ARP_REP, peer_mac, SERVER, my_mac,
				my_address());
			wire_rx(&f);
		}
		if (message_type() == REQUEST)
			return true;
	}
	return false;
}

static void test_lease_is_renewed(void **state)
{
	reply(OFFER);
	reply(ACK);
	wire_clear();
	for (int i = 0; i < 3; i++) {
		assert_false(wait_for_request(LEASE / 2 - 61));
		assert_true(wait_for_request(122));
		/* RFC 2131 section 4.3.2: from the address, to the server. */
		assert_int_equal(get_be32(client_message() + 12), OFFERED);
		reply(ACK);
		wire_clear();
	}
	assert_int_equal(my_address(), OFFERED);
	assert_null(strstr(host_log(), "no address any more"));
}

static void test_expired_lease_is_given_up(void **state)
{
	reply(OFFER);
	reply(ACK);
	assert_int_equal(my_address(), OFFERED);
	host_advance((LEASE + 120) * NSEC_PER_SEC);
	assert_int_equal(my_address(), 0);
	assert_non_null(strstr(host_log(), "no address any more"));
	assert_int_equal(message_type(), DISCOVER);
}

static bool answer(void *arg)
{
	u8 type = message_type();

	if (type == DISCOVER)
		reply(OFFER);
	else if (type == REQUEST)
		reply(ACK);
	else
		return false;
	wire_count_ip4();
	return true;
}

static void test_waiting_for_an_address(void **state)
{
	u64 start = host_now;

	assert_false(lwip_wait_configured(10));
	assert_int_equal(host_now - start, 10 * NSEC_PER_MSEC);
	assert_non_null(strstr(host_log(), "no address after 10 ms"));
	host_on_idle = answer;
	assert_true(lwip_wait_configured(1000));
	host_on_idle = NULL;
	assert_int_equal(host_now - start, 10 * NSEC_PER_MSEC);
}

static void test_link_that_comes_later(void **state)
{
	static struct net_device late = { .name = "eth1", .mtu = 1500 };

	wire_first = &late;
	assert_int_equal(lwip_param_ip("dhcp"), 0);
	wire_clear();
	lwip_configure();
	host_advance(NSEC_PER_SEC);
	assert_null(client_message());
	late.link_up = true;
	host_advance(NSEC_PER_SEC / 5);
	assert_int_equal(message_type(), DISCOVER);
	assert_ptr_equal(wire_sent(wire_count() - 1)->dev, &late);
}

static void test_malformed_ip_parameter(void **state)
{
	assert_int_equal(lwip_param_ip("10.0.0.500"), -EINVAL);
	assert_non_null(strstr(host_log(), "ip=10.0.0.500: "));
	assert_non_null(strstr(host_log(), "ADDR::GATEWAY:MASK::eth0:off"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lease_without_waiting),
		T(test_new_gateway_takes_effect),
		T(test_names_from_the_server),
		T(test_bad_names_from_the_server),
		T(test_host_name_is_sent),
		T(test_lost_packets_are_sent_again),
		T(test_nak_begins_anew),
		T(test_answers_to_others_are_ignored),
		T(test_malformed_options),
		T(test_lease_is_renewed),
		T(test_expired_lease_is_given_up),
		T(test_waiting_for_an_address),
		T(test_malformed_ip_parameter),
		/* The device stays: last, and without the count of memory. */
		cmocka_unit_test(test_link_that_comes_later),
	};

	wire_init("dhcp");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
