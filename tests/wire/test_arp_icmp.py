"""ARP, ping, fragments and what UDP gets: lwIP's part of the stack."""
import random

import pytest
from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.layers.l2 import ARP, Ether

from tests.lib.wire import (GUEST_IP, GUEST_MAC, HOST_IP, HOST_MAC, Dropped,
                            Peer)


def ping(wire, data=b"", seconds=10, **ip):
    ident = random.getrandbits(16)
    request = IP(src=HOST_IP, dst=GUEST_IP, **ip) / ICMP(id=ident, seq=7) / \
        data
    wire.send(request)
    return wire.recv(lambda f: ICMP in f and f[ICMP].type == 0 and
                     f[ICMP].id == ident, seconds)


def who_has(address, **fields):
    return Ether(dst="ff:ff:ff:ff:ff:ff", src=HOST_MAC) / ARP(
        op=1, hwsrc=HOST_MAC, psrc=HOST_IP, pdst=address, **fields)


def test_arp_reply(wire):
    wire.send_raw(who_has(GUEST_IP))
    reply = wire.recv(lambda f: ARP in f and f[ARP].op == 2)
    assert reply[ARP].hwsrc == GUEST_MAC
    assert (reply[ARP].psrc, reply[ARP].pdst) == (GUEST_IP, HOST_IP)
    assert reply.dst == HOST_MAC


def test_arp_for_another_address_is_not_answered(wire):
    wire.send_raw(who_has("10.9.0.77"))
    assert wire.recv(lambda f: ARP in f and f[ARP].op == 2, 0.3) is None


@pytest.mark.parametrize("fields", [
    {"hwlen": 8}, {"plen": 16}, {"hwtype": 9}, {"ptype": 0x1234}])
def test_malformed_arp_is_not_answered(wire, fields):
    wire.send_raw(who_has(GUEST_IP, **fields))
    assert wire.recv(lambda f: ARP in f and f[ARP].op == 2, 0.2) is None


def test_cut_off_arp(wire):
    frame = bytes(who_has(GUEST_IP))
    for size in (14, 15, 20, 30, 41):
        wire.send_raw(frame[:size])
    assert wire.recv(lambda f: ARP in f and f[ARP].op == 2, 0.2) is None


def test_unknown_neighbour_is_asked_for(wire):
    """A SYN from an address never heard of: ARP first, then the SYN-ACK."""
    wire.answer_arp_for = {HOST_IP, "10.9.0.55"}
    Peer(wire, ip="10.9.0.55").connect().echo()
    asked = [f for f in wire.seen if ARP in f and f[ARP].op == 1]
    assert any(f[ARP].pdst == "10.9.0.55" for f in asked)


def test_far_peer_goes_through_the_gateway(wire):
    peer = Peer(wire, ip="192.0.2.9").connect()
    peer.echo()
    assert not any(ARP in f and f[ARP].pdst == "192.0.2.9"
                   for f in wire.seen)


@pytest.mark.parametrize("size", [0, 1, 17, 56, 1000, 1472])
def test_ping(wire, size):
    data = random.randbytes(size)
    reply = ping(wire, data)
    assert reply[ICMP].seq == 7
    assert bytes(reply[ICMP].payload)[:size] == data


def test_ping_with_a_wrong_checksum(wire):
    wire.send(IP(src=HOST_IP, dst=GUEST_IP) / ICMP(id=9, chksum=1) / b"x")
    assert wire.recv(lambda f: ICMP in f and f[ICMP].id == 9, 0.3) is None


@pytest.mark.parametrize("size", [0, 1, 3, 7])
def test_cut_off_icmp(wire, size):
    request = bytes(ICMP(id=9))[:size]
    wire.send(IP(src=HOST_IP, dst=GUEST_IP, proto=1) / request)
    assert wire.recv(lambda f: ICMP in f, 0.2) is None


@pytest.mark.parametrize("order", ["forward", "backward", "twice"])
def test_fragmented_ping(wire, order):
    data = random.randbytes(4000)
    ident = random.getrandbits(16)
    parts = fragment(IP(src=HOST_IP, dst=GUEST_IP, id=ident) /
                     ICMP(id=ident) / data, 1400)
    if order == "backward":
        parts.reverse()
    if order == "twice":
        parts = [parts[0], *parts]
    for part in parts:
        wire.send(part)
    got = {}
    while sum(len(v) for v in got.values()) < 4008:
        frame = wire.recv(lambda f: IP in f and f[IP].proto == 1)
        assert frame, f"reply incomplete: {sorted(got)}"
        ip = frame[IP]
        got[ip.frag * 8] = bytes(ip.payload)[:ip.len - 20]
    reply = b"".join(got[k] for k in sorted(got))
    assert reply[0] == 0 and reply[8:] == data


def test_incomplete_fragments_are_not_answered(wire):
    parts = fragment(IP(src=HOST_IP, dst=GUEST_IP, id=77) / ICMP(id=77) /
                     bytes(4000), 1400)
    for part in (parts[0], parts[2]):
        wire.send(part)
    assert wire.recv(lambda f: ICMP in f, 0.3) is None


def test_many_first_fragments(wire):
    """Reassembly buffers are bounded, and run out without harm."""
    for n in range(300):
        wire.send(IP(src=HOST_IP, dst=GUEST_IP, id=n + 1, flags="MF") /
                  ICMP() / bytes(1200))
    assert ping(wire, b"still here")


def test_fragments_that_overlap_or_end_beyond_64k(wire):
    for frag, size in ((0, 1000), (60, 1000), (8000, 1000), (8189, 1480)):
        wire.send(IP(src=HOST_IP, dst=GUEST_IP, id=5, flags="MF", frag=frag,
                     proto=1) / bytes(size))
    wire.send(IP(src=HOST_IP, dst=GUEST_IP, id=5, frag=8191, proto=1) /
              bytes(800))


def test_fragmented_tcp_reaches_the_server(wire):
    """lwIP puts the segment together, our TCP takes it."""
    peer = Peer(wire).connect()
    data = random.randbytes(1200)
    packet = peer.segment("PA", data)
    peer.snd_nxt += len(data)
    for part in reversed(fragment(IP(bytes(packet)), 400)):
        wire.send(part)
    assert peer.read(len(data)) == data
    peer.send("RA")


def test_closed_udp_port_is_unreachable(wire):
    wire.send(IP(src=HOST_IP, dst=GUEST_IP) / UDP(sport=999, dport=4444) /
              b"anyone?")
    reply = wire.recv(lambda f: ICMP in f and f[ICMP].type == 3)
    assert reply and reply[ICMP].code == 3


def test_unknown_ethertype(guest):
    with Dropped(guest, "ETH_PROTO"):
        guest.wire.send_raw(Ether(dst=GUEST_MAC, src=HOST_MAC, type=0x1234) /
                            bytes(46))


def test_runt_and_giant_frames(wire):
    for size in (1, 5, 13, 14, 15, 3000, 9000, 60000):
        wire.send_raw((bytes.fromhex("525400000002020000000001") + b"\x08\0" +
                       bytes(60000))[:size])
