"""What an echo and a connection cost, and what they leave alone: counted in
guest instructions, so that the machine's speed does not matter. The peer is
QEMU's user network, for which checksums are made in software: an echo is some
300 more than those of docs/performance.md, which are on a TAP."""
import bisect
import collections
import functools
import itertools
import re
import socket
import subprocess
import time

import pytest

from bench import hops
from tests.lib import counted
from tests.lib.guest import Guest, initramfs
from tools.qmp import symbols

KERNEL = "build/pollux.elf"
# The goal; 3,534 were counted, and what comes between only adds.
ECHO_MOST = 4000
# A tenth above what was counted, of what a connection alone has.
CONNECTION_MOST = 4100
CONNECTION = ("a connection begins", "accept4", "epoll_ctl",
              "a connection ends")
# Behind the magazines: what a packet must not come to.
SLOW = {"alloc_slow", "free_slow", "kmalloc", "zone_alloc", "alloc_pages"}
TRIES = 5


def echo(s):
    s.sendall(b"x" * 64)
    got = 0
    while got < 64:
        got += len(s.recv(64))


def connection(port):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        echo(s)


class Names:
    """Which function an address is in."""

    def __init__(self):
        table = sorted((a, n.split(".")[0])
                       for n, a in symbols(KERNEL).items())
        self.at = [a for a, _ in table]
        self.name = [n for _, n in table]

    def profile(self, ran):
        """{function: (instructions, calls)}"""
        found = collections.defaultdict(lambda: (0, 0))
        for pc in ran:
            pc = int(pc, 16)
            i = bisect.bisect(self.at, pc) - 1
            n, calls = found[self.name[i]]
            found[self.name[i]] = n + 1, calls + (self.at[i] == pc)
        return found


def talk(kept, port):
    if not kept:
        kept.append(socket.create_connection(("127.0.0.1", port), 10))
        kept[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    echo(kept[0])


@pytest.fixture(name="echoed", scope="module")
def _echoed():
    """All that echoes on a kept connection execute, one run for each."""
    for _ in range(TRIES):
        ran = counted.executed(functools.partial(talk, []))
        runs = counted.runs(ran, "tcp_sendmsg")
        if min(map(len, runs)) <= ECHO_MOST:
            break
    return runs


@pytest.fixture(name="calls", scope="module")
def _calls(echoed):
    """{function: calls for each echo}"""
    found = Names().profile(itertools.chain(*echoed))
    return {name: calls / len(echoed) for name, (_, calls) in found.items()}


@pytest.mark.limit(240)
def test_an_echo(echoed):
    assert min(map(len, echoed)) <= ECHO_MOST


def test_an_echo_allocates_only_what_is_recycled(calls):
    assert not [name for name in SLOW if calls.get(name, 0) > 0.2]
    assert 0.9 < calls["alloc_skb"] < 2


def test_an_echo_is_three_calls_and_one_doorbell(calls):
    assert 2.9 < calls["entry_syscall"] < 3.2	# epoll_wait, read, send
    assert 0.9 < calls["vp_notify"] < 2


def test_the_woken_task_goes_on_where_it_slept():
    """Its stack is the one that the CPU halted on."""
    kept = []

    def after_a_while(port):
        time.sleep(0.01)
        talk(kept, port)
    calls = {name: n for name, (_, n) in Names().profile(
        counted.executed(after_a_while)).items()}
    assert calls["schedule"] > counted.TIMES / 2
    assert calls.get("switch_stacks", 0) <= calls["schedule"] / 2


def test_an_echo_leaves_the_fpu_alone(echoed):
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", KERNEL],
                          stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    saves = {m[1].encode() for m in re.finditer(
        r"^ *(\w{16}):\t(?:fx|x)(?:save|rstor)", code, re.M)}
    assert saves and not saves & set(itertools.chain(*echoed))


@pytest.mark.limit(240)
def test_a_connection():
    """Only its own hops: the other side's pace adds to the others."""
    runs = counted.runs(counted.executed(connection), "tcp_listen_new")
    by_hop = hops.by_hop(Names().profile(itertools.chain(*runs)), len(runs))
    cost = sum(by_hop[hop] for hop in CONNECTION)
    assert CONNECTION_MOST / 2 < cost <= CONNECTION_MOST


def to_the_program(machine, mem="64", shift=0):
    """(cycles from the machine's start, ns from the kernel's); an instruction
    takes 1 << @shift nanoseconds."""
    with Guest(append="init=/cycles", machine=machine, mem=mem,
               initrd=initramfs({"cycles": "build/tests/cycles"}),
               extra=["-icount", f"shift={shift},sleep=off"]) as guest:
        said = guest.wait_console(r"^cycles: (\d+), ns: (\d+)$")
        return int(said[1]), int(said[2])


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_boot_waits_for_no_clock(machine):
    """On a machine that is 128 times slower it takes as many instructions;
    to see how far the PIT comes in ten milliseconds takes 78,125 there."""
    fast = to_the_program(machine)[1]
    slow = to_the_program(machine, shift=7)[1] >> 7
    assert abs(slow - fast) < 20_000, (slow, fast)


def test_boot_does_not_grow_with_memory():
    small, large = (to_the_program("microvm", mem)[0]
                    for mem in ("64", "2048"))
    # The pages of a GiB that is not full are mapped by 2 MiB: 50,000 at most.
    assert large < 1.25 * small, (small, large)
