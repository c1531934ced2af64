"""Every way to boot, and what bad input gets."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from tests.lib.guest import (INITRAMFS, KERNEL, USER_IP, Guest, UserNetGuest,
                             free_port, initramfs)
from tools import qemu

PROGS = {name: f"build/tests/{name}"
         for name in ("exit", "crash", "args", "dynamic")}


def echo_once(port):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(b"boot to echo")
        assert s.recv(100) == b"boot to echo"


@pytest.fixture(scope="module")
def progs():
    return initramfs(PROGS)


@pytest.fixture(scope="module")
def iso():
    path = tempfile.mkstemp(suffix=".iso", dir="build/tests")[1]
    subprocess.run(["tools/mkiso", path, "build/pollux.stripped.elf",
                    INITRAMFS, "ip=dhcp init=/echo"], check=True)
    return path


@pytest.mark.parametrize("machine", qemu.MACHINES)
@pytest.mark.parametrize("ip", ["dhcp", USER_IP])
def test_direct_boot(machine, ip):
    with UserNetGuest(machine=machine, ip=ip) as guest:
        echo_once(guest.port)


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_grub_iso(machine, iso):
    with UserNetGuest(machine=machine, iso=iso) as guest:
        echo_once(guest.port)


def test_make_iso():
    """What `make iso` built boots, and is at most 6 MB."""
    with UserNetGuest(iso="build/pollux.iso") as guest:
        echo_once(guest.port)
    with open("build/pollux.iso", "rb") as f:
        assert f.seek(0, 2) <= 6 << 20


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_default_cpu(machine):
    with UserNetGuest(machine=machine, cpu=None) as guest:
        echo_once(guest.port)


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_6_megabytes(machine):
    with UserNetGuest(machine=machine, mem="6M") as guest:
        echo_once(guest.port)


@pytest.mark.parametrize("mem", ["128M", "4G"])
def test_other_memory_sizes(mem):
    with UserNetGuest(mem=mem) as guest:
        echo_once(guest.port)


def test_stripped_kernel_boots():
    with UserNetGuest(kernel="build/pollux.stripped.elf") as guest:
        echo_once(guest.port)


def test_no_addresses_on_the_command_line():
    """ip=dhcp is the default."""
    with UserNetGuest(append="init=/echo") as guest:
        echo_once(guest.port)


def test_the_readme_line():
    """Booting by hand, as the README gives it, on a port of its own."""
    with open("README.md", encoding="utf-8") as f:
        text = f.read().replace("\\\n", " ")
    line = re.search(r"^\s*(qemu-system-x86_64 .*build/pollux.elf.*)$", text,
                     re.M)[1]
    port = free_port()
    line = line.replace("127.0.0.1:7777", f"127.0.0.1:{port}")
    with subprocess.Popen(line, shell=True, stdin=subprocess.DEVNULL,
                          start_new_session=True, text=True,
                          preexec_fn=qemu.die_with_parent,
                          stdout=subprocess.PIPE) as hand:
        try:
            for out in hand.stdout:
                if "listening on" in out:
                    break
            echo_once(port)
        finally:
            os.killpg(hand.pid, signal.SIGTERM)


@pytest.mark.parametrize("code", [0, 1, 42, 127])
@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_exit_code(progs, machine, code):
    with Guest(append=f"init=/exit -- {code}", initrd=progs,
               machine=machine) as guest:
        assert guest.wait_exit() == code
        assert guest.console.splitlines()[-1] == f"pollux: exit {code}"


def test_exit_without_debug_exit_resets(progs):
    cmd = qemu.command(append="init=/exit -- 3", initrd=progs)
    at = cmd.index(qemu.DEBUG_EXIT)
    del cmd[at - 1:at + 1]
    done = subprocess.run(cmd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode == 0
    assert done.stdout.split("\n")[-2].strip() == "pollux: exit 3"


def test_arguments_and_environment(progs):
    with Guest(append="init=/args COLOR=blue -- one two=2 -- three",
               initrd=progs) as guest:
        assert guest.wait_exit() == 0
        lines = guest.console.splitlines()
    assert [l for l in lines if l.startswith("arg ")] == [
        "arg 0: /args", "arg 1: one", "arg 2: two=2", "arg 3: --",
        "arg 4: three"]
    assert {"env: COLOR=blue", "env: HOME=/", "env: TERM=linux"} <= set(lines)


SIGILL, SIGFPE, SIGSEGV = 4, 8, 11


@pytest.mark.parametrize("how, number", [
    ("null", SIGSEGV), ("kernel", SIGSEGV), ("exec", SIGSEGV),
    ("text", SIGSEGV), ("ud", SIGILL), ("priv", SIGSEGV), ("port", SIGSEGV),
    ("divide", SIGFPE)])
def test_user_crash_says_where(progs, how, number):
    with Guest(append=f"init=/crash -- {how}", initrd=progs) as guest:
        code = guest.wait_exit()
        console = guest.console
    assert re.search(r"(?i)\brip\b", console), console
    assert re.search(r"(?i)\brsp\b", console), console
    # 128 + the signal, as a shell says it; QEMU's own status has 7 bits for it.
    assert console.splitlines()[-1] == f"pollux: exit {128 + number}"
    assert code == number, console
    if how == "null":
        assert re.search(r"\b0*8\b", console), console


def ends_saying(guest, pattern, code=127):
    got = guest.wait_exit()
    assert re.search(pattern, guest.console), guest.console
    assert got == code, guest.console
    assert guest.console.splitlines()[-1] == f"pollux: exit {code}"


def test_init_is_the_default():
    image = initramfs({"init": PROGS["exit"]})
    with Guest(append="-- 6", initrd=image) as guest:
        assert guest.wait_exit() == 6


def test_no_init(progs):
    with Guest(append="init=/nowhere", initrd=progs) as guest:
        ends_saying(guest, r"/nowhere is not a file .* one of these[^/]*/")


def test_no_initramfs():
    with Guest(append="init=/echo", initrd=None) as guest:
        ends_saying(guest, r"give one to QEMU with -initrd")


def test_initramfs_is_not_a_cpio():
    with Guest(append="init=/echo", initrd=KERNEL) as guest:
        ends_saying(guest, r"make one with `cpio")


def test_dynamic_program(progs):
    with Guest(append="init=/dynamic", initrd=progs) as guest:
        ends_saying(guest, r"/dynamic is dynamically linked and needs /lib/"
                    r"ld-musl-x86_64.so.1")


def test_interpreter(progs):
    with open(progs, "rb") as f:
        more = open(initramfs({"lib/ld-musl-x86_64.so.1":
                               "/lib/ld-musl-x86_64.so.1"}), "rb").read()
        both = f.read() + more
    with open(progs + "2", "wb") as f:
        f.write(both)
    with Guest(append="init=/dynamic -- 7", initrd=progs + "2") as guest:
        assert guest.wait_exit() == 7


@pytest.mark.parametrize("size", [0, 3, 20, 64, 100, 4096])
def test_cut_off_program(size):
    with open("build/user/echo.stripped", "rb") as f:
        start = f.read(size)
    with Guest(append="init=/cut", initrd=initramfs({"cut": start})) as guest:
        ends_saying(guest, r"/cut")


@pytest.mark.parametrize("offset,value", [
    (4, b"\x01"), (16, b"\x09"), (18, b"\x03"), (32, b"\xff" * 8),
    (54, b"\xff\xff"), (56, b"\xff\xff"), (64 + 16, b"\xff" * 8),
    (64 + 8, b"\xff" * 8), (64 + 32, b"\xff" * 8), (64 + 40, b"\xff" * 8)])
def test_corrupt_program(offset, value):
    with open("build/user/echo.stripped", "rb") as f:
        elf = bytearray(f.read())
    elf[offset:offset + len(value)] = value
    image = initramfs({"bad": bytes(elf)})
    with Guest(append="init=/bad", initrd=image) as guest:
        code = guest.wait_exit()
        assert code not in (None, 0), guest.console
        assert "/bad" in guest.console, guest.console


def test_no_network_card():
    """Said, and the program is started all the same."""
    with Guest(append="init=/echo") as guest:
        guest.wait_console("listening on")
        assert re.search(r"(?i)no (network|nic|virtio-net)", guest.console), \
            guest.console


def test_unknown_word_is_named(progs):
    with Guest(append="init=/exit colour=red lighthouse -- 0",
               initrd=progs) as guest:
        assert guest.wait_exit() == 0
        assert "lighthouse" in guest.console


@pytest.mark.parametrize("bad", ["ip=nonsense", "ip=1.2.3.4.5",
                                 "ip=10.0.0.300::10.0.0.1:255.0.0.0::eth0:off",
                                 "loglevel=loud"])
def test_bad_value_is_named(progs, bad):
    with Guest(append=f"{bad} init=/exit -- 0", initrd=progs,
               net=qemu.user_net("pc", free_port(), 1)) as guest:
        guest.wait_exit()
        assert bad.split("=")[0] in guest.console


@pytest.mark.parametrize("mem", ["2M", "3M"])
def test_too_little_memory_is_said(progs, mem):
    """Or there is enough."""
    with Guest(append="init=/exit", initrd=progs, mem=mem) as guest:
        code = guest.wait_exit()
        assert code == 0 or re.search(r"(?i)memory", guest.console), \
            guest.console


def test_loglevel(progs):
    sizes = []
    for level in (1, 8):
        with Guest(append=f"loglevel={level} init=/exit -- 0",
                   initrd=progs) as guest:
            assert guest.wait_exit() == 0
            sizes.append(len(guest.console.splitlines()))
    assert sizes[0] <= 2 < sizes[1]


@pytest.mark.skipif(not shutil.which("cpio"), reason="no cpio program")
def test_initramfs_made_by_cpio():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        shutil.copy("build/tests/exit", f"{folder}/exit")
        image = f"{folder}/../by-cpio.cpio"
        subprocess.run(f"cd {folder} && find . | cpio -o -H newc "
                       f"> ../by-cpio.cpio", shell=True, check=True,
                       stderr=subprocess.DEVNULL)
        with Guest(append="init=/exit -- 5", initrd=image) as guest:
            assert guest.wait_exit() == 5
