/*
 * How the first device gets its address: ip= and hostname= from the command
 * line, DHCP, and news of addresses for the log, for routes and for those who
 * wait. Boot does not wait: a server may listen on 0.0.0.0 before there is an
 * address, and DHCP's answer meets it listening.
 */
#include "net/lwip/lwip_port.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/hostname.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/lwip/ipconfig.h"
#include "net/lwip/port_internal.h"
#include "net/lwip/resolv.h"

#define IP_HELP		"dhcp, off, ADDR::GATEWAY:MASK::eth0:off; more by " \
			"ADDR/BITS, [ADDR6]::[GATEWAY6]:64"
#define WAIT_SLACK	NSEC_PER_MSEC
#define IP6_DELAY_TICKS	10	/* of 100 ms */

/* From the command line, before lwip_configure(); then constant. */
static struct ip_config config = { .mode = IP_CONFIG_DHCP };
static bool name_given;

static u32 ip6_ticks_left;	/* port.lock; 0: IPv6 has begun or is off */

int lwip_param_ip(const char *val)
{
	struct ip_config parsed = config;
	const char *why = ip_config_parse(val, &parsed);

	if (why) {
		pr_err("ip=%s: %s. Say " IP_HELP ".\n", val ? val : "", why);
		return -EINVAL;
	}
	config = parsed;
	if (config.hostname[0])
		set_hostname(config.hostname, false);
	return 0;
}

KERNEL_PARAM("ip", lwip_param_ip, IP_HELP);

int lwip_param_hostname(const char *val)
{
	if (!val || !hostname_valid(val, strlen(val))) {
		pr_err("hostname=%s: letters, digits, hyphens and dots, "
		       "at most %d.\n", val ? val : "", HOSTNAME_MAX);
		return -EINVAL;
	}
	set_hostname(val, true);
	name_given = true;
	return 0;
}

KERNEL_PARAM("hostname", lwip_param_hostname,
	     "this machine's name");

static void log_address(const char *name, const struct lwip_ifaddr *ifa)
{
	int bits = __builtin_popcount(ifa->mask);

	if (!ifa->addr)
		pr_notice("%s: no address any more", name);
	else if (ifa->gateway)
		pr_info("%s: address %pI4/%d, gateway %pI4", name, &ifa->addr,
			bits, &ifa->gateway);
	else
		pr_info("%s: address %pI4/%d, no gateway", name, &ifa->addr,
			bits);
}

static struct lwip_ifaddr ifaddr_of(const struct netif *netif)
{
	return (struct lwip_ifaddr){
		.addr = netif_ip4_addr(netif)->addr,
		.mask = netif_ip4_netmask(netif)->addr,
		.gateway = netif_ip4_gw(netif)->addr,
	};
}

void lwip_config_check(void)
{
	static struct lwip_ifaddr seen;	/* port.lock: the first device's */
	struct lwip_ifaddr now;

	if (!netif_default)
		return;
	now = ifaddr_of(netif_default);
	if (now.addr == seen.addr && now.mask == seen.mask &&
	    now.gateway == seen.gateway)
		return;
	WRITE_ONCE(ip_route_gen, ip_route_gen + 1);
	if (now.addr || seen.addr)
		log_address(((struct lwip_netif *)netif_default)->dev->name,
			    &now);
	seen = now;
	wake_up_all(&port.wq);
}

void lwip_status_changed(struct netif *netif)
{
	(void)netif;
	WRITE_ONCE(ip_route_gen, ip_route_gen + 1);
	lwip_poke(JOB_ND6);
	lwip_poke(JOB_MLD6);
	lwip_config_check();
}

/*
 * IPv6 begins up to a second later, at random, so that machines that start
 * together do not all speak at once (RFC 4861 section 6.3.7, RFC 4862 section
 * 5.4.2). It also keeps IPv6 out of the way of the first answer over IPv4.
 */
static void start_ip6_soon(void)
{
	ip6_ticks_left = 1 + get_random_below(IP6_DELAY_TICKS);
	lwip_poke(JOB_IP6_START);
}

static void add_static6(struct netif *netif)
{
	for (u32 i = 0; i < config.nr_more; i++) {
		const struct ip_addr *ip = &config.more[i].addr;
		ip_addr_t addr;

		if (ip_addr_is_v4(ip))
			continue;
		lwip_addr_in(&addr, ip);
		if (netif_add_ip6_address(netif, ip_2_ip6(&addr), NULL))
			pr_err("ip=: more IPv6 addresses than there is room "
			       "for\n");
	}
}

/* The router that ip= names; NULL: they say themselves who they are. */
const ip6_addr_t *lwip_port_gateway6(void)
{
	static ip6_addr_t gw;	/* port.lock */
	ip_addr_t addr;

	if (ip_addr_any(&config.gateway6))
		return NULL;
	lwip_addr_in(&addr, &config.gateway6);
	ip6_addr_copy(gw, *ip_2_ip6(&addr));
	return &gw;
}

u32 lwip_config_ip6_tick(void)
{
	if (--ip6_ticks_left)
		return 1;
	netif_create_ip6_linklocal_address(netif_default, 1);
	add_static6(netif_default);
	netif_set_ip6_autoconfig_enabled(netif_default, 1);
	lwip_poke(JOB_ND6);
	lwip_poke(JOB_MLD6);
	return 0;
}

