"""The walls around a program: everything that it must not do faults, on the
kernel's own page tables nothing is writable that should not be.
"""
import re
import subprocess

import pytest

from tests.e2e.test_machine import mappings, monitored, registers
from tests.lib.guest import Guest, initramfs

FAULT, BAD = "Segmentation fault", "Bad address"
EXPECTED = {
    "null_read": FAULT, "null_write": FAULT, "null_run": FAULT,
    "page0_end": FAULT, "kernel_read": FAULT, "kernel_write": FAULT,
    "kernel_run": FAULT, "direct_read": FAULT, "not_canonical": FAULT,
    "text_write": FAULT, "const_write": FAULT, "vdso_write": FAULT,
    "vvar_write": FAULT, "data_run": FAULT, "heap_run": FAULT,
    "stack_run": FAULT, "do_cli": FAULT, "do_hlt": FAULT, "do_in": FAULT,
    "do_out": FAULT, "do_rdmsr": FAULT, "do_wrmsr": FAULT,
    "read_cr3": FAULT, "write_cr4": FAULT, "do_invlpg": FAULT,
    "do_lidt": FAULT, "do_sgdt": FAULT, "do_sidt": FAULT,
    "do_smsw": FAULT, "do_str": FAULT, "do_swapgs": FAULT,
    "do_iret": FAULT, "jump_guard": FAULT, "recurse": FAULT,
    "call_read": BAD, "call_write": BAD, "call_open": BAD,
    "call_direct": BAD, "call_clock": BAD, "call_get4": BAD,
    "call_get8": BAD, "call_put4": BAD, "call_put8": BAD, "call_bind": BAD,
    "call_unmapped": BAD, "call_half": BAD, "call_wrap": BAD,
    "map_null": "Operation not permitted",
    "vdso_unprotect": "Permission denied",
}
CR4_UMIP = 1 << 11
LARGE = 2 << 20


@pytest.fixture(scope="module", name="walls")
def run_walls():
    """With nothing at the kernel's addresses, and with words of the kernel's
    there that may be written to: the fault is not what saves them."""
    image = initramfs({"walls": "build/tests/walls"})
    place, = [line.split()[0] for line in subprocess.check_output(
        ["nm", "build/pollux.elf"], text=True).splitlines()
        if line.split()[-1] == "init_args"]
    found = []
    for append in ("init=/walls", f"nokaslr init=/walls -- {place}"):
        with Guest(append=append, initrd=image, mem="64") as guest:
            assert guest.wait_exit(50) == 0, guest.console
            found.append(dict(re.findall(r"^wall (\w+) (.*)$", guest.console,
                                         re.M)))
    return found


def test_all_are_tried(walls):
    for found in walls:
        assert set(found) == set(EXPECTED)


@pytest.mark.parametrize("what", EXPECTED)
def test_wall(walls, what):
    assert [found[what] for found in walls] == 2 * [EXPECTED[what]]


@pytest.fixture(scope="module", name="machine")
def make_machine():
    with monitored() as (_, monitor):
        yield monitor


def test_descriptor_tables_are_hidden(machine):
    assert registers(machine)["CR4"] & CR4_UMIP


def test_user_memory_is_shut_again():
    """Who opens it (stac) shuts it (clac) on each way out."""
    code = subprocess.check_output(
        ["objdump", "-d", "--no-show-raw-insn", "build/pollux.elf"], text=True)
    seen = 0
    for function in re.split(r"\n(?=[0-9a-f]+ <)", code):
        opens, shuts = (len(re.findall(rf"\t{insn}\b", function))
                        for insn in ("stac", "clac"))
        assert shuts >= opens, function.splitlines()[0]
        seen += opens
    assert seen > 5


def frames(monitor):
    """(virtual, physical, flags) of every page."""
    return [(int(va, 16), int(pa, 16), flags) for va, pa, flags in re.findall(
        r"^([0-9a-f]{16}): ([0-9a-f]{16}) (\S+)",
        monitor.human("info tlb"), re.M)]


def test_no_alias_of_code_and_constants_is_writable(machine):
    """Whatever address it has, the direct map's included."""
    table = machine.symbols("build/pollux.elf")
    moved = table["pollux_kaslr_offset"]
    moved, = machine.read_words(moved, 1)
    start, end, late, late_end, old, old_end = (
        table[name] - moved - 0xffffffff80000000 for name in
        ("__text_start", "__text_end", "__ro_after_init_start",
         "__ro_after_init_end", "__rodata_start", "__rodata_end"))
    seen = 0
    for va, pa, flags in frames(machine):
        size = LARGE if "P" in flags else 4096
        for low, high in ((start, end), (old, old_end), (late, late_end)):
            if pa < high and pa + size > low:
                seen += 1
                assert "W" not in flags, (hex(va), hex(pa), flags)
    # The image, and the direct map's view of it.
    assert seen >= 2 * (end - start + old_end - old) // 4096


def test_kernel_stacks_have_a_gap_below(machine):
    """Below every stack that is mapped one page is not: a frame is at most
    1 KiB (the build refuses larger ones), so it cannot be jumped."""
    table = machine.symbols("build/pollux.elf")
    mapped = {va for va, _ in mappings(machine)}
    assert table["boot_stack"] in mapped
    assert table["boot_stack"] - 4096 not in mapped
    for n in range(3):
        stack = table["ist_stacks"] + n * (8192 + 4096)
        assert stack in mapped and stack - 4096 not in mapped
