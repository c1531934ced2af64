#!/usr/bin/python3
"""Measures Pollux beside a Linux guest: the same QEMU, the same flags, the
same static echo binary, in turn, A B C A B C, so that the ratios hold while
the machine's speed drifts. Needs root (a TAP in a network namespace).

	bench/compare.py [ROUNDS] [PART...]	default: 3, all parts

Parts: rates (echoes, connections, bulk, latency), boot, memory (the least that
serves), idle (bytes for a connection), size, insns, device. The Linux guest
runs as the distribution ships it, and once more in its best tuning
(bench/linux.py); BENCH=native adds the same binary on this machine itself.
Writes build/bench/compare.md, .json and .svg and build/bench/profile.md (where
the instructions go), and prints the table.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import device, guests, hops, idle, linux, measure  # noqa: E402
from bench import report  # noqa: E402
from bench.guests import NATIVE, POLLUX  # noqa: E402

BULK = 1000000
OPEN_RATE = 2000	# a second: every guest can
# what, connections, messages, bytes each, mode
LOADS = (
    ("echo, 1 connection", 1, 4000, 64, ()),
    ("echo, 64 connections", 64, 40000, 64, ()),
    ("echo, 256 connections", 256, 40000, 64, ()),
    (f"echo, 64 connections, {OPEN_RATE} a second due", 64, 8000, 64,
     ("open", OPEN_RATE)),
    ("connect + echo + close, 1 connection", 1, 1000, 64, ("churn",)),
    ("connect + echo + close, 64 connections", 64, 4000, 64, ("churn",)),
    ("bulk echo, 1 connection", 1, 60, BULK, ()),
    ("bulk echo, 8 connections", 8, 80, BULK, ()),
)
COUNTED = LOADS[:2] + LOADS[4:6]
PERCENTILES = (("p50_us", "median"), ("p90_us", "90 %"), ("p99_us", "99 %"),
               ("p999_us", "99.9 %"))
IDLE = (10000, 100000)
PARTS = ("rates", "boot", "memory", "idle", "size", "insns", "device")


class Figures:
    """{what: Row}, in the order in which they came first."""

    def __init__(self):
        self.rows = {}

    def add(self, guest, what, unit, value, more=False):
        row = self.rows.setdefault(what, report.Row(what, unit, {}, more))
        row.values.setdefault(guest, []).append(value)


def measure_rates(figures, guest, lab):
    with guests.Running(guest, lab) as running:
        for what, conns, total, size, mode in LOADS:
            said = measure.converse(lab, None, conns, total, size, *mode,
                                    to=running.address)[0]
            if size == BULK:
                figures.add(guest, what, "MB/s", said["rate"] * size / 1e6,
                            True)
                continue
            if "open" not in mode:
                figures.add(guest, what, "a second", said["rate"], True)
            if "churn" in mode:
                continue
            for key, name in PERCENTILES:
                figures.add(guest, f"{what}: {name} within", "us", said[key])


def measure_boot(figures, guest):
    for machine in ("pc", "microvm"):
        seconds = measure.first_echo(guests.on_user_net(guest, machine),
                                     limit=30)
        figures.add(guest, f"start to first echo, {machine}", "ms",
                    seconds and seconds * 1000)


def serves(guest, mib):
    """A busy machine may be slow to say so: asks again before it says no."""
    return any(measure.first_echo(
        guests.on_user_net(guest, "microvm", f"{mib}M"),
        limit=6 if guest == POLLUX else 20) is not None for _ in range(2))


def measure_memory(figures, guest):
    """By halves, between what does not serve and what does."""
    low, high = (1, 16) if guest == POLLUX else (16, 256)
    if not serves(guest, high):
        return
    while high - low > (1 if guest == POLLUX else 2):
        mid = (low + high) // 2
        if serves(guest, mid):
            high = mid
        else:
            low = mid
    figures.add(guest, "smallest memory that serves, microvm", "MiB", high)


def measure_idle(figures, guest, lab):
    for conns in IDLE:
        each, rate = idle.bytes_each(guest, lab, conns)
        figures.add(guest, f"memory for each of {conns:,} idle connections",
                    "bytes", each)
        figures.add(guest, f"{conns:,} connections opened", "a second", rate,
                    True)


def measure_size(figures, guest):
    path = "build/pollux.stripped.elf" if guest == POLLUX else linux.KERNEL
    figures.add(guest, "kernel image", "KiB", os.path.getsize(path) / 1024)


def measure_insns(figures, guest, lab):
    """All code of the guest; Pollux's by function, too."""
    names_file = f"{measure.BUILD}/symbols"
    names = ["all", "none"]
    if guest == POLLUX:
        names = measure.symbols(names_file)
    else:
        with open(names_file, "w", encoding="ascii") as f:
            f.write("0 all\n")
    text, columns = [], {}
    with tempfile.NamedTemporaryFile() as shared:
        counts = measure.Counts(shared.name, names)
        plugin = f"{measure.BUILD}/insns.so,symbols={names_file}"
        with guests.Running(guest, lab, kernel="build/pollux.elf", extra=[
                "-plugin", f"{plugin},counts={shared.name}"]):
            for what, conns, total, size, mode in COUNTED:
                measure.converse(lab, counts, conns, total // 4, size, *mode)
                delta = measure.converse(lab, counts, conns, total, size,
                                         *mode)[1]
                figures.add(guest, f"instructions for each {what}", "",
                            measure.per(delta, total))
                text.append(measure.profile_table(delta, total, what))
                columns[what] = hops.by_hop(delta, total)
    if guest == POLLUX:
        write("profile.md", "\n".join([hops.table(columns), *text]))


def measure_device(figures, guest, lab):
    for conns, total in ((1, 1000), (64, 8000)):
        for what, times in device.per_echo(guest, lab, conns, total).items():
            name = f"{what} for each echo, {conns} connection"
            figures.add(guest, name + "s" * (conns > 1), "", times)


def write(name, content):
    with open(f"{measure.BUILD}/{name}", "w", encoding="utf-8") as f:
        f.write(content)


def one_round(figures, lab, parts, first):
    """In turn. What does not depend on the machine's speed: only @first."""
    for guest in guests.guests():
        virtual = guest != NATIVE
        if "rates" in parts:
            measure_rates(figures, guest, lab)
        if "boot" in parts and virtual:
            measure_boot(figures, guest)
        if not first or not virtual:
            continue
        if "memory" in parts:
            measure_memory(figures, guest)
        if "size" in parts:
            measure_size(figures, guest)
        for part, how in (("idle", measure_idle), ("insns", measure_insns),
                          ("device", measure_device)):
            if part in parts:
                how(figures, guest, lab)
        print(f"bench: {guest}: done", file=sys.stderr)


def main():
    rounds, words = measure.asked_for(PARTS, __doc__)
    linux.prepare()
    figures = Figures()
    with measure.Lab() as lab:
        for n in range(rounds):
            one_round(figures, lab, words or PARTS, n == 0)
    rows = list(figures.rows.values())
    notes = (f"`bench/compare.py {' '.join([str(rounds), *words])}` of "
             f"{measure.version()}: medians of {rounds} rounds in turn "
             "(least to most), QEMU software emulation, -M pc -m "
             f"{guests.MEM} -smp 1,maxcpus=2, TAP; load: bench/load, one "
             "thread.")
    text = report.markdown(rows, guests.guests(), notes)
    write("compare.md", text)
    write("compare.json", report.as_json(rows, notes))
    if any(r.ratio() for r in rows):
        write("compare.svg", report.svg(rows))
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
