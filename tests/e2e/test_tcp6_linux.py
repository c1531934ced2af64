"""TCP over IPv6 with Linux as the peer, over a TAP with all offloads."""
import os
import time

import pytest

from tests.e2e.test_echo import echo_through, receive
from tests.lib import netns
from tests.lib.guest import initramfs

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))
MB = 1 << 20


def connect(guest):
    """Both sides need a second to see that nobody else has their address."""
    end = time.monotonic() + 10
    while True:
        try:
            return guest.connect6()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.limit(180)
def test_bulk_both_ways():
    image = initramfs({"echo6": "build/tests/echo6"})
    with netns.TapGuest("echo6", initrd=image) as guest:
        with connect(guest) as s:
            assert receive(s, len(s.getsockname()[0]) + 1).decode().startswith(
                "fe80::")
            sent, got = echo_through(s, os.urandom(MB), 16)
            assert sent == got
        for size, packets in guest.traffic():
            assert size > 16 * MB
            assert size / packets > 3000, guest.traffic()
        with guest.connect() as s:
            assert receive(s, 16) == b"::ffff:10.8.0.1\n"
            s.sendall(b"and IPv4")
            assert receive(s, 8) == b"and IPv4"
