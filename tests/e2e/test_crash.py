"""Crashes: what was acknowledged after fsync is there, whatever happens.

The first two tests kill QEMU at random times, as often as TIMES says
(make test-crash TIMES=200). The third keeps a log of all that the guest
writes to its disk, and when it flushes, and then cuts the power at many
points of it: what was not flushed is lost in part.
"""
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from tests.lib.disk import DiskGuest, disk, fsck, make_image, share
from tests.lib.guest import until

TIMES = int(os.environ.get("TIMES", "5"))
CUTS = int(os.environ.get("CUTS", "30"))
pytestmark = pytest.mark.limit(180 + 4 * TIMES + CUTS)


def found(guest):
    """How many records the program found when it started."""
    text = guest.wait_console(r"records: (\d+) are there")
    assert "is wrong" not in guest.console, guest.console
    return int(text[1])


class Client(threading.Thread):
    """Asks for records until the guest is gone; .acked: the last it got."""

    def __init__(self, port, note=None):
        super().__init__()
        self.port, self.note, self.acked = port, note, -1
        self.stop = False

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as s:
                while not self.stop:
                    s.sendall(b"r")
                    got = s.recv(4)
                    if len(got) < 4:
                        return
                    self.acked = struct.unpack("<I", got)[0]
                    if self.note:
                        self.note(self.acked)
                s.sendall(b"q")
        except OSError:
            pass


def live_and_die(guest, acked, seconds):
    """One life of the guest: what it finds, and what it acknowledges."""
    have = found(guest)
    assert have >= acked + 1, guest.console
    client = Client(guest.port)
    client.start()
    time.sleep(seconds)
    guest.process.kill()
    client.join(20)
    return max(client.acked, acked, have - 1)


def check_image(image, acked):
    """The host's tools, on a copy as the crash has left it."""
    copy = f"{image}.copy"
    shutil.copyfile(image, copy)
    code, text = fsck(copy, "-p")
    assert code in (0, 1), text
    code, text = fsck(copy)
    assert code == 0, text
    assert records_in(copy) >= acked + 1
    return copy


def records_in(image):
    """How many whole records debugfs finds, in order."""
    nr = 0
    while True:
        text = subprocess.run(
            ["debugfs", "-R", f"cat records-{nr // 40}", image],
            capture_output=True).stdout
        for line in text.split(b"\n")[:-1]:
            assert line.startswith(b"%d " % nr), (nr, line)
            nr += 1
        if not text or nr % 40:
            return nr


def test_kill_on_a_disk(tmp_path):
    image = make_image(tmp_path / "image")
    rnd = random.Random(1)
    acked = -1
    for n in range(TIMES):
        with DiskGuest("records", "ext:vda:/data", disk("pc", image)) as g:
            acked = live_and_die(g, acked, rnd.uniform(0.02, 0.7))
        copy = check_image(image, acked)
        # What goes on: every other time with the journal that we replay.
        if n % 2:
            os.replace(copy, image)
    assert acked > TIMES / 4


def test_kill_on_a_share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    rnd = random.Random(2)
    acked = -1
    for _ in range(TIMES):
        with DiskGuest("records", "9p:data:/data", share("pc", folder)) as g:
            acked = live_and_die(g, acked, rnd.uniform(0.02, 0.7))
        checked = subprocess.run(
            ["build/tests/records", folder], capture_output=True, text=True,
            env={"CHECK": "1"}).stdout
        assert "is wrong" not in checked
        assert int(re.search(r"(\d+) are there", checked)[1]) > acked
    assert acked > TIMES / 4


# --- cutting the power ---

FLUSH = 1


def read_log(path):
    """QEMU's blklogwrites: (end in the log, flags, byte, data) of each."""
    with open(path, "rb") as f:
        log = f.read()
    sector_size = struct.unpack_from("<I", log, 24)[0]
    at, entries = sector_size, []
    while at + 32 <= len(log):
        sector, nr, flags, size = struct.unpack_from("<QQQQ", log, at)
        if not (nr or flags):
            break
        at += sector_size
        data = log[at:at + nr * sector_size]
        at += nr * sector_size
        entries.append((at, flags, sector * sector_size, data))
    return entries


def cut(image, entries, nr, rnd):
    """The disk when the power went after entry @nr: what came since the last
    flush is there in part, sector by sector."""
    last = max((i for i in range(nr) if entries[i][1] & FLUSH), default=-1)
    with open(image, "r+b") as f:
        for i in range(nr):
            _, _, pos, data = entries[i]
            for off in range(0, len(data), 4096):
                if i > last and rnd.random() < 0.5:
                    continue
                f.seek(pos + off)
                f.write(data[off:off + 4096])


@pytest.mark.parametrize("options", [(), ("-b", "1024")])
def test_power_cut(tmp_path, options):
    image = make_image(tmp_path / "image", "16M", "ext4", *options)
    before = shutil.copyfile(image, tmp_path / "before")
    log = tmp_path / "log"
    log.write_bytes(b"")
    acks = []
    drive = ["-blockdev", f"driver=file,node-name=f0,filename={image}",
             "-blockdev", f"driver=file,node-name=l0,filename={log}",
             "-blockdev", "driver=blklogwrites,node-name=d0,file=f0,log=l0"]
    with DiskGuest("records", "ext:vda:/data", disk("pc", drive)) as g:
        client = Client(g.port, lambda n: acks.append(
            (os.path.getsize(log), n)))
        client.start()
        time.sleep(1.5)
        until(lambda: len(acks) > 20)
        client.stop = True
        client.join(20)
        assert g.wait_exit() == 0
    entries = read_log(log)
    assert len(entries) > 100
    rnd = random.Random(3)
    copy = str(tmp_path / "copy")
    for _ in range(CUTS):
        nr = rnd.randrange(1, len(entries) + 1)
        shutil.copyfile(before, copy)
        cut(copy, entries, nr, rnd)
        acked = max((n for end, n in acks if end <= entries[nr - 1][0]),
                    default=-1)
        check_image(copy, acked)
