"""The guests that are measured in turn: Pollux, and Linux as the distribution
ships it and in its best tuning (bench/linux.py); with BENCH=native the host
itself. All run the same binary; the guests under the same QEMU flags.
"""
import json
import os
import re
import subprocess
import tempfile

from bench import linux, measure
from tests.gdb import gdb_session
from tools import qemu

MEM = "256"
POLLUX, TUNED, STOCK, NATIVE = "pollux", "linux tuned", "linux stock", "native"
ADDRESS, GATEWAY, MASK = "10.77.0.2", "10.77.0.1", "255.255.0.0"
MAC = "52:54:00:12:34:56"
PORT = 7777


def command(guest, machine, net, address=ADDRESS, mask=MASK, gateway=GATEWAY,
            mem=MEM, extra=(), kernel="build/pollux.stripped.elf"):
    if guest == POLLUX:
        return qemu.command(
            machine, kernel=kernel, mem=mem, net=net, extra=extra,
            append=f"ip={address}::{gateway}:{mask}::eth0:off init=/echo")
    flags = linux.TUNED if guest == TUNED else linux.STOCK
    return qemu.command(
        machine, kernel=linux.KERNEL, initrd=linux.INITRD, mem=mem, net=net,
        extra=extra,
        append=f"{flags} ADDR={address} MASK={mask} GATEWAY={gateway}")


def on_user_net(guest, machine, mem=MEM):
    """How to start it, given the port of 127.0.0.1 to be called on."""
    return lambda port: command(
        guest, machine, qemu.user_net(machine, port, PORT), "10.0.2.15",
        "255.255.255.0", "10.0.2.2", mem)


class Running:
    """A guest on @lab's TAP until the end of the with block; it listens."""

    def __init__(self, guest, lab, mem=MEM, extra=(), device="",
                 kernel="build/pollux.stripped.elf"):
        self.guest, self.lab, self.address = guest, lab, ADDRESS
        self.folder = tempfile.TemporaryDirectory()
        if guest == NATIVE:
            self.address = "127.0.0.1"
            self.cmd = lab.inside(["build/user/echo.stripped", str(PORT)])
            return
        stub, self.gdb = gdb_session.stub(self.folder.name)
        net = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
               "-device", f"virtio-net-pci,netdev=n0,mac={MAC}{device}"]
        if guest != POLLUX:
            stub = []
        self.cmd = lab.inside(command(guest, "pc", net, mem=mem,
                                      extra=[*stub, *extra], kernel=kernel))

    def __enter__(self):
        self.held = measure.process(self.cmd, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        self.process = self.held.__enter__()
        for line in self.process.stdout:
            if "listening on" in line:
                self.call()
                return self
        raise SystemExit(f"bench: {self.guest} ended before it listened: "
                         + " ".join(self.cmd))

    def call(self):
        """Its neighbours know it from here on: a busy machine may take longer
        to make it answer than they care to wait."""
        for _ in range(5):
            said = subprocess.run(self.lab.inside([
                f"{measure.BUILD}/load", self.address, str(PORT), "1", "1",
                "64"]), input="go\nend\n", text=True, check=False,
                capture_output=True)
            if said.returncode == 0:
                return
        raise SystemExit(f"bench: {self.guest} does not answer: "
                         + said.stderr)

    def __exit__(self, *what):
        self.held.__exit__(*what)
        self.folder.cleanup()

    def free_bytes(self):
        """Memory that nobody uses in the guest."""
        if self.guest == POLLUX:
            what = "source bench/guest_memory.py"
            found = json.loads(gdb_session.run(self.gdb, [what])[what])
            return found["free"] * 4096
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if m := re.search(r"MemFree: +(\d+) kB", line):
                return int(m[1]) * 1024
        raise SystemExit(f"bench: {self.guest} does not tell its memory")


def guests():
    """Those that this run measures."""
    native = "native" in os.environ.get("BENCH", "").split()
    return (POLLUX, TUNED, STOCK) + ((NATIVE,) if native else ())
