"""Running out of memory: connections are refused or lost, the server is not."""
import pytest

from tests.lib.wire import Peer, WireGuest


@pytest.mark.limit(240)
def test_peers_that_send_and_never_take():
    """Each leaves an echo that cannot be sent. In the end some have no room;
    when they are gone, all is as before."""
    with WireGuest("echo", mem="6M") as guest:
        peers, refused = [], 0
        while refused < 20 and len(peers) < 5000:
            peer = Peer(guest.wire)
            peer.send("S", options=peer.options)
            synack = peer.recv(0.2, flags="SA")
            if not synack:
                refused += 1
                continue
            peer.rcv_nxt = (synack.seq + 1) % 2**32
            peer.send("A", window=0)
            peer.send("PA", bytes(1460), window=0)
            peers.append(peer)
        assert len(peers) > 100
        for peer in peers:
            peer.send("R")
        peer = Peer(guest.wire)
        for _ in range(20):
            peer.snd_nxt = peer.iss
            peer.send("S", options=peer.options)
            synack = peer.recv(1, flags="SA")
            if synack or guest.process.poll() is not None:
                break
        if not synack:
            guest.fail(f"no answer after {len(peers)} connections")
        peer.rcv_nxt = (synack.seq + 1) % 2**32
        peer.send("A")
        peer.echo(b"as before")
