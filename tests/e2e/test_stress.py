"""Programs that try at random, on the kernel with its checkers, which must
stay silent: any report of theirs is a panic."""
import os
import re

import pytest

from tests.lib.guest import USER_IP, Guest, initramfs
from tools import qemu

DEBUG_KERNEL = "build/debug/pollux.elf"
# `make fuzz-syscalls` sets these.
TIME = int(os.environ.get("TIME") or 10)
SEED = os.environ.get("SEED") or "1"


def run(prog, *args, seconds):
    """Its exit code and the console."""
    image = initramfs({prog: f"build/tests/{prog}"})
    append = f"ip={USER_IP} init=/{prog} -- {' '.join(map(str, args))}"
    with Guest(kernel=DEBUG_KERNEL, append=append, initrd=image, mem="128",
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
