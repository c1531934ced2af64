"""The same static program on this Linux and in the guest: same output.

If a case ends the guest, those after it are run in a boot of their own.
"""
import glob
import os
import re
import subprocess

import pytest

from tests.lib import errnos
from tests.lib.guest import USER_IP, Guest, initramfs
from tools import qemu

BINARY = "build/tests/abi"


def case_names():
    names = []
    for path in glob.glob("tests/abi/*.c"):
        with open(path, encoding="utf-8") as f:
            names += re.findall(r"^CASE\((\w+)\)", f.read(), re.M)
    return sorted(names)


def by_case(text):
    lines = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(": ")
        if colon:
            lines.setdefault(name, []).append(rest)
    return lines


def run_in_guest(image, *cases):
    with Guest(append=f"ip={USER_IP} init=/abi -- {' '.join(cases)}".strip(),
               initrd=image,
               net=qemu.user_net("pc", 0, 7777)) as guest:
        try:
            guest.wait_exit(60 if not cases else 20)
        except AssertionError:
            pass
        return by_case(guest.console)


@pytest.fixture(scope="module")
def image():
    return initramfs({"abi": BINARY})


def as_first():
    """As a program begins in the guest, however we were started: without a
    terminal, too."""
    os.setsid()
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0)


@pytest.fixture(scope="module")
def on_linux():
    done = subprocess.run([BINARY], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, timeout=60, check=True,
                          preexec_fn=as_first)
    return by_case(done.stdout)


@pytest.fixture(scope="module")
def in_guest(image):
    return run_in_guest(image)


@pytest.mark.limit(240)
@pytest.mark.parametrize("case", case_names())
def test_same_as_linux(case, on_linux, in_guest, image):
    got = in_guest
    if "abi" not in in_guest and case >= max(
            (c for c in in_guest if c in on_linux), default=""):
        got = run_in_guest(image, case)
    assert got.get(case, []) == on_linux[case]


def test_errnos_are_printed(on_linux):
    """A line of errnos.txt cannot lie: its case prints that errno."""
    lies = [(calls, case, name)
            for calls, where in errnos.read()[0]
            for case, names in where.items() if not case.startswith("-")
            for name in names
            if not errnos.prints(calls, name, on_linux.get(case, []))]
    assert not lies, "no such line in the case's output"
