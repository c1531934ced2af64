"""px-skb: one packet; and packets in queues, for the other commands."""
import ipaddress

from px_lib import (command, enum_names, flags_text, memory, number, obj,
                    pointer_name)

TCP_BITS = ((2, "SYN"), (16, "ACK"), (1, "FIN"), (4, "RST"), (8, "PSH"),
            (32, "URG"), (64, "ECE"), (128, "CWR"))
BYTES_SHOWN = 64
ETH_P_IP = 0x0800
IPPROTO_TCP = 6


def swap16(value):
    return (value & 0xff) << 8 | value >> 8


def ip4_text(raw):
    return str(ipaddress.IPv4Address(raw))


def tcp_text(raw):
    if len(raw) < 20:
        return "TCP, cut"
    sport, dport = (int.from_bytes(raw[i:i + 2], "big") for i in (0, 2))
    seq, ack = (int.from_bytes(raw[i:i + 4], "big") for i in (4, 8))
    window = int.from_bytes(raw[14:16], "big")
    return (f"TCP {sport} > {dport} {flags_text(raw[13], TCP_BITS)} "
            f"seq {seq} ack {ack} window {window}")


def ip_header_at(skb):
    """Offset from head, where there is an IPv4 header; -1 if nowhere: on the
    way up `data` is there first, and network_header is set later."""
    room = skb.end - skb.head
    for at in (skb.data - skb.head, skb.network_header):
        if at + 20 <= room:
            raw = memory.read(skb.head + at, 4)
            total = int.from_bytes(raw[2:], "big")
            if raw[0] >> 4 == 4 and raw[0] & 15 >= 5 and \
                    20 <= total <= skb.len + room:
                return at
    return -1


def headers_text(skb):
    """What the bytes say, if they are IPv4; else nothing."""
    start = ip_header_at(skb)
    if start < 0 or swap16(skb.protocol) != ETH_P_IP:
        return ""
    ip = memory.read(skb.head + start, 20)
    text = f"IPv4 {ip4_text(ip[12:16])} > {ip4_text(ip[16:20])} "
    if ip[9] != IPPROTO_TCP:
        return text + f"protocol {ip[9]}"
    at = start + 4 * (ip[0] & 15)
    return text + tcp_text(memory.read(
        skb.head + at, max(0, min(20, skb.end - skb.head - at))))


def pieces(skb):
    """@skb and what hangs on frag_list."""
    yield skb
    at = skb.frag_list
    while at:
        piece = obj("sk_buff", at)
        yield piece
        at = piece.frag_next


def line(skb):
    return (f"skb {skb.addr:#x} len {skb.len} truesize {skb.truesize} "
            f"refs {skb.refs.v} {headers_text(skb)}").rstrip()


def hex_lines(raw, indent):
    for i in range(0, len(raw), 16):
        row = raw[i:i + 16]
        plain = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        print(f"{indent}{i:04x}  {row.hex(' '):47}  {plain}")


@command("px-skb", "ADDR")
def skb_command(words):
    """One sk_buff: its room, headers, owner, and its first bytes."""
    if not words:
        print("px-skb wants the address of an sk_buff; px-sock and px-socket "
              "show those that are queued")
        return
    skb = obj("sk_buff", number(" ".join(words)))
    summed = enum_names("ip_summed", "CHECKSUM_")
    print(line(skb))
    owner = pointer_name(skb.destructor) if skb.destructor else "nobody"
    print(f"  room: {skb.data - skb.head} in front, {skb.len - skb.data_len} "
          f"bytes, {skb.end - skb.data - (skb.len - skb.data_len)} behind; "
          f"{skb.data_len} more in frag_list")
    print(f"  checksum {summed.get(skb.ip_summed, '?')}, gso {skb.gso_size} x "
          f"{skb.gso_segs}, sk {skb.sk:#x}, accounted by {owner}, "
          f"tstamp {skb.tstamp} ns")
    for n, piece in enumerate(pieces(skb)):
        size = piece.len if n else skb.len - skb.data_len
        print(f"  piece {n}: {size} bytes at {piece.data:#x}")
        hex_lines(memory.read(piece.data, min(size, BYTES_SHOWN)), "    ")
