"""pollux run --warm: a machine saved once, and started from there."""
import hashlib
import importlib.machinery
import importlib.util
import os
import struct
import tempfile
import time

import pytest

from tests.lib.guest import free_port

from tests.servers.command import ECHO, pollux, refuses
from tests.servers.server import ROOT, Server

LOADER = importlib.machinery.SourceFileLoader("pollux", "tools/pollux")
POLLUX = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("pollux", LOADER))
LOADER.exec_module(POLLUX)
POLLUX.quiet = True
SERVE = """\
import mmap, os, socket, struct, time

def place():
    # where a new mapping is
    before = set(open("/proc/self/maps"))
    new = mmap.mmap(-1, 5 << 20)
    return int(min(set(open("/proc/self/maps")) - before).split("-")[0], 16)

def local_port():
    s = socket.create_server(("127.0.0.1", 9001))
    c = socket.create_connection(("127.0.0.1", 9001))
    port = c.getsockname()[1]
    c.close(); s.close()
    return port

listener = socket.create_server(("0.0.0.0", 9000))
begun = time.monotonic_ns()
print("the program begins", flush=True)
while True:
    s, _ = listener.accept()
    s.sendall(os.urandom(32) + struct.pack(
        "<dqqq", time.time(), begun, place(), local_port()))
    s.close()
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/pollux"


def ask(server):
    server.wait_answer()
    with server.connect() as s:
        data = s.makefile("rb").read()
    return (data[:32], *struct.unpack("<dqqq", data[32:]))


@pytest.mark.limit(240)
def test_time_and_randomness_are_new(cache, tmp_path):
    (tmp_path / "serve.py").write_text(SERVE)
    said = []
    for start in range(3):
        with Server("/usr/bin/python3", "/serve.py", port=9000, probe=b"x",
                    options=("--warm", "-M", "microvm", "-f",
                             f"{tmp_path}/serve.py:/serve.py")) as server:
            said.append(ask(server))
            assert abs(said[-1][1] - time.time()) < 5
            assert ("the program begins" in server.console) == (start == 0)
            assert ("ready to be saved" in server.console) == (start == 0)
        if not start:
            time.sleep(6)
    # The same machine at the same moment, with other random numbers.
    assert len({random for random, _, _, _, _ in said}) == 3
    assert len({begun for _, _, begun, _, _ in said}) == 1
    assert len({place for _, _, _, place, _ in said}) == 3
    assert len({port for _, _, _, _, port in said}) > 1
    assert len(os.listdir(cache)) == 1


def folder_of(*options):
    """Where the machine is saved that is started with @options."""
    o = POLLUX.arguments(["run", "--warm", *options, ECHO])
    POLLUX.settle(o)
    with tempfile.TemporaryDirectory() as work:
        command, mem = POLLUX.run_command(
            o, POLLUX.Plan(o), [POLLUX.Port(p) for p in o.publish], work)
        return POLLUX.Warm(o, command, mem, f"{work}/initramfs").folder


def echoes(server):
    with server.connect() as s:
        s.sendall(b"hello")
        return s.recv(5) == b"hello"


@pytest.mark.parametrize("machine", ["pc", "q35", "microvm"])
def test_many_of_one(machine, cache):
    """Several machines at a time of one that was saved; they end as others
    do. What is saved is used for nothing else."""
    def start(*more):
        return Server(ECHO, *more, port=7777, probe=b"x",
                      options=("--warm", "-M", machine))

    with start() as first:
        assert echoes(first)
    with start() as one, start() as two:
        for server in (one, two):
            assert "ready to be saved" not in server.console
            assert echoes(server)
        two.process.terminate()
        assert two.process.wait(20) & 0x7f == 15
        assert echoes(one)
    assert len(os.listdir(cache)) == 1
    with start("7777") as other:
        assert "ready to be saved" in other.console
        assert echoes(other)
    assert len(os.listdir(cache)) == 2


def test_names_and_leases(cache):
    """Address and name by DHCP, asked for again or not: all is as it was."""
    for start in range(2):
        with Server(ECHO, port=7777, probe=b"x", options=(
                "--warm", "-M", "microvm", "--kernel-arg", "ip=dhcp",
                "--hostname", "saved")) as server:
            assert ("ready to be saved" in server.console) == (start == 0)
            assert echoes(server)


@pytest.mark.parametrize("more", [
    ("--kernel-arg", "ip=10.0.2.16/24"), ("--kernel-arg", "ip=10.0.3.16/24"),
    ("-m", "70M"), ("-M", "q35"), ("-e", "A=1"), ("-f", "LICENSE:/x")])
def test_what_makes_it_another(more, cache):
    """Each of these is saved by itself, though the ends of some are alike."""
    other = ("--kernel-arg", "ip=10.0.4.16/24")
    assert len({folder_of(), folder_of(*more), folder_of(*other)}) == 3
    assert folder_of("-p", f"{free_port()}:7") == folder_of()


@pytest.mark.parametrize("what", ["host_cpu", "__file__", "QEMU", "KERNEL"])
def test_what_must_be_the_same(what, cache, tmp_path, monkeypatch):
    first = folder_of()
    other = tmp_path / "other"
    other.write_bytes(b"#!/bin/sh\n")
    other.chmod(0o755)
    if what == "host_cpu":
        monkeypatch.setattr(POLLUX, what, lambda: "another")
    elif what == "KERNEL":
        monkeypatch.setenv("POLLUX_KERNEL", str(other))
    else:
        monkeypatch.setattr(POLLUX, what, str(other))
    assert folder_of() != first


def start_warm():
    return Server(ECHO, port=7777, probe=b"x",
                  options=("--warm", "-M", "microvm"))


@pytest.mark.parametrize("damage", ["state", "ram", "sums"])
def test_damaged(damage, cache):
    """It is seen, said, and saved anew."""
    with start_warm():
        pass
    folder = next(cache.iterdir())
    with open(folder / damage, "r+b") as f:
        f.truncate(1000 if damage != "sums" else 10)
    with start_warm() as server:
        assert "is damaged" in server.console
        assert "ready to be saved" in server.console
    with start_warm() as server:
        assert "ready to be saved" not in server.console


def test_qemu_refuses_it(cache):
    """What looks whole and is none is not used a second time."""
    with start_warm():
        pass
    folder = next(cache.iterdir())
    (folder / "state").write_bytes(b"QEVM" + b"\xff" * 10000)
    sums = hashlib.sha256((folder / "state").read_bytes()).hexdigest()
    (folder / "sums").write_text(f"{sums} {(folder / 'ram').stat().st_size}")
    refuses("cannot be used, and is removed", "run", "--root", ROOT, "--warm",
            "-M", "microvm", "-p", f"{free_port()}:7777", ECHO)
    with start_warm() as server:
        assert "ready to be saved" in server.console


def test_old_ones_go(cache, monkeypatch):
    monkeypatch.setattr(POLLUX.Warm, "KEPT", 2)
    for i in range(4):
        folder = cache / str(i)
        folder.mkdir(parents=True)
        (folder / "sums").write_text("")
        os.utime(folder, (i, i))
    warm = POLLUX.Warm.__new__(POLLUX.Warm)
    warm.folder = str(cache / "3")
    warm._prune()
    assert sorted(os.listdir(cache)) == ["2", "3"]


def test_a_program_that_does_not_wait(cache):
    assert pollux("run", "--warm", "build/tests/exit", "42")[0] == 42
    assert not os.path.exists(cache) or not os.listdir(cache)


def test_what_cannot_be_saved(tmp_path):
    refuses("--warm goes without --volume", "run", "--warm", "-v",
            f"{tmp_path}:/data", ECHO)
