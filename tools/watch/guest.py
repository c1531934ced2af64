"""The guest that is looked at: found by the note that tools/qemu.py leaves
beside its memory file, told apart as booting, running, stopped, hung, crashed
or ended. It outlives the QEMU process: the memory stays.
"""
import bisect
import json
import os
import re
import socket
import struct
import threading
import time

from tools import qmp
from tools.watch import memory, types_cache
from tools.watch.kernel import Kernel
from tools.watch.memory import Gone
from tools.watch.road import Road
from tools.watch.stepper import Stepper

PATIENCE = 1.0      # seconds that something may wait before it is a hang
BUSY = 0.2          # of a CPU: an idle guest needs none
TRIES = 5
LOG_LINES = 14
# As printed by a panic.
REGISTERS = re.compile(r"  (r\w\w|r\d|cs) +\w")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def cpu_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Symbols:
    """Names of addresses."""

    def __init__(self, elf):
        table = sorted((at, name) for name, at in qmp.symbols(elf).items())
        self.at = [at for at, _ in table]
        self.names = [name for _, name in table]

    def name(self, address):
        """Of an address where the kernel was linked."""
        n = bisect.bisect_right(self.at, address) - 1
        if n < 0 or address - self.at[n] > 1 << 16:
            return f"{address:#x}"
        past = address - self.at[n]
        return self.names[n] + (f"+{past:#x}" if past else "")


class Stillness:
    """For how long a value has not changed while @wrong."""

    def __init__(self):
        self.value = None
        self.since = 0.0

    def seconds(self, wrong, value, now):
        if not wrong or value != self.value:
            self.value, self.since = (value if wrong else None), now
        return now - self.since


class Echoer:
    """Sends a line to the server on demand, so that there is something to
    see; the answer is awaited in the background."""

    def __init__(self):
        self.sock = None
        self.answers = 0
        self.sent = 0

    def send(self, port):
        if self.sock is None:
            self.sock = socket.create_connection(("127.0.0.1", port), 2)
            self.sock.settimeout(None)
            threading.Thread(target=self.receive, args=(self.sock,),
                             daemon=True).start()
        self.sent += 1
        try:
            self.sock.sendall(f"echo {self.sent}\n".encode())
        except OSError:
            self.close()
            raise

    def receive(self, sock):
        try:
            while sock.recv(4096):
                self.answers += 1
        except OSError:
            pass
        if self.sock is sock:
            self.close()

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None


