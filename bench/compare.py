#!/usr/bin/python3
"""Measures Pollux beside a Linux guest: the same QEMU, the same flags, the
same static echo binary, in turn, A B C A B C, so that the ratios hold while
the machine's speed drifts. Needs root (a TAP in a network namespace).

	bench/compare.py [ROUNDS]		default 3

Writes build/bench/compare.md, .json and .svg, and prints the table. The Linux
guest runs as the distribution ships it, and once more in its best tuning
(bench/linux.py). Instructions are counted in boots of their own.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import linux, measure  # noqa: E402
from tools import qemu  # noqa: E402

MEM = "256"
GUESTS = ("pollux", "linux tuned", "linux stock")
# name, connections, messages, bytes each, mode: echoes and connections
LOADS = (
    ("echo, 1 connection", 1, 4000, 64, ()),
    ("echo, 64 connections", 64, 40000, 64, ()),
    ("echo, 256 connections", 256, 40000, 64, ()),
    ("connect + echo + close, 1 connection", 1, 1000, 64, ("churn",)),
    ("connect + echo + close, 64 connections", 64, 4000, 64, ("churn",)),
    ("bulk echo, 1 connection", 1, 60, 1000000, ()),
    ("bulk echo, 8 connections", 8, 80, 1000000, ()),
)
COUNTED = LOADS[:2] + LOADS[3:5]


def command(guest, machine, address, mask, gateway, net, extra=()):
    if guest == "pollux":
        return qemu.command(
            machine, kernel="build/pollux.stripped.elf", mem=MEM, net=net,
            append=f"ip={address}::{gateway}:{mask}::eth0:off init=/echo",
            extra=extra)
    flags = linux.TUNED if guest == "linux tuned" else linux.STOCK
    return qemu.command(machine, kernel=linux.KERNEL, initrd=linux.INITRD,
                        append=f"{flags} ADDR={address} MASK={mask}", mem=MEM,
                        net=net, extra=extra)


def on_tap(guest, lab, extra=()):
    """The guest on the lab's TAP; @lab runs it in its namespace."""
    net = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
           "-device", "virtio-net-pci,netdev=n0"]
    return lab.inside(command(guest, "pc", "10.77.0.2", "255.255.0.0",
                              "10.77.0.1", net, extra))


def until_listening(process):
    for line in process.stdout:
        if "listening on" in line:
            return
    raise SystemExit("bench: the guest ended before it listened")


def rates(guest, lab):
    """{what: what a load said} of one boot."""
    result = {}
    with measure.process(on_tap(guest, lab), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, text=True) as running:
        until_listening(running)
        for what, conns, total, size, mode in LOADS:
            said = measure.converse(lab, None, conns, total, size, *mode)[0]
            said["value"] = (said["rate"] * size / 1e6 if size > 64
                             else said["rate"])
            result[what] = said
    return result


