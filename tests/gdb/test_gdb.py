"""gdb on the guest: the road of a packet as a backtrace."""
import socket
import subprocess
import tempfile

import pytest

from tests.lib.guest import UserNetGuest, free_port


def test_backtrace_of_a_packet():
    """A segment for an established connection, stopped in
    ep_poll_callback, shows the way it came."""
    with tempfile.TemporaryDirectory() as folder:
        sock = f"{folder}/gdb"
        with UserNetGuest(
                extra=["-gdb", f"unix:{sock},server=on,wait=off"]) as guest, \
             socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            s.sendall(b"established")
            assert s.recv(100) == b"established"
            with subprocess.Popen(
                    ["gdb", "-q", "-nx", "-batch", "build/pollux.elf",
                     "-ex", f"target remote {sock}",
                     "-ex", "source tools/gdb/load.py",
                     "-ex", "break ep_poll_callback",
                     "-ex", "echo waiting\\n",
                     "-ex", "continue",
                     "-ex", "bt",
                     "-ex", "delete",
                     "-ex", "detach"], text=True, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as gdb:
                for line in gdb.stdout:
                    if "waiting" in line:
                        break
                s.sendall(b"stop here")
                trace = gdb.communicate(timeout=40)[0]
            assert s.recv(100) == b"stop here"
    frames = trace[trace.find("#0 "):]
    at = [frames.find(name) for name in
          ("ep_poll_callback", "sock_def_readable", "tcp_rcv_established",
           "tcp_v4_rcv", "virtnet_poll", "net_rx_action")]
    assert -1 not in at and at == sorted(at), trace


def test_make_gdb_stops_in_start_kernel():
    done = subprocess.run(
        ["tools/gdb-guest", "tools/qemu.py", "--port", str(free_port())],
        input="backtrace\ninfo registers rip\nkill\nquit\n", text=True,
        timeout=50, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False)
    assert "start_kernel (" in done.stdout, done.stdout
    assert "rip" in done.stdout and "<start_kernel" in done.stdout


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_card_that_lies_is_restarted(machine):
    """gdb plays a card that uses a buffer nobody gave it. The driver stops the
    card and starts it again; the connection outlives that."""
    with tempfile.TemporaryDirectory() as folder:
        sock = f"{folder}/gdb"
        with UserNetGuest(machine=machine, extra=[
                "-gdb", f"unix:{sock},server=on,wait=off"]) as guest, \
             socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            s.sendall(b"before")
            assert s.recv(100) == b"before"
            with subprocess.Popen(
                    ["gdb", "-q", "-nx", "-batch", "build/pollux.elf",
                     "-ex", f"target remote {sock}",
                     "-ex", "source tools/gdb/load.py",
                     "-ex", "break *virtnet_poll",
                     "-ex", "echo waiting\\n",
                     "-ex", "continue",
                     "-ex", "set $vi = (struct virtnet *)($rdi - "
                            "(long)&((struct virtnet *)0)->napi)",
                     "-ex", "set var $vi->rx.used->ring[$vi->rx.last_used & "
                            "$vi->rx.mask].id = 60000",
                     "-ex", "delete",
                     "-ex", "detach"], text=True, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as gdb:
                try:
                    for line in gdb.stdout:
                        if "waiting" in line:
                            break
                    s.sendall(b"lost, and sent again")
                    gdb.communicate(timeout=40)
                finally:
                    gdb.kill()
            guest.wait_console("breaks the rules")
            guest.wait_console("starts again in 100 ms")
            s.settimeout(20)
            assert s.recv(100) == b"lost, and sent again"
