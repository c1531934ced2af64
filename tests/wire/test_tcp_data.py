"""TCP: data in every order, windows, retransmission, resets."""
import random
import time

import pytest
from scapy.layers.inet import TCP

from tests.lib.wire import Dropped, Peer, payload


def test_segments_out_of_order(peer):
    start = peer.snd_nxt
    peer.send("PA", b"world", seq=start + 6)
    dup = peer.expect(data=False)
    assert dup.ack == start
    peer.send("PA", b"hello ")
    peer.snd_nxt = start + 11
    assert peer.read(11) == b"hello world"


def test_many_segments_in_random_order(peer):
    data = random.randbytes(20000)
    start = peer.snd_nxt
    parts = list(range(0, len(data), 500))
    random.Random(1).shuffle(parts)
    for at in parts:
        peer.send("A", data[at:at + 500], seq=start + at)
    peer.snd_nxt = (start + len(data)) % 2**32
    assert peer.read(len(data)) == data


def test_duplicates_and_overlaps_are_delivered_once(peer):
    start = peer.snd_nxt
    peer.send("PA", b"0123456789")
    assert peer.read(10) == b"0123456789"
    peer.send("PA", b"0123456789", seq=start)
    assert peer.expect(data=False).ack == start + 10
    peer.send("PA", b"56789abcde", seq=start + 5)
    peer.snd_nxt = start + 15
    assert peer.read(5) == b"abcde"
    peer.send("PA", b"hijkl", seq=start + 17)
    peer.send("PA", b"ijkl", seq=start + 18)
    peer.send("PA", b"fghij", seq=start + 15)
    peer.snd_nxt = start + 22
    assert peer.read(7) == b"fghijkl"


def test_sequence_numbers_wrap(wire):
    peer = Peer(wire)
    peer.iss = peer.snd_nxt = 2**32 - 3
    peer.connect()
    peer.echo(b"across the wrap of sequence numbers")
    peer.send("RA")


def test_unacknowledged_data_is_sent_again(peer):
    peer.send("PA", b"again")
    first = peer.expect(data=True)
    times = [time.monotonic()]
    for _ in range(3):
        again = peer.expect(data=True)
        assert (again.seq, payload(again)) == (first.seq, b"again")
        times.append(time.monotonic())
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 0.15 < gaps[0] < 3.5
    assert gaps[1] > 1.5 * gaps[0] and gaps[2] > 1.5 * gaps[1]
    peer.rcv_nxt = first.seq + 5
    peer.send("A")
    peer.echo(b"back")


def time_to_retransmit(wire):
    """From the last of four duplicate ACKs to the segment they ask for."""
    peer = Peer(wire).connect()
    for _ in range(6):
        peer.send("PA", bytes(1000))
    got = []
    while sum(len(payload(t)) for t in got) < 6000:
        got.append(peer.expect(data=True))
    assert got[0].seq == peer.rcv_nxt
    start = time.monotonic()
    for _ in range(4):
        peer.send("A")
    again = peer.expect(data=True)
    taken = time.monotonic() - start
    assert again.seq == peer.rcv_nxt
    peer.rcv_nxt = (got[-1].seq + len(payload(got[-1]))) % 2**32
    peer.send("A")
    peer.echo()
    peer.send("R")
    return taken


def test_duplicate_acks_bring_it_back_at_once(wire):
    """Three by RFC 5681, section 3.2; Linux without SACK wants four. The
    best of some, as a busy host takes its time."""
    assert min(time_to_retransmit(wire) for _ in range(4)) < 0.15


def test_the_peers_window_is_respected(wire):
    peer = Peer(wire, window=1000).connect()
    peer.send("PA", bytes(1400))
    peer.send("PA", bytes(1400))
    base, total = peer.rcv_nxt, 0
    # It may wait a while for more room (RFC 9293, 3.8.6.2.1).
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        tcp = peer.recv(0.05, data=True)
        if tcp:
            total = max(total, (tcp.seq + len(payload(tcp)) - base) % 2**32)
            end = min(end, time.monotonic() + 0.2)
    assert 0 < total <= 1000
    peer.window = 65000
    assert len(peer.read(2800)) == 2800
    peer.send("R")


def test_zero_window_is_probed_and_opens(wire):
    peer = Peer(wire)
    peer.rcv_nxt = (peer.syn().seq + 1) % 2**32
    peer.send("A", window=0)
    peer.send("PA", b"waits", window=0)
    assert peer.expect(data=False).ack == peer.snd_nxt
    probe = peer.recv(5)
    assert probe, "no window probe"
    assert len(payload(probe)) <= 1
    peer.send("A", window=0)
    peer.send("A", window=5000)
    got = b""
    while len(got) < 5:
        tcp = peer.expect(data=True)
        offset = (tcp.seq - peer.rcv_nxt) % 2**32
        got = got[:offset] + payload(tcp)
    assert got == b"waits"
    peer.send("R")


def test_data_is_acknowledged_in_time(peer):
    """Delayed ACKs wait at most half a second (RFC 1122, 4.2.3.2). A host
    that is busy may take longer once, not every time."""
    waits = []
    while not waits or min(waits) > 0.5:
        assert len(waits) < 5, waits
        start = time.monotonic()
        peer.send("A", b"x", window=0)
        assert peer.expect().ack == peer.snd_nxt
        waits.append(time.monotonic() - start)


def test_data_beyond_the_window(guest, peer):
    with Dropped(guest, "TCP_OUT_OF_WINDOW"):
        peer.send("PA", b"far", seq=peer.snd_nxt + 10_000_000)
        assert peer.expect(data=False).ack == peer.snd_nxt
    peer.echo()


