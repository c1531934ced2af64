#!/usr/bin/python3
"""Measures Pollux under QEMU's software emulation and prints one table.

	bench/measure.py [boot] [memory] [size] [insns] [idle]	default: all

boot	QEMU start to first echoed byte, user networking with ip=dhcp and with
	the address given, in turn with an empty kernel's (bench/empty.S) to
	its only byte; and how many blocks of code the emulator has translated
	by then, which is what such a start takes on top, whatever the machine
memory	the smallest -m that serves an echo
size	the stripped kernel and the ISO
insns	guest instructions for each echo and each connection, and where they
	go by function and by hop; over a TAP in a network namespace, so this
	needs root

idle	instructions for each echo beside 10,000 idle watched connections: at
	most a tenth more than without, else it fails. Root, too; more idle
	ones and memory are bench/million.py's
trace	instructions for each echo with the tracepoints off, and in a kernel
	made without them: 1 % more at most, else it fails. Root; wants both
	kernels, make bench-trace

Rates on a busy machine swing; instruction counts do not.
"""
import contextlib
import json
import os
import re
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import hops  # noqa: E402
from tools import qemu, qmp  # noqa: E402

BUILD = "build/bench"
BUILT, NO_TRACE = "build/pollux.elf", "build/notrace/pollux.elf"
BOOTS = 15
TOP = 30
IDLE_EACH = 500     # connections of one process, which connects them at once
TRACE_RUNS = 3
TRACE_LIMIT = 1.01
IDLE_LIMIT = 1.1    # how much an echo beside idle connections may cost


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def process(cmd, **how):
    """A child that is killed at the end of the with block."""
    child = subprocess.Popen(cmd, preexec_fn=qemu.die_with_parent, **how)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


class Callers:
    """Connections begun one after the other, each of which says something.

    User networking accepts at once and asks the guest then: a call that came
    before the guest could answer is lost or late, so new ones are made all the
    time and the first answer counts.
    """

    def __init__(self, port, says=b"x", hears=b"x"):
        self.port, self.says, self.hears = port, says, hears
        self.poll = selectors.DefaultSelector()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for key in list(self.poll.get_map().values()):
            key.fileobj.close()
        self.poll.close()

    def call(self):
        s = socket.socket()
        s.setblocking(False)
        try:
            s.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        self.poll.register(s, selectors.EVENT_WRITE)

    def answered(self, seconds):
        """True once the answer has come on any of them."""
        for key, event in self.poll.select(seconds):
            s = key.fileobj
            try:
                if event & selectors.EVENT_WRITE:
                    s.send(self.says)
                    self.poll.modify(s, selectors.EVENT_READ)
                elif s.recv(len(self.hears)) == self.hears:
                    return True
                else:
                    raise OSError
            except OSError:
                self.poll.unregister(s)
                s.close()
        return False


def pollux(machine, mem="64", ip="dhcp"):
    """How to start it, given the port of 127.0.0.1 to be called on."""
    return lambda port: qemu.command(
        machine, kernel="build/pollux.stripped.elf",
        append=f"ip={ip} init=/echo loglevel=3", mem=mem,
        net=qemu.user_net(machine, port, 7777))


def first_echo(command_for, limit=10.0, pause=0.002, what=(b"x", b"x"),
               echoed=lambda: None):
    """Seconds from QEMU's start to the first echoed byte, None if never.
    @command_for gives the command line for a port, see pollux(), or that and
    files for QEMU to inherit; @what else is said and heard; @echoed is called
    at the end, while QEMU still runs."""
    port = free_port()
    cmd, files = command_for(port), ()
    if isinstance(cmd, tuple):
        cmd, files = cmd
    start = time.monotonic()
    with process(cmd, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL,
                 pass_fds=[f.fileno() for f in files]) as guest, \
            Callers(port, *what) as callers:
        while time.monotonic() - start < limit and guest.poll() is None:
            called = time.monotonic()
            callers.call()
            while (left := called + pause - time.monotonic()) > 0:
                if callers.answered(left):
                    took = time.monotonic() - start
                    echoed()
                    return took
    return None


