"""A network namespace of our own, and a guest on a TAP in it. Needs root.

A thread enters the namespace, opens what is asked for there and ends; the
sockets and the TAP go on working from everywhere.
"""
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading

from tests.lib.guest import ServerGuest
from tools import qemu

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000
CLONE_NEWNET = 0x40000000
HOST_IP, GUEST_IP = "10.8.0.1", "10.8.0.2"
STATIC_IP = f"{GUEST_IP}::{HOST_IP}:255.255.255.0::eth0:off"


def why_not():
    """The reason that namespaces cannot be had here, None if they can."""
    if os.geteuid() != 0:
        return "needs root for a network namespace"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    return None


def open_tap(name, flags):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack(
        "16sH", name.encode(), IFF_TAP | IFF_NO_PI | flags))
    return tap


class Namespace:
    """Lives as long as its process does."""

    def __init__(self):
        self.holder = subprocess.Popen(
            [sys.executable, "-c",
             "import ctypes, time\n"
             f"assert ctypes.CDLL(None).unshare({CLONE_NEWNET}) == 0\n"
             "print('there', flush=True)\n"
             "time.sleep(100000)"],
            stdout=subprocess.PIPE, preexec_fn=qemu.die_with_parent)
        assert self.holder.stdout.readline() == b"there\n"

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def run(self, function, *args):
        """Calls @function inside; returns what it returns, or raises it."""
        result, error = [], []

        def inside():
            fd = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY)
            failed = ctypes.CDLL(None).setns(fd, CLONE_NEWNET)
            os.close(fd)
            assert not failed
            try:
                result.append(function(*args))
            except OSError as e:
                error.append(e)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if error:
            raise error[0]
        return result[0]

    def ip(self, line):
        return self.run(lambda: subprocess.run(
            ["ip", *line.split()], check=True, text=True,
            stdout=subprocess.PIPE).stdout)

    def make_tap(self, flags=0):
        """tap0, up as HOST_IP; returns the file at its other end."""
        tap = self.run(open_tap, "tap0", flags)
        os.set_inheritable(tap, True)
        self.ip("link set lo up")
        self.ip(f"addr add {HOST_IP}/24 dev tap0")
        self.ip("link set tap0 up")
        return tap


class NamespaceGuest(ServerGuest):
    """A server in the guest, Linux in a namespace as its peer."""

    def make_tap(self, flags=0):
        """The namespace with its end of the link; returns the other one."""
        self.ns = Namespace()
        return self.ns.make_tap(flags)

    def __exit__(self, *_):
        super().__exit__()
        self.ns.close()

    def connect(self, seconds=20, to=GUEST_IP):
        return self.ns.run(socket.create_connection, (to, self.port),
                           seconds)


class TapGuest(NamespaceGuest):
    """Right on the TAP, offloads and all."""

    def __init__(self, prog="echo", machine="pc", features="", ip=STATIC_IP,
                 **how):
        tap = self.make_tap(IFF_VNET_HDR)
        self.port = qemu.PORTS.get(prog, 7777)
        rom = "" if machine == "microvm" else ",romfile="
        net = ["-netdev", f"tap,id=n0,fd={tap}", "-device",
               f"{qemu.device(machine, 'net')},netdev=n0{rom}{features}"]
        super().__init__(append=f"ip={ip} init=/{prog}", net=net,
                         machine=machine, pass_fds=(tap,), **how)
        os.close(tap)

    def connect6(self, seconds=20):
        """To its link-local address, made of QEMU's default MAC address."""
        def connect():
            scope = socket.if_nametoindex("tap0")
            s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            s.settimeout(seconds)
            s.connect(("fe80::5054:ff:fe12:3456", self.port, 0, scope))
            return s
        return self.ns.run(connect)

    def traffic(self):
        """(bytes, packets) from the guest, and (bytes, packets) to it."""
        words = self.ns.ip("-s link show tap0").split()
        rx, tx = words.index("RX:"), words.index("TX:")
        numbers = [w for w in words[rx:tx] if w.isdigit()]
        numbers_tx = [w for w in words[tx:] if w.isdigit()]
        return ((int(numbers[0]), int(numbers[1])),
                (int(numbers_tx[0]), int(numbers_tx[1])))
