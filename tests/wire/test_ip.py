"""Malformed IPv4: dropped, counted under its name, never answered."""
import random

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from tests.lib.wire import (GUEST_IP, GUEST_MAC, HOST_IP, HOST_MAC, Dropped,
                            Peer)


def syn(**fields):
    return IP(**{"src": HOST_IP, "dst": GUEST_IP, **fields}) / TCP(
        sport=random.randrange(1024, 65535), dport=7777, flags="S",
        seq=random.getrandbits(32))


def not_answered(wire):
    assert wire.recv(lambda f: TCP in f, 0.15) is None


@pytest.mark.parametrize("fields,why", [
    ({"version": 5}, ("IP_HDR",)),
    ({"version": 6}, ("IP_HDR",)),
    ({"ihl": 4}, ("IP_HDR",)),
    ({"ihl": 0}, ("IP_HDR",)),
    ({"ihl": 15}, ("IP_HDR", "IP_CSUM")),
    ({"len": 19}, ("IP_HDR",)),
    ({"len": 20}, ("TCP_HDR",)),
    ({"len": 4000}, ("IP_HDR",)),
    ({"len": 0}, ("IP_HDR",)),
    ({"chksum": 0x1234}, ("IP_CSUM",)),
    ({"dst": "10.9.0.200"}, ("IP_OTHER_ADDR",)),
    ({"src": "224.0.0.5"}, ("IP_BAD_SOURCE",)),
    ({"src": "255.255.255.255"}, ("IP_BAD_SOURCE",)),
    ({"src": "127.0.0.1"}, ("IP_BAD_SOURCE",)),
    ({"dst": "127.0.0.1"}, ("IP_BAD_SOURCE", "IP_OTHER_ADDR")),
    ({"dst": "224.0.0.1"}, ("IP_OTHER_ADDR", "TCP_NO_SOCKET")),
    ({"dst": "10.9.0.255"}, ("IP_OTHER_ADDR", "TCP_NO_SOCKET")),
    ({"dst": "255.255.255.255"}, ("IP_OTHER_ADDR", "TCP_NO_SOCKET")),
])
def test_bad_header(guest, fields, why):
    with Dropped(guest, *why):
        guest.wire.send(syn(**fields))
        not_answered(guest.wire)


def test_land_attack(guest):
    """A SYN from our own address and port."""
    with Dropped(guest, "IP_BAD_SOURCE"):
        guest.wire.send(IP(src=GUEST_IP, dst=GUEST_IP) / TCP(
            sport=7777, dport=7777, flags="S"))
        not_answered(guest.wire)


@pytest.mark.parametrize("size", range(14, 55))
def test_cut_off_frames(wire, size):
    """A SYN cut at every length of its headers."""
    frame = bytes(Ether(dst=GUEST_MAC, src=HOST_MAC) / syn())
    wire.send_raw(frame[:size])
    if size < 54:
        not_answered(wire) if size % 8 == 6 else None


def test_options_are_stepped_over(wire):
    """IP options (here: padding) do not move where TCP is found."""
    peer = Peer(wire)
    packet = peer.segment("S", options=[("MSS", 1460)])
    packet[IP].options = [b"\x01\x01\x01\x00"]
    wire.send(packet)
    assert peer.expect("SA").ack == (peer.iss + 1) % 2**32
    peer.snd_nxt = peer.iss + 1
    peer.send("R")


def test_ethernet_padding_is_not_data(wire):
    peer = Peer(wire).connect()
    frame = bytes(Ether(dst=GUEST_MAC, src=HOST_MAC) /
                  peer.segment("PA", b"ab"))
    wire.send_raw(frame + b"padding that is no data")
    peer.snd_nxt += 2
    assert peer.read(2) == b"ab"
    peer.echo(b"next")
    peer.send("RA")


@pytest.mark.limit(240)
@pytest.mark.parametrize("seed", range(4))
def test_mutated_frames(wire, seed):
    """A thousand segments of a living connection with bytes changed."""
    chance = random.Random(seed)
    peer = Peer(wire).connect()
    for _ in range(250):
        packet = peer.segment(
            chance.choice(["A", "PA", "S", "FA", "R", "SA", ""]),
            chance.randbytes(chance.choice([0, 1, 100, 1400])),
            seq=peer.snd_nxt + chance.choice([0, 0, 1, 1000, 2**31]),
            options=[("Timestamp", (1, 1)), ("NOP", None)])
        frame = bytearray(bytes(Ether(dst=GUEST_MAC, src=HOST_MAC) / packet))
        for _ in range(chance.randrange(1, 6)):
            frame[chance.randrange(12, min(len(frame), 80))] = \
                chance.getrandbits(8)
        if chance.random() < 0.5:
            # Past the checksums, to where the headers are believed.
            ip = IP(bytes(frame[14:]))
            if ip.haslayer(TCP):
                del ip.chksum, ip[TCP].chksum
                frame[14:] = bytes(ip)[:1500]
        wire.send_raw(frame)
        if chance.random() < 0.1:
            wire.drain()
