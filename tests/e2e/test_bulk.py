"""Bulk data in all ways that a program can send it: every byte is right, and
MSG_ZEROCOPY is told of each call, without a copy."""
import socket

import pytest

from tests.lib.guest import UserNetGuest, initramfs

MB = 1 << 20
HOLE = 65536
PATTERN = bytes((i * 7 + (i >> 8)) & 0xff for i in range(MB))
MBS = 4


@pytest.fixture(scope="module", name="guest")
def bulk_guest():
    files = {"bulk": "build/tests/bulk", "pattern": PATTERN}
    with UserNetGuest("bulk", initrd=initramfs(files), mem="64") as guest:
        yield guest


@pytest.mark.parametrize("way", "wtahz")
def test_every_byte(guest, way):
    want = bytes(HOLE) + PATTERN[HOLE:] if way == "h" else PATTERN
    with socket.create_connection(("127.0.0.1", guest.port), 30) as s:
        s.sendall(f"{way} {MBS}\n".encode())
        for _ in range(MBS):
            got = bytearray()
            while len(got) < MB:
                part = s.recv(MB - len(got))
                assert part, guest.console[-500:]
                got += part
            assert got == want
        assert s.recv(1) == b""
    guest.wait_console(f"bulk: {way} {MBS}: done, 0 copied")
