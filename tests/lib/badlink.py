"""A guest behind tools/link-emulator, Linux in a namespace as its peer."""
import fcntl
import os
import socket
import struct
import subprocess

from tests.lib.guest import Guest
from tests.lib.netns import (GUEST_IP, HOST_IP, IFF_NO_PI, IFF_TAP, STATIC_IP,
                             TUNSETIFF, Namespace)
from tools import qemu


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def open_tap():
    """Plain frames, no larger than the MTU."""
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", b"tap0",
                                            IFF_TAP | IFF_NO_PI))
    return tap


class BadLinkGuest(Guest):
    """The echo server; @link are options of the emulator, without dashes."""

    def __init__(self, machine="pc", **link):
        self.ns = Namespace()
        tap = self.ns.run(open_tap)
        os.set_inheritable(tap, True)
        self.ns.ip(f"addr add {HOST_IP}/24 dev tap0")
        self.ns.ip("link set tap0 up")
        here, there = free_udp_port(), free_udp_port()
        options = [f"--{k}={v}" for k, v in link.items()]
        self.emulator = subprocess.Popen(
            ["tools/link-emulator", *options, str(here), str(there),
             str(tap)], stdout=subprocess.PIPE, pass_fds=(tap,),
            preexec_fn=qemu.die_with_parent)
        os.close(tap)
        assert self.emulator.stdout.readline() == b"link-emulator: ready\n"
        net = ["-netdev", "dgram,id=n0,local.type=inet,"
               f"local.host=127.0.0.1,local.port={there},remote.type=inet,"
               f"remote.host=127.0.0.1,remote.port={here}",
               "-device", f"{qemu.device(machine, 'net')},netdev=n0,romfile="]
        super().__init__(append=f"ip={STATIC_IP} init=/echo", net=net,
                         machine=machine)

    def __enter__(self):
        try:
            self.wait_console("listening on")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        super().__exit__()
        self.emulator.kill()
        self.emulator.wait()
        self.emulator.stdout.close()
        self.ns.close()

    def connect(self, seconds):
        return self.ns.run(socket.create_connection, (GUEST_IP, 7777),
                           seconds)
