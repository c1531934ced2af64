"""Peers who fill every queue of a small machine do not bring it down."""
import threading
import time

import pytest

from tests.lib import netns

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))
FLOOD_SECONDS = 4
PEERS = 100


def flood(s, end):
    """Sends without ever reading what comes back."""
    s.setblocking(False)
    while time.monotonic() < end:
        try:
            s.send(b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            return


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_flood_in_6_megabytes(machine):
    with netns.TapGuest(machine=machine, mem="6M") as guest:
        end = time.monotonic() + FLOOD_SECONDS
        peers = [guest.connect() for _ in range(PEERS)]
        threads = [threading.Thread(target=flood, args=(s, end))
                   for s in peers]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for s in peers:
            s.close()
        with guest.connect() as s:
            s.sendall(b"after the flood")
            assert s.recv(100) == b"after the flood"
        assert "out of memory" not in guest.console
