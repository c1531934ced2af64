"""The power button ends the program as SIGTERM does, on every machine, and
what it sent before it ended arrives."""
import socket
import tempfile
import time

import pytest

from tests.lib.guest import UserNetGuest, initramfs
from tests.lib.qmp import Monitor
from tools import qemu

LAST = 300 * 1024
SIGTERM = 15


@pytest.fixture(name="monitor")
def fixture_monitor():
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor(folder)
        yield monitor
        monitor.close()


def powerdown(monitor):
    monitor.connect()
    monitor.ask("system_powerdown")


def receive_all(s):
    data = b""
    while part := s.recv(65536):
        data += part
    return data


@pytest.mark.parametrize("machine", qemu.MACHINES)
def test_clean_end(machine, monitor):
    """The handler's last words, then FIN, then the program's own status."""
    image = initramfs({"term": "build/tests/term"})
    with UserNetGuest("term", machine=machine, initrd=image,
                      extra=monitor.args()) as guest:
        with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            assert s.recv(5) == b"hello"
            powerdown(monitor)
            time.sleep(0.3)     # a slow reader: the program has ended
            assert receive_all(s) == b"x" * LAST
        assert guest.wait_exit() == 7


@pytest.mark.parametrize("machine", qemu.MACHINES)
def test_without_a_handler(machine, monitor):
    """Ended by the signal; its connections end in order all the same."""
    with UserNetGuest(machine=machine, extra=monitor.args()) as guest:
        with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            s.sendall(b"hi")
            assert s.recv(10) == b"hi"
            powerdown(monitor)
            assert receive_all(s) == b""
        assert guest.wait_exit() == (128 + SIGTERM) & 0x7f


def test_a_peer_that_is_gone_is_not_waited_for_long(monitor):
    """It reads nothing, so that the last words never fit: two seconds."""
    image = initramfs({"term": "build/tests/term"})
    with UserNetGuest("term", initrd=image, extra=monitor.args()) as guest:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(("127.0.0.1", guest.port))
            assert s.recv(5) == b"hello"
            powerdown(monitor)
            start = time.monotonic()
            assert guest.wait_exit() == 7
            assert time.monotonic() - start < 8
