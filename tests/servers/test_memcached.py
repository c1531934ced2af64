"""memcached, with its threads: the text and the binary protocol."""
import re
import struct

import pytest

from tests.servers.command import pollux
from tests.servers.server import Server


@pytest.fixture(scope="module")
def memcached():
    with Server("memcached", "-U", "0", "-t", "4", port=11211,
                probe=b"version\r\n") as server:
        yield server


def ask(sock, request, end):
    sock.sendall(request)
    data = b""
    while not data.endswith(end):
        more = sock.recv(65536)
        assert more, data
        data += more
    return data


def test_text_protocol(memcached):
    with memcached.connect() as s:
        assert ask(s, b"set k 5 0 5\r\nhello\r\n", b"\r\n") == b"STORED\r\n"
        assert ask(s, b"get k\r\n", b"END\r\n") == \
            b"VALUE k 5 5\r\nhello\r\nEND\r\n"
        assert ask(s, b"add k 0 0 1\r\nx\r\n", b"\r\n") == b"NOT_STORED\r\n"
        assert ask(s, b"append k 0 0 1\r\n!\r\n", b"\r\n") == b"STORED\r\n"
        assert b"hello!" in ask(s, b"gets k\r\n", b"END\r\n")
        assert ask(s, b"set n 0 0 2\r\n41\r\n", b"\r\n") == b"STORED\r\n"
        assert ask(s, b"incr n 1\r\n", b"\r\n") == b"42\r\n"
        assert ask(s, b"delete n\r\n", b"\r\n") == b"DELETED\r\n"
        assert ask(s, b"nonsense\r\n", b"\r\n") == b"ERROR\r\n"
        stats = ask(s, b"stats\r\n", b"END\r\n")
        assert b"STAT threads 4\r\n" in stats
        big = b"b" * 900_000
        assert ask(s, b"set big 0 0 900000\r\n" + big + b"\r\n",
                   b"\r\n") == b"STORED\r\n"
        assert big in ask(s, b"get big\r\n", b"END\r\n")


def test_binary_protocol(memcached):
    head = struct.Struct(">BBHBBHIIQ")
    with memcached.connect() as s:
        s.sendall(head.pack(0x80, 1, 1, 8, 0, 0, 8 + 1 + 3, 7, 0) +
                  bytes(8) + b"bval")
        answer = head.unpack(s.recv(24))
        assert answer[0] == 0x81 and answer[5] == 0 and answer[7] == 7
        s.sendall(head.pack(0x80, 0, 1, 0, 0, 0, 1, 8, 0) + b"b")
        assert s.recv(100).endswith(b"val")


def test_threads_have_names():
    """As pthread_setname_np() of this program's threads says; /proc shows
    them, as on Linux, where the debian package names them so."""
    with Server("memcached", "-U", "0", "-t", "4", port=11211,
                probe=b"version\r\n", options=("--name", "named")):
        out = pollux("gdb", "named", "-batch", "-ex", "px-tasks")[1]
        assert len(re.findall(r"\bmc-worker\b", out)) == 4, out


def test_connections_on_all_threads(memcached):
    socks = [memcached.connect() for _ in range(40)]
    for i, s in enumerate(socks):
        s.sendall(b"set key%d 0 0 3\r\n%03d\r\n" % (i, i))
    for s in socks:
        assert s.recv(100) == b"STORED\r\n"
    for i, s in enumerate(socks):
        assert b"%03d" % i in ask(s, b"get key%d\r\n" % i, b"END\r\n")
        s.close()
