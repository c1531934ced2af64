"""A kernel made with DEBUG=1: each checker finds the mistake that is planted
for it, and says nothing without one."""
import re

import pytest

from tests.lib.guest import Guest, UserNetGuest

DEBUG_KERNEL = "build/debug/pollux.elf"
PANIC = 127

PLANTS = {
    "kasan-heap": "KASAN: write of 1 bytes .* behind an object",
    "kasan-copy": "KASAN: write of 8 bytes .* behind an object",
    "kasan-freed": "KASAN: write of 1 bytes .* an object that was freed",
    "kasan-twice": "KASAN: kmalloc-64 .* is freed twice",
    "kasan-page": "KASAN: write of 1 bytes .* a page that was freed",
    "kasan-stack": "KASAN: write of 1 bytes .* a variable on the stack",
    "kasan-global": "KASAN: write of 1 bytes .* behind a global",
    "ubsan-shift": r"UBSAN: a shift .* at boot/debug/plant.c:\d+",
    "ubsan-index": r"UBSAN: an index out of bounds at boot/debug/plant.c:\d+",
    "ubsan-overflow": r"UBSAN: a sum overflows at boot/debug/plant.c:\d+",
    "lock-order": "lock order: .* taken .* elsewhere it is the other way",
    "lock-interrupt": "lock context: .* interrupts, and with interrupts on",
    "lock-sleep": "lock context: sleeps while the lock of .* is held",
    "stack-depth": "stack depth: less than 2048 bytes of",
    "stack-guard": "stack overflow overwrote the guard of the frame of on_gu",
}


@pytest.mark.parametrize("plant", PLANTS)
def test_planted(plant):
    with Guest(kernel=DEBUG_KERNEL, append=f"plant={plant}") as guest:
        assert guest.wait_exit() == PANIC, guest.console
        assert re.search("^panic: " + PLANTS[plant], guest.console, re.M), \
            guest.console


def test_silent():
    with UserNetGuest(kernel=DEBUG_KERNEL) as guest:
        assert "panic" not in guest.console


def test_not_in_the_release():
    """Nothing of it is in the kernel that is shipped."""
    with open("build/pollux.stripped.elf", "rb") as f:
        text = f.read()
    for word in (b"KASAN", b"UBSAN", b"lock order", b"plant="):
        assert word not in text
