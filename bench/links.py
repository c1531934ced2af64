#!/usr/bin/python3
"""Measures Pollux beside a Linux guest over bad links: 20 MB from the guest and
20 MB to it, through tools/link-emulator.c, between one server (bench/bulk.c)
and this machine's Linux. Needs root.

	bench/links.py [ROUNDS] [CELL...]	default: 3, all

A cell is LOSS,DELAY (percent each way, ms for the round trip), "reorder" or
"duplicate". Both guests send with CUBIC; to them this machine sends with Reno,
because where its HyStart ends slow start is luck. The same QEMU and flags, in
turn, a fresh boot and the same random numbers for each; other ones in each
round. Every byte is compared. Links that are slow by themselves are measured
several at a time, the others alone; JOBS=n is how many. All cells: writes
bench/links.md and .json; some: build/bench/links.md and .json.
"""
import concurrent.futures
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import guests, linux, measure  # noqa: E402
from tests.lib.badlink import BadLink  # noqa: E402
from tests.lib.netns import GUEST_IP, HOST_IP  # noqa: E402
from tools import mkinitramfs  # noqa: E402

MEGABYTES = int(os.environ.get("MB", "20"))
TOTAL = MEGABYTES * 1000000
LOSSES, DELAYS = ("0", "0.1", "1", "5"), ("1", "20", "100")
BOTH = (guests.POLLUX, guests.TUNED)
WAYS = ("get", "put")
WAY_NAMES = {"get": "from the guest", "put": "to the guest"}
# What is booted, in a folder of this run's own: it may take an hour.
FILES = tempfile.TemporaryDirectory()
KERNEL, INITRD, LINUX_INITRD = (f"{FILES.name}/{f}" for f in (
    "pollux.elf", "pollux.cpio", "linux.cpio"))
PERIOD = 65521
PATIENCE = 600	# seconds without a byte


