"""TCP: the handshake, and segments for no connection (RFC 9293, 3.10.7)."""
import time

import pytest
from scapy.layers.inet import TCP

from tests.lib.wire import Dropped, Peer, option, payload


def test_handshake_and_echo(peer):
    peer.echo(b"hello over the wire")


def test_syn_ack_fields(wire):
    peer = Peer(wire)
    synack = peer.syn()
    assert synack.ack == (peer.iss + 1) % 2**32
    assert option(synack, "MSS") == 1460
    assert synack.window > 0
    peer.send("R")


def test_options_only_when_offered(wire):
    peer = Peer(wire)
    synack = peer.syn()
    for name in ("WScale", "Timestamp", "SAckOK"):
        assert option(synack, name) is None
    peer.send("R")
    peer = Peer(wire, options=[("MSS", 1460), ("SAckOK", b""),
                               ("Timestamp", (1234, 0)), ("NOP", None),
                               ("WScale", 7)])
    synack = peer.syn()
    assert option(synack, "WScale") is not None
    assert option(synack, "Timestamp")[1] == 1234
    peer.send("R")


def test_timestamps_are_echoed(wire):
    stamp = [("NOP", None), ("NOP", None), ("Timestamp", (5000, 0))]
    peer = Peer(wire, options=[("MSS", 1460), *stamp])
    synack = peer.syn()
    theirs = option(synack, "Timestamp")[0]
    peer.rcv_nxt = synack.seq + 1
    stamp[2] = ("Timestamp", (5001, theirs))
    peer.send("A", options=stamp)
    stamp[2] = ("Timestamp", (5002, theirs))
    peer.send("PA", b"x", options=stamp)
    tcp = peer.expect(data=True)
    assert option(tcp, "Timestamp")[1] == 5002
    assert option(tcp, "Timestamp")[0] - theirs < 10000
    peer.send("R", seq=peer.snd_nxt)


@pytest.mark.parametrize("again", [1, 3])
def test_repeated_syn_gets_the_same_answer(wire, again):
    peer = Peer(wire)
    first = peer.syn()
    for _ in range(again):
        peer.snd_nxt = peer.iss
        second = peer.syn()
        assert (second.seq, second.ack) == (first.seq, first.ack)
    peer.rcv_nxt = first.seq + 1
    peer.send("A")
    peer.echo()
    peer.send("RA")


def test_syn_ack_is_repeated(wire):
    peer = Peer(wire)
    start = time.monotonic()
    first = peer.syn()
    again = peer.expect("SA", seconds=10)
    assert again.seq == first.seq
    assert time.monotonic() - start > 0.9
    peer.send("R", seq=peer.snd_nxt)


def test_initial_sequence_numbers_differ(wire):
    seen = set()
    for _ in range(8):
        peer = Peer(wire)
        seen.add(peer.syn().seq >> 8)
        peer.send("R")
    assert len(seen) == 8


def test_syn_to_a_closed_port(wire):
    peer = Peer(wire, dport=9)
    peer.send("S")
    reset = peer.expect()
    assert set(str(reset.flags)) == set("RA")
    assert reset.ack == (peer.iss + 1) % 2**32 and reset.seq == 0


def test_ack_to_a_closed_port(guest, wire):
    peer = Peer(wire, dport=9)
    with Dropped(guest, "TCP_NO_SOCKET"):
        peer.send("A", ack=12345)
        reset = peer.expect()
    assert str(reset.flags) == "R" and reset.seq == 12345


def test_data_to_a_closed_port(wire):
    peer = Peer(wire, dport=9)
    peer.send("PA", b"data", ack=4321)
    reset = peer.expect()
    assert str(reset.flags) == "R" and reset.seq == 4321


def test_rst_to_a_closed_port_is_not_answered(wire):
    peer = Peer(wire, dport=9)
    for flags in ("R", "RA", "SRA"):
        peer.send(flags)
    peer.expect_nothing()


def test_ack_to_the_listener_is_reset(wire):
    peer = Peer(wire)
    peer.send("A", ack=777)
    reset = peer.expect()
    assert str(reset.flags) == "R" and reset.seq == 777


