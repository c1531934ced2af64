"""A guest behind tools/link-emulator.c, Linux in a namespace as its peer."""
import os
import socket
import subprocess

from tests.lib.netns import STATIC_IP, Namespace, NamespaceGuest
from tools import qemu

# Frames that may wait for the emulator on either side.
QUEUE = 10000


class BadLink:
    """A namespace with a TAP, and the emulator between that and @guest, the
    socket for the guest's network. @how are the emulator's options, without
    dashes."""

    def __init__(self, **how):
        self.ns = Namespace()
        tap = self.ns.make_tap()
        self.ns.ip(f"link set tap0 txqueuelen {QUEUE}")
        self.guest, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for s in (self.guest, ours):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        options = [f"--{k}={v}" for k, v in how.items()]
        fds = (ours.fileno(), tap)
        self.emulator = subprocess.Popen(
            ["build/link-emulator", *options, *map(str, fds)],
            stdout=subprocess.PIPE, text=True, pass_fds=fds,
            preexec_fn=qemu.die_with_parent)
        os.close(tap)
        ours.close()
        assert self.emulator.stdout.readline() == "link-emulator: ready\n"

    def net(self, machine="pc", mac=None):
        """QEMU's arguments; pass it self.guest's number, too."""
        return ["-netdev", "dgram,id=n0,local.type=fd,"
                f"local.str={self.guest.fileno()}", "-device",
                f"{qemu.device(machine, 'net')},netdev=n0,romfile="
                + (f",mac={mac}" if mac else "")]

    def close(self):
        """{way: (frames sent, lost, without room)}"""
        self.emulator.terminate()
        text, _ = self.emulator.communicate()
        self.guest.close()
        self.ns.close()
        return {words[0]: tuple(map(int, words[1:]))
                for words in map(str.split, text.splitlines())}


class BadLinkGuest(NamespaceGuest):
    """The echo server; @link as in BadLink."""

    def __init__(self, machine="pc", **link):
        self.link = BadLink(**link)
        self.ns = self.link.ns
        self.port = qemu.PORTS["echo"]
        super().__init__(append=f"ip={STATIC_IP} init=/echo",
                         net=self.link.net(machine), machine=machine,
                         pass_fds=(self.link.guest.fileno(),))

    def __exit__(self, *_):
        super().__exit__()
        self.link.close()
