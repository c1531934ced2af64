"""The sessions of docs/debugging.md: each fault is brought about in a guest
of its own, and gdb's commands, as that page has them, show what it says.
"""
import contextlib
import os
import re
import signal
import subprocess
import tempfile

import pytest

from tests.gdb import gdb_session
from tests.gdb.gdb_session import documented, open_echo, wait_for
from tests.lib import patched
from tests.lib.guest import UserNetGuest, free_port
from tests.lib.qmp import Monitor
from tools import qemu

PATCH = "tests/patches/lost-wakeup.patch"


@contextlib.contextmanager
def guest_and_tools(devices=(), **how):
    """(guest, its monitor's socket, gdb's socket)."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        args, sock = gdb_session.stub(folder)
        with UserNetGuest(extra=[*args, *monitor.args(), *devices],
                          **how) as guest:
            yield guest, monitor.path, sock


def hold(monitor_path):
    """What the guest sends is kept back from now on."""
    line, = (s for s in documented(2)[1] if s.startswith("tools/qmp.py"))
    subprocess.run(line.split(), check=True,
                   env={**os.environ, "QMP": monitor_path})


@pytest.mark.limit(patched.LIMIT_SECONDS)
def test_lost_wakeup():
    """An item on the ready list, and a task that sleeps on wq all the same."""
    commands, shell = documented(1)
    assert shell[0] == f"git apply {PATCH}"
    elf = patched.kernel(PATCH)
    with guest_and_tools(kernel=elf) as (guest, _, sock):
        s = gdb_session.connect(guest.port)
        s.sendall(b"lost?")
        epoll = commands[1]
        out = wait_for(sock, [epoll, *commands], ", 1 ready", elf=elf)
        s.close()
    assert "pid 1 echo: interruptible" in out["px-tasks 1"]
    assert "waits on fd 4 ([eventpoll]) wq" in out["px-tasks 1"]
    assert "task 1 echo" in out[epoll], out[epoll]
    assert re.search(r"rdllist .*\n    epitem 0x\w+ fd 3 IN", out[epoll])
    assert "accept queue 1 of" in out["px-sock 3"]


def test_retransmission_storm():
    """Nothing that the guest sends arrives."""
    commands, shell = documented(2)
    trace = re.search(r"ARGS=(\S+)", shell[0])[1]
    with guest_and_tools(more=trace) as (guest, monitor, sock):
        with open_echo(guest.port) as s:
            hold(monitor)
            s.sendall(b"no answer")
            out = wait_for(sock, commands, "backoff [3-9]")
    text = out["px-sock 5"]
    assert "congestion: LOSS cwnd 1 " in text, text
    assert "9 bytes unacknowledged" in text
    again = re.findall(r"tcp_retransmit .* seq (\d+)", out["px-trace"])
    assert len(again) >= 3 and len(set(again)) == 1, out["px-trace"]
    gaps = [float(gap) for gap in re.findall(r"\+([\d.]+) us",
                                             out["px-trace"])]
    assert all(b > 1.5 * a for a, b in zip(gaps, gaps[1:])), gaps


def test_stuck_close():
    """The last FIN is never acknowledged: an orphan in LAST-ACK."""
    commands, _ = documented(3)
    with guest_and_tools() as (guest, monitor, sock):
        s = open_echo(guest.port)
        hold(monitor)
        s.close()
        listing = wait_for(sock, [commands[0], commands[2]], "LAST_ACK")
        found = re.search(r"LAST_ACK .* sock (0x\w+)", listing["px-sock"])
        which = re.sub("0x.*", found[1], commands[1])
        out = gdb_session.run(sock, [which])
    assert "1 LAST_ACK, 1 LISTEN" in listing["px-sock"]
    assert "ESTABLISHED" not in listing["px-files"]
    assert "socket 0x0" in out[which]
    assert "1 bytes unacknowledged" in out[which]


def test_slow_reader():
    """The peer's window is shut: the server has turned from input to
    output."""
    commands, shell = documented(4)
    with guest_and_tools() as (guest, _, sock):
        line = shell[1].replace("7777", str(guest.port))
        with subprocess.Popen(["bash", "-c", f"exec {line}"],
                              stderr=subprocess.DEVNULL) as client:
            out = wait_for(sock, commands, "snd_wnd 0 ")
            client.kill()
    assert re.search(r"[1-9]\d* unsent", out["px-sock 5"])
    assert re.search(r"fd 5 OUT\|ERR\|HUP", out["px-epoll 4"])
    assert ", 0 ready" in out["px-epoll 4"]


def test_leak():
    """Descriptors that are made and not closed: the cache says how many, the
    table which."""
    commands, shell = documented(5)
    run = shell[1].split()
    name = f"leak{free_port()}"
    run[run.index("leak")] = name
    with tempfile.TemporaryDirectory() as folder, \
         subprocess.Popen(run, stdout=subprocess.PIPE, text=True,
                          env=(env := {**os.environ,
                                       "XDG_RUNTIME_DIR": folder}),
                          preexec_fn=qemu.die_with_parent) as guest:
        try:
            for line in guest.stdout:
                if "watching 1000" in line:
                    break
            out = gdb_session.outputs(
                ["tools/pollux", "gdb", name, "-batch",
                 *gdb_session.marked(commands)], commands, env=env)
        finally:
            guest.send_signal(signal.SIGTERM)
            guest.wait(10)
    assert re.search(r"^eventpoll_epi +128 +1000 ", out["px-slab"], re.M)
    rows = out["px-files 3 4"]
    assert len(set(re.findall(r"file (0x\w+) \[eventfd\]", rows))) == 1
    assert "refs 1000 watched 1000" in rows and "and 997 more" in rows