static void start_dhcp(struct netif *netif)
{
	netif_set_up(netif);
	if (dhcp_start(netif) != ERR_OK)
		pr_err("%s: DHCP could not start: no memory. Give the "
		       "machine more, or an address with ip=ADDR::GATEWAY:"
		       "MASK.\n", ((struct lwip_netif *)netif)->dev->name);
	lwip_poke(JOB_DHCP_FINE);
	lwip_poke(JOB_DHCP_COARSE);
}

static void start_static(struct netif *netif)
{
	struct ip4_addr addr = { config.addr };
	struct ip4_addr mask = { config.mask };
	struct ip4_addr gateway = { config.gateway };

	netif_set_up(netif);
	netif_set_addr(netif, &addr, &mask, &gateway);
}

static be32 mask_of(u8 bits)
{
	return cpu_to_be32(~0u << (32 - bits));
}

/* The first of those that were added is the only one there is. */
static void promote_first(void)
{
	u32 i = 0;

	while (i < config.nr_more && !ip_addr_is_v4(&config.more[i].addr))
		i++;
	if (config.given || i == config.nr_more)
		return;
	config.mode = IP_CONFIG_STATIC;
	config.addr = config.more[i].addr.a[3];
	config.mask = mask_of(config.more[i].bits);
	config.more[i] = config.more[--config.nr_more];
}

static bool add_more(struct net_device *dev)
{
	bool six = false;

	for (u32 i = 0; i < config.nr_more; i++) {
		struct lwip_ifaddr ifa = {
			.addr = config.more[i].addr.a[3],
		};

		if (!ip_addr_is_v4(&config.more[i].addr)) {
			six = true;
			continue;
		}
		ifa.mask = mask_of(config.more[i].bits);
		if (lwip_add_alias(dev, &ifa))
			pr_err("%s: no memory for %pI4\n", dev->name,
			       &ifa.addr);
		else
			log_address(dev->name, &ifa);
	}
	return six;
}

static void configure(struct net_device *dev, struct netif *netif)
{
	bool six;

	promote_first();
	netif_set_default(netif);
	if (name_given || config.hostname[0])
		netif_set_hostname(netif, get_hostname());
	for (unsigned int i = 0; i < ARRAY_SIZE(config.dns); i++)
		resolv_set_v4(i, config.dns[i]);
	if (!netif_is_link_up(netif))
		lwip_poke(JOB_LINK);
	six = add_more(dev);
	if (config.mode == IP_CONFIG_DHCP)
		start_dhcp(netif);
	else if (config.mode == IP_CONFIG_STATIC)
		start_static(netif);
	else if (six)
		netif_set_up(netif);
	else
		return;
	start_ip6_soon();
}

static struct net_device *chosen_device(void)
{
	struct net_device *dev = NULL;

	if (config.device[0]) {
		dev = dev_get_by_name(config.device);
		if (!dev)
			pr_warn("ip=: there is no device %s, taking the "
				"first\n", config.device);
	}
	return dev ? dev : dev_first();
}

void lwip_configure(void)
{
	struct net_device *dev = chosen_device();

	if (!dev) {
		pr_warn("no network device: give QEMU -netdev and -device "
			"virtio-net\n");
		return;
	}
	if (!dev->netif && lwip_add_netdev(dev) < 0) {
		pr_err("%s: no memory for its interface\n", dev->name);
		return;
	}
	lwip_lock();
	configure(dev, lwip_netif_of(dev));
	lwip_unlock();
}

bool lwip_get_ifaddr(struct net_device *dev, struct lwip_ifaddr *out)
{
	struct netif *netif = lwip_netif_of(dev);

	if (!netif)
		return false;
	lwip_lock();
	*out = ifaddr_of(netif);
	lwip_unlock();
	return out->addr != 0;
}

u32 lwip_get_aliases(struct net_device *dev, struct lwip_ifaddr *out, u32 most)
{
	struct netif *netif;
	u32 n = 0;

	lwip_lock();
	NETIF_FOREACH(netif) {
		if (((struct lwip_netif *)netif)->dev == dev &&
		    netif != lwip_netif_of(dev) && n < most)
			out[n++] = ifaddr_of(netif);
	}
	lwip_unlock();
	return n;
}

static bool configured(void)
{
	struct net_device *dev = dev_first();
	struct lwip_ifaddr addr;

	return dev && lwip_get_ifaddr(dev, &addr);
}

bool lwip_wait_configured(u64 timeout_ms)
{
	u64 deadline = ktime_get_ns() + timeout_ms * NSEC_PER_MSEC;
	struct wait_queue_entry wait;
	bool ok;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait(&port.wq, &wait, TASK_UNINTERRUPTIBLE);
		ok = configured();
		if (ok || ktime_get_ns() >= deadline)
			break;
		schedule_hrtimeout_range(deadline, WAIT_SLACK);
	}
	finish_wait(&port.wq, &wait);
	if (!ok)
		pr_warn("no address after %d ms: is a DHCP server on the "
			"network? ip=ADDR::GATEWAY:MASK sets one by hand\n",
			(int)timeout_ms);
	return ok;
}