def instructions(guest, lab):
    """{what: guest instructions for each} of one boot, all code counted."""
    result = {}
    with tempfile.NamedTemporaryFile() as shared, \
            tempfile.NamedTemporaryFile("w") as names:
        names.write("0 all\n")
        names.flush()
        counts = measure.Counts(shared.name, ["all", "none"])
        plugin = f"{measure.BUILD}/insns.so,symbols={names.name}"
        cmd = on_tap(guest, lab, ["-plugin", f"{plugin},counts={shared.name}"])
        with measure.process(cmd, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True) as running:
            until_listening(running)
            for what, conns, total, size, mode in COUNTED:
                measure.converse(lab, counts, conns, total // 4, size, *mode)
                delta = measure.converse(lab, counts, conns, total, size,
                                         *mode)[1]
                result[what] = measure.per(delta, total)
    return result


def boot(guest, machine):
    """Milliseconds to the first echoed byte over user networking."""
    def make(port):
        return command(guest, machine, "10.0.2.15", "255.255.255.0",
                       "10.0.2.2", qemu.user_net(machine, port, 7777))
    seconds = measure.first_echo(make, limit=30)
    return seconds and seconds * 1000


def spread(values):
    values = [v for v in values if v is not None]
    return (min(values), statistics.median(values), max(values))


def one_round(lab):
    found = {}
    for guest in GUESTS:
        for what, said in rates(guest, lab).items():
            found.setdefault(what, {})[guest] = said["value"]
            if what.startswith("echo"):
                found.setdefault(what + ", p99 in us", {})[guest] = \
                    said["p99_us"]
        for machine in ("pc", "microvm"):
            found.setdefault(f"start to first echo in ms, {machine}",
                             {})[guest] = boot(guest, machine)
    return found


def rows_of(rounds, counted):
    """One row for each figure: medians, and Pollux to tuned Linux by round."""
    rows = []
    for what in rounds[0]:
        row = {"what": what}
        for guest in GUESTS:
            row[guest] = spread([r[what][guest] for r in rounds])[1]
        row["ratio"] = spread([r[what]["pollux"] / r[what]["linux tuned"]
                               for r in rounds if r[what]["linux tuned"]])
        rows.append(row)
    for what in counted["pollux"]:
        row = {"what": f"instructions for each {what}"}
        row.update({guest: counted[guest][what] for guest in GUESTS})
        row["ratio"] = (row["pollux"] / row["linux tuned"],) * 3
        rows.append(row)
    return rows


def unit(what):
    if what.startswith("bulk"):
        return "MB/s"
    return "/s" if what.startswith(("echo", "connect")) and \
        "p99" not in what else ""


def markdown(rows, rounds):
    lines = ["| what | Pollux | Linux tuned | Linux stock | Pollux to tuned: "
             "median (least to most) |", "|---|---|---|---|---|"]
    for row in rows:
        low, mid, high = row["ratio"]
        cells = [f"{row[g]:,.0f} {unit(row['what'])}".rstrip()
                 for g in GUESTS]
        lines.append(f"| {row['what']} | {' | '.join(cells)} | "
                     f"{mid:.2f} ({low:.2f} to {high:.2f}) |")
    lines.append(f"\n`bench/compare.py {rounds}`: medians of {rounds} rounds "
                 f"in turn, QEMU software emulation, -M pc -m {MEM} "
                 "-smp 1,maxcpus=2, TAP.")
    return "\n".join(lines) + "\n"


def svg(rows):
    """Bars: how many times better than tuned Linux, 1 is equal."""
    height, left, scale = 24, 400, 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="1100" '
           f'height="{height * len(rows) + 60}" font-family="sans-serif" '
           'font-size="13">',
           '<text x="10" y="24" font-size="16">Pollux beside a tuned Linux '
           'guest: times better</text>']
    for i, row in enumerate(rows):
        y = 44 + i * height
        fewer = "rate" if unit(row["what"]) else "cost"
        mid = row["ratio"][1]
        times = mid if fewer == "rate" else 1 / mid
        width = min(times * scale, 600)
        out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">'
                   f'{row["what"]}</text>'
                   f'<rect x="{left}" y="{y}" width="{width:.0f}" '
                   f'height="{height - 6}" fill="#2a6f97"/>'
                   f'<text x="{left + width + 6:.0f}" y="{y + 14}">'
                   f'{times:.1f}</text>')
    x = left + scale
    out.append(f'<line x1="{x}" y1="36" x2="{x}" '
               f'y2="{44 + height * len(rows)}" stroke="#c00"/></svg>')
    return "\n".join(out)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if os.geteuid():
        raise SystemExit("bench: a network namespace needs root")
    linux.prepare()
    with measure.Lab() as lab:
        measured = [one_round(lab) for _ in range(rounds)]
        counted = {guest: instructions(guest, lab) for guest in GUESTS}
    rows = rows_of(measured, counted)
    text = markdown(rows, rounds)
    base = f"{measure.BUILD}/compare"
    for path, content in ((f"{base}.md", text), (f"{base}.svg", svg(rows)),
                          (f"{base}.json", json.dumps(rows, indent=1))):
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
