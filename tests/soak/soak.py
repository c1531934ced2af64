#!/usr/bin/python3
"""soak.py [--time SECONDS] [--kernel ELF] [--mem MB] [--seed N]: a mixed load
for so long (make soak). Echoes at a steady rate are timed minute by minute,
beside them come and go storms, bulk, slow readers, resets, a bad link, damaged
frames and SYNs of nobody (mix.py, cable.c).

Fails on any report of the kernel, wrong bytes, a good connection lost, slab
objects that do not come back, and if the p99 of the last minute is more than
LATER times that of the first. The same echoes also go to the same program on
this machine: what its p99 does in the meantime is the machine's.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__),
                                                "..", "..")))
# pylint: disable=wrong-import-position
from tests.gdb import gdb_session                               # noqa: E402
from tests.lib.guest import Guest                               # noqa: E402
from tests.lib.netns import GUEST_IP, HOST_IP, STATIC_IP        # noqa: E402
from tests.lib.netns import Namespace                           # noqa: E402
from tools import qemu                                          # noqa: E402

MINUTE, RATE, CONNS, SIZE = 60, 200, 16, 64
LATER = 1.2
CONTROL_PORT = 7778
# Where the kernel keeps the program's mappings, and these are the program's.
AREAS = "kmalloc-96"
# What the card has of these is its own: how full its ring is changes.
BUFFERS = "skbuff_2048"
# Of the connections over bad links, while SYNs flood (mix.py).
REFUSED_MAX = 0.01
QUIET_SECONDS = 300     # until all that was closed is forgotten
# KASAN keeps what was freed for a while: so many objects.
QUARANTINE = 512
REPORTS = re.compile(r"panic|BUG|KASAN|UBSAN|lock order|lock context|"
                     r"stack depth|out of memory|twice|overwritten|breaks the "
                     r"rules|starts again|stuck")


class Soak:
    """A guest, its cable and its clients."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.held = []
        # A build meanwhile must not change what runs.
        for name in (args.kernel, "build/initramfs.cpio", "build/user/echo",
                     "build/bench/load", "build/tests/cable"):
            shutil.copy(name, folder)
        self.elf = f"{folder}/{os.path.basename(args.kernel)}"
        self.debug = "debug" in args.kernel
        self.problems = []

    def start(self, *command, ns=True, **how):
        if ns:
            command = ("nsenter", f"--net=/proc/{self.ns.holder.pid}/ns/net",
                       *command)
        process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE,
                                   preexec_fn=qemu.die_with_parent, **how)
        self.held.append(process)
        return process

    def __enter__(self):
        self.ns = Namespace()
        tap = self.ns.make_tap()
        for last in (*range(200, 203), 250):
            self.ns.ip(f"addr add 10.8.0.{last}/24 dev tap0")
        theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for s in (theirs, ours):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        fds = (ours.fileno(), tap)
        self.cable = self.start(f"{self.folder}/cable", *map(str, fds),
                                str(self.args.seed), ns=False, pass_fds=fds)
        assert self.cable.stdout.readline() == "ready\n"
        stub, self.gdb = gdb_session.stub(self.folder)
        self.guest = Guest(
            append=f"ip={STATIC_IP} init=/echo", mem=self.args.mem,
            kernel=self.elf, initrd=f"{self.folder}/initramfs.cpio",
            net=["-netdev", "dgram,id=n0,local.type=fd,"
                 f"local.str={theirs.fileno()}", "-device",
                 "virtio-net-pci,netdev=n0,romfile="], extra=stub,
            pass_fds=(theirs.fileno(),))
        self.guest.wait_console("listening on", 60)
        control = self.start(f"{self.folder}/echo", str(CONTROL_PORT))
        control.stdout.readline()
        return self

    def __exit__(self, *_):
        self.guest.kill()
        for process in self.held:
            process.kill()
            process.wait()
        self.ns.close()

    def load(self, address, port, seconds):
        process = self.start(
            f"{self.folder}/load", address, str(port), str(CONNS),
            str(int(RATE * seconds)), str(SIZE), "open", str(RATE))
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        return process

    def ended(self, process, what):
        """The line that it prints at its end, as JSON; None if it failed."""
        text = process.stdout.readline()
        process.kill()
        errors = process.stderr.read()
        process.wait()
        self.held.remove(process)
        if not text.startswith("{"):
            self.problems.append(f"{what} failed: {errors.strip()}")
            return None
        return json.loads(text)

    def minute(self, seconds):
        """(p99 of the guest, of the same program beside it), in us."""
        pair = [("guest", self.load(GUEST_IP, 7777, seconds)),
                ("control", self.load(HOST_IP, CONTROL_PORT, seconds))]
        found = [self.ended(process, what) for what, process in pair]
        return [f["p99_us"] if f else None for f in found]

    def mix(self):
        process = self.start(sys.executable, "tests/soak/mix.py")
        assert process.stdout.readline() == "ready\n"
        self.cable.send_signal(signal.SIGUSR1)
        return process

    def end_mix(self, process):
        self.cable.send_signal(signal.SIGUSR1)
        process.stdin.close()
        told = self.ended(process, "the mix") or {"done": {}, "errors": []}
        self.problems += told["errors"]
        return told["done"]

    def memory(self):
        what = "source bench/guest_memory.py"
        return json.loads(gdb_session.run(self.gdb, [what],
                                          elf=self.elf)[what])

    def used(self):
        memory = self.memory()
        used = {name: c["used"] for name, c in memory["caches"].items()}
        used[AREAS] -= memory["areas"]
        used[BUFFERS] -= memory["posted"]
        return used

    def quiet(self, like=None):
        """Slab objects once all is closed and forgotten: as with @like, or
        the same for half a minute."""
        end = time.monotonic() + QUIET_SECONDS
        seen = []
        while time.monotonic() < end:
            time.sleep(5)
            seen = [*seen[-6:], self.used()]
            if like and not self.more(like, seen[-1]):
                break
            if not like and len(seen) == 7 and seen[0] == seen[-1] and \
                    not seen[-1].get("tcp_mini"):
                break
        return seen[-1]

    def more(self, before, now):
        """What there is more of than at the start, by cache."""
        grown = {name: used - before.get(name, 0) for name, used in now.items()
                 if used > before.get(name, 0)}
        if self.debug and sum(grown.values()) <= QUARANTINE:
            return {}
        return grown


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def soak(s, seconds):
    # Caches, tables and buffers are as large as they get.
    mix = s.mix()
    s.minute(min(30, seconds))
    s.end_mix(mix)
    before = s.quiet()
    memory = s.memory()
    say(f"warm: {sum(before.values())} slab objects, "
        f"{memory['free'] * 4} KiB free, {memory['areas']} mappings")
    mix, p99 = s.mix(), []
    end = time.monotonic() + seconds
    while time.monotonic() < end - 1:
        p99.append(s.minute(min(MINUTE, seconds / 2,
                                end - time.monotonic())))
        say(f"{len(p99)}: p99 {p99[-1][0]} us, beside it on this machine "
            f"{p99[-1][1]} us; {len(s.problems)} problems")
        if s.guest.process.poll() is not None:
            s.problems.append("the guest has ended")
            break
    done = s.end_mix(mix)
    after = s.quiet(before)
    memory = s.memory()
    say(f"done: {json.dumps(done)}, echoes {len(p99) * RATE * MINUTE}")
    say(f"{sum(after.values())} slab objects, {memory['free'] * 4} KiB free, "
        f"{memory['areas']} mappings; drops {json.dumps(memory['drops'])}")
    say(f"counted: {json.dumps(memory['snmp'])}")
    if done.get("refused", 0) > REFUSED_MAX * done.get("lossy", 0):
        s.problems.append(f"{done['refused']} connections were refused")
    if s.more(before, after):
        s.problems.append(f"left over: {s.more(before, after)}")
    judge(s, p99)


