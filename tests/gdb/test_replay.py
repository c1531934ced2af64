"""A recorded run, with what came in from the network, runs again the same."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from tests.lib.guest import free_port
from tools import qemu, rr

PAYLOAD = b"Qz8!wire"
RUN = {"machine": "pc", "prog": "echo", "mem": "32", "args": "strace=1"}
# Forward to the frame with the answer, and one instruction back.
STEPS = ["set pagination off", "hbreak tcp_sendmsg", "continue", "delete",
         "hbreak virtnet_start_xmit", "continue", "delete",
         'printf "on the wire: %.8s\\n", (char *)skb->data + 54',
         "reverse-stepi",
         "info symbol $rip"]
# Who wrote its fifth byte? Back from the wire to the last write to it.
WRITER = ["set pagination off", "hbreak tcp_sendmsg", "continue", "delete",
          "hbreak virtnet_start_xmit", "continue", "delete",
          "watch -l *(char *)(skb->data + 58)", "reverse-continue",
          "backtrace 6"]


def start(cmd, log):
    with open(log, "wb") as out:
        return subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT,
                                preexec_fn=qemu.die_with_parent)


def console(log):
    """What the guest has printed; QEMU's last word is not the guest's."""
    with open(log, encoding="utf-8", errors="replace") as f:
        return f.read().split("qemu-system")[0]


def wait_until(condition, log):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, console(log)
        time.sleep(0.02)


def wait_for(log, pattern):
    wait_until(lambda: re.search(pattern, console(log)), log)


@pytest.fixture(scope="module")
def recording():
    """The folder of a recorded echo, and the console of the run."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        log = f"{folder}/record.log"
        run = {**RUN, "port": free_port()}
        process = start(rr.begin_record(folder, run), log)
        try:
            wait_for(log, "listening on")
            with socket.create_connection(("127.0.0.1", run["port"]),
                                          60) as s:
                s.sendall(PAYLOAD)
                assert s.recv(100) == PAYLOAD
            wait_for(log, r"close\(5\)")
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        finally:
            process.kill()
            process.wait()
        yield folder, console(log)


def test_replay_makes_the_same_calls(recording):
    """Addresses and all: the echo is in it, though nobody has sent it."""
    folder, recorded = recording
    log = f"{folder}/replay.log"
    process = start(rr.begin_replay(folder), log)
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert 'sendto(5, "Qz8!wire", 8' in recorded
    assert console(log).startswith(recorded.rstrip())


def replay(folder, steps):
    """gdb's output; what there is of it if it stalls."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        sock = f"{own}/gdb"
        process = start(rr.begin_replay(folder, sock), f"{own}/log")
        args = [word for step in ["set remotetimeout 60",
                                  f"target remote {sock}", *steps]
                for word in ("-ex", step)]
        try:
            wait_until(lambda: os.path.exists(sock), f"{own}/log")
            return subprocess.run(
                ["gdb", "-q", "-nx", "-batch", f"{folder}/pollux.elf", *args],
                text=True, timeout=100, stdin=subprocess.DEVNULL, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        except subprocess.TimeoutExpired as e:
            return (e.stdout or b"").decode()
        finally:
            process.kill()
            process.wait()


@pytest.mark.limit(300)
def test_from_the_wire_to_the_line_that_wrote_it(recording):
    folder, _ = recording
    text = replay(folder, STEPS)
    assert "on the wire: Qz8!wire" in text, text
    assert re.search(r"dev_queue_xmit.* in section", text), text
    text = replay(folder, WRITER)
    assert "Watchpoint" in text or "watchpoint" in text, text
    assert "copy_user" in text and "tcp_sendmsg.c" in text, text
