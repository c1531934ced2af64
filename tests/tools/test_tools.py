"""The tools of the front door: make run, set-up, the initramfs."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from tests.lib.guest import free_port
from tools import mkinitramfs, qemu

FAKE_BIN = "build/tests/fake-bin"


def fake_bin(**programs):
    """A folder of shell programs; returns a PATH that finds them first."""
    os.makedirs(FAKE_BIN, exist_ok=True)
    for name in os.listdir(FAKE_BIN):
        os.remove(f"{FAKE_BIN}/{name}")
    for name, body in programs.items():
        path = f"{FAKE_BIN}/{name.replace('_', '-')}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)
    return f"{os.path.abspath(FAKE_BIN)}:{os.environ['PATH']}"


def run_need(path, *packages):
    return subprocess.run(["tools/need", *packages], text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env={**os.environ, "PATH": path})


def test_need_is_silent_when_all_is_there():
    done = run_need(os.environ["PATH"], "gcc", "make")
    assert (done.returncode, done.stdout) == (0, "")


def test_need_names_then_installs_as_root():
    path = fake_bin(id="echo 0", apt_get='echo "apt-get $*"')
    done = run_need(path, "gcc", "no-such-package-1")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "Missing packages: no-such-package-1"
    assert "update" in lines[-2]
    assert re.search(r"install .*no-such-package-1", lines[-1])


def test_need_without_root_or_sudo_prints_the_line():
    path = fake_bin(id="echo 1000", sudo="exit 1",
                    apt_get="echo must not run")
    done = run_need(path, "no-such-package-1")
    assert done.returncode != 0
    assert "must not run" not in done.stdout
    assert re.search(r"^ +apt-get update && apt-get install .*"
                     r"no-such-package-1$", done.stdout, re.M)


def test_need_uses_sudo():
    path = fake_bin(id="echo 1000", sudo='[ "$1" = -n ] || echo "sudo $*"')
    done = run_need(path, "no-such-package-1")
    assert done.returncode == 0
    assert re.search(r"sudo env .*apt-get.* install", done.stdout, re.S)


@pytest.mark.parametrize("name,text,want", [
    ("sources.list", "# deb x\ndeb [signed-by=/k.gpg] http://m.test/d RELEASE "
     "main contrib # note\ndeb http://other.test/ stable main\n",
     "deb-src [signed-by=/k.gpg] http://m.test/d RELEASE main contrib"),
    ("sources.list.d/a.list", "deb-src http://m.test/d RELEASE main\n",
     "deb-src http://m.test/d RELEASE main"),
    ("sources.list.d/a.sources",
     "Types: deb\n# note\nURIs: http://m.test/d\nSuites: RELEASE RELEASE-up\n"
     "Components: main\nSigned-By: /k.gpg\n\n"
     "Types: deb\nURIs: http://o.test\nSuites: other\nComponents: x\n\n"
     "Enabled: no\nTypes: deb\nURIs: http://n.test\nSuites: RELEASE\n"
     "Components: main\n",
     "Types: deb-src\nURIs: http://m.test/d\nSuites: RELEASE RELEASE-up\n"
     "Components: main\nSigned-By: /k.gpg"),
])
def test_fetch_source_asks_the_machines_own_mirror(tmp_path, name, text,
                                                   want):
    """What apt is told to fetch from; a fake apt-get shows it and fails."""
    with open("/etc/os-release", encoding="utf-8") as f:
        release = re.search(r"VERSION_CODENAME=(\w+)", f.read())[1]
    file = tmp_path / "etc" / name
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("RELEASE", release))
    path = fake_bin(apt_get='for a; do case $a in Dir::Etc::SourceParts=*) '
                            'cat ${a#*=}/*;; esac; done; exit 1')
    done = subprocess.run(
        ["tools/fetch-source", "lwip", str(tmp_path / "out")], text=True,
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": path, "APT_ETC": str(tmp_path / "etc")})
    assert done.returncode != 0
    shown = done.stdout.replace(release, "RELEASE").strip()
    assert shown.split("\nfetch-source:")[0].strip() == want


def test_initramfs_is_deterministic_and_aligned():
    one = mkinitramfs.archive({"b/c/x": b"12345", "a": b""})
    assert one == mkinitramfs.archive({"a": b"", "b/c/x": b"12345"})
    assert len(one) % 4 == 0 and one.startswith(b"070701")
    names = re.findall(rb"070701.{104}([^\0]+)\0", one, re.S)
    assert names == [b"a", b"b", b"b/c", b"b/c/x", b"TRAILER!!!"]


def test_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["tools/qemu.py", "--port", str(port)], text=True, timeout=20,
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert str(port) in done.stderr and "PORT=" in done.stderr


def test_iso_on_microvm_is_refused():
    done = subprocess.run(
        ["tools/qemu.py", "--machine", "microvm", "--iso", "x"], text=True,
        stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0 and "microvm" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_and_frees_the_port(how):
    port = free_port()
    with subprocess.Popen(
            ["make", "run", f"PORT={port}"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=qemu.die_with_parent) as run:
        said = ""
        for line in run.stdout:
            said += line
            if "listening on" in line:
                break
        assert f"nc 127.0.0.1 {port}" in said
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            s.sendall(b"hi")
            assert s.recv(10) == b"hi"
        assert not qemu.port_is_free(port)
        os.killpg(run.pid, how)
        said = run.communicate(timeout=20)[0]
    end = time.monotonic() + 5
    while not qemu.port_is_free(port) and time.monotonic() < end:
        time.sleep(0.05)
    assert qemu.port_is_free(port)
    assert "Traceback" not in said, said


@pytest.mark.parametrize("words", ["PROG=hello", "BOOT=iso",
                                   "MACHINE=microvm", "MACHINE=q35 MEM=32"])
def test_make_run_words(words):
    port = free_port()
    with subprocess.Popen(
            ["make", "run", f"PORT={port}", *words.split()], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=qemu.die_with_parent) as run:
        try:
            said = ""
            for line in run.stdout:
                said += line
                if "listening on" in line:
                    break
            assert "listening on" in said, said
            with socket.create_connection(("127.0.0.1", port), 10) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert s.recv(100)
        finally:
            os.killpg(run.pid, signal.SIGTERM)
            run.communicate(timeout=20)


def test_packed_symbols_are_those_of_the_unit_test():
    """tests/unit/test_vsnprintf.c reads them with the kernel's reader."""
    numbers = subprocess.run(
        ["tools/kallsyms"], check=True, capture_output=True,
        input=b"1000 T __text_start\n1010 T abab\n1120 t a.part.0\n").stdout
    table = subprocess.run(["build/pack", "kallsyms"], check=True,
                           capture_output=True, input=numbers).stdout
    with open("tests/unit/test_vsnprintf.c", encoding="ascii") as f:
        expected = re.search(r"kallsyms_table\[\] = \{([^}]*)\}", f.read())
    packed = re.findall(r"\.byte (.*)", table.decode())
    assert re.findall(r"\d+", ",".join(packed)) == \
        re.findall(r"\d+", expected[1])


