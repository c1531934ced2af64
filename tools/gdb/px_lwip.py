"""px-lwip: what lwIP knows: interfaces, neighbours, its counters."""
import ipaddress

from px_lib import command, container, obj, text_of, variable

ARP_STATES = ("empty", "pending", "stable", "re-requesting", "re-requesting")
JOBS = ("ARP", "REASS4", "REASS6", "DHCP_FINE", "DHCP_COARSE", "ND6", "MLD6",
        "LINK")
PROTOCOLS = ("link", "etharp", "ip_frag", "ip", "icmp", "udp", "ip6",
             "ip6_frag", "icmp6", "nd6", "mld6")


def ip4(word):
    return str(ipaddress.IPv4Address(word.to_bytes(4, "little")))


def address4(ip):
    """Of lwIP's ip_addr_t, which holds IPv4 alone or both kinds."""
    if "u_addr" in ip.layout.fields:
        ip = ip.u_addr.ip4
    return ip4(ip.get("addr"))


def interfaces():
    at = variable("netif_list")
    while at:
        netif = obj("netif", at)
        yield netif
        at = netif.next


def show_interfaces():
    for netif in interfaces():
        dev = obj("net_device", container("lwip_netif", netif.addr,
                                          "netif").dev)
        mac = netif.hwaddr[:netif.hwaddr_len].hex(":")
        print(f"netif {text_of(dev.name)} {netif.addr:#x}: address "
              f"{address4(netif.ip_addr)} mask {address4(netif.netmask)} "
              f"gateway {address4(netif.gw)} mac {mac} mtu {netif.mtu} flags "
              f"{netif.flags:#x}")


def show_arp():
    print("ARP table:")
    shown = 0
    for entry in variable("arp_table"):
        if not entry.state:
            continue
        shown += 1
        state = ARP_STATES[entry.state] if entry.state < len(ARP_STATES) \
            else "static"
        print(f"  {ip4(entry.ipaddr.get('addr'))} is "
              f"{entry.ethaddr.get('addr').hex(':')} {state} "
              f"age {entry.ctime} s{', packets wait' if entry.q else ''}")
    if not shown:
        print("  (nobody)")


def show_counters():
    stats = variable("lwip_stats")
    for name in PROTOCOLS:
        if name not in stats.layout.fields:
            continue
        proto = getattr(stats, name)
        parts = [f"{member} {getattr(proto, member)}"
                 for member in proto.layout.fields if getattr(proto, member)]
        if parts:
            print(f"  {name}: {', '.join(parts)}")


@command("px-lwip")
def lwip(words):
    """lwIP: interfaces, ARP table, queues of the port, counters."""
    del words
    port = variable("port", "net/lwip/port.c")
    pokes = ", ".join(n for i, n in enumerate(JOBS) if port.pokes >> i & 1)
    print(f"port {port.addr:#x}: out {port.out.qlen}, up {port.up.qlen}, "
          f"poked: {pokes or 'none'}")
    show_interfaces()
    show_arp()
    print("counters (not zero):")
    show_counters()
