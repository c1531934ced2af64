"""UDP sockets on the wire: datagrams of every size, and malformed ones."""
import random

import pytest
from scapy.layers.inet import ICMP, IP, UDP, fragment

from tests.lib.guest import initramfs
from tests.lib.wire import GUEST_IP, HOST_IP, Dropped, WireGuest


@pytest.fixture(scope="module")
def udp_guest():
    image = initramfs({"udpecho": "build/tests/udpecho"})
    with WireGuest("udpecho", initrd=image) as guest:
        yield guest


def datagram(data, sport=5000, **fields):
    return IP(src=HOST_IP, dst=GUEST_IP, id=random.getrandbits(16)) / UDP(
        sport=sport, dport=7, **fields) / data


def answer(wire, sport=5000, seconds=3):
    frame = wire.recv(lambda f: UDP in f and f[UDP].dport == sport, seconds)
    return frame and bytes(frame[UDP].payload)[:frame[UDP].len - 8]


@pytest.mark.parametrize("size", [0, 1, 2, 100, 1000, 1472])
def test_echo(udp_guest, size):
    data = random.randbytes(size)
    udp_guest.wire.send(datagram(data, sport=5000 + size))
    assert answer(udp_guest.wire, 5000 + size) == data


def test_large_datagram_in_fragments(udp_guest):
    data = random.randbytes(5000)
    for part in fragment(datagram(data), 1400):
        udp_guest.wire.send(part)
    got = {}
    while sum(len(v) for v in got.values()) < 5008:
        frame = udp_guest.wire.recv(lambda f: IP in f and f[IP].proto == 17)
        assert frame, f"incomplete: {sorted(got)}"
        ip = frame[IP]
        got[ip.frag * 8] = bytes(ip.payload)[:ip.len - 20]
    assert b"".join(got[k] for k in sorted(got))[8:] == data


def test_without_a_checksum(udp_guest):
    """Zero means none (RFC 768)."""
    udp_guest.wire.send(datagram(b"unchecked", chksum=0))
    assert answer(udp_guest.wire) == b"unchecked"


def test_wrong_checksum(udp_guest):
    with Dropped(udp_guest, "UDP_CSUM"):
        udp_guest.wire.send(datagram(b"wrong", chksum=0x1234))
        assert answer(udp_guest.wire, seconds=0.2) is None


@pytest.mark.parametrize("length", [0, 7, 4000])
def test_wrong_length(udp_guest, length):
    with Dropped(udp_guest, "UDP_HDR"):
        udp_guest.wire.send(datagram(b"wrong", len=length))
        assert answer(udp_guest.wire, seconds=0.2) is None


@pytest.mark.parametrize("length", [0, 7, 4000])
def test_wrong_length_to_a_closed_port_is_not_answered(udp_guest, length):
    packet = datagram(b"wrong", len=length)
    packet[UDP].dport = 4444
    with Dropped(udp_guest, "UDP_HDR"):
        udp_guest.wire.send(packet)
        assert udp_guest.wire.recv(lambda f: ICMP in f, 0.2) is None


def test_cut_off_header(udp_guest):
    with Dropped(udp_guest, "UDP_HDR"):
        udp_guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP, proto=17) /
                            b"\x13\x88\x00\x07")


def test_no_socket(udp_guest):
    with Dropped(udp_guest, "UDP_NO_SOCKET"):
        udp_guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP) /
                            UDP(sport=1, dport=8) / b"?")
        assert udp_guest.wire.recv(
            lambda f: ICMP in f and (f[ICMP].type, f[ICMP].code) == (3, 3))


def test_a_burst_is_answered_or_counted(udp_guest):
    """Two thousand at once: what did not fit is under a name."""
    before = udp_guest.drops.read()
    wire = udp_guest.wire
    answered = 0
    for n in range(2000):
        wire.send(datagram(b"burst", sport=6000))
        if n % 50 == 0:
            while answer(wire, 6000, 0) is not None:
                answered += 1
    while answer(wire, 6000, 0.3) is not None:
        answered += 1
    after = udp_guest.drops.read()
    new = {k: after[k] - before[k] for k in after if after[k] != before[k]}
    assert set(new) <= {"UDP_RCV_FULL", "NO_MEMORY", "LWIP_BUSY",
                        "DEV_TX_FULL"}
    assert answered + sum(new.values()) > 1000
