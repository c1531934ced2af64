"""Allocations that fail on purpose (kernel/debug/failmem.h), on the kernel that
checks itself: over boot, over the ABI tests, and under a server with load. No
place may do more than give up what was asked for. FAULTS=1000 tries so many in
boot (make test-memory).
"""
import os
import re
import socket
import tempfile
import time

import pytest

from tests.abi.test_abi import case_names
from tests.gdb import gdb_session
from tests.lib.guest import Guest, UserNetGuest, initramfs

ELF = "build/debug/pollux.elf"
FAULTS = int(os.environ.get("FAULTS", "6"))
IN_BOOT = 1000      # allocations until the program runs, about
REPORT = re.compile(r"KASAN|UBSAN|BUG|lock order|lock context|stack depth|"
                    r"^page fault|in the kernel|freed twice")
SECONDS = 60 if FAULTS > 100 else 8
# What may end a boot: it says what to do, or that the program was refused.
EXCUSES = re.compile(r"memory|give the machine more|no room|-m\b|error 12|"
                     r"cannot|not usable|Out of memory|Too many open files")
ON, OFF = "set var failmem.mode = {}", "set var failmem.mode = 0"
EVERY, RANDOM, EACH = 2, 3, 4
# What the program asks for itself: without, it only ends sooner.
PROGRAM = ("failsite=!map_,split_,mm_,alloc_page_reserve,kmalloc,kzalloc,"
           "alloc_slow")
CASES, AT_ONCE = case_names(), 4
# One of so many groups of cases.
SHARE = 1 if FAULTS > 100 else len(CASES) // AT_ONCE // 4
HOW = ("each", "random:10", "every:7", "random:40")


def whole(guest):
    """Nothing was broken, as far as the checkers see."""
    found = REPORT.search(guest.console)
    assert not found, f"{found[0]}\n{guest.console[-3000:]}"


@pytest.mark.limit(60 + 8 * FAULTS)
def test_boot():
    """One allocation fails, each time another one: the server listens, or a
    message says why not."""
    served = 0
    step = max(1, IN_BOOT // FAULTS)
    for nth in range(1 + int(time.time()) % step, IN_BOOT + 1, step):
        with Guest(kernel=ELF, mem="64", append="init=/echo loglevel=4 "
                   f"failmem=nth:{nth}") as guest:
            guest.wait_console("listening on|^panic|pollux: exit", 60)
            whole(guest)
            if "listening on" in guest.console:
                served += 1
                continue
            guest.wait_exit(100)
            said = "\n".join(line for line in guest.console.splitlines()
                             if not line.startswith("failmem"))
            assert EXCUSES.search(said), f"nth:{nth}\n{guest.console}"
    assert served


@pytest.fixture(scope="module", name="image")
def make_image():
    path = initramfs({"abi": "build/tests/abi"})
    yield path
    os.remove(path)


@pytest.mark.limit(60 + 10 * len(CASES) // SHARE)
def test_abi(image):
    """The calls of the ABI tests, some at a time, while memory fails: they may
    say ENOMEM, and the program may not take it well."""
    places = set()
    for n in range(int(time.time()) % SHARE, len(CASES), SHARE * AT_ONCE):
        cases = " ".join(CASES[n:n + AT_ONCE])
        with Guest(kernel=ELF, mem="128", initrd=image,
                   append=f"init=/abi failmem={HOW[n % len(HOW)]}@program "
                   f"{PROGRAM} -- {cases}") as guest:
            try:
                guest.wait_exit(10)
            except AssertionError:
                pass            # it waits for what has failed
            whole(guest)
            places |= set(re.findall(r"^failmem: (\S+)", guest.console, re.M))
    print(f"{len(places)} places")
    assert places


def talk(s, data):
    s.sendall(data)
    got = b""
    while len(got) < len(data):
        part = s.recv(65536)
        assert part, "the connection is gone"
        got += part
    assert got == data


def try_to_connect(port):
    """What memory fails for may be refused or reset; it may not lie."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.settimeout(1)
            s.sendall(b"hello" * 500)
            assert b"hello".startswith(s.recv(65536)[:5])
    except OSError:
        pass


def used(stub):
    what = "source bench/guest_memory.py"
    text = gdb_session.run(stub, [what], elf=ELF)[what]
    return {name: int(n) for name, n in
            re.findall(r'"([\w-]+)": \{"size": \d+, "used": (\d+)', text)}


@pytest.mark.limit(240)
@pytest.mark.parametrize("mode", [EACH, RANDOM])
def test_a_server_with_load(mode):
    """Memory fails under traffic, but for the program itself:
    it would have to give up connections. Those from before live on, and
    afterwards nothing is left of those that came meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        args, stub = gdb_session.stub(folder)
        with UserNetGuest(kernel=ELF, mem="128", extra=args,
                          more=f"loglevel=4 {PROGRAM}") as guest:
            try_to_connect(guest.port)
            kept = []
            for _ in range(10):
                kept.append(socket.create_connection(
                    ("127.0.0.1", guest.port), 60))
                talk(kept[-1], b"before")
            before = used(stub)
            gdb_session.run(stub, ["set var failmem.n = 10",
                                   ON.format(mode)], elf=ELF)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                try_to_connect(guest.port)
                for s in kept:
                    talk(s, os.urandom(3000))
            told = gdb_session.run(stub, ["print failmem", OFF],
                                   elf=ELF)["print failmem"]
            whole(guest)
            for s in kept:
                talk(s, b"after")
            try_to_connect(guest.port)
            failed = int(re.search(r"failed = (\d+)", told)[1])
            sites = int(re.search(r"sites = (\d+)", told)[1])
            print(f"{failed} allocations failed at {sites} places")
            assert failed > 3 and sites > 1, told
            assert_no_leak(stub, before)
            for s in kept:
                s.close()


@pytest.mark.parametrize("where", [
    "file_alloc", "ep_ctl", "sys_accept4", "sk_alloc", "tcp_mini_alloc"])
def test_a_place_that_every_connection_needs(where):
    """It never gets any: who comes waits or is sent away, who is there stays.
    The server accepts again when a connection closes."""
    with tempfile.TemporaryDirectory() as folder:
        args, stub = gdb_session.stub(folder)
        with UserNetGuest(kernel=ELF, mem="128", extra=args,
                          more=f"loglevel=4 failsite={where}") as guest, \
             socket.create_connection(("127.0.0.1", guest.port), 60) as kept, \
             socket.create_connection(("127.0.0.1", guest.port), 60) as other:
            talk(kept, b"before")
            talk(other, b"before")
            gdb_session.run(stub, ["set var failmem.n = 1", ON.format(EVERY)],
                            elf=ELF)
            try_to_connect(guest.port)
            talk(kept, b"meanwhile")
            told = gdb_session.run(stub, ["print failmem.failed", OFF],
                                   elf=ELF)["print failmem.failed"]
            assert int(told.split()[-1]) > 0
            whole(guest)
            other.close()
            with socket.create_connection(("127.0.0.1", guest.port), 60) as s:
                talk(s, b"after")


def assert_no_leak(stub, before):
    """KASAN holds back what is freed: more than that must not stay."""
    for _ in range(20):
        now = used(stub)
        grown = {name: n - before.get(name, 0) for name, n in now.items()
                 if n > before.get(name, 0) + 2}
        if sum(n for name, n in grown.items()) < 560 and \
                now.get("tcp_sock", 0) <= before.get("tcp_sock", 0) + 60:
            return
        time.sleep(3)
    raise AssertionError(f"left over: {grown}")
