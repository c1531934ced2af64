"""Floods from a namespace: a client that behaves is served all the while, and
the memory comes back. `make test-floods` sends 200,000 segments and holds
10,000 connections; without FLOODS=full it is a fraction of that, in seconds.
"""
import json
import os
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from tests.gdb import gdb_session
from tests.lib import netns
from tests.lib.netns import GUEST_IP, HOST_IP, TapGuest
from tools import qemu

MAC = "52:54:00:12:34:56"
FULL = os.environ.get("FLOODS") == "full"
SEGMENTS, HOARDERS, SLOW = 5000, 50, 250
TIMES = 40 if FULL else 1
RATE = 10000    # frames a second: below what a guest in emulation can take
GONE = ("tcp_sock", "tcp_mini")
HELD = ("file", "socket", "eventpoll_epi", "skbuff_512", "skbuff_1024",
        "skbuff_4096")
SPARE_PAGES = 200   # slabs half used, tables grown, a card's ring that is full
PATIENCE = 60

pytestmark = [
    pytest.mark.skipif(netns.why_not() is not None,
                       reason=str(netns.why_not())),
    pytest.mark.limit(1500 if FULL else 120),
]


class FloodedGuest(TapGuest):
    def __init__(self, prog):
        self.folder = tempfile.TemporaryDirectory()
        stub, self.gdb = gdb_session.stub(self.folder.name)
        super().__init__(prog, mem="128", extra=stub)

    def __exit__(self, *_):
        super().__exit__()
        self.folder.cleanup()

    def memory(self):
        what = "source bench/guest_memory.py"
        return json.loads(gdb_session.run(self.gdb, [what], 300)[what])

    def flood(self, kind, count, *victim):
        # Not by ns.run(): its thread is the parent that must not end.
        return subprocess.Popen(
            ["nsenter", f"--net=/proc/{self.ns.holder.pid}/ns/net",
             "build/flood", "tap0", MAC, GUEST_IP, str(self.port), kind,
             str(count), str(RATE), *map(str, victim)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=qemu.die_with_parent)


class Client:
    """Asks again and again, on a new connection each time and on one that
    stays. Any failure, and any answer that takes too long, is kept."""

    def __init__(self, guest):
        self.guest = guest
        self.served, self.failed, self.stopped = 0, [], threading.Event()
        self.lasting = guest.connect(PATIENCE)
        self.thread = threading.Thread(target=self.run)

    def ask(self, s):
        if self.guest.port == qemu.PORTS["hello"]:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert s.recv(4096).startswith(b"HTTP/1.1 200"), "wrong answer"
            return
        s.sendall(b"0123456789abcdef")
        got = b""
        while len(got) < 16:
            more = s.recv(16)
            assert more, "end of file"
            got += more
        assert got == b"0123456789abcdef", "wrong answer"

    def run(self):
        while not self.stopped.wait(0.05):
            try:
                with self.guest.connect(PATIENCE) as s:
                    self.ask(s)
                self.ask(self.lasting)
                self.served += 1
            except (OSError, AssertionError) as e:
                self.failed.append(repr(e))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        self.lasting.close()


def finished(process):
    """It said so."""
    text, _ = process.communicate(timeout=500)
    assert text.endswith("done\n"), text


def serves_while(guest, client, flood, held):
    """So many connections are held, and three more rounds served."""
    assert flood.stdout.readline() == "there\n"
    assert guest.memory()["caches"]["tcp_sock"]["used"] >= held
    served = client.served
    end = time.monotonic() + 3 * PATIENCE
    while client.served < served + 3 and not client.failed:
        assert time.monotonic() < end, "the client is served no more"
        time.sleep(0.05)
    finished(flood)


def comes_back(guest, before, seconds):
    """No connection is left; after @before no more objects in use than then,
    and the pages with them. Returns the memory as it is now."""
    end = time.monotonic() + seconds
    while True:
        now = guest.memory()
        old = before or now
        used = {name: cache["used"] - (name in HELD and old["caches"].get(
                    name, {"used": 0})["used"])
                for name, cache in now["caches"].items()
                if name in HELD + GONE}
        # What the program has taken and keeps is its own affair.
        lost = old["free"] + old["user"] - now["free"] - now["user"]
        if max(used.values()) <= 4 and lost <= SPARE_PAGES:
            return now
        if time.monotonic() > end:
            guest.fail(f"{lost} pages are gone, objects: {used}")
        time.sleep(0.5)


def under_attack(prog, attack):
    """@attack is called with the guest, its client and how large it is to be,
    once small: what a rush leaves in caches is there afterwards. Then in
    full, and all is as it was."""
    with FloodedGuest(prog) as guest:
        before = None
        for times in (1, TIMES):
            with Client(guest) as client:
                attack(guest, client, times)
                while client.served < 2 and not client.failed:
                    time.sleep(0.05)
            assert not client.failed, client.failed
            # A reset that got lost comes with the next probe of a window
            # that is shut: two minutes in the worst case.
            before = comes_back(guest, before, 400 if FULL else 60)


def syn_flood(guest, _, times):
    finished(guest.flood("syn", SEGMENTS * times))
    # Of a whole flood, the half-open ones time out by themselves.
    if times == 1:
        finished(guest.flood("syn-end", SEGMENTS))


def test_syn_flood():
    under_attack("echo", syn_flood)


@pytest.mark.parametrize("kind", ["rst", "ack"])
def test_storm_on_nobody_and_on_one_who_is_served(kind):
    def storm(guest, client, times):
        port = client.lasting.getsockname()[1]
        finished(guest.flood(kind, SEGMENTS * times, HOST_IP, port))
    under_attack("echo", storm)


def test_out_of_order_hoarding():
    def hoard(guest, client, times):
        serves_while(guest, client, guest.flood("hoard", HOARDERS * times),
                     HOARDERS * times * 0.9)
    under_attack("echo", hoard)


@pytest.mark.parametrize("kind", ["loris", "reader"])
def test_slow_peers(kind):
    def slow(guest, client, times):
        serves_while(guest, client, guest.flood(kind, SLOW * times),
                     SLOW * times)
    under_attack("hello", slow)
