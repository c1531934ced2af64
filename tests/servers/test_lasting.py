"""redis-server on files that last: a folder of this machine and a disk."""
import contextlib
import os
import random
import re
import subprocess
import threading
import time

import pytest

from tests.lib.disk import assert_clean, fsck, make_image
from tests.lib.guest import until
from tests.servers.server import Server, client

PING = b"PING\r\n"
LIVES = int(os.environ.get("TIMES", "3"))


def cli(server, *args):
    return client("redis-cli", "-p", server.port, *args).strip()


@contextlib.contextmanager
def redis(where, machine="pc"):
    with Server("redis-server", "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--dir", "/data", port=6379,
                probe=PING,
                options=("-m", "48M", "-M", machine, *where)) as server:
        # While it reads its file it answers, but not to everything.
        while cli(server, "ping") != "PONG":
            time.sleep(0.05)
        yield server


class Writer(threading.Thread):
    """INCRs until the guest is gone; .acked: the last answer."""

    def __init__(self, server, acked):
        super().__init__()
        self.server, self.acked = server, acked

    def run(self):
        try:
            with self.server.connect() as s:
                while True:
                    s.sendall(b"INCR n\r\n")
                    got = s.recv(100)
                    if not got:
                        return
                    self.acked = int(got[1:])
        except OSError:
            pass


def qemu_of(server):
    """The process that is the machine: it is killed, not asked."""
    out = subprocess.run(["pgrep", "-P", str(server.process.pid)],
                         capture_output=True, text=True, check=True).stdout
    return int(out.split()[0])


@pytest.mark.limit(180 + 5 * LIVES)
@pytest.mark.parametrize("kind", ["volume", "disk"])
def test_no_acknowledged_write_is_lost(kind, tmp_path):
    if kind == "disk":
        where = ("--disk", make_image(tmp_path / "image", "64M") + ":/data")
    else:
        (tmp_path / "share").mkdir()
        where = ("-v", f"{tmp_path}/share:/data")
    rnd = random.Random(4)
    acked = 0
    for _ in range(LIVES):
        with redis(where) as server:
            have = int(cli(server, "get", "n") or 0)
            assert have >= acked
            writer = Writer(server, have)
            writer.start()
            until(lambda: writer.acked > have)
            time.sleep(rnd.uniform(0, 0.5))
            subprocess.run(["kill", "-9", str(qemu_of(server))], check=True)
            writer.join(20)
            acked = writer.acked
    if kind == "disk":
        assert fsck(tmp_path / "image", "-p")[0] in (0, 1)
        assert_clean(tmp_path / "image")
    with redis(where, "microvm") as server:
        assert int(cli(server, "get", "n")) >= acked


def test_a_clean_end_leaves_a_clean_disk(tmp_path):
    image = make_image(tmp_path / "image", "64M")
    with redis(("--disk", f"{image}:/data")) as server:
        assert cli(server, "set", "key", "value") == "OK"
        assert cli(server, "save") == "OK"
        server.process.terminate()
        assert server.process.wait(20) == 0
    assert_clean(image)
    listing = subprocess.run(["debugfs", "-R", "ls -l /", image],
                             capture_output=True, text=True).stdout
    assert re.search(r"dump\.rdb", listing), listing


def test_stop_writes_what_was_not_synced(tmp_path):
    """`pollux stop`: what the program wrote without fsync is on the disk."""
    image = make_image(tmp_path / "image", "8M")
    with Server("build/tests/disk", "/data", "wait", port=1,
                ready="write 10", options=("--disk", f"{image}:/data",
                                           "--name", "to-stop")) as server:
        done = subprocess.run(["tools/pollux", "stop", "to-stop"], text=True,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 0, done.stderr
        assert server.process.wait(30) & 0x7f == 15
    assert_clean(image)
    assert subprocess.run(["debugfs", "-R", "cat left", image],
                          capture_output=True).stdout == b"not synced"


@pytest.mark.parametrize("options, says", [
    (("-v", "/no/such:/data"), "no such folder"),
    (("-v", "/tmp"), "say HERE:/THERE"),
    (("--disk", "/no/such.img:/data"), "mke2fs -t ext4")])
def test_wrong_flags(options, says):
    done = subprocess.run(
        ["tools/pollux", "run", *options, "/bin/true"], capture_output=True,
        text=True, timeout=30)
    assert done.returncode == 125
    assert says in done.stderr


def test_memory_is_taken_back(tmp_path):
    with Server("redis-server", "--save", "", port=6379, probe=PING,
                options=("-m", "128M", "--balloon", "--name",
                         "ballooned")) as server:
        def memory(*size):
            return subprocess.run(
                ["tools/pollux", "memory", "ballooned", *size],
                capture_output=True, text=True, check=True).stdout
        assert memory() == "128 MiB\n"
        assert memory("80M") == "80 MiB\n"
        assert cli(server, "set", "key", "value") == "OK"
        assert memory("128M") == "128 MiB\n"
