"""TCP: FIN in every order, TIME-WAIT, the end of half-closed connections."""
import time

import pytest

from tests.lib.wire import Peer, payload

REQUEST = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"


@pytest.fixture
def http(hello_guest):
    """A connection to hello, which closes first when it is asked to."""
    hello_guest.wire.drain()
    peer = Peer(hello_guest.wire, dport=8080).connect()
    yield peer
    peer.send("R")


def closed_by_server(peer):
    """Has the server send all and its FIN; returns the FIN's number."""
    peer.send("PA", REQUEST)
    while True:
        tcp = peer.expect()
        if tcp.seq == peer.rcv_nxt:
            peer.rcv_nxt = (peer.rcv_nxt + len(payload(tcp))) % 2**32
            if "F" in str(tcp.flags):
                return (tcp.seq + len(payload(tcp))) % 2**32


def test_peer_closes_first(peer):
    peer.echo()
    peer.send("FA")
    fin = peer.expect()
    if "F" not in str(fin.flags):
        assert fin.ack == peer.snd_nxt
        fin = peer.expect(flags="FA")
    assert (fin.ack, fin.seq) == (peer.snd_nxt, peer.rcv_nxt)
    peer.rcv_nxt += 1
    peer.send("A")
    time.sleep(0.05)
    assert peer.is_gone()


def test_fin_with_data_is_echoed_then_closed(peer):
    peer.send("FPA", b"last words")
    assert peer.read(10) == b"last words"
    fin = peer.wire.seen[-1] if "F" in str(
        peer.wire.seen[-1].sprintf("%TCP.flags%")) else None
    if fin is None:
        peer.expect(flags="FA")


def test_fin_before_the_data_in_front_of_it(peer):
    start = peer.snd_nxt
    peer.send("FA", seq=start + 5)
    assert peer.expect().ack == start
    peer.send("PA", b"first")
    peer.snd_nxt = start + 6
    assert peer.read(5) == b"first"
    end = time.monotonic() + 2
    while time.monotonic() < end:
        tcp = peer.recv(1)
        if tcp is None or tcp.ack == start + 6:
            break
    assert tcp and tcp.ack == start + 6


def test_unacknowledged_fin_is_sent_again(peer):
    peer.send("FA")
    first = peer.expect(flags="FA")
    again = peer.expect(flags="FA")
    assert again.seq == first.seq
    peer.rcv_nxt += 1
    peer.send("A")
    time.sleep(0.05)
    assert peer.is_gone()


def test_repeated_fin_is_acknowledged_again(peer):
    peer.send("PA", b"x", window=0)
    peer.send("FA", window=0)
    time.sleep(0.6)
    peer.wire.drain()
    peer.wire.send(peer.segment("FA", seq=peer.snd_nxt - 1, window=0))
    assert peer.expect(data=False).ack == peer.snd_nxt


def test_half_closed_peer_gets_the_rest(peer):
    """The peer's window opens only after its FIN: it still gets all."""
    peer.send("PA", b"much to come", window=0)
    peer.send("FA", window=0)
    peer.wire.drain()
    peer.send("A", window=5000)
    got = b""
    while len(got) < 12:
        tcp = peer.expect(data=True)
        offset = (tcp.seq - peer.rcv_nxt) % 2**32
        if offset <= len(got):
            got = got[:offset] + payload(tcp)
    assert got == b"much to come"


def test_server_closes_first(http):
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("A")
    http.send("FA")
    assert http.expect(data=False).ack == http.snd_nxt
    # TIME-WAIT: our FIN again is acknowledged again, in moderation.
    time.sleep(0.6)
    http.wire.send(http.segment("FA", seq=http.snd_nxt - 1))
    assert http.expect(data=False).ack == http.snd_nxt


def test_fin_and_its_ack_in_one(http):
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("FA")
    assert http.expect(data=False).ack == http.snd_nxt


def test_simultaneous_close(http):
    """Our FIN crosses theirs: neither acknowledges the other's yet."""
    fin = closed_by_server(http)
    http.rcv_nxt = fin
    http.send("FA")
    assert http.expect().ack == http.snd_nxt
    http.rcv_nxt = fin + 1
    http.send("A")
    http.wire.drain()
    http.wire.send(http.segment("FA", seq=http.snd_nxt - 1))
    assert http.expect(data=False).ack == http.snd_nxt


def test_data_after_their_fin_is_read_and_acknowledged(http):
    """The server has shut down its side only: FIN-WAIT-2 takes data."""
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("A")
    http.send("PA", b"too late, but legal")
    assert http.expect(data=False).ack == http.snd_nxt


def test_rst_in_fin_wait(http):
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("A")
    http.send("R")
    time.sleep(0.05)
    assert http.is_gone()


def test_new_syn_in_time_wait_is_taken(http):
    """RFC 9293, 3.10.7.4; RFC 1122, 4.2.2.13: a higher number reopens."""
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("FA")
    http.expect(data=False)
    http.iss = http.snd_nxt = (http.snd_nxt + 100000) % 2**32
    http.rcv_nxt = 0
    http.connect()
    http.send("PA", b"GET / HTTP/1.1\r\n\r\n")
    assert payload(http.expect(data=True)).startswith(b"HTTP/1.1 200")


def test_rst_in_time_wait_is_harmless(http):
    """RFC 1337: what comes late does not open the pair to old segments."""
    fin = closed_by_server(http)
    http.rcv_nxt = fin + 1
    http.send("FA")
    http.expect(data=False)
    http.wire.send(http.segment("R"))
    http.wire.drain()
