"""QEMU's monitor: stops and asks a running guest, reads its memory."""
import json
import re
import socket
import subprocess
import time


class Monitor:
    """Add args() to the guest's command; connect() once it runs."""

    def __init__(self, folder):
        self.path = f"{folder}/qmp"
        self.file = None

    def args(self):
        return ["-qmp", f"unix:{self.path},server=on,wait=off"]

    def connect(self, seconds=5):
        end = time.monotonic() + seconds
        while True:
            try:
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(self.path)
                break
            except OSError:
                sock.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self.file = sock.makefile("rw", encoding="utf-8")
        sock.close()
        self.file.readline()
        self.ask("qmp_capabilities")

    def close(self):
        if self.file:
            self.file.close()

    def ask(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.file)
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline())
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RuntimeError(reply["error"]["desc"])

    def human(self, line):
        return self.ask("human-monitor-command", **{"command-line": line})

    def read_words(self, address, count):
        """@count 8-byte words at virtual @address."""
        text = self.human(f"x /{count}gx 0x{address:x}")
        return [int(w, 16) for line in text.splitlines()
                for w in line.split(":")[1].split()]

    def percpu_offset(self):
        """How far CPU 0's copy of per-CPU data is from where it is linked;
        the guest is idle in the kernel, or asked again until it is."""
        for _ in range(100):
            text = self.human("info registers")
            if re.search(r"CPL=0", text):
                return int(re.search(r"^GS =\w+ (\w+)", text, re.M)[1], 16)
            time.sleep(0.01)
        raise RuntimeError("the guest never is in the kernel")


def symbols(elf):
    """{name: address} of a kernel image."""
    out = subprocess.run(["nm", elf], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    table = {}
    for line in out.splitlines():
        parts = line.split()
        if len(parts) == 3:
            table[parts[2]] = int(parts[0], 16)
    return table


def drop_names(header="net/drop.h"):
    with open(header, encoding="utf-8") as f:
        text = f.read()
    text = text[text.index("define DROP_REASONS"):text.index("enum")]
    return re.findall(r"\bX\((\w+)\)", text)


class DropCounters:
    """The kernel's counters of dropped packets, by name."""

    def __init__(self, monitor, elf="build/pollux.elf"):
        self.monitor = monitor
        self.names = drop_names()
        self.address = symbols(elf)["drop_counts"]

    def read(self):
        at = self.address + self.monitor.percpu_offset()
        words = self.monitor.read_words(at % (1 << 64), len(self.names))
        return dict(zip(self.names, words))
