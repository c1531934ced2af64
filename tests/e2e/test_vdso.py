"""The vDSO: every clock right, none of it a system call, in the programs of
both C libraries."""
import re

import pytest

from tests.lib.guest import Guest, initramfs


# What a dynamic program brings with it.
LIBRARIES = {
    "vdso-dynamic": ["/lib/ld-musl-x86_64.so.1"],
    "vdso-glibc-dynamic": ["/lib64/ld-linux-x86-64.so.2",
                           "/lib/x86_64-linux-gnu/libc.so.6"],
}


def run(prog):
    image = initramfs({prog: f"build/tests/{prog}"} |
                      {path: path for path in LIBRARIES.get(prog, [])})
    with Guest(append=f"init=/{prog} strace=1 -- set",
               initrd=image) as guest:
        assert guest.wait_exit() == 0, guest.console
        return guest.console.replace("\r", "")


@pytest.mark.parametrize("prog", ["vdso", "vdso-glibc", *LIBRARIES])
def test_clocks_without_a_system_call(prog):
    console = run(prog)
    lines = [line for line in console.splitlines()
             if not line.startswith("[")]
    for clock in (0, 1, 4, 7, 11, 2):
        assert f"clock {clock} fits" in lines, console
    assert lines.count("resolution 1") == 6
    assert "set 0\nthen 1" in re.sub(r"^\[pid.*\n", "", console, flags=re.M)
    # A system call's own answer, not libc's errno.
    assert "bad clocks -22 -22" in lines
    assert {"gettimeofday fits", "time 1", "getcpu 0 0",
            "wrong: 0"} <= set(lines), console
    # The program wrote "thousand": what follows is the loop.
    calls = console.split("thousand\n", 1)[1]
    assert not re.search(r"clock_gettime|gettimeofday|time\(|getcpu", calls)


def test_read_only_and_in_maps():
    console = re.sub(r"^\[pid.*\n", "", run("vdso"), flags=re.M)
    assert re.search(r"^r--p .*\[vvar\]\nerrno 13$", console, re.M), console
    assert re.search(r"^r-xp .*\[vdso\]\nthe image errno 13$", console, re.M)


def test_elsewhere_each_time():
    places = {re.search(r"AT_SYSINFO_EHDR|mprotect\((0x\w+)",
                        run("vdso"))[1] for _ in range(2)}
    assert len(places) == 2