def empty_start(machine):
    """Seconds from QEMU's start to the byte of the empty kernel, which has
    the same devices."""
    cmd = qemu.command(machine, kernel=f"{BUILD}/empty.elf", initrd=None,
                       net=qemu.user_net(machine, free_port(), 7777))
    start = time.monotonic()
    with process(cmd, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE) as guest:
        if not guest.stdout.read(1):
            raise SystemExit("bench: the empty kernel says nothing")
        return time.monotonic() - start


def translated(monitor):
    """How many blocks the guest's emulator has translated since its start."""
    return int(re.search(r"^TB count +(\d+)", monitor.human("info jit"),
                         re.M)[1])


def blocks_of_start(machine):
    """Blocks translated until the first echo."""
    with tempfile.TemporaryDirectory() as folder, \
            contextlib.closing(qmp.Monitor(folder)) as monitor:
        found = []

        def ask():
            monitor.connect()
            found.append(translated(monitor))

        first_echo(lambda port: pollux(machine)(port) + monitor.args(),
                   echoed=ask)
        return found[0] if found else None


def boot_row(what, times):
    good = [t * 1000 for t in times if t is not None]
    return {"what": what, "unit": "ms", "min": round(min(good)),
            "median": round(statistics.median(good)), "max": round(max(good)),
            "failed": len(times) - len(good)}


def measure_boot():
    rows = []
    for machine in ("microvm", "pc", "q35"):
        runs = [(empty_start(machine), first_echo(pollux(machine)),
                 first_echo(pollux(machine, ip=qemu.USER_IP)))
                for _ in range(BOOTS)]
        empty, dhcp, given = zip(*runs)
        rows += [boot_row(f"start of an empty kernel, {machine}", empty),
                 boot_row(f"start to first echoed byte, {machine}", dhcp),
                 boot_row(f"the same, its address given, {machine}", given),
                 {"what": f"blocks translated by then, {machine}", "unit": "",
                  "median": blocks_of_start(machine)}]
    return rows


def measure_memory():
    """Down from 16 MiB until it serves no more."""
    best = None
    for mib in range(16, 2, -1):
        if first_echo(pollux("microvm", f"{mib}M"), limit=5) is None:
            break
        best = mib
    return [{"what": "smallest memory that serves, microvm", "unit": "MiB",
             "median": best}]


def measure_size():
    rows = []
    for path in ("build/pollux.stripped.elf", "build/pollux.iso"):
        if os.path.exists(path):
            rows.append({"what": path, "unit": "KiB",
                         "median": round(os.path.getsize(path) / 1024, 1)})
    return rows


def run(*cmd):
    subprocess.run(cmd, check=True)


class Lab:
    """A network namespace with a TAP: 10.77.0.1 here, 10.77.0.2 the guest."""

    def __init__(self):
        self.name = f"pollux{os.getpid()}"

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        for words in ("link set lo up", "tuntap add tap0 mode tap",
                      "addr add 10.77.0.1/16 dev tap0", "link set tap0 up"):
            run(*self.inside(["ip", *words.split()]))
        return self

    def __exit__(self, *_):
        run("ip", "netns", "del", self.name)

    def inside(self, cmd):
        # Not by ip: that wants / to be a mount point, which in a chroot it
        # is not.
        return ["nsenter", f"--net=/run/netns/{self.name}"] + cmd


def symbols(path, kernel=BUILT):
    """Writes address and name of all functions, returns the names."""
    found = {}
    for image, prefix in ((kernel, ""),
                          ("build/user/echo", "user:")):
        out = subprocess.run(["nm", "-n", "--defined-only", image], check=True,
                             capture_output=True, text=True).stdout
        for line in out.splitlines():
            addr, kind, name = line.split(maxsplit=2)
            if kind in "tTwW":
                # What the compiler made of a function has its name.
                found.setdefault(int(addr, 16), prefix + name.split(".")[0])
    with open(path, "w", encoding="ascii") as f:
        for addr in sorted(found):
            f.write(f"{addr:x} {found[addr]}\n")
    return [found[a] for a in sorted(found)] + ["(other)"]


