"""What every boot draws anew: where the kernel, the program, its stack, heap
and mappings are, the stack guards, the random numbers. BOOTS=100 (make
test-boots) also looks whether the places are spread evenly.
"""
import math
import os
import re
import tempfile

import pytest

from tests.lib.guest import Guest, initramfs
from tests.lib.qmp import Monitor

BOOTS = int(os.environ.get("BOOTS", "8"))
ELF = "build/pollux.elf"
VMALLOC = 0xffffc00000000000
# What is drawn: (how many bits, the unit).
DRAWN = {"kernel": (18, 12), "direct map": (16, 30), "vmalloc": (26, 12),
         "program": (28, 12), "stack": (22, 12), "heap": (13, 12),
         "mmap": (28, 12), "vdso": (20, 12), "thread": (28, 12),
         "guard": (56, 8), "kernel guard": (56, 8)}


def read_kernel(monitor, found):
    names = monitor.symbols(ELF)
    found["kernel"] = names["__text_start"]
    for what, name in (("direct map", "direct_map_base"),
                       ("kernel guard", "__stack_chk_guard")):
        found[what], = monitor.read_words(names[name], 1)
    found["vmalloc"] = min(
        word for word in monitor.read_words(names["vmap"], 12)
        if VMALLOC <= word < VMALLOC + (1 << 39))


def boot(image, append="init=/where"):
    """({what: where}, random bytes) of one boot."""
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor(folder)
        with Guest(append=append, initrd=image, mem="16",
                   extra=monitor.args()) as guest:
            guest.wait_console("listening")
            found = {what: int(where, 16) for what, where in
                     re.findall(r"^where (\w+) (\w+)", guest.console, re.M)}
            drawn, = re.findall(r"^bytes (\w{2048})$", guest.console, re.M)
            monitor.connect()
            # It idles, or will: the words are the kernel's own.
            read_kernel(monitor, found)
            monitor.close()
    return found, drawn


@pytest.fixture(scope="module", name="image")
def make_image():
    path = initramfs({"where": "build/tests/where"})
    yield path
    os.remove(path)


@pytest.fixture(scope="module", name="boots")
def make_boots(image):
    return [boot(image) for _ in range(BOOTS)]


def far_apart(found, bits):
    """Fewer equal ones than chance gives once in ten million runs."""
    equal = len(found) - len(set(found))
    expected = len(found) ** 2 / 2 / 2 ** bits
    return equal <= expected + 5.5 * math.sqrt(expected) + 1


@pytest.mark.limit(60 + 3 * BOOTS)
@pytest.mark.parametrize("what", DRAWN)
def test_no_two_boots_alike(boots, what):
    found = [b[0][what] for b in boots]
    bits, _ = DRAWN[what]
    assert far_apart(found, bits), sorted(map(hex, found))
    assert len(set(found)) > 1


@pytest.mark.limit(60 + 3 * BOOTS)
@pytest.mark.parametrize("one, other", [
    ("stack", "mmap"), ("stack", "vdso"), ("program", "heap"),
    ("kernel", "direct map"), ("direct map", "vmalloc")])
def test_none_gives_away_another(boots, one, other):
    """Each is drawn for itself: how far apart they are differs, too."""
    apart = {(b[0][one] >> 12) - (b[0][other] >> 12) for b in boots}
    assert len(apart) > len(boots) / 2, apart


@pytest.mark.limit(60 + 3 * BOOTS)
def test_random_bytes_are_never_the_same(boots):
    """The first KiB of each boot: no 8 bytes come twice, anywhere."""
    words = [drawn[i:i + 16] for _, drawn in boots
             for i in range(0, len(drawn), 16)]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("what", DRAWN)
def test_evenly_spread(boots, what):
    """Each bit that is drawn is one in half of the boots, and the topmost
    three of them in each of eight ways: within five and a half sigma."""
    found = [b[0][what] for b in boots]
    bits, unit = DRAWN[what]
    n = len(found)
    if n < 64:
        return              # a few boots cannot tell
    for bit in range(min(bits, 48) - 3):
        ones = sum(where >> unit + bit & 1 for where in found)
        assert abs(ones - n / 2) < 5.5 * math.sqrt(n) / 2, (what, bit, ones)
    spread = max(found) - min(found) >> unit
    assert spread > 1 << bits - 1, (what, hex(spread))


def test_the_kernel_runs_where_it_is_linked_if_told(image):
    found, _ = boot(image, "nokaslr init=/where")
    assert found["kernel"] == 0xffffffff80100000


def test_the_kernel_is_on_any_page(boots):
    """4 KiB steps within the topmost GiB."""
    found = [b[0]["kernel"] for b in boots]
    assert all(where >= 0xffffffffc0000000 for where in found)
    assert any(where >> 12 & 0x1ff != 0x100 for where in found)
