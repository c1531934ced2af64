"""The sessions of docs/debugging.md: each fault is brought about in a guest
of its own, and the px- commands show what the page says that they show.
"""
import contextlib
import re
import socket
import subprocess
import tempfile
import time

from tests.gdb import gdb_session
from tests.lib.guest import Guest, UserNetGuest, initramfs
from tests.lib.qmp import Monitor

PATCH = "tests/patches/lost-wakeup.patch"
# xor %eax, %eax; ret
PLANT = "set var *(unsigned *)&ep_autoremove_wake_function = 0xc3c031"
# What the guest sends is kept back while `status` is on.
HOLD = ["-object", "filter-buffer,id=hold,netdev=n0,queue=rx,status=off,"
        "interval=1000000000"]


@contextlib.contextmanager
def guest_and_tools(**how):
    """(guest, monitor, gdb's socket)."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        args, sock = gdb_session.stub(folder)
        extra = [*args, *monitor.args(), *how.pop("extra", ())]
        with UserNetGuest(extra=extra, **how) as guest:
            monitor.connect()
            yield guest, monitor, sock
            monitor.close()


def open_echo(guest):
    s = socket.create_connection(("127.0.0.1", guest.port), 10)
    s.sendall(b"hello")
    assert s.recv(5) == b"hello"
    return s


def hold(monitor):
    monitor.ask("qom-set", path="/objects/hold", property="status",
                value="on")


def test_lost_wakeup():
    """An item on the ready list, and a task that sleeps on wq all the same.
    The patch leaves out the call; here what is called in the end does
    nothing, which saves a build."""
    subprocess.run(["git", "apply", "--check", PATCH], check=True)
    with guest_and_tools() as (guest, _, sock):
        with open_echo(guest) as s:
            gdb_session.run(sock, [PLANT, "detach"])
            s.sendall(b"lost?")
            s.settimeout(0.5)
            with contextlib.suppress(socket.timeout):
                assert not s.recv(5)
            out = gdb_session.run(sock, ["px-tasks 1", "px-epoll 4",
                                         "px-sock 5"])
    assert "pid 1 echo: interruptible" in out["px-tasks 1"]
    assert "waits on fd 4 ([eventpoll]) wq" in out["px-tasks 1"]
    assert "1 ready" in out["px-epoll 4"], out["px-epoll 4"]
    assert "task 1 echo" in out["px-epoll 4"]
    assert "5 bytes unread" in out["px-sock 5"]


def test_retransmission_storm():
    """Nothing that the guest sends arrives."""
    with guest_and_tools(more="trace=tcp_retransmit", extra=HOLD) as (
            guest, monitor, sock):
        with open_echo(guest) as s:
            hold(monitor)
            s.sendall(b"no answer")
            time.sleep(1.5)
            out = gdb_session.run(sock, ["px-sock 5", "px-trace",
                                         "px-timers", "px-drops all"])
    text = out["px-sock 5"]
    assert "congestion: LOSS cwnd 1 " in text, text
    assert int(re.search(r"backoff (\d+)", text)[1]) >= 2
    assert "9 bytes unacknowledged" in text
    assert out["px-trace"].count("tcp_retransmit") >= 2
    assert re.search(r"of sock 0x\w+ port 7777 - \d+", out["px-timers"])
    assert "TcpRetransSegs" in out["px-drops all"]


def test_stuck_close():
    """The last FIN is never acknowledged: an orphan in LAST-ACK."""
    with guest_and_tools(extra=HOLD) as (guest, monitor, sock):
        s = open_echo(guest)
        hold(monitor)
        s.close()
        time.sleep(0.8)
        listing = gdb_session.run(sock, ["px-sock", "px-files"])
        found = re.search(r"LAST_ACK .* sock (0x\w+)", listing["px-sock"])
        assert found, listing["px-sock"]
        which = f"px-sock {found[1]}"
        out = gdb_session.run(sock, [which])
    assert "1 LAST_ACK, 1 LISTEN" in listing["px-sock"]
    assert "ESTABLISHED" not in listing["px-files"]
    assert "socket 0x0" in out[which]
    assert "1 bytes unacknowledged" in out[which]


def test_slow_reader():
    """The peer's window is shut: the server has turned from input to
    output."""
    with guest_and_tools() as (guest, _, sock):
        with open_echo(guest) as s:
            s.setblocking(False)
            quiet = 0
            while quiet < 75:
                try:
                    s.send(bytes(65536))
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    time.sleep(0.02)
            out = gdb_session.run(sock, ["px-sock 5", "px-epoll 4"])
    assert re.search(r"[1-9]\d* unsent", out["px-sock 5"])
    assert re.search(r"fd 5 OUT\|ERR\|HUP", out["px-epoll 4"])
    assert "0 ready" in out["px-epoll 4"]


def test_leak():
    """Descriptors that are made and not closed: the cache says how many, the
    table which."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        args, sock = gdb_session.stub(folder)
        initrd = initramfs({"watches": "build/tests/watches"})
        with Guest(append="init=/watches -- 1000", initrd=initrd,
                   extra=args) as guest:
            guest.wait_console("watching 1000")
            out = gdb_session.run(sock, ["px-slab", "px-files 3 4"])
    assert re.search(r"^eventpoll_epi +128 +1000 ", out["px-slab"], re.M)
    rows = out["px-files 3 4"]
    assert len(set(re.findall(r"file (0x\w+) \[eventfd\]", rows))) == 1
    assert "refs 1000 watched 1000" in rows and "and 997 more" in rows
