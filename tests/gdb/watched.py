"""A guest whose memory is shared, and the page of tools/watch on it."""
import contextlib
import socket
import tempfile
import threading

from tests.lib.guest import UserNetGuest
from tests.lib.qmp import Monitor
from tools import qemu
from tools.watch import guest as watch_guest
from tools.watch import server

ELF = "build/pollux.elf"


def connect(port):
    """A connection that has echoed: only then the next one is made, QEMU's
    network takes one at a time."""
    s = socket.create_connection(("127.0.0.1", port), 10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    echo(s, b"x")
    return s


def echo(s, data):
    s.sendall(data)
    assert s.recv(len(data)) == data


@contextlib.contextmanager
def page_server(ram):
    """The address of the page."""
    with server.Server(0, watch_guest.Finder(ram, ELF)) as page:
        thread = threading.Thread(target=page.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{page.server_port}/"
        page.shutdown()


@contextlib.contextmanager
def shared_guest(folder, note=True, **how):
    """(guest, where its memory is, its monitor, not connected)."""
    ram = f"{folder}/ram"
    monitor = Monitor(folder)
    extra = [*monitor.args(), *qemu.shared_memory(ram, 64)]
    with UserNetGuest(more="trace=all", extra=extra, **how) as guest:
        if note:
            tell(ram, guest, monitor)
        yield guest, ram, monitor


def tell(ram, guest, monitor):
    qemu.note_guest(ram, guest.process.pid, qmp=monitor.path,
                    port=guest.port, kernel=ELF, machine="pc")


def folder():
    return tempfile.TemporaryDirectory(dir="build/tests")
