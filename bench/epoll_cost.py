#!/usr/bin/python3
"""bench/epoll_cost.py [WATCHES ...]		default: 10 10000 1000000

Guest instructions of epoll's calls beside so many watches, as Markdown. The
guest counts by its clock, which QEMU's -icount shift=0 moves on by a
nanosecond for each instruction.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tests.lib.guest import Guest, initramfs  # noqa: E402

PROGRAM = "build/tests/epoll_cost"
COLUMNS = {"add": "ADD", "del": "DEL", "wake": "a write that makes one ready",
           "wait1": "epoll_wait, 1 ready", "wait10": "epoll_wait, 10 ready"}
# A watch is 128 bytes, and a quarter of memory may hold watches.
BYTES_EACH = 640


def costs(*sizes, seconds=60):
    """A dictionary of COLUMNS for each of @sizes; what closing the epoll
    costs for each watch of the last."""
    mem = str(64 + max(sizes) * BYTES_EACH // (1 << 20))
    words = " ".join(map(str, sizes))
    with Guest(append=f"init=/epoll_cost -- {words}", mem=mem,
               initrd=initramfs({"epoll_cost": PROGRAM}),
               extra=["-icount", "shift=0,sleep=off"]) as guest:
        closing = guest.wait_console(r"^close (\d+)$", seconds)
        return [{k: int(v) for k, v in re.findall(r"(\w+) (\d+)", line)}
                for line in re.findall(r"^watches \d+: (.*)$", guest.console,
                                       re.M)], int(closing[1])


def main():
    sizes = [int(arg) for arg in sys.argv[1:]] or [10, 10000, 1000000]
    print("| watches |", " | ".join(COLUMNS.values()), "|")
    print("|---:" * (len(COLUMNS) + 1) + "|")
    rows, closing = costs(*sizes, seconds=900)
    for size, row in zip(sizes, rows):
        print(f"| {size:,} |", " | ".join(f"{row[c]:,}" for c in COLUMNS), "|")
    print(f"\nTo close the epoll of {sizes[-1]:,}: {closing:,} for each.")


if __name__ == "__main__":
    main()
