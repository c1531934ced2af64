"""What a user gets wrong: the message that helps, and an exit code that says
so. The programs and the kernel speak here; what `pollux` itself refuses is in
test_pollux.py and test_lasting.py."""
import re
import struct

import pytest

from tests.lib.disk import assert_clean, make_image
from tests.lib.guest import Guest, initramfs
from tests.servers.command import pollux
from tests.servers.server import ROOT, Server, client, find

ENDS = 90		# seconds for a start that fails; none takes one


def run(*args):
    return pollux("run", "--root", ROOT, *args, seconds=ENDS)


@pytest.mark.limit(ENDS + 10)
@pytest.mark.parametrize("program, args, text, says, code", [
    ("redis-server", ("/etc/x.conf",), "prot 6379\n",
     r"FATAL CONFIG FILE ERROR(.|\n)*>>> 'prot 6379'", 1),
    ("nginx", ("-c", "/etc/x.conf"), "events { worker_connection 5; }\n",
     'unknown directive "worker_connection" in /etc/x.conf:1', 1),
    ("haproxy", ("-f", "/etc/x.conf"), "frontend f\n\tbnd :80\n",
     r"x.conf:2\] : unknown keyword 'bnd'", 1),
    ("lighttpd", ("-f", "/etc/x.conf"), "server.port = 80\n",
     "server.document-root is not set", 255)])
def test_wrong_config_line(program, args, text, says, code, tmp_path):
    find(program)
    (tmp_path / "x.conf").write_text(text)
    got, out = run("-f", f"{tmp_path}/x.conf:/etc/x.conf", program, *args)
    assert re.search(says, out), out
    assert got == code, out


def test_wrong_flag():
    got, out = run("memcached", "--no-such-flag")
    assert "unrecognized option '--no-such-flag'" in out and got == 1, out


def test_library_not_in_the_image():
    """An archive that pollux did not pack: ld.so speaks, as on Linux."""
    files = {"prog": "/bin/ls", "lib64/ld-linux-x86-64.so.2":
             "/lib64/ld-linux-x86-64.so.2"}
    with Guest("init=/prog", initrd=initramfs(files)) as guest:
        guest.wait_console("error while loading shared libraries: "
                           r"libselinux\.so\.1: cannot open shared object")
        assert guest.wait_exit() == 127


def test_interpreter_not_in_the_image():
    with Guest("init=/prog", initrd=initramfs({"prog": "/bin/ls"})) as guest:
        guest.wait_console("ld-linux-x86-64.so.2")
        assert guest.wait_exit() == 127


@pytest.mark.parametrize("at, what", [(1024 + 56, b"\0\0"),
                                      (1024 + 4, struct.pack("<I", 1 << 31))])
def test_corrupt_disk(at, what, tmp_path):
    """No magic number; more blocks than there are."""
    image = make_image(tmp_path / "image", "8M")
    with open(image, "r+b") as f:
        f.seek(at)
        f.write(what)
    got, out = run("--disk", f"{image}:/data", "/bin/true")
    assert got == 127, out
    assert "no ext2 or ext4 that can be used; e2fsck may mend it" in out, out


@pytest.mark.limit(ENDS + 30)
def test_full_disk(tmp_path):
    """With fsync always redis ends, and says why; the disk stays clean."""
    image = make_image(tmp_path / "image", "4M")
    find("redis-server")
    with Server("redis-server", "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--dir", "/data", port=6379,
                ready="Ready to accept", options=(
                    "--disk", f"{image}:/data")) as server:
        client("redis-benchmark", "-p", server.port, "-n", 100, "-r", 1000,
               "-c", 1, "-d", 60000, "set", "key:__rand_int__",
               "x" * 60000, seconds=ENDS, ok=(0, 1))
        server.wait_console("Short write while writing to the AOF file")
        assert server.process.wait(ENDS) == 1, server.console
    assert_clean(image)
