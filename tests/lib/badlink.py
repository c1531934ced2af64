"""A guest behind tools/link-emulator, Linux in a namespace as its peer."""
import os
import socket
import subprocess

from tests.lib.netns import STATIC_IP, NamespaceGuest
from tools import qemu


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class BadLinkGuest(NamespaceGuest):
    """The echo server; @link are options of the emulator, without dashes."""

    def __init__(self, machine="pc", **link):
        tap = self.make_tap()
        self.port = qemu.PORTS["echo"]
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

    def __exit__(self, *_):
        super().__exit__()
        self.emulator.kill()
        self.emulator.wait()
        self.emulator.stdout.close()
