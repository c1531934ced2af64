#!/usr/bin/python3
"""A million connections in one guest, and what each of them costs.

	bench/million.py [CONNS]			default: 1000000

Establishes them through the real stack, each echoes once; then a random 1 %
echo again and again while the rest are idle; then all close. In between it
looks at the guest's memory: the bill for a connection, by slab cache, and at
the end what has not come back. Needs root (a network namespace).

	bench/million.py flat [CONNS...]	default: 0 1000 10000 100000

Guest instructions for an echo on one connection beside so many idle ones, by
the plugin: the cost must not depend on them.

The other side is bench/million.c, which speaks TCP in raw frames: no kernel
socket stands behind any of the connections.
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import measure  # noqa: E402
from tests.gdb import gdb_session  # noqa: E402
from tools import qemu  # noqa: E402

WINDOW = 256
MAC = "52:54:00:12:34:56"
LIMIT = 1024			# bytes of kernel memory for each connection
HOT_PART = 100
HOT_ECHOES = 20			# on each of the hot ones, on average
PAGE = 4096


class Guest:
    """The echo server in a namespace's TAP, with gdb's stub."""

    def __init__(self, lab, mem, machine="pc", extra=()):
        self.folder = tempfile.TemporaryDirectory()
        stub, self.gdb = gdb_session.stub(self.folder.name)
        net = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
               "-device", f"{qemu.device(machine, 'net')},netdev=n0,"
               f"mac={MAC}"]
        self.command = lab.inside(qemu.command(
            machine, append="ip=10.77.0.2::10.77.0.1:255.255.0.0::eth0:off "
            "init=/echo", mem=mem, net=net, extra=[*stub, *extra]))

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.process = self.stack.enter_context(measure.process(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            text=True))
        for line in self.process.stdout:
            if "listening on" in line:
                return self
        raise SystemExit("million: the guest does not serve: "
                         + " ".join(self.command))

    def __exit__(self, *_):
        self.stack.close()
        self.folder.cleanup()

    def memory(self):
        """Pages, slab caches and drops, as bench/guest_memory.py says."""
        what = "source bench/guest_memory.py"
        return json.loads(gdb_session.run(self.gdb, [what])[what])


class Client:
    """bench/million in @lab, told what to do."""

    def __init__(self, lab, window=WINDOW):
        self.command = lab.inside([
            f"{measure.BUILD}/million", "tap0", MAC, "10.77.0.2", "7777",
            str(window)])

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.process = self.stack.enter_context(measure.process(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def do(self, *words):
        """One phase; returns its figures."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"million: {words[0]} failed")
        return json.loads(line)


def settled(guest, seconds=20):
    """The guest's memory once no connection is closing any more."""
    end = time.monotonic() + seconds
    while True:
        now = guest.memory()
        used = [now["caches"].get(name, {"used": 0})["used"]
                for name in ("tcp_mini", "skbuff_512")]
        if not any(used) or time.monotonic() > end:
            return now
        time.sleep(0.5)


def bill(before, during, conns):
    """[(what, bytes of a connection in it, bytes of memory taken for it)],
    the program's own memory not among them, and that memory."""
    rows, slab_pages = [], 0
    for name, cache in during["caches"].items():
        had = before["caches"].get(name, {"used": 0, "pages": 0})
        pages = cache["pages"] - had["pages"]
        slab_pages += pages
        if cache["used"] - had["used"] >= conns // 2:
            rows.append((name, (cache["used"] - had["used"]) * cache["size"]
                         / conns, pages * PAGE / conns))
            slab_pages -= pages
    taken = before["free"] - during["free"]
    user = during["user"] - before["user"]
    counted = sum(row[2] for row in rows) * conns / PAGE
    rows.append(("other slabs", None, slab_pages * PAGE / conns))
    rest = taken - user - counted - slab_pages
    rows.append(("hash, descriptors, page tables", None,
                 rest * PAGE / conns))
    return rows, user * PAGE / conns