class Guest:
    """One run of QEMU."""

    def __init__(self, note, elf):
        self.note = note
        elf = elf or note["kernel"]
        types = types_cache.load(elf)
        self.memory = memory.Memory(note["ram"], types,
                                    memory.rodata_start(elf), note["machine"])
        self.kernel = Kernel(self.memory)
        self.road = Road(self.memory)
        self.stepper = Stepper(note["qmp"], types["road"], self.memory)
        self.symbols = Symbols(elf)
        self.echoer = Echoer()
        self.frames, self.sleeper = Stillness(), Stillness()
        self.progress = Stillness()
        self.cpu = (time.monotonic(), cpu_seconds(note["pid"]), 0.0)
        self.stuck_at = None

    def close(self):
        self.echoer.close()
        self.memory.close()

    def cpu_share(self, now):
        """Over the last half second or more."""
        then, used, share = self.cpu
        if now - then > 0.5:
            total = cpu_seconds(self.note["pid"])
            share = (total - used) / (now - then)
            self.cpu = (now, total, share)
        return share

    def hang(self, picture, now):
        """Why this is a hang, or None."""
        waiting, last = self.kernel.waiting_frames()
        if self.frames.seconds(waiting, last, now) > PATIENCE:
            return (f"{waiting} frames wait in the card's ring and the "
                    "driver does not take them")
        for ep in picture["epolls"]:
            asleep = ep["wq"] and picture["program"] and \
                picture["program"]["state"] == "interruptible"
            first = ep["ready"][0]["addr"] if ep["ready"] else 0
            if self.sleeper.seconds(bool(first and asleep), first,
                                    now) > PATIENCE:
                return ("the ready list has an item, and the task sleeps on "
                        "wq all the same: a lost wakeup")
        counters = picture["counters"]
        busy = self.cpu_share(now) > BUSY
        if self.progress.seconds(busy, (counters, self.road.next),
                                 now) > 3 * PATIENCE:
            return ("the CPU is busy, and no packet, wakeup or switch "
                    "happens")
        return None

    def state(self, picture):
        """(state, why)."""
        m = self.memory
        running = alive(self.note["pid"])
        if m.bytes(m.symbol("panic_in_progress"), 1) != b"\0":
            return "crashed", self.panic_text()
        if not running:
            return "ended", "QEMU has ended; this is what it left in memory"
        if self.stepper.state != "off":
            return "stopped", "by this page: nothing moves until it says so"
        why = self.hang(picture, time.monotonic())
        if why:
            self.find_where_stuck()
            return "hung", f"{why}. It is in {self.stuck_at}."
        self.stuck_at = None
        return "running", ""

    def find_where_stuck(self):
        if self.stuck_at:
            return
        try:
            monitor = qmp.Monitor(self.note["qmp"])
            monitor.connect(0.2)
            text = monitor.human("info registers")
            monitor.close()
            rip = int(re.search(r"RIP=(\w+)", text)[1], 16)
            self.stuck_at = self.symbols.name(rip - self.memory.moved)
        except (OSError, EOFError, TypeError):
            self.stuck_at = "(QEMU's monitor does not answer)"

    def last_words(self, state):
        """The end of the log; of a panic, what it says first: where it
        was and who had called that, then the registers."""
        lines = self.kernel.log_lines(200)
        if state == "crashed":
            for n, text in enumerate(lines):
                if text.startswith("panic:"):
                    said = [t for t in lines[n:] if not
                            t.startswith("trace ")][:2 * LOG_LINES]
                    return sorted(said, key=lambda t: bool(
                        REGISTERS.match(t)))
        return lines[-LOG_LINES:]

    def panic_text(self):
        lines = self.kernel.log_lines(200)
        return next((t for t in lines if t.startswith("panic:")), "panic")

    def look(self, pins, search):
        """What the page draws. Something may change while we read: then
        again; what stays broken is damage, and said."""
        if not self.memory.holds_image():
            return self.without_kernel()
        error = None
        for _ in range(TRIES):
            try:
                picture = self.kernel.look(pins, search)
                break
            except (Gone, struct.error, KeyError, IndexError) as e:
                error = e
        else:
            return self.damaged(error)
        state, why = self.state(picture)
        picture.update(state=state, why=why, road=self.road.look(),
                       step=self.stepper.describe(), port=self.note["port"],
                       log=self.last_words(state),
                       hops=self.memory.types["road"],
                       echo={"sent": self.echoer.sent,
                             "answers": self.echoer.answers})
        return picture

    def without_kernel(self):
        if not alive(self.note["pid"]):
            return {"state": "none", "why": "QEMU ended before it had booted"}
        return {"state": "booting", "why": "no kernel of this build is in "
                "the guest's memory yet (was build/pollux.elf rebuilt "
                "since it started?)"}

    def damaged(self, error):
        state, why = "running", f"{error}: it is still booting, or damaged"
        m = self.memory
        if m.bytes(m.symbol("panic_in_progress"), 1) != b"\0":
            state, why = "crashed", self.panic_text()
        elif not alive(self.note["pid"]):
            state = "ended"
        return {"state": "booting" if state == "running" else state,
                "why": why, "log": self.last_words(state)}

    def object(self, tag, addr):
        """All members of one object, decoded."""
        m = self.memory
        if tag not in m.structs:
            return {"error": f"no struct {tag} is known"}
        out = []
        try:
            for name, offset, kind, target in m.structs[tag].members:
                out.append(self.member(addr + offset, name, kind, target))
        except (Gone, struct.error):
            return {"error": f"nothing readable is at {addr:#x} any more"}
        return {"tag": tag, "addr": addr, "size": m.structs[tag].size,
                "members": out}

    def member(self, at, name, kind, target):
        m = self.memory
        if kind.startswith("s"):
            raw = m.bytes(at, min(int(kind[1:]), 32)).split(b"\0")[0]
            return {"name": name, "text": raw.decode(errors="replace")}
        value, = struct.Struct(memory.FORMATS[kind]).unpack(
            m.bytes(at, int(kind[1])))
        out = {"name": name, "value": value}
        if target and value:
            out["text"] = f"{value:#x}"
            if target == "()":
                out["text"] = self.symbols.name(value - m.moved)
            elif target in m.structs:
                out["to"] = target
        elif value >= 1 << 32:
            out["text"] = f"{value:#x}"
        return out


class Finder:
    """The guest of the moment."""

    def __init__(self, ram, elf=None):
        self.path, self.elf = f"{ram}.json", elf
        self.stamp = None
        self.guest = None

    def find(self):
        """A Guest or None."""
        try:
            stamp = os.stat(self.path).st_mtime_ns
        except OSError:
            stamp = None
        if stamp != self.stamp:
            if self.guest:
                self.guest.close()
            self.guest, self.stamp = None, stamp
        if stamp and not self.guest:
            try:
                with open(self.path, encoding="utf-8") as f:
                    self.guest = Guest(json.load(f), self.elf)
            except (OSError, ValueError):
                self.stamp = None
        return self.guest
