# lwIP's files that the kernel uses, relative to LWIP_DIR/src. What each is
# built with is in net/lwip/include/lwipopts.h.
LWIP_SRCS := core/init.c core/def.c core/inet_chksum.c core/ip.c core/mem.c \
	     core/memp.c core/netif.c core/pbuf.c core/raw.c core/stats.c \
	     core/udp.c core/ipv4/dhcp.c core/ipv4/etharp.c core/ipv4/icmp.c \
	     core/ipv4/ip4.c core/ipv4/ip4_addr.c core/ipv4/ip4_frag.c \
	     core/ipv6/ethip6.c core/ipv6/icmp6.c core/ipv6/inet6.c \
	     core/ipv6/ip6.c core/ipv6/ip6_addr.c core/ipv6/ip6_frag.c \
	     core/ipv6/mld6.c core/ipv6/nd6.c netif/ethernet.c

# gcc takes headers that a system header includes for the system's own, and
# leaves them out of the dependencies.
LWIP_CONF := $(wildcard net/lwip/include/*.h net/lwip/include/arch/*.h)
