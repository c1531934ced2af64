"""fs.file-max: ENFILE from every call that makes an open file, for those who
are not root. The limit is the machine's, so Linux is not tried beside it."""
import re

from tests.lib.guest import Guest, initramfs

CALLS = ("open socket socketpair pipe epoll_create eventfd timerfd signalfd "
         "memfd").split()


def test_enfile():
    image = initramfs({"enfile": "build/tests/enfile"})
    with Guest(append="init=/enfile", initrd=image) as guest:
        assert guest.wait_exit() == 0, guest.console
        console = guest.console
    nr = "/proc/sys/fs/file-nr"
    # The console, which is one file, two sockets, and the file that is read.
    assert f"file-max 4294967295\n{nr} 4\t0\t4294967295\n" in console
    assert f"{nr} 4\t0\t3\nroot works\nroot works\n" in console
    refused, again = console.split("room again\n")
    assert re.findall(r"(\w+) ENFILE", refused) == [*CALLS, "accept"]
    assert "dup works" in refused
    # The connection waited, and was not lost.
    assert "accept works\nopen works\n" in again
