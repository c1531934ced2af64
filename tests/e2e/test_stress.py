"""Programs that try at random; on the kernel with its checkers, which must
stay silent: any report of theirs is a panic."""
import os
import re

import pytest

from tests.lib import patched
from tests.lib.guest import USER_IP, Guest, initramfs
from tools import qemu

KERNEL = "build/pollux.elf"
DEBUG_KERNEL = "build/debug/pollux.elf"
# `make fuzz-syscalls` and `make stress-epoll` set these.
TIME = int(os.environ.get("TIME") or 10)
OPS = int(os.environ.get("OPS") or 20000)
SEED = os.environ.get("SEED") or "1"


def run(prog, *args, seconds, kernel=DEBUG_KERNEL):
    """Its exit code and the console."""
    image = initramfs({prog: f"build/tests/{prog}"})
    append = f"ip={USER_IP} init=/{prog} -- {' '.join(map(str, args))}"
    with Guest(kernel=kernel, append=append, initrd=image, mem="128",
               net=qemu.user_net("pc", 0, 7777)) as guest:
        return guest.wait_exit(seconds), guest.console


@pytest.mark.limit(TIME * 3 + 240)
def test_calls():
    """Random calls: nobody is stuck, and no object is left behind."""
    code, console = run("calls", TIME, SEED, seconds=TIME * 3 + 200)
    assert code == 0, console[-4000:]
    done = re.search(r"calls: (\d+) calls, 0 leaks", console)
    print(done[0])
    assert int(done[1]) > 1000


@pytest.mark.parametrize("kernel", [KERNEL, DEBUG_KERNEL])
@pytest.mark.limit(OPS // 500 + 260)
def test_epolls(kernel):
    """Changes of what is watched while others wait: no wakeup is lost."""
    code, console = run("epolls", OPS, SEED, seconds=OPS // 500 + 200,
                        kernel=kernel)
    assert code == 0, console[-4000:]
    done = re.search(r"epolls: (\d+) operations.* no wakeup lost", console)
    print(done[0])
    assert int(done[1]) >= OPS


def test_epolls_finds_what_is_lost():
    """The same program finds an event that is dropped on purpose."""
    code, console = run("epolls", 20000, SEED, "drop", seconds=50)
    assert code == 1 and "a lost wakeup" in console, console[-4000:]


@pytest.mark.limit(patched.LIMIT_SECONDS)
def test_epolls_finds_the_patch():
    """It finds the wakeup that the patch of docs/debugging.md loses."""
    kernel = patched.kernel("tests/patches/lost-wakeup.patch")
    code, console = run("epolls", 20000, SEED, seconds=100, kernel=kernel)
    assert code == 1 and "a lost wakeup" in console, console[-4000:]
