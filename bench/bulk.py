#!/usr/bin/python3
"""Instructions for each byte of bulk data, over a TAP in a network namespace
(root): echoed, with large frames from the device and without, and sent in
every way that a program has (tests/progs/bulk.c). Prints one table.

	bench/bulk.py [MIBS]	default: 50
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import measure  # noqa: E402
from tests.lib import guest as test_guest  # noqa: E402

MB = 1 << 20
PATTERN = bytes((i * 7 + (i >> 8)) & 0xff for i in range(MB))
WAYS = (("w", "write"), ("t", "sendfile, file on the tmpfs"),
        ("a", "sendfile, file in the archive"),
        ("h", "sendfile, all of it copied (a hole)"), ("z", "MSG_ZEROCOPY"))
NO_TSO = ",guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off"
READER = """
import socket, sys
s = socket.create_connection(("10.77.0.2", 7777))
s.sendall(f"{sys.argv[1]} {sys.argv[2]}\\n".encode())
left = int(sys.argv[2]) << 20
while left:
    n = len(s.recv(left))
    assert n
    left -= n
assert not s.recv(1)
"""


def total(delta):
    return sum(insns for insns, _ in delta.values())


def echoed(device, mibs):
    with measure.counted_guest(device=device) as (lab, counts):
        for conns in (1, 8):
            measure.converse(lab, counts, conns, mibs // 4 + conns, MB)
            yield conns, measure.converse(lab, counts, conns, mibs, MB)[1]


def sent(mibs):
    files = {"bulk": "build/tests/bulk", "pattern": PATTERN}
    with measure.counted_guest(
            prog="bulk",
            initrd=test_guest.initramfs(files)) as (lab, counts):
        for way, name in WAYS:
            before = counts.read()
            subprocess.run(lab.inside([sys.executable, "-c", READER, way,
                                       str(mibs)]), check=True, timeout=300)
            yield name, counts.since(before)


def main():
    mibs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    if os.geteuid():
        raise SystemExit("bench: a network namespace needs root")
    print("| bulk data | instructions for each byte |\n|---|---:|")
    for device, how in (("", ""), (NO_TSO, ", single segments in")):
        for conns, delta in echoed(device, mibs):
            print(f"| echo, {conns} connection{'s' * (conns > 1)}{how} | "
                  f"{total(delta) / (mibs * MB):.3f} |", flush=True)
    for name, delta in sent(mibs):
        print(f"| {name} | {total(delta) / (mibs * MB):.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