def judge(s, p99):
    first, last = p99[0], p99[-1]
    if None in first + last:
        return
    ratio, control = last[0] / first[0], last[1] / first[1]
    say(f"p99 of the last minute: {ratio:.2f} of the first one's; on this "
        f"machine itself {control:.2f}")
    if ratio > LATER * max(1, control):
        s.problems.append(f"p99 is {ratio:.2f} times what it was")


def main():
    p = argparse.ArgumentParser(description="A mixed load for long.")
    p.add_argument("--time", type=int, default=3600)
    p.add_argument("--kernel", default="build/pollux.elf")
    p.add_argument("--mem", default="64")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    os.makedirs("build/tests", exist_ok=True)
    with tempfile.TemporaryDirectory(dir="build/tests") as folder, \
            Soak(args, folder) as s:
        say(f"{args.kernel}, {args.mem} MB, {args.time} s")
        try:
            soak(s, args.time)
        except (AssertionError, OSError, ValueError, KeyError) as e:
            s.problems.append(f"{type(e).__name__}: {e}")
        s.problems += [line for line in s.guest.console.splitlines()
                       if REPORTS.search(line)]
        if s.problems:
            print(s.guest.console[-3000:])
        s.cable.terminate()
        say(f"the cable: {s.cable.communicate()[0].strip()}")
        s.held.remove(s.cable)
        for problem in s.problems[:50]:
            print(f"  {problem}")
        say(f"soak: {args.time} s, {len(s.problems)} problems")
    return 1 if s.problems else 0


if __name__ == "__main__":
    sys.exit(main())
