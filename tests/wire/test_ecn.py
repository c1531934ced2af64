"""Explicit congestion notification on the wire (RFC 3168): the handshake, the
marks in the IP header, their echo. IPv6 is test_tcp6.py's."""
from scapy.layers.inet import IP, TCP

from tests.lib.wire import Peer, WireGuest, payload

NOT_ECT, ECT0, CE = 0, 2, 3


class MarkingPeer(Peer):
    """A peer that asks for ECN, and whose packets carry self.ecn."""
    ecn = NOT_ECT

    def below(self):
        below = super().below()
        below.tos = self.ecn
        return below

    def connect(self):
        self.send("SEC", options=self.options)
        self.syn_ack = self.expect("SAE")
        self.rcv_nxt = (self.syn_ack.seq + 1) % 2**32
        self.send("A")
        return self


def test_rfc3168_6_1_data_is_marked_and_marks_are_echoed(wire):
    peer = MarkingPeer(wire).connect()
    assert peer.syn_ack.underlayer.tos == NOT_ECT
    peer.ecn = ECT0
    peer.send("PA", b"plain")
    tcp = peer.expect("PA", data=True)
    assert tcp.underlayer[IP].tos == ECT0
    peer.rcv_nxt += 5
    peer.ecn = CE
    peer.send("PA", b"marked")
    echo = peer.expect(data=True)
    assert payload(echo) == b"marked" and "E" in str(echo.flags)
    peer.rcv_nxt += 6
    peer.ecn = ECT0
    peer.send("PAC", b"cut")
    after = peer.expect(data=True)
    assert payload(after) == b"cut" and "E" not in str(after.flags)
    peer.rcv_nxt += 3
    peer.send("RA")


def test_rfc3168_6_1_2_cwr_answers_the_echo(wire):
    peer = MarkingPeer(wire).connect()
    peer.ecn = ECT0
    peer.send("PA", b"x" * 100)
    peer.expect(data=True)
    peer.rcv_nxt += 100
    peer.send("PAE", b"y" * 100)
    tcp = peer.expect(data=True)
    assert "C" in str(tcp.flags)
    peer.rcv_nxt += 100
    peer.send("PA", b"z" * 100)
    assert "C" not in str(peer.expect(data=True).flags)
    peer.rcv_nxt += 100
    peer.send("RA")


def test_rfc3168_6_1_1_nobody_is_asked_for_it(wire):
    peer = Peer(wire)
    assert "E" not in str(peer.syn().flags)
    peer.send("R")


def test_command_line_switches_it_off():
    with WireGuest("echo", more="tcp_ecn=0") as guest:
        peer = MarkingPeer(guest.wire)
        peer.send("SEC", options=peer.options)
        assert peer.expect()[TCP].flags == "SA"
    with WireGuest("echo", more="tcp_ecn=3") as guest:
        assert "tcp_ecn" in guest.console and "say 0, 1 or 2" in guest.console
