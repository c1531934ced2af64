"""Linux in the guest's place on a wire: a network namespace with a TAP whose
other end the test holds. It shows that a wire test asks what TCP really does.
Needs root.
"""
import ctypes
import os
import select
import socket
import subprocess
import sys
import tempfile

from tests.lib.netns import CLONE_NEWNET, open_tap
from tests.lib.wire import GUEST_IP, GUEST_MAC, HOST_IP, Wire
from tools import qemu


def child(fd, *program):
    """In the new process: makes the namespace, hands its TAP over, execs."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    tap = open_tap("eth0", 0)
    for line in (f"link set eth0 address {GUEST_MAC} up",
                 f"addr add {GUEST_IP}/24 dev eth0", "link set lo up",
                 f"route add default via {HOST_IP}"):
        subprocess.run(["ip", *line.split()], check=True)
    with socket.socket(fileno=fd) as sock:
        socket.send_fds(sock, [b"tap"], [tap])
    os.execv(program[0], program)


class TapSocket:
    """The few methods of a socket that Wire uses, on a TAP."""

    def __init__(self, fd):
        self.fd = fd
        os.set_blocking(fd, False)
        self.seconds = 0

    def settimeout(self, seconds):
        self.seconds = seconds

    def recv(self, size):
        if not select.select([self.fd], [], [], self.seconds)[0]:
            raise TimeoutError
        return os.read(self.fd, size)

    def sendto(self, frame, _):
        try:
            os.write(self.fd, frame)
        except OSError:
            pass        # Linux refuses runts at once

    def close(self):
        os.close(self.fd)


class LinuxOnWire:
    """Stands in for WireGuest."""

    drops = None
    console = ""

    def __init__(self, prog="echo"):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-c",
             "import sys; from tests.lib.linux_wire import child; "
             "child(int(sys.argv[1]), *sys.argv[2:])",
             str(theirs.fileno()), f"build/user/{prog}"],
            pass_fds=[theirs.fileno()], preexec_fn=qemu.die_with_parent,
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(10)
        fds = socket.recv_fds(ours, 10, 1)[1]
        ours.close()
        self.wire = Wire.__new__(Wire)
        self.wire.folder = tempfile.mkdtemp(prefix="wire")
        self.wire.sock = TapSocket(fds[0])
        self.wire.answer_arp_for = {HOST_IP}
        self.wire.seen = []

    def __enter__(self):
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.wire.close()
