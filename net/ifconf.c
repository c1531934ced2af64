/*
 * Questions about interfaces by ioctl (netdevice(7)), as getifaddrs-less
 * programs ask them: the list, flags, addresses, MTU, hardware address.
 * Read-only. Task context.
 */
#include "net/ifconf.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"
#include "net/dev.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"
#include "net/socket.h"

#define SIOCGIFNAME	0x8910
#define SIOCGIFCONF	0x8912
#define SIOCGIFFLAGS	0x8913
#define SIOCGIFADDR	0x8915
#define SIOCGIFBRDADDR	0x8919
#define SIOCGIFNETMASK	0x891b
#define SIOCGIFMTU	0x8921
#define SIOCGIFHWADDR	0x8927
#define SIOCGIFINDEX	0x8933

#define MORE_ADDRS	8	/* of one device, that are shown */

#define IFF_UP		0x1
#define IFF_BROADCAST	0x2
#define IFF_LOOPBACK	0x8
#define IFF_RUNNING	0x40
#define IFF_MULTICAST	0x1000

#define ARPHRD_ETHER	1
#define ARPHRD_LOOPBACK	772

/* struct ifreq of x86-64 Linux. */
struct ifreq {
	char name[16];
	union {
		struct sockaddr_in in;
		struct sockaddr hw;
		s16 flags;
		s32 value;
		u8 room[24];
	};
};

struct ifconf {
	s32 len;
	u32 pad;
	struct ifreq __user *req;
};

_Static_assert(sizeof(struct ifreq) == 40, "Linux's struct ifreq");

bool dev_ioctl_known(unsigned int cmd)
{
	switch (cmd) {
	case SIOCGIFNAME:
	case SIOCGIFCONF:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFINDEX:
		return true;
	default:
		return false;
	}
}

/* False: @dev has no IPv4 address. */
static bool dev_ifaddr(struct net_device *dev, struct lwip_ifaddr *ifa)
{
	if (!(dev->features & NETIF_F_LOOPBACK))
		return lwip_get_ifaddr(dev, ifa);
	ifa->addr = cpu_to_be32(0x7f000001);
	ifa->mask = cpu_to_be32(0xff000000);
	ifa->gateway = 0;
	return true;
}

static int put_ifaddr(struct net_device *dev, unsigned int cmd,
		      struct ifreq *req)
{
	struct lwip_ifaddr ifa;

	if (!dev_ifaddr(dev, &ifa))
		return -EADDRNOTAVAIL;
	memset(&req->room, 0, sizeof(req->room));
	req->in.sin_family = AF_INET;
	req->in.sin_addr = ifa.addr;
	if (cmd == SIOCGIFNETMASK)
		req->in.sin_addr = ifa.mask;
	if (cmd == SIOCGIFBRDADDR)
		req->in.sin_addr = ifa.addr | ~ifa.mask;
	return 0;
}

static void put_hwaddr(const struct net_device *dev, struct ifreq *req)
{
	memset(&req->room, 0, sizeof(req->room));
	req->hw.sa_family = dev->features & NETIF_F_LOOPBACK ?
				    ARPHRD_LOOPBACK : ARPHRD_ETHER;
	memcpy(req->hw.sa_data, dev->dev_addr, ETH_ALEN);
}

static s16 dev_flags(const struct net_device *dev)
{
	s16 flags = IFF_UP;

	if (dev->link_up)
		flags |= IFF_RUNNING;
	if (dev->features & NETIF_F_LOOPBACK)
		return flags | IFF_LOOPBACK;
	return flags | IFF_BROADCAST | IFF_MULTICAST;
}

static int answer(struct net_device *dev, unsigned int cmd, struct ifreq *req)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		req->flags = dev_flags(dev);
		return 0;
	case SIOCGIFMTU:
		req->value = dev->mtu;
		return 0;
	case SIOCGIFINDEX:
		req->value = dev->ifindex;
		return 0;
	case SIOCGIFHWADDR:
		put_hwaddr(dev, req);
		return 0;
	default:
		return put_ifaddr(dev, cmd, req);
	}
}

struct conf_walk {
	struct ifreq __user *to;
	s32 room;		/* bytes */
	s32 used;
	int err;
};

static void conf_put(struct conf_walk *walk, const struct net_device *dev,
		     struct ifreq *req)
{
	if (walk->to) {
		if (walk->room - walk->used < (s32)sizeof(*req))
			return;
		strlcpy(req->name, dev->name, sizeof(req->name));
		walk->err = copy_to_user((char __user *)walk->to + walk->used,
					 req, sizeof(*req));
	}
	walk->used += (s32)sizeof(*req);
}

static void conf_one(struct net_device *dev, void *arg)
{
	struct conf_walk *walk = arg;
	struct lwip_ifaddr more[MORE_ADDRS];
	struct ifreq req = { .value = 0 };
	u32 n = lwip_get_aliases(dev, more, MORE_ADDRS);

	if (!walk->err && !put_ifaddr(dev, SIOCGIFADDR, &req))
		conf_put(walk, dev, &req);
	for (u32 i = 0; i < n && !walk->err; i++) {
		memset(&req, 0, sizeof(req));
		req.in.sin_family = AF_INET;
		req.in.sin_addr = more[i].addr;
		conf_put(walk, dev, &req);
	}
}

/* The list of those with an address; only its length if there is no room. */
static long dev_ifconf(struct ifconf __user *uconf)
{
	struct conf_walk walk = { .err = 0 };
	struct ifconf conf;

	if (copy_from_user(&conf, uconf, sizeof(conf)))
		return -EFAULT;
	walk.to = conf.req;
	walk.room = conf.len;
	dev_for_each(conf_one, &walk);
	if (walk.err)
		return walk.err;
	return put_user(walk.used, &uconf->len);
}

long dev_ioctl(unsigned int cmd, void __user *arg)
{
	struct net_device *dev;
	struct ifreq req;
	int err;

	if (cmd == SIOCGIFCONF)
		return dev_ifconf(arg);
	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	req.name[sizeof(req.name) - 1] = '\0';
	if (cmd == SIOCGIFNAME) {
		dev = dev_get_by_index(req.value);
		if (!dev)
			return -ENODEV;
		strlcpy(req.name, dev->name, sizeof(req.name));
		return copy_to_user(arg, &req, sizeof(req));
	}
	dev = dev_get_by_name(req.name);
	if (!dev)
		return -ENODEV;
	err = answer(dev, cmd, &req);
	if (err)
		return err;
	return copy_to_user(arg, &req, sizeof(req));
}
