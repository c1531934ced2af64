"""What only the running kernel can check of itself, and how it dies."""
import re

import pytest

from tests.lib.guest import KERNEL, Guest
from tools import qemu


def run(name, **how):
    how.setdefault("kernel", KERNEL)
    with Guest(append=f"selftest={name}", **how) as guest:
        code = guest.wait_exit()
        return code, guest.console


def calls(console):
    """Function names in the backtrace, innermost first."""
    return re.findall(r"^  0x[0-9a-f]+ (\w+)", console, re.M)


@pytest.mark.parametrize("machine", qemu.MACHINES)
@pytest.mark.parametrize("cpu", ["max", None])
def test_memory_protection(machine, cpu):
    code, console = run("memory", machine=machine, cpu=cpu)
    assert code == 0, console
    assert "selftest: memory is as it should be" in console


@pytest.mark.parametrize("mem", ["6M", "1G", "8G"])
def test_memory_protection_at_size(mem):
    code, console = run("memory", mem=mem)
    assert code == 0, console


def test_panic():
    code, console = run("panic")
    assert code == 127, console
    assert "panic: selftest asked for it, by name" in console
    assert calls(console)[:3] == ["test_panic", "run_selftest", "init_task"]


def test_kernel_fault():
    code, console = run("fault")
    assert code == 127, console
    assert re.search(r"panic: page fault writing kernel address 0x10", console)
    assert "test_fault" in console
    assert "run_selftest" in calls(console)


def test_stack_canary():
    code, console = run("canary")
    assert code == 127, console
    assert re.search(r"panic: .*guard of the frame of test_canary", console)


def test_kernel_stack_overflow():
    code, console = run("overflow")
    assert code == 127, console
    assert re.search(r"panic: .*(double fault|stack)", console, re.I)
    assert "recurse" in calls(console)
