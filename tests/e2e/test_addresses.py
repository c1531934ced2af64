"""Several addresses, of IPv4 and IPv6, named by ip=; Linux as the client, over
a TAP: TCP and UDP to each of them, from each of its networks and from beyond.
"""

import socket
import time

import pytest

from tests.e2e.test_echo import receive
from tests.lib import netns
from tests.lib.guest import initramfs

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))
MORE = ("10.8.0.7/24", "172.30.5.2/16", "[2001:db8:1::2]::[2001:db8:1::1]:64",
        "2001:db8:2::2/64")
ALL = (netns.GUEST_IP, "10.8.0.7", "172.30.5.2", "2001:db8:1::2",
       "2001:db8:2::2")
FAR6 = "2001:db8:9::9"


class Guest(netns.TapGuest):
    """Its peer has an address in each network, and one far from all."""

    def make_tap(self, flags=0):
        tap = super().make_tap(flags)
        for address in ("172.30.0.1/16", "2001:db8:1::1/64 nodad",
                        "2001:db8:2::1/64 nodad", FAR6 + "/128 nodad"):
            self.ns.ip(f"addr add {address} dev tap0")
        return tap

    def connect_to(self, to, source=None):
        """It looks for a second whether its IPv6 addresses are taken."""
        end = time.monotonic() + 15
        while True:
            try:
                return self.ns.run(socket.create_connection, (to, self.port),
                                   3, (source, 0) if source else None)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def is_refused(self, to):
        """A datagram to a closed port: UDP and ICMP, both ways."""
        def ask():
            family = socket.AF_INET6 if ":" in to else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.connect((to, 9))
                s.send(b"x")
                with pytest.raises(ConnectionRefusedError):
                    s.recv(1)
        self.ns.run(ask)


@pytest.mark.limit(240)
def test_every_address_serves():
    image = initramfs({"echo6": "build/tests/echo6"})
    ip = " ip=".join((netns.STATIC_IP,) + MORE)
    with Guest("echo6", ip=ip, initrd=image) as guest:
        for to in ALL:
            with guest.connect_to(to) as s:
                greeting = f"{s.getsockname()[0]}\n"
                if ":" not in to:
                    greeting = "::ffff:" + greeting
                assert receive(s, len(greeting)).decode() == greeting
                s.sendall(b"hello")
                assert receive(s, 5) == b"hello"
                assert s.getpeername()[0] == to
            guest.is_refused(to)
        # From beyond its networks: by the gateway that ip= names.
        with guest.connect_to("2001:db8:1::2", FAR6) as s:
            assert receive(s, 14).decode() == FAR6 + "\n"


def test_one_address_with_a_prefix():
    """It is the first, not one more besides DHCP's."""
    with netns.TapGuest(ip="10.8.0.2/24") as guest:
        with guest.connect() as s:
            s.sendall(b"hello")
            assert receive(s, 5) == b"hello"


def test_what_is_wrong_is_said():
    with netns.TapGuest(ip=netns.STATIC_IP + " ip=2001:db8::1/48") as guest:
        guest.wait_console(r"ip=2001:db8::1/48: of IPv6 only prefixes of 64 "
                           r"bits are known")
