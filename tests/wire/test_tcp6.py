"""TCP over IPv6 on the wire: to the link-local address and to one from a
router, dual-stack listeners, path MTU, and sources that must not be."""
import random

import pytest
from scapy.layers.inet import TCP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptPrefixInfo,
                                ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
                                ICMPv6DestUnreach, IPv6)
from scapy.layers.l2 import Ether

from tests.lib.guest import initramfs
from tests.lib.wire import (GUEST_MAC, HOST_MAC, Dropped, Peer, WireGuest,
                            option, payload)

HOST6, GUEST6 = "fe80::ff:fe00:1", "fe80::5054:ff:fe00:2"
FAR6, GLOBAL6 = "2001:db8:7::1", "2001:db8::5054:ff:fe00:2"
ALL_NODES = "33:33:00:00:00:01"


def answer_solicitation(wire, frame):
    if ICMPv6ND_NS in frame and frame[IPv6].src != "::" and \
            frame[ICMPv6ND_NS].tgt == HOST6:
        wire.send(IPv6(src=HOST6, dst=frame[IPv6].src) /
                  ICMPv6ND_NA(tgt=HOST6, R=1, S=1, O=1) /
                  ICMPv6NDOptDstLLAddr(lladdr=HOST_MAC))


class Peer6(Peer):
    """The same peer, with other addresses below."""

    def __init__(self, wire, ip=HOST6, to=GUEST6, **how):
        how.setdefault("options", (("MSS", 1440),))
        super().__init__(wire, ip=ip, **how)
        self.to = to

    def below(self):
        return IPv6(src=self.ip, dst=self.to)

    def is_mine(self, frame):
        answer_solicitation(self.wire, frame)
        return super().is_mine(frame)

    def greeted(self):
        """connect(), and what the program says of us."""
        self.connect()
        line = self.read(len(self.ip) + 1)
        assert line.decode() == self.ip + "\n"
        return self


@pytest.fixture(scope="module")
def six():
    """A guest whose link-local address has come through its detection."""
    image = initramfs({"echo6": "build/tests/echo6"})
    with WireGuest("echo6", initrd=image) as guest:
        wire = guest.wire
        for _ in range(40):
            wire.send_raw(Ether(dst=GUEST_MAC, src=HOST_MAC) / IPv6(
                src=HOST6, dst=GUEST6) / ICMPv6EchoRequest(id=7))
            if wire.recv(lambda f: answer_solicitation(wire, f) or (
                    IPv6 in f and f[IPv6].nh == 58 and
                    bytes(f[IPv6].payload)[0] == 129), 0.25):
                break
        else:
            pytest.fail("no answer to a ping\n" + guest.console[-2000:])
        yield guest


@pytest.fixture(scope="module")
def routed(six):
    """And a global address, with us as the router."""
    wire = six.wire
    wire.send_raw(Ether(dst=ALL_NODES, src=HOST_MAC) / IPv6(
        src=HOST6, dst="ff02::1", hlim=255) / ICMPv6ND_RA(
        routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=HOST_MAC) /
        ICMPv6NDOptPrefixInfo(prefix="2001:db8::", prefixlen=64, L=1, A=1))
    for _ in range(40):
        probe = Peer6(wire, ip=FAR6, to=GLOBAL6, dport=9)
        probe.send("S")
        if probe.recv(0.25):
            break
    else:
        pytest.fail("no global address\n" + six.console[-2000:])
    return six


def test_echo(six):
    peer = Peer6(six.wire).greeted()
    assert option(peer.syn_ack, "MSS") == 1440
    peer.echo(b"hello over IPv6")
    peer.echo(random.randbytes(1400))
    peer.send("FA")
    peer.expect("FA")


def test_rfc3168_marks_in_the_traffic_class(six):
    peer = Peer6(six.wire)
    peer.send("SEC", options=peer.options)
    syn_ack = peer.expect("SAE")
    assert syn_ack.underlayer.tc == 0
    peer.rcv_nxt = (syn_ack.seq + 1) % 2**32
    peer.send("A")
    greeting = peer.expect(data=True)
    assert greeting.underlayer.tc == 2
    peer.rcv_nxt += len(payload(greeting))
    marked = peer.segment("PA", b"marked")
    marked.tc = 3
    peer.wire.send(marked)
    assert "E" in str(peer.expect(data=True).flags)
    peer.send("RA", seq=peer.snd_nxt + 6)


def test_a_dual_stack_listener_takes_ipv4(six):
    peer = Peer(six.wire).connect()
    assert peer.read(16) == b"::ffff:10.9.0.1\n"
    peer.send("RA")


def test_v6only_takes_no_ipv4(six):
    peer = Peer(six.wire, dport=7778)
    peer.send("S")
    assert "R" in str(peer.expect().flags)
    Peer6(six.wire, dport=7778).greeted().send("RA")


def test_closed_port(six):
    peer = Peer6(six.wire, dport=9)
    peer.send("S")
    reset = peer.expect()
    assert set(str(reset.flags)) == set("RA")
    assert reset.ack == (peer.iss + 1) % 2**32


def test_through_a_router(routed):
    peer = Peer6(routed.wire, ip=FAR6, to=GLOBAL6).greeted()
    peer.echo(b"from far away")
    peer.send("RA")


def test_packet_too_big_makes_segments_smaller(routed):
    """RFC 8201; and section 4: never below 1280."""
    peer = Peer6(routed.wire, ip=FAR6, to=GLOBAL6).greeted()
    for mtu, size in (1400, 1340), (1280, 1220), (600, 1220):
        peer.send("PA", random.randbytes(1440))
        big = peer.expect(data=True)
        routed.wire.send(IPv6(src=HOST6, dst=GLOBAL6) / ICMPv6PacketTooBig(
            mtu=mtu) / big.underlayer)
        got = peer.read(1440)
        assert len(got) == 1440
        peer.send("PA", random.randbytes(1440))
        again = peer.expect(data=True)
        assert len(payload(again)) == size
        peer.rcv_nxt += len(payload(again))
        peer.send("A")
        peer.read(1440 - size)
    peer.send("RA")


def test_unreachable_does_not_end_a_connection(routed):
    """RFC 5461: an error about established traffic is soft."""
    peer = Peer6(routed.wire, ip=FAR6, to=GLOBAL6).greeted()
    peer.send("PA", b"data")
    sent = peer.expect(data=True)
    routed.wire.send(IPv6(src=HOST6, dst=GLOBAL6) / ICMPv6DestUnreach(
        code=0) / sent.underlayer)
    assert peer.read(4) == b"data"
    peer.echo()
    peer.send("RA")


@pytest.mark.parametrize("source", ["::", "::1", "ff02::1",
                                    "::ffff:10.9.0.1", GUEST6])
def test_sources_that_cannot_be(six, source):
    with Dropped(six, "IP_BAD_SOURCE"):
        Peer6(six.wire, ip=source).send("S")


def test_wrong_checksum(six):
    peer = Peer6(six.wire)
    with Dropped(six, "TCP_CSUM"):
        six.wire.send(peer.segment("S", chksum=0x1234))
