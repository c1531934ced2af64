"""Over a TAP, where the card offers all its offloads: checksums left to the
device both ways, segments of 64 KB in and out, buffers that are merged.
"""
import os

import pytest

from tests.e2e.test_echo import echo_through, receive
from tests.lib import netns

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))
MB = 1 << 20


def check(guest, megabytes):
    with guest.connect() as s:
        s.sendall(b"one")
        assert receive(s, 3) == b"one"
    with guest.connect(60) as s:
        sent, got = echo_through(s, os.urandom(MB), megabytes)
        assert sent == got


@pytest.mark.limit(240)
@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_large_segments_both_ways(machine):
    """Far fewer packets than there are MTUs in what was sent."""
    with netns.TapGuest(machine=machine) as guest:
        check(guest, 32)
        for size, packets in guest.traffic():
            assert size > 32 * MB
            assert size / packets > 3000, guest.traffic()


@pytest.mark.parametrize("features", [
    "csum=off,gso=off,host_tso4=off,host_tso6=off,host_ufo=off",
    "guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off",
    "mrg_rxbuf=off",
    "mrg_rxbuf=off,guest_tso4=off,guest_tso6=off,guest_ufo=off",
    "event_idx=off",
    "indirect_desc=off",
    "ctrl_vq=off,ctrl_rx=off,ctrl_vlan=off,ctrl_rx_extra=off,"
    "ctrl_mac_addr=off,ctrl_guest_offloads=off,mq=off",
    "vectors=0",
    "tx_queue_size=256,rx_queue_size=1024",
])
def test_without_a_feature(features):
    """What the card does not offer is done without."""
    with netns.TapGuest(features="," + features) as guest:
        check(guest, 2)


def test_200_connections():
    with netns.TapGuest() as guest:
        clients = [guest.connect() for _ in range(200)]
        for n, s in enumerate(clients):
            s.sendall(b"%d" % n)
        for n, s in enumerate(clients):
            assert receive(s, len(str(n))) == b"%d" % n
            s.close()
