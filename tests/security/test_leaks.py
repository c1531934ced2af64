"""No kernel memory leaks to the program: on a kernel whose fresh memory and
stack are full of a pattern (fill=1 of DEBUG=1), whatever calls give back is
searched for it."""
import os
import re

import pytest

from tests.lib.guest import Guest, initramfs

DEBUG_KERNEL = "build/debug/pollux.elf"
# There is none, or not of that kind; the others must show what they give.
MAY_FAIL = {"so_meminfo", "tcp_info", "tcp_congestion", "recvmsg_error",
            "winsize", "tcgets"}


def run(append):
    image = initramfs({"leaks": "build/tests/leaks"})
    try:
        with Guest(append=f"init=/leaks {append}", initrd=image, mem="128",
                   kernel=DEBUG_KERNEL) as guest:
            assert guest.wait_exit(100) == 0, guest.console
            return re.findall(r"^(\S+) (clean|leaks at \d+|fails: .*)$",
                              guest.console, re.M)
    finally:
        os.remove(image)


@pytest.mark.limit(150)
def test_nothing_that_nobody_has_written():
    found = run("fill=1")
    assert len(found) > 75, found
    assert not [f for f in found if f[1].startswith("leaks")], found
    assert {name for name, what in found if what.startswith("fails")} <= \
        MAY_FAIL, found
