"""Stops the guest at each row of the packet's road, through QEMU's gdb stub,
which is opened for the occasion and closed again."""
import os
import socket
import threading

from tools import qmp

RDI, RSI, RIP = 5, 4, 16        # in the answer to `g`


class Stub:
    """The remote serial protocol of gdb, as much as it takes."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.rest = b""

    def close(self):
        self.sock.close()

    def send(self, text):
        raw = text.encode()
        self.sock.sendall(b"$%s#%02x" % (raw, sum(raw) & 255))

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("QEMU has ended")
        self.rest += data

    def receive(self, seconds):
        self.sock.settimeout(seconds)
        while True:
            start = self.rest.find(b"$")
            end = self.rest.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.rest) - 3:
                break
            self.more()
        text = self.rest[start + 1:end].decode()
        self.rest = self.rest[end + 3:]
        self.sock.sendall(b"+")
        return text

    def ask(self, text, seconds=10):
        self.send(text)
        return self.receive(seconds)

    def drain(self):
        """Attaching stops the guest, which QEMU reports unasked."""
        try:
            while True:
                self.receive(0.1)
        except TimeoutError:
            pass

    def interrupt(self):
        self.sock.sendall(b"\x03")

    def registers(self):
        raw = bytes.fromhex(self.ask("g"))
        return [int.from_bytes(raw[8 * i:8 * i + 8], "little")
                for i in range(17)]


class Stepper:
    """The road, row by row. One thread waits for the next stop; the page
    asks where we are."""

    def __init__(self, monitor_path, road, memory):
        self.monitor_path = monitor_path
        self.memory = memory
        self.rows = {pc: row for row in road for pc in row["pcs"]}
        self.stub = None
        self.lock = threading.Lock()
        self.state = "off"      # off, waiting, stopped
        self.row = None
        self.args = []
        self.last = 0
        self.stops = 0
        self.path = os.path.abspath(f"{monitor_path}.stub")

    def monitor(self, line):
        monitor = qmp.Monitor(self.monitor_path)
        monitor.connect(2)
        try:
            monitor.human(line)
        finally:
            monitor.close()

    def describe(self):
        return {"state": self.state, "row": self.row and self.row["row"],
                "name": self.row and self.row["name"],
                "what": self.row and self.row["what"], "args": self.args,
                "stops": self.stops}

    def open(self):
        if self.stub:
            return
        self.monitor(f"gdbserver unix:{self.path},server=on,wait=off")
        self.stub = Stub(self.path)
        self.stub.ask("?")
        self.stub.drain()
        self.state, self.row, self.args = "stopped", None, []

    def pause(self):
        """Stands still where it is; from there step() goes on."""
        with self.lock:
            if self.state == "waiting":
                self.stub.interrupt()
            elif self.state == "off":
                self.open()
                self.last = 0

    def step(self):
        """To the next row: answers at once."""
        with self.lock:
            if self.state == "waiting":
                return
            self.open()
            self.state = "waiting"
            threading.Thread(target=self.advance, daemon=True).start()

    def run(self):
        """Lets the guest go."""
        with self.lock:
            if not self.stub:
                return
            if self.state == "waiting":
                self.stub.interrupt()
                self.wait_stopped()
            try:
                self.stub.ask("D")
                self.stub.close()
                self.monitor("gdbserver none")
            except OSError:
                pass
            self.forget()

    def wait_stopped(self):
        while self.state == "waiting":
            threading.Event().wait(0.01)

    def forget(self):
        self.stub, self.state, self.row, self.args = None, "off", None, []
        self.last = 0

    # --- in the thread ---------------------------------------------------

    def advance(self):
        try:
            while not self.go_on():
                pass
            # Who sees the new number may ask for the next step.
            self.state = "stopped"
            self.stops += 1
        except OSError:
            self.forget()

    def points(self, letter):
        for pc in self.rows:
            self.stub.ask(f"{letter}0,{pc + self.memory.moved:x},1")

    def go_on(self):
        """To the next stop; True if it is a row that comes after the last,
        or somebody has asked us to stop."""
        self.stub.ask("s")
        self.points("Z")
        try:
            reason = self.stub.ask("c", None)
        finally:
            self.points("z")
        registers = self.stub.registers()
        row = self.rows.get(registers[RIP] - self.memory.moved)
        if not row:
            self.row, self.args = None, []
            return True
        # Past the last row the next packet begins; a second frame of this
        # one's batch does not take us back.
        if reason.startswith("T") and (row["row"] > self.last or
                                       row["row"] == 1):
            self.last = row["row"] if row["row"] < len(set(
                r["row"] for r in self.rows.values())) else 0
            self.row = row
            self.args = [registers[RDI], registers[RSI]]
            return True
        return False