def test_wrong_checksum(guest, peer):
    with Dropped(guest, "TCP_CSUM"):
        packet = peer.segment("PA", b"corrupt", chksum=0x1234)
        peer.wire.send(packet)
        peer.expect_nothing(0.2)
    peer.echo()


@pytest.mark.parametrize("dataofs", [0, 4, 15])
def test_wrong_header_length(guest, peer, dataofs):
    with Dropped(guest, "TCP_HDR"):
        peer.wire.send(peer.segment("PA", b"x", dataofs=dataofs))
        peer.expect_nothing(0.2)
    peer.echo()


@pytest.mark.parametrize("raw", [
    b"\x08\x00\x00\x00", b"\x08\x01\x00\x00", b"\x08\xff\x00\x00",
    b"\x02\x03\x00\x00", b"\x05\x0a\x00\x00", b"\x01\x01\x01\x08",
    b"\xfe\x00\x00\x00", b"\x03\x03\xff\x00"])
def test_malformed_options(peer, raw):
    """Dropped or stepped over, but never fatal."""
    packet = peer.segment("PA", b"data")
    packet[TCP].dataofs = 5 + len(raw) // 4
    packet[TCP].remove_payload()
    peer.wire.send(packet / (raw + b"data"))
    peer.wire.drain()
    time.sleep(0.02)
    peer.wire.drain()
    one = Peer(peer.wire).connect()
    one.echo()
    one.send("RA")


@pytest.mark.parametrize("flags", ["", "F", "P", "SF", "SFRPAU", "FPU"])
def test_flags_that_make_no_sense(peer, flags):
    """A connection lives through them, or is reset by what says RST."""
    peer.wire.send(peer.segment(flags, b"x"))
    time.sleep(0.02)
    peer.wire.drain()
    if "R" not in flags:
        peer.echo()


def test_ack_of_what_was_never_sent(peer):
    peer.send("A", ack=peer.rcv_nxt + 100000)
    tcp = peer.expect()
    assert str(tcp.flags) == "A" and tcp.ack == peer.snd_nxt
    peer.echo()


def test_rst_in_order_ends_the_connection(peer):
    peer.send("R")
    peer.expect_nothing(0.1)
    assert peer.is_gone()


def test_rst_in_the_window_is_challenged(peer):
    """RFC 5961, section 3."""
    peer.wire.send(peer.segment("R", seq=peer.snd_nxt + 100))
    tcp = peer.expect()
    assert str(tcp.flags) == "A" and tcp.ack == peer.snd_nxt
    peer.echo()


def test_rst_outside_the_window_is_ignored(peer):
    peer.wire.send(peer.segment("R", seq=peer.snd_nxt - 100))
    peer.wire.send(peer.segment("R", seq=peer.snd_nxt + 100_000_000))
    peer.expect_nothing(0.15)
    peer.echo()


def test_syn_in_a_connection_is_challenged(peer):
    """RFC 5961, section 4."""
    peer.wire.send(peer.segment("S", seq=peer.snd_nxt + 10))
    tcp = peer.expect()
    assert str(tcp.flags) == "A" and tcp.ack == peer.snd_nxt
    peer.echo()


def test_urgent_data_arrives_in_line_or_not_at_all(peer):
    peer.send("PAU", b"urgent", urgptr=6)
    peer.wire.drain()
    one = Peer(peer.wire).connect()
    one.echo()
    one.send("RA")


def test_connections_are_not_mixed_up(wire):
    peers = {one.sport: one for one in
             (Peer(wire).connect() for _ in range(20))}
    for port, one in peers.items():
        one.send("PA", b"%d" % port)
    got = {}
    while len(got) < len(peers):
        frame = wire.recv(lambda f: TCP in f and f[TCP].dport in peers and
                          payload(f[TCP]))
        assert frame, f"{len(got)} of {len(peers)} answered"
        got[frame[TCP].dport] = payload(frame[TCP])
    for port, one in peers.items():
        assert got[port] == b"%d" % port
        one.send("R")


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_at_once_with_loss(wire, seed):
    """The peer loses every tenth segment of either direction."""
    chance = random.Random(seed)
    data = chance.randbytes(30000)
    peer = Peer(wire, window=8000).connect()
    start, base, got = peer.snd_nxt, peer.rcv_nxt, {}
    una, end = start, time.monotonic() + 30
    inorder = 0
    while inorder < len(data):
        assert time.monotonic() < end, f"{inorder} of {len(data)}"
        at = (una - start) % 2**32
        for _ in range(4):
            if at < len(data) and chance.random() > 0.1:
                peer.wire.send(peer.segment(
                    "A", data[at:at + 700], seq=start + at,
                    ack=base + inorder))
            at += 700
        while True:
            tcp = peer.recv(0.02)
            if tcp is None:
                break
            una = max(una, tcp.ack, key=lambda n: (n - start) % 2**32)
            if payload(tcp) and chance.random() > 0.1:
                got[(tcp.seq - base) % 2**32] = payload(tcp)
                for at in sorted(got):
                    if at <= inorder < at + len(got[at]):
                        inorder = at + len(got[at])
                peer.wire.send(peer.segment(
                    "A", seq=una, ack=base + inorder))
    whole = bytearray(len(data))
    for at, part in got.items():
        whole[at:at + len(part)] = part
    assert bytes(whole[:len(data)]) == data
    peer.wire.send(peer.segment("R", seq=una))