class Counts:
    def __init__(self, path, names):
        self.path, self.names = path, names

    def read(self):
        with open(self.path, "rb") as f:
            return list(struct.iter_unpack("QQ", f.read()))

    def since(self, before):
        """{name: (instructions, calls)} since @before."""
        delta = {}
        for name, (i0, c0), (i1, c1) in zip(self.names, before, self.read()):
            if i1 > i0:
                i, c = delta.get(name, (0, 0))
                delta[name] = (i + i1 - i0, c + c1 - c0)
        return delta


def converse(lab, counts, conns, total, size, *mode, to="10.77.0.2"):
    """Runs the load; returns its own result and what was counted meanwhile
    (@counts may be None)."""
    cmd = lab.inside([f"{BUILD}/load", to, "7777", str(conns),
                      str(total), str(size), *map(str, mode)])
    with process(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                 text=True) as load:
        if load.stdout.readline() != "ready\n":
            raise SystemExit("bench: the load could not connect")
        time.sleep(0.3)
        before = counts and counts.read()
        load.stdin.write("go\n")
        load.stdin.flush()
        result = json.loads(load.stdout.readline() or "null")
        delta = counts and counts.since(before)
        load.stdin.close()
        load.wait(10)
    if not result:
        raise SystemExit("bench: the load failed")
    return result, delta


def per(delta, total):
    return round(sum(i for i, _ in delta.values()) / total)


def profile_table(delta, total, title):
    """Where they go, by function: the first TOP, as Markdown."""
    order = sorted(delta.items(), key=lambda kv: -kv[1][0])
    lines = [f"### {title}: {per(delta, total):,} instructions for each", "",
             "| instructions | calls | function |", "|---:|---:|---|"]
    lines += [f"| {insns / total:.1f} | {calls / total:.2f} | {name} |"
              for name, (insns, calls) in order[:TOP]]
    rest = sum(insns for _, (insns, _) in order[TOP:])
    lines.append(f"| {rest / total:.1f} | | all others |")
    return "\n".join(lines) + "\n"


def profile(delta, total, title):
    print("\n" + profile_table(delta, total, title))


@contextlib.contextmanager
def counted_guest(machine="pc", how=(), kernel=BUILT, device="", prog="echo",
                  **more):
    """A server on a TAP, counted: (lab, counts). @device: the card's extra
    properties; @more goes to qemu.command()."""
    plugin, names_file = f"{BUILD}/insns.so", f"{BUILD}/symbols"
    names = symbols(names_file, kernel)
    with Lab() as lab, tempfile.NamedTemporaryFile() as shared:
        net = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
               "-device", f"{qemu.device(machine, 'net')},netdev=n0{device}"]
        cmd = qemu.command(
            machine, kernel, mem="256", net=net, **more,
            append="ip=10.77.0.2::10.77.0.1:255.255.0.0::eth0:off "
            f"init=/{prog}", extra=[
                "-plugin",
                f"{plugin},symbols={names_file},counts={shared.name}", *how])
        with process(lab.inside(cmd), stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, text=True) as guest:
            for line in guest.stdout:
                if "listening on" in line:
                    break
            yield lab, Counts(shared.name, names)


