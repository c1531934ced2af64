"""pollux run --warm: a machine saved once, and started from there."""
import os
import struct
import time

import pytest

from tests.servers.command import ECHO, pollux, refuses
from tests.servers.server import Server

SERVE = """\
import os, socket, struct, time
listener = socket.create_server(("0.0.0.0", 9000))
begun = time.monotonic_ns()
print("the program begins", flush=True)
while True:
    s, _ = listener.accept()
    s.sendall(os.urandom(32) + struct.pack("<dqq", time.time(), begun,
                                           time.monotonic_ns()))
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
    return (data[:32], *struct.unpack("<dqq", data[32:]))


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
    assert len({random for random, _, _, _ in said}) == 3
    assert len({begun for _, _, begun, _ in said}) == 1
    assert len(os.listdir(cache)) == 1


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


def test_a_program_that_does_not_wait(cache):
    assert pollux("run", "--warm", "build/tests/exit", "42")[0] == 42
    assert not os.path.exists(cache) or not os.listdir(cache)


def test_what_cannot_be_saved(tmp_path):
    refuses("--warm goes without --volume", "run", "--warm", "-v",
            f"{tmp_path}:/data", ECHO)