def pattern():
    """What bench/bulk.c sends and takes, all of it."""
    x, out = 1, bytearray()
    for _ in range(PERIOD):
        x = (x * 1664525 + 1013904223) & 0xffffffff
        out.append(x >> 24)
    return (bytes(out) * (TOTAL // PERIOD + 1))[:TOTAL]


PATTERN = pattern()


def links():
    """{cell: the emulator's options}"""
    found = {f"{loss},{delay}": {"loss": loss, "delay": float(delay) / 2}
             for loss in LOSSES for delay in DELAYS}
    found["reorder"] = {"delay": 10, "reorder": 2}
    found["duplicate"] = {"delay": 10, "duplicate": 2}
    return found


LINKS = links()


def is_slow(cell):
    """The link, not the machine, says how fast it is."""
    loss, _, delay = cell.partition(",")
    return delay in DELAYS[1:] and loss in LOSSES[2:] or cell == "0.1,100"


def name(cell):
    loss, _, delay = cell.partition(",")
    if delay:
        return f"{loss} % lost, {delay} ms"
    return f"2 % {'reordered' if cell == 'reorder' else 'doubled'}, 20 ms"


def command(guest, link):
    net = link.net(mac=guests.MAC)
    if guest != guests.POLLUX:
        cmd = guests.command(guest, "pc", net, GUEST_IP, "255.255.255.0",
                             HOST_IP)
        cmd[cmd.index("-append") + 1] += " PROG=/bulk"
        cmd[cmd.index("-initrd") + 1] = LINUX_INITRD
        return cmd
    return [w.replace("init=/echo", "init=/bulk") if "init=" in w else
            INITRD if w.endswith("initramfs.cpio") else w
            for w in guests.command(guest, "pc", net, GUEST_IP,
                                    "255.255.255.0", HOST_IP, kernel=KERNEL)]


def connect():
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    s.settimeout(PATIENCE)
    s.connect((GUEST_IP, guests.PORT))
    return s


def get(s):
    s.sendall(b"get %d\n" % TOTAL)
    got = bytearray(TOTAL)
    view, at = memoryview(got), 0
    while at < TOTAL:
        n = s.recv_into(view[at:])
        if not n:
            raise OSError(f"end of file after {at} bytes")
        at += n
    if got != PATTERN:
        raise OSError("wrong bytes came")


def put(s):
    s.sendall(b"put %d\n" % TOTAL)
    s.sendall(PATTERN)
    if (said := s.recv(8)) != b"ok\n":
        raise OSError(f"the guest says {said!r}")


def transfer(link, way):
    """Seconds from connecting to the last byte."""
    start = time.monotonic()
    with link.ns.run(connect) as s:
        {"get": get, "put": put}[way](s)
        return time.monotonic() - start


def boot(guest, link):
    """Started and known to its neighbour, over the bad link already."""
    child = subprocess.Popen(command(guest, link), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True,
                             pass_fds=(link.guest.fileno(),))
    for line in child.stdout:
        if "listening on" in line:
            break
    else:
        raise SystemExit(f"bench: {guest} ended before it listened")
    link.ns.run(connect).close()
    return child


def one(guest, cell, way, seed):
    """Goodput in MB/s."""
    link = BadLink(seed=seed, **LINKS[cell])
    child = None
    try:
        child = boot(guest, link)
        return TOTAL / 1e6 / transfer(link, way)
    finally:
        if child:
            child.kill()
            child.communicate()
        link.close()


class Figures:
    def __init__(self):
        self.lock = threading.Lock()
        self.found = {}

    def run(self, cell, way, seed):
        """Both guests, one after the other; who is first takes turns."""
        for guest in BOTH[::1 if seed % 2 else -1]:
            rate = one(guest, cell, way, seed)
            with self.lock:
                self.found.setdefault((cell, way, guest), {})[seed] = rate
                print(f"bench: {seed}: {name(cell)}, {WAY_NAMES[way]}, "
                      f"{guest}: {rate:.2f} MB/s", file=sys.stderr,
                      flush=True)

    def row(self, cell, way):
        """What the table has of it: rates, median ratio."""
        found = [self.found[cell, way, g] for g in BOTH]
        rates = [[f[seed] for seed in sorted(f)] for f in found]
        times = [a / b for a, b in zip(*rates)]
        return {"cell": name(cell), "way": WAY_NAMES[way],
                "pollux": rates[0], "linux": rates[1],
                "ratio": statistics.median(rates[0])
                / statistics.median(rates[1]),
                "ratios": times}


def cell_text(rates):
    mid = statistics.median(rates)
    text = f"{mid:.2f}"
    if len(rates) > 1:
        text += f" ({min(rates):.2f} to {max(rates):.2f})"
    return text


def markdown(rows, notes):
    lines = ["| link, round trip | 20 MB | Pollux, MB/s | Linux, MB/s | "
             "times Linux |".replace("20", str(MEGABYTES)),
             "|---|---|---:|---:|---:|"]
    lines += [f"| {r['cell']} | {r['way']} | {cell_text(r['pollux'])} | "
              f"{cell_text(r['linux'])} | {r['ratio']:.2f} |" for r in rows]
    return "\n".join(lines) + f"\n\n{notes}\n"


def main():
    rounds, words = measure.asked_for(LINKS, __doc__)
    cells = words or list(LINKS)
    linux.prepare()
    version = measure.version()
    os.makedirs(measure.BUILD, exist_ok=True)
    shutil.copyfile("build/pollux.stripped.elf", KERNEL)
    shutil.copyfile(linux.INITRD, LINUX_INITRD)
    with open(INITRD, "wb") as f:
        f.write(mkinitramfs.archive(
            {"bulk": linux.read(f"{linux.FOLDER}/bulk")}))
    figures = Figures()
    todo = [(cell, way, seed) for seed in range(1, rounds + 1)
            for cell in cells for way in WAYS]
    with concurrent.futures.ThreadPoolExecutor(
            int(os.environ.get("JOBS", "4"))) as pool:
        for job in [pool.submit(figures.run, *t) for t in todo
                    if is_slow(t[0])]:
            job.result()
    for t in todo:
        if not is_slow(t[0]):
            figures.run(*t)
    rows = [figures.row(cell, way) for cell in cells for way in WAYS]
    notes = (f"`make bench-links` of {version}: {rounds} rounds"
             ", medians (least to most), CUBIC from the guests, Reno to them, "
             f"-M pc -m {guests.MEM}, software emulation, no offloads, loss "
             "and delay the same both ways, peer: this machine's Linux.")
    text = markdown(rows, notes)
    folder = measure.BUILD if words else "bench"
    with open(f"{folder}/links.md", "w", encoding="utf-8") as f:
        f.write(text)
    with open(f"{folder}/links.json", "w", encoding="utf-8") as f:
        json.dump({"notes": notes, "rows": rows}, f, indent=1)
        f.write("\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
