"""The echo server with real clients, on this Linux and in the guest."""
import hashlib
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from tests.lib.guest import LinuxServer, UserNetGuest

MB = 1 << 20


@pytest.fixture(scope="module", params=["linux", "guest"])
def server(request):
    kind = LinuxServer if request.param == "linux" else UserNetGuest
    with kind() as running:
        yield running


@pytest.fixture(autouse=True)
def still_serves(server):
    """Whatever a test did, the next client is served."""
    yield
    with connect(server) as s:
        s.sendall(b"still there?")
        assert receive(s, 12) == b"still there?"


def connect(server, seconds=20):
    return socket.create_connection(("127.0.0.1", server.port), seconds)


def receive(s, n):
    """Exactly @n bytes, or fewer at the end of file."""
    parts = []
    while n:
        part = s.recv(min(n, 1 << 16))
        if not part:
            break
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 struct.pack("ii", 1, 0))
    s.close()


def echo_through(s, block, times):
    """Sends @block @times times while reading; returns both digests."""
    sent, got = hashlib.sha256(), hashlib.sha256()

    def send():
        for _ in range(times):
            s.sendall(block)
            sent.update(block)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    total = 0
    while True:
        part = s.recv(1 << 18)
        if not part:
            break
        got.update(part)
        total += len(part)
    sender.join()
    assert total == len(block) * times
    return sent.hexdigest(), got.hexdigest()


def test_one_byte(server):
    with connect(server) as s:
        for n in range(256):
            s.sendall(bytes([n]))
            assert s.recv(10) == bytes([n])


@pytest.mark.limit(240)
@pytest.mark.parametrize("megabytes", [1, 64])
def test_megabytes_with_checksum(server, megabytes):
    with connect(server, 60) as s:
        sent, got = echo_through(s, os.urandom(MB), megabytes)
        assert sent == got


def test_odd_sizes(server):
    with connect(server) as s:
        for size in (2, 3, 7, 63, 64, 65, 535, 1459, 1460, 1461, 4095, 4097,
                     65535, 65537):
            data = os.urandom(size)
            s.sendall(data)
            assert receive(s, size) == data


def test_500_connections_at_once(server):
    clients = []
    try:
        for n in range(500):
            # Answered before the next one: user networking listens with a
            # queue of one, and a SYN that does not fit costs a second.
            clients.append(connect(server))
            clients[n].sendall(b"first")
            assert receive(clients[n], 5) == b"first"
        for turn in range(2):
            for n, s in enumerate(clients):
                s.sendall(b"%d of turn %d" % (n, turn))
            for n, s in reversed(list(enumerate(clients))):
                want = b"%d of turn %d" % (n, turn)
                assert receive(s, len(want)) == want
    finally:
        for s in clients:
            s.close()


def test_300_connections_in_turn(server):
    for n in range(300):
        with connect(server) as s:
            s.sendall(b"%d" % n)
            assert receive(s, len(str(n))) == b"%d" % n


def test_half_closed_peer_is_served_to_the_end(server):
    for size in (0, 5, 3 * MB):
        data = os.urandom(size)
        with connect(server) as s:
            sender = threading.Thread(
                target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            assert receive(s, size + 1) == data
            sender.join()


def test_reset_mid_transfer(server):
    for _ in range(5):
        s = connect(server)
        s.sendall(os.urandom(200000))
        receive(s, 1000)
        reset(s)


def test_client_killed_mid_transfer(server):
    code = ("import socket, sys\n"
            f"s = socket.create_connection(('127.0.0.1', {server.port}))\n"
            "while True:\n"
            "    s.send(bytes(100000))\n"
            "    s.recv(1000)\n"
            "    print('.', flush=True)\n")
    with subprocess.Popen([sys.executable, "-c", code],
                          stdout=subprocess.PIPE) as client:
        client.stdout.readline()
        client.kill()


def test_slow_reader_holds_up_nobody(server):
    """One client takes nothing for a while; another is served meanwhile."""
    data = os.urandom(8 * MB)
    with connect(server) as slow, connect(server) as other:
        slow.setblocking(False)
        sent = 0
        while sent < len(data):
            if not select.select([], [slow], [], 0.5)[1]:
                break
            sent += slow.send(data[sent:sent + 100000])
        other.sendall(b"meanwhile")
        assert receive(other, 9) == b"meanwhile"
        slow.setblocking(True)
        slow.settimeout(20)
        sender = threading.Thread(target=slow.sendall, args=(data[sent:],))
        sender.start()
        got = b""
        for _ in range(20):
            got += receive(slow, 10000)
            time.sleep(0.005)
        got += receive(slow, len(data) - len(got))
        sender.join()
        assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()
