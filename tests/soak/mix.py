#!/usr/bin/python3
"""mix.py: the clients of the soak but for the ones that are timed. Runs in the
namespace beside the guest until its standard input ends; then prints as JSON
what was done, and what went wrong.
"""
import collections
import json
import os
import random
import socket
import struct
import sys
import threading
import time

GUEST = ("10.8.0.2", 7777)
GOOD, WILD = "10.8.0.1", "10.8.0.250"
LOSSY = ["10.8.0.200", "10.8.0.201", "10.8.0.202"]
IDLE = 64           # connections that are there all the time
RESET = struct.pack("ii", 1, 0)


class Mix:
    def __init__(self):
        self.over = threading.Event()
        self.done = collections.Counter()
        self.errors = []

    def loop(self, what, pause, function, *args):
        """@function again and again; whatever it does not expect is told."""
        while not self.over.is_set():
            try:
                function(*args)
                self.done[what] += 1
            except (OSError, AssertionError) as e:
                self.errors.append(f"{time.strftime('%H:%M:%S')} {what}: "
                                   f"{type(e).__name__} {e}")
            self.over.wait(pause * random.uniform(0.5, 1.5))


def connect(source=GOOD, seconds=30):
    return socket.create_connection(GUEST, seconds, (source, 0))


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


class Cut(AssertionError):
    """The connection has ended after @got bytes."""

    def __init__(self, got, size):
        super().__init__(f"cut off after {got} of {size} bytes")
        self.got = got


def receive(s, size):
    got = bytearray()
    while len(got) < size:
        try:
            part = s.recv(size - len(got))
        except ConnectionResetError:
            part = b""
        if not part:
            raise Cut(len(got), size)
        got += part
    return bytes(got)


def send(s, data):
    """May be cut short; who receives sees that."""
    try:
        s.sendall(data)
    except OSError:
        pass


def echo(s, data):
    """More than fits the buffers: one sends, the other takes."""
    sender = threading.Thread(target=send, args=(s, data))
    sender.start()
    try:
        assert receive(s, len(data)) == data, "other bytes came back"
    finally:
        sender.join()


def transfer(source, size):
    with connect(source, 100) as s:
        echo(s, os.urandom(size))


def lossy(mix, source, size):
    """While SYNs flood, a connection is in its peer's hands alone until the
    guest has the ACK of the handshake (RFC 4987 section 3.6). If the link loses
    that and the first data, what comes next is nobody's, and is reset, by Linux
    as well; but not once a byte has come back."""
    try:
        transfer(source, size)
    except Cut as e:
        if e.got:
            raise
        mix.done["refused"] += 1


def half_close():
    """Everything still comes after our FIN, then the guest's."""
    data = os.urandom(20000)
    with connect() as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        assert receive(s, len(data)) == data, "other bytes came back"
        assert s.recv(1) == b"", "something after the end"


def storm():
    clients = [connect() for _ in range(50)]
    for n, s in enumerate(clients):
        s.sendall(b"%064d" % n)
    for n, s in enumerate(clients):
        assert receive(s, 64) == b"%064d" % n, "other bytes came back"
        if n % 2:
            reset(s)
        else:
            s.close()


def slow_reader():
    """Its windows close; then it reads all, or resets."""
    data = os.urandom(100000)
    s = connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sender = threading.Thread(target=send, args=(s, data))
    sender.start()
    got = b""
    for _ in range(60):
        got += s.recv(512)
        time.sleep(0.05)
    if random.random() < 0.5:
        got += receive(s, len(data) - len(got))
        assert got == data, "other bytes came back"
        sender.join()
        s.close()
    else:
        s.shutdown(socket.SHUT_RD)
        reset(s)
        sender.join()


def cut_off():
    s = connect()
    s.sendall(os.urandom(random.randrange(1, 20000)))
    reset(s)


def dribble():
    with connect() as s:
        for _ in range(100):
            echo(s, os.urandom(1))


def wild():
    """The cable adds what nobody sent: anything may come of it."""
    try:
        with connect(WILD, 3) as s:
            for _ in range(10):
                s.sendall(os.urandom(random.randrange(1, 3000)))
                s.recv(4096)
    except OSError:
        pass


def main():
    mix = Mix()
    idle = [connect() for _ in range(IDLE)]
    jobs = [("storm", 2, storm), ("bulk", 3, transfer, GOOD, 1 << 20),
            ("slow reader", 1, slow_reader), ("cut off", 0.3, cut_off),
            ("half close", 1, half_close), ("dribble", 2, dribble),
            ("wild", 0.2, wild), ("wild", 0.2, wild)]
    jobs += [("lossy", 1, lossy, mix, source, 50000) for source in LOSSY]
    threads = [threading.Thread(target=mix.loop, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    mix.over.set()
    for thread in threads:
        thread.join()
    for n, s in enumerate(idle):
        try:
            echo(s, b"%d" % n)
            s.close()
            mix.done["idle kept"] += 1
        except (OSError, AssertionError) as e:
            mix.errors.append(f"idle connection {n}: {e}")
    print(json.dumps({"done": mix.done, "errors": mix.errors}))


main()