@pytest.mark.parametrize("flags", ["", "F", "P", "U"])
def test_listener_ignores_what_is_no_syn(wire, flags):
    peer = Peer(wire)
    peer.send(flags)
    peer.expect_nothing(0.15, flags="SA")


def test_syn_fin_opens_nothing(wire):
    peer = Peer(wire)
    peer.send("SF")
    peer.expect_nothing(0.2, flags="SA")


def test_wrong_ack_of_the_syn_ack_is_reset(wire):
    peer = Peer(wire)
    synack = peer.syn()
    peer.send("A", ack=synack.seq + 1000)
    reset = peer.expect(flags="R")
    assert reset.seq == (synack.seq + 1000) % 2**32
    peer.rcv_nxt = synack.seq + 1
    peer.send("A")
    peer.echo()
    peer.send("RA")


def test_rst_ends_a_half_open_connection(wire):
    peer = Peer(wire)
    peer.syn()
    peer.send("R")
    peer.expect_nothing(1.5, flags="SA")


def test_data_with_the_last_ack(wire):
    peer = Peer(wire)
    synack = peer.syn()
    peer.rcv_nxt = synack.seq + 1
    peer.send("PA", b"early")
    assert peer.read(5) == b"early"
    peer.send("RA")


@pytest.mark.parametrize("mss", [64, 536, 1000])
def test_our_segments_respect_the_peers_mss(wire, mss):
    peer = Peer(wire, options=[("MSS", mss)]).connect()
    data = bytes(range(256)) * 12
    for at in range(0, len(data), 1024):
        peer.send("PA", data[at:at + 1024])
    start = len(wire.seen)
    assert peer.read(len(data)) == data
    sizes = [len(payload(f[TCP])) for f in wire.seen[start:]
             if TCP in f and peer.is_mine(f)]
    assert max(sizes) <= mss
    peer.send("RA")


def test_without_an_mss_option_it_is_536(wire):
    peer = Peer(wire, options=[]).connect()
    peer.send("PA", bytes(1400))
    start = len(wire.seen)
    peer.read(1400)
    assert max(len(payload(f[TCP])) for f in wire.seen[start:]
               if TCP in f and peer.is_mine(f)) <= 536
    peer.send("RA")


@pytest.mark.parametrize("flags", ["", "P", "F", "S"])
def test_without_ack_to_a_closed_port(guest, wire, flags):
    """RFC 9293, 3.10.7.1: sequence number zero, ACK of all there was."""
    peer = Peer(wire, dport=9)
    with Dropped(guest, "TCP_NO_SOCKET"):
        peer.send(flags, b"data")
        reset = peer.expect()
    assert set(str(reset.flags)) == set("RA") and reset.seq == 0
    assert reset.ack == peer.snd_nxt


STAMP = ("Timestamp", (1000, 0))
OPTIONS = [("MSS", 1460), ("SAckOK", b""), STAMP, ("NOP", None),
           ("WScale", 3)]


def test_a_flood_of_syns_locks_nobody_out(wire):
    """2,000 half-open connections that nobody goes on with: more than are
    kept, so the next ones live on a cookie, with their options or without."""
    for n in range(2000):
        peer = Peer(wire)
        wire.send(peer.segment("S", options=peer.options))
        if n % 50 == 49:
            assert peer.recv(5, flags="SA")
    wire.drain()
    plain = Peer(wire)
    plain.connect().echo()
    assert option(plain.syn_ack, "WScale") is None
    for _ in range(3):
        peer = Peer(wire, options=OPTIONS)
        synack = peer.syn()
        assert option(synack, "WScale") is not None
        assert option(synack, "SAckOK") is not None
        stamp = ("Timestamp", (1001, option(synack, "Timestamp")[0]))
        peer.rcv_nxt = synack.seq + 1
        peer.send("A", options=[stamp])
        peer.send("PA", b"kept nothing", options=[stamp])
        assert payload(peer.expect(data=True)) == b"kept nothing"
        peer.send("R")
    plain.echo()
    plain.send("RA")
    forged = Peer(wire)
    forged.send("A", ack=12345)
    assert "R" in str(forged.expect().flags)
