"""Cores: of a guest that runs on, and of a panic."""
import os
import re
import socket
import subprocess
import tempfile

from tests.gdb import gdb_session
from tests.lib.guest import UserNetGuest, free_port
from tests.lib.qmp import Monitor


def test_core_of_a_running_guest():
    """tools/core.py, what `make core` runs; the guest serves on."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        with UserNetGuest(extra=monitor.args()) as guest:
            core = f"{folder}/running.core"
            subprocess.run(["tools/core.py", core, "--qmp", monitor.path],
                           check=True, stdout=subprocess.DEVNULL)
            with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
                s.sendall(b"still")
                assert s.recv(5) == b"still"
        out = gdb_session.run(core, ["px-files"], core=True)["px-files"]
    assert "TCP LISTEN 0.0.0.0:7777" in out and "1 watches" in out


def test_core_without_a_guest_says_so():
    done = subprocess.run(["tools/core.py", "x", "--qmp", "/nonexistent"],
                          text=True, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and "start one with `make run`" in done.stderr


def test_panic_leaves_a_core():
    """The sixth session of docs/debugging.md."""
    commands, shell = gdb_session.documented(6)
    args = re.search(r'ARGS="(.*?)"', shell[0])[1]
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        core = f"{folder}/panic.core"
        done = subprocess.run(
            ["tools/qemu.py", "--port", str(free_port()), "--args",
             args, "--core", core, "--qmp", f"{folder}/qmp"],
            text=True, timeout=40, check=False, stdout=subprocess.PIPE)
        assert done.returncode == 127, done.stdout
        assert os.path.exists(core), done.stdout
        out = gdb_session.outputs(
            [*shell[1].split()[:-1], core, "-batch",
             *gdb_session.marked(commands)], commands)
    # A compiler cache may have put another folder's path before it.
    assert re.search(r"test_panic at \S*boot/selftest\.c", out["px-tasks"])
    assert re.search(r"panic: selftest asked for it.*Call trace:\n"
                     r"\S+ +\S+ test_panic\+\S+\n.* run_selftest\+",
                     out["px-log"], re.S), out["px-log"]
    assert "sched_switch" in out["px-trace"]
