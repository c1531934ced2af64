"""What a start costs, on any machine: software emulation translates each
block of code when it first runs, and nothing else of a start takes as long.
So the blocks are counted, not the time."""
import contextlib
import socket

import pytest

from bench import measure
from tests.lib.guest import UserNetGuest
from tests.lib.qmp import Monitor

# About 5,500 and 7,550, on a busy machine 200 more.
MOST = {"microvm": 6000, "pc": 8100}


@pytest.mark.parametrize("machine", MOST)
def test_few_blocks_are_translated_until_the_first_echo(machine, tmp_path):
    monitor = Monitor(tmp_path)
    with UserNetGuest(machine=machine, more="loglevel=3",
                   extra=monitor.args()) as guest, \
            contextlib.closing(monitor):
        with socket.create_connection(("127.0.0.1", guest.port), 20) as s:
            s.settimeout(20)
            s.sendall(b"x")
            assert s.recv(1) == b"x"
            monitor.connect()
            assert measure.translated(monitor) <= MOST[machine]


def test_the_empty_kernel_starts():
    assert measure.empty_start("microvm") > 0
