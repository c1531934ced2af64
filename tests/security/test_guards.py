"""The guard values of stack frames: each task has its own in the kernel, and
in the program the C library's come from what the kernel draws (AT_RANDOM).
That they are others after each boot says test_boots.py, and test_debug.py that
an overflow ends in a panic.
"""
import os
import re
import subprocess
import tempfile

import pytest

from tests.gdb import gdb_session
from tests.lib.guest import Guest, initramfs

ELF = "build/pollux.elf"


@pytest.fixture(scope="module", name="seen")
def run_where():
    """(the program's words, what gdb says of the tasks)."""
    image = initramfs({"where": "build/tests/where"})
    with tempfile.TemporaryDirectory() as folder:
        args, stub = gdb_session.stub(folder)
        with Guest(append="init=/where", initrd=image, mem="16",
                   extra=args) as guest:
            guest.wait_console("listening")
            what = "source tests/security/guards.py"
            said = gdb_session.run(stub, [what])[what]
            where = {name: int(value, 16) for name, value in
                     re.findall(r"^where (\w+) (\w+)", guest.console, re.M)}
    os.remove(image)
    return where, said


def test_each_task_has_its_own_in_the_kernel(seen):
    guards = re.findall(r"^task .* (\w+)$", seen[1], re.M)
    assert len(guards) >= 4, seen[1]
    assert len(set(guards)) == len(guards), seen[1]
    assert all(len(g) > 8 and g.endswith("00") for g in guards), seen[1]


def test_the_cpu_has_that_of_the_task_that_runs(seen):
    current, = re.findall(r"^task \* (\w+)$", seen[1], re.M)
    assert re.search(rf"^cpu {current}$", seen[1], re.M), seen[1]


def test_the_library_has_what_the_kernel_draws(seen):
    drawn = seen[0]["guard"] & ~0xff
    assert seen[0]["main_guard"] == seen[0]["thread_guard"] == drawn != 0


def test_frames_with_arrays_are_guarded():
    """In the kernel that is shipped, too, where only those have a guard."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", ELF],
                          text=True, stdout=subprocess.PIPE, check=True).stdout
    loads = re.findall(r"mov +%gs:.*<__stack_chk_guard>", code)
    fails = re.findall(r"call +\w+ <__stack_chk_fail>", code)
    assert len(loads) > 50 and len(fails) > 50, (len(loads), len(fails))
