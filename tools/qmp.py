#!/usr/bin/python3
"""QEMU's monitor: stops and asks a guest, dumps its memory into a core.

	tools/qmp.py WORDS...	says them to the monitor of the guest that
				`make run` or `make gdb` has started
"""
import json
import os
import socket
import subprocess
import sys
import time

KERNEL_VMA = 0xffffffff80000000     # where the kernel is linked


class Monitor:
    """A QMP connection. @where is the socket's path, or the folder that it
    is made in: then args() is what QEMU must be started with."""

    def __init__(self, where):
        self.path = f"{where}/qmp" if os.path.isdir(where) else where
        self.file = None
        self.events = []

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

    def next_message(self):
        line = self.file.readline()
        if not line:
            raise EOFError("QEMU has ended")
        return json.loads(line)

    def wait_event(self, *names):
        """The first event of @names that comes or has come."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] in names:
                    return event
            message = self.next_message()
            if "event" in message:
                self.events.append(message)

    def ask(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.file)
        self.file.flush()
        while True:
            reply = self.next_message()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RuntimeError(reply["error"]["desc"])
            self.events.append(reply)

    def human(self, line):
        return self.ask("human-monitor-command", **{"command-line": line})

    def read_words(self, address, count):
        """@count 8-byte words at virtual @address."""
        text = self.human(f"x /{count}gx 0x{address:x}")
        return [int(w, 16) for line in text.splitlines()
                for w in line.split(":")[1].split()]

    def symbols(self, elf):
        """{name: address} of the kernel as it runs: boot has moved it."""
        table = symbols(elf)
        at = table["pollux_kaslr_offset"] - KERNEL_VMA
        moved = int(self.human(f"xp /1gx 0x{at:x}").split(":")[1], 16)
        return {name: address + moved if address >= KERNEL_VMA else address
                for name, address in table.items()}

    def dump_core(self, path):
        """The guest's memory by virtual address, and its registers, as an
        ELF core at @path. The guest stands still meanwhile."""
        self.ask("dump-guest-memory", paging=True,
                 protocol=f"file:{os.path.abspath(path)}")


def symbols(elf):
    """{name: address} of a kernel image, as it is linked."""
    out = subprocess.run(["nm", elf], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    table = {}
    for line in out.splitlines():
        parts = line.split()
        if len(parts) == 3:
            table[parts[2]] = int(parts[0], 16)
    return table


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    monitor = Monitor(os.environ.get("QMP", "build/qmp"))
    try:
        monitor.connect(1)
    except OSError as e:
        print(f"{monitor.path}: {e}: start a guest with `make run`",
              file=sys.stderr)
        return 1
    print(monitor.human(" ".join(sys.argv[1:])), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