def test_what_cannot_be_packed_is_refused():
    done = subprocess.run(["build/pack", "x"], input=b"4 2 0\n",
                          capture_output=True)
    assert done.returncode == 1
    assert b"cannot pack: 4 2 0" in done.stderr


@pytest.mark.parametrize("flags, opens, works", [
    ("fpu vmx sse", True, True), ("fpu svm", True, True),
    ("fpu sse", True, False),       # there, and would hang
    ("fpu vmx", False, False), ("fpu vmxnet svm_lock", True, False)])
def test_kvm_is_taken_if_the_processor_has_it_and_it_opens(
        monkeypatch, tmp_path, flags, opens, works):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\n",
                    encoding="ascii")
    real_open, real_os_open = open, os.open
    asked = []

    def device(path, *how, **more):
        if path != "/dev/kvm":
            return real_os_open(path, *how, **more)
        asked.append(path)
        if not opens:
            raise PermissionError
        return real_os_open("/dev/null", os.O_RDWR)

    monkeypatch.setattr(qemu, "open", lambda path, **how: real_open(
        info if path == "/proc/cpuinfo" else path, **how), raising=False)
    monkeypatch.setattr(os, "open", device)
    assert qemu.kvm_works() == works
    assert bool(asked) == ("vmx " in f"{flags} " or "svm" in flags.split())