def print_bill(rows, user, conns):
    total = sum(row[2] for row in rows)
    print(f"\n| bytes for each of {conns} connections | objects | memory |\n"
          "|---|---|---|")
    for what, objects, memory in rows:
        text = "" if objects is None else f"{objects:.0f}"
        print(f"| {what} | {text} | {memory:.1f} |")
    print(f"| kernel in all | | {total:.1f} |")
    print(f"| the program's heap | | {user:.1f} |")
    return total


def left_over(before, after, conns):
    """{cache: objects that the connections have left behind}."""
    return {name: cache["used"] - had["used"]
            for name, cache in after["caches"].items()
            if (had := before["caches"].get(name, {"used": 0}))
            and name in ("tcp_sock", "tcp_mini", "socket", "file",
                         "eventpoll_epi")
            and cache["used"] != had["used"]}


def print_phase(r):
    print(f"{r['what']}: {r['count']} in {r['seconds']:.1f} s, "
          f"{r['rate']:.0f} a second, slowest {r['slowest_us'] / 1000:.0f} "
          f"ms, sent again {r['resent']}", flush=True)


def run_million(conns, mem="2048", echoes=None):
    """All phases; returns what is wrong, or None, and the kernel's bytes
    for each connection."""
    hot = max(1, conns // HOT_PART)
    with measure.Lab() as lab, Guest(lab, mem) as guest, \
            Client(lab) as client:
        # The route and the caches that come with the first connections.
        client.do("open", WINDOW)
        client.do("close")
        before = settled(guest)
        print_phase(client.do("open", conns))
        during = guest.memory()
        print_phase(client.do("echo", hot, echoes or hot * HOT_ECHOES))
        print_phase(client.do("close"))
        after = settled(guest)
    rows, user = bill(before, during, conns)
    total = print_bill(rows, user, conns)
    left = left_over(before, after, conns)
    kept = (before["free"] - after["free"]) * PAGE
    print(f"\nafter all are closed: left over {left or 'no object'}; "
          f"{kept / 1048576:.1f} MiB kept ({kept / conns:.1f} bytes for "
          "each), of it the program's heap "
          f"{(after['user'] - before['user']) * PAGE / 1048576:.1f} MiB")
    print(f"dropped: {after['drops'] or 'nothing'}")
    if left:
        return f"not given back: {left}", total
    if total > LIMIT:
        return f"{total:.0f} bytes for each connection, not {LIMIT}", total
    return None, total


def echo_cost(lab, counts):
    """Instructions for an echo on one connection, and by function."""
    total = 4000
    measure.converse(lab, counts, 1, total // 4, 64)
    _, delta = measure.converse(lab, counts, 1, total, 64)
    return measure.per(delta, total), delta, total


def run_flat(steps):
    """An echo beside ever more idle connections."""
    names_file = f"{measure.BUILD}/symbols"
    names = measure.symbols(names_file)
    costs = []
    with measure.Lab() as lab, tempfile.NamedTemporaryFile() as shared:
        counts = measure.Counts(shared.name, names)
        plugin = (f"{measure.BUILD}/insns.so,symbols={names_file},"
                  f"counts={shared.name}")
        with Guest(lab, "2048", extra=["-plugin", plugin]) as guest, \
                Client(lab) as client:
            for conns in steps:
                if conns:
                    client.do("open", conns)
                cost, delta, total = echo_cost(lab, counts)
                costs.append(cost)
                print(f"beside {conns} idle connections: {cost} "
                      "instructions for each echo", flush=True)
                if cost > costs[0] * 1.05:
                    measure.profile(delta, total, f"beside {conns}")
                if conns:
                    client.do("close")
                    settled(guest)
    spread = max(costs) / min(costs) - 1
    print(f"spread: {spread * 100:.1f} %")
    return None if spread <= 0.1 else "an echo does not cost the same"


def main():
    words = sys.argv[1:]
    if os.geteuid():
        print("million: needs root (a network namespace)", file=sys.stderr)
        return 2
    try:
        if words[:1] == ["flat"]:
            wrong = run_flat([int(w) for w in words[1:]]
                             or [0, 1000, 10000, 100000])
        else:
            wrong, _ = run_million(int(words[0]) if words else 1000000)
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    if wrong:
        print(f"million: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
