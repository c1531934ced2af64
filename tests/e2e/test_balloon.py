"""virtio-balloon: the guest's memory goes back to the host, and comes."""
import socket
import tempfile

import pytest

from tests.lib.disk import DiskGuest
from tests.lib.guest import until
from tests.lib.qmp import Monitor

MIB = 1 << 20


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * 4096


def balloon(machine, flags):
    bus = "device" if machine == "microvm" else "pci"
    return ["-device", f"virtio-balloon-{bus},{flags}"]


def take(s, mib):
    """The program on @s gets so much memory, and touches it."""
    s.sendall(bytes([mib]))
    return s.recv(1)[0]


@pytest.mark.parametrize("flags", ["", ",free-page-hint=on,iothread=t0"])
@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_free_memory_goes_back_unasked(machine, flags):
    """Free-page reporting."""
    extra = ["-object", "iothread,id=t0",
             *balloon(machine, "free-page-reporting=on" + flags)]
    with DiskGuest("memory", None, extra, "", machine, mem="192") as guest, \
            socket.create_connection(("127.0.0.1", guest.port)) as s:
        s.settimeout(30)
        pid = guest.process.pid
        for _ in range(2):
            assert take(s, 120) == 1
            full = resident(pid)
            assert take(s, 0) == 1
            until(lambda: resident(pid) < full - 100 * MIB)


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_memory_goes_back_and_comes(machine):
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor(folder)
        extra = [*balloon(machine, "deflate-on-oom=on"), *monitor.args()]
        with DiskGuest("memory", None, extra, "", machine,
                       mem="192") as guest, \
                socket.create_connection(("127.0.0.1", guest.port)) as s:
            s.settimeout(30)

            def actual():
                return monitor.ask("query-balloon")["actual"]

            monitor.connect()
            pid = guest.process.pid
            assert take(s, 120) == 1
            full = resident(pid)
            assert take(s, 0) == 1
            # What the guest has freed the host still has.
            assert resident(pid) > full - 10 * MIB
            monitor.ask("balloon", value=64 * MIB)
            until(lambda: actual() < 80 * MIB)
            until(lambda: resident(pid) < full - 80 * MIB)
            # The program wants more than is left: the balloon gives way.
            until(lambda: take(s, 120) == 1)
            assert actual() > 120 * MIB or resident(pid) > full - 40 * MIB
            assert take(s, 0) == 1
            monitor.ask("balloon", value=192 * MIB)
            until(lambda: actual() == 192 * MIB)
