"""strace=1 prints what strace(1) prints on Linux: the same program, the same
client, and the two lists of calls are compared line by line.
"""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from tests.lib.guest import Guest, UserNetGuest

PAUSE = 0.15        # so that each step is an event of its own


def converse(port):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        time.sleep(PAUSE)
        s.sendall(b"a line\n")
        assert s.recv(100) == b"a line\n"
        time.sleep(PAUSE)
    time.sleep(PAUSE)


def four_digit_port():
    """As long as the guest's, which the program prints."""
    for port in range(6000, 9999):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def plain(line):
    """Without what differs from run to run: addresses, what an errno means;
    without the padding before the result, and the thread's number."""
    line = re.sub(r"0x[0-9a-f]+", "ADDR", line)
    line = re.sub(r"u32=[1-9]\d*, u64=[1-9]\d*", "DATA", line)
    line = re.sub(r"\) += ", ") = ", line)
    line = re.sub(r"(= -1 E\w+) \(.*\)$", r"\1", line)
    return re.sub(r"(set_tid_address\(ADDR\)) = \d+", r"\1", line)


def linux_calls():
    port = four_digit_port()
    with tempfile.NamedTemporaryFile("r") as log, subprocess.Popen(
            ["strace", "-o", log.name, "build/user/echo", str(port)],
            stdout=subprocess.PIPE) as strace:
        strace.stdout.readline()
        converse(port)
        with open(f"/proc/{strace.pid}/task/{strace.pid}/children",
                  encoding="ascii") as children:
            os.kill(int(children.read()), signal.SIGTERM)
        strace.wait()
        lines = log.read().replace(str(port), "7777").splitlines()
    return [plain(line) for line in lines
            if not line.startswith(("execve", "---", "+++")) and
            "= -1 EINTR" not in line and "resuming" not in line and
            not line.endswith("<unfinished ...>")]


def test_calls_of_the_echo_server():
    with UserNetGuest(more="strace=1") as guest:
        converse(guest.port)
        guest.wait_console(r"munmap|close\(5\)")
        ours = re.findall(r"^\[pid 1\] (.*)$", guest.console, re.M)
    assert [plain(line) for line in ours] == linux_calls()


def test_a_call_that_does_not_return():
    with Guest(append="init=/echo strace=1 -- 0") as guest:
        guest.wait_exit()
        assert re.search(r"^\[pid 1\] exit_group\(2\) += \?$",
                         guest.console, re.M), guest.console


def test_off_by_default():
    with UserNetGuest() as guest:
        assert "[pid" not in guest.console