def measure_insns(machine="pc", how=()):
    rows, columns = [], {}
    with counted_guest(machine, how) as (lab, counts):
        for conns, total, mode in ((1, 4000, ()), (64, 20000, ()),
                                   (1, 1000, ("churn",)),
                                   (64, 4000, ("churn",))):
            converse(lab, counts, conns, total // 4, 64, *mode)  # warm up
            result, delta = converse(lab, counts, conns, total, 64, *mode)
            what = "connect + echo + close" if mode else "echo"
            title = f"{what}, {conns} connection{'s' * (conns > 1)}"
            profile(delta, total, title)
            columns[title] = hops.by_hop(delta, total)
            rows.append({"what": f"instructions for each {title}",
                         "unit": "", "median": per(delta, total),
                         "rate": result["rate"]})
    print(hops.table(columns))
    return rows


@contextlib.contextmanager
def idle_connections(lab, number):
    """Loads that have connected and are never told to go."""
    with contextlib.ExitStack() as stack:
        for _ in range(number // IDLE_EACH):
            load = stack.enter_context(process(
                lab.inside([f"{BUILD}/load", "10.77.0.2", "7777",
                            str(IDLE_EACH), "1", "64"]),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            if load.stdout.readline() != "ready\n":
                raise SystemExit("bench: an idle load could not connect")
        yield


def measure_idle():
    """An echo must cost the same beside idle watched connections."""
    rows = []
    with counted_guest() as (lab, counts):
        for idle in (0, 10000):
            with idle_connections(lab, idle):
                converse(lab, counts, 1, 1000, 64)  # warm up
                result, delta = converse(lab, counts, 1, 4000, 64)
            rows.append({"what": f"instructions for each echo beside {idle} "
                                 "idle connections", "unit": "",
                         "median": per(delta, 4000), "rate": result["rate"]})
    flat, beside = rows[0]["median"], rows[1]["median"]
    if beside > flat * IDLE_LIMIT:
        raise SystemExit(f"bench: {beside} instructions beside idle "
                         f"connections, {flat} without: not flat")
    return rows


def measure_trace():
    """Tracepoints that are off against none at all: the least of some runs
    each, in turn. What chance adds to a run is never negative."""
    least = {}
    for kernel in (BUILT, NO_TRACE) * TRACE_RUNS:
        with counted_guest(kernel=kernel) as (lab, counts):
            for conns, total in ((1, 2000), (64, 10000)):
                converse(lab, counts, conns, total // 4, 64)  # warm up
                _, delta = converse(lab, counts, conns, total, 64)
                cost = sum(i for i, _ in delta.values()) / total
                least[conns, kernel] = min(
                    cost, least.get((conns, kernel), cost))
    rows = []
    for (conns, kernel), cost in sorted(least.items()):
        rows.append({"what": f"instructions for each echo, {conns} "
                             f"connections, {kernel}", "unit": "",
                     "median": round(cost, 1)})
        without = least[conns, NO_TRACE]
        if cost > without * TRACE_LIMIT:
            raise SystemExit(f"bench: {cost:.0f} instructions with "
                             f"tracepoints, {without:.0f} without")
    return rows


def asked_for(known, doc):
    """(rounds, names of @known) that the command line has: three, and none
    for all of them. Says @doc to anything else; root is needed."""
    words = sys.argv[1:]
    rounds = int(words.pop(0)) if words and words[0].isdigit() else 3
    if set(words) - set(known):
        print(doc, file=sys.stderr)
        raise SystemExit(2)
    if os.geteuid():
        raise SystemExit("bench: a network namespace needs root")
    return rounds, words


def version():
    """What is measured, for a table's notes."""
    said = subprocess.run(["git", "describe", "--always", "--dirty"],
                          check=False, capture_output=True, text=True)
    return said.stdout.strip() or "an export"


def table(rows):
    print("\n| what | median | min to max | |\n|---|---|---|---|")
    for r in rows:
        spread = f"{r['min']} to {r['max']}" if "min" in r else ""
        note = f"{r['failed']} of {BOOTS} failed" if r.get("failed") else ""
        if "rate" in r:
            note = f"{r['rate']:.0f} a second under the counting emulator"
        print(f"| {r['what']} | {r['median']} {r['unit']} | {spread} | "
              f"{note} |")


def main():
    measures = {"boot": measure_boot, "memory": measure_memory,
                "size": measure_size, "insns": measure_insns,
                "idle": measure_idle, "trace": measure_trace}
    wanted = sys.argv[1:] or [m for m in measures if m != "trace"]
    if set(wanted) - set(measures):
        print(__doc__, file=sys.stderr)
        return 2
    rooted = {"insns", "idle", "trace"} & set(wanted)
    if rooted and os.geteuid():
        print(f"{' '.join(sorted(rooted))}: root is needed (a network "
              "namespace): left out", file=sys.stderr)
        wanted = [name for name in wanted if name not in rooted]
    rows = [row for name in wanted for row in measures[name]()]
    table(rows)
    os.makedirs(BUILD, exist_ok=True)
    with open(f"{BUILD}/measure.json", "w", encoding="ascii") as f:
        json.dump(rows, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
