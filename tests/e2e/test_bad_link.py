"""Linux as the peer over bad links: 20 MB each way, every byte right."""
import os
import time

import pytest

from tests.e2e.test_echo import MB, echo_through
from tests.lib import netns
from tests.lib.badlink import BadLinkGuest

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))


@pytest.mark.limit(300)
@pytest.mark.parametrize("link", [
    {"delay": 1},
    {"loss": 0.1, "delay": 5},
    {"loss": 1, "delay": 1},
    {"delay": 2, "jitter": 1, "reorder": 2, "duplicate": 1, "loss": 0.1},
    {"delay": 2, "rate": 100, "queue": 100},
], ids=lambda link: " ".join(f"{k}={v}" for k, v in link.items()))
def test_20_megabytes_each_way(link):
    with BadLinkGuest(**link) as guest, guest.connect(60) as s:
        start = time.monotonic()
        sent, got = echo_through(s, os.urandom(MB), 20)
        print(f"{20 / (time.monotonic() - start):.2f} MB/s each way")
        assert sent == got


@pytest.mark.limit(240)
def test_one_packet_in_twenty_is_lost():
    with BadLinkGuest(delay=1, loss=5) as guest, guest.connect(100) as s:
        sent, got = echo_through(s, os.urandom(MB), 2)
        assert sent == got
