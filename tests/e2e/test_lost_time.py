"""Time that the guest did not see: paused by its monitor, where its clocks
stand still; stopped by the host, where they go on; a CPU that it has only now
and then; a wall clock that is set. Timers, connections and keepalives go on.

LOST=60 in the environment pauses for a minute.
"""
import collections
import contextlib
import os
import signal
import socket
import tempfile
import time

import pytest

from tests.lib.guest import UserNetGuest, initramfs
from tests.lib.qmp import Monitor

LOST = int(os.environ.get("LOST", "3"))
CONNECTIONS = 20
SLACK = 2000        # ms, for a machine that is busy

pytestmark = pytest.mark.limit(60 + LOST)

Told = collections.namedtuple("Told", "mono real ticks reads")


class Clocks:
    """tests/progs/clocks.c in a guest, and connections to it."""

    def __init__(self, guest, monitor):
        self.guest, self.monitor = guest, monitor
        self.socks = []
        for _ in range(CONNECTIONS):
            self.socks.append(socket.create_connection(
                ("127.0.0.1", guest.port), 10))
            self.ask(self.socks[-1])

    @staticmethod
    def ask(s, what=b"q"):
        s.settimeout(20)
        s.sendall(what)
        line = b""
        while not line.endswith(b"\n"):
            more = s.recv(200)
            assert more, "the connection has ended"
            line += more
        return Told(*map(int, line.split()))

    def all_live(self):
        for s in self.socks:
            self.ask(s)

    def signal(self, number):
        self.guest.process.send_signal(number)


@pytest.fixture
def clocks():
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as st:
        monitor = Monitor(folder)
        initrd = initramfs({"clocks": "build/tests/clocks"})
        guest = st.enter_context(UserNetGuest(
            prog="clocks", initrd=initrd, more="watchdog=1",
            extra=monitor.args()))
        monitor.connect()
        st.callback(monitor.close)
        it = Clocks(guest, monitor)
        st.callback(lambda: [s.close() for s in it.socks])
        yield it
        it.all_live()
        # Nobody was taken for dead, and nothing for standing still.
        assert "watchdog" not in guest.console, guest.console


def passed(before, after):
    """(by the monotonic clock, by the wall clock), in ms. The timer has
    expired as often as time went by, neither more nor less."""
    mono = after.mono - before.mono
    assert abs((after.ticks - before.ticks) * 100 - mono) <= 200
    return mono, after.real - before.real


def test_paused_by_the_monitor(clocks):
    """No time passes for it, and no timer expires for the pause."""
    before = clocks.ask(clocks.socks[0])
    start = time.monotonic()
    clocks.monitor.ask("stop")
    time.sleep(LOST)
    # Sent meanwhile: it is there when the guest goes on.
    clocks.socks[1].sendall(b"q")
    clocks.monitor.ask("cont")
    mono, wall = passed(before, clocks.ask(clocks.socks[0]))
    real = (time.monotonic() - start) * 1000
    assert mono <= real - LOST * 1000 + 100 and abs(wall - mono) <= 10
    assert clocks.socks[1].recv(200).endswith(b"\n")


def test_stopped_by_the_host(clocks):
    """The clocks have gone on: all that was missed expires at once, in one
    wakeup; keepalive, due several times over, asks before it gives up."""
    before = clocks.ask(clocks.socks[0])
    clocks.signal(signal.SIGSTOP)
    time.sleep(LOST)
    clocks.signal(signal.SIGCONT)
    after = clocks.ask(clocks.socks[0])
    mono, wall = passed(before, after)
    assert LOST * 1000 <= mono <= LOST * 1000 + SLACK
    assert abs(wall - mono) <= 10
    missed = LOST * 10
    assert after.reads - before.reads <= mono // 100 - missed + 2
    # The keepalives that were due go out now, and are answered.
    time.sleep(3)


def test_a_request_from_before_the_stop(clocks):
    """What was under way, and what the host's end sent meanwhile."""
    for s in clocks.socks:
        s.sendall(b"q")
    clocks.signal(signal.SIGSTOP)
    for s in clocks.socks:
        s.sendall(b"q")
    time.sleep(1)
    clocks.signal(signal.SIGCONT)
    for s in clocks.socks:
        got = b""
        while got.count(b"\n") < 2:
            got += s.recv(400)


def test_starved(clocks):
    """A twentieth of a CPU, for some seconds: slow, and nothing worse."""
    before = clocks.ask(clocks.socks[0])
    end = time.monotonic() + LOST
    for s in clocks.socks:
        s.sendall(b"q")
    while time.monotonic() < end:
        clocks.signal(signal.SIGSTOP)
        time.sleep(0.19)
        clocks.signal(signal.SIGCONT)
        time.sleep(0.01)
    for s in clocks.socks:
        s.settimeout(20)
        assert s.recv(200).endswith(b"\n")
    mono, wall = passed(before, clocks.ask(clocks.socks[0]))
    assert mono >= LOST * 1000 and abs(wall - mono) <= 10


def test_wall_clock_is_set(clocks):
    """An hour forward, two back: what counts time goes on as before."""
    s = clocks.socks[0]
    before = clocks.ask(s)
    forward = clocks.ask(s, b"+")
    mono, wall = passed(before, forward)
    assert abs(wall - mono - 3600000) <= 10 and mono < SLACK
    mono, wall = passed(forward, clocks.ask(s, b"-"))
    assert abs(wall - mono + 7200000) <= 10 and mono < SLACK
    time.sleep(2)
    mono, _ = passed(before, clocks.ask(s))
    assert 2000 <= mono <= 2000 + 2 * SLACK
