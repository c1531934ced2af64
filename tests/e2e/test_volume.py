"""A folder of the host in the guest, by virtio-9p."""
import os
import subprocess

import pytest

from tests.lib.disk import KERNEL, printed, share
from tests.lib.guest import Guest, initramfs


def guest(prog, folder, args, machine="pc", append="", mount="9p:data:/data"):
    initrd = initramfs({"prog": f"build/tests/{prog}"})
    mounts = f"mount={mount}" if mount else ""
    return Guest(machine=machine, kernel=KERNEL, initrd=initrd, mem="32",
                 append=f"init=/prog {mounts} {append} -- {args}",
                 extra=share(machine, folder))


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_files_as_on_linux(machine, tmp_path):
    here, there = tmp_path / "linux", tmp_path / "guest"
    here.mkdir()
    there.mkdir()
    want = subprocess.run(["build/tests/files", here], check=True,
                          capture_output=True, text=True).stdout
    with guest("files", there, "/data", machine) as g:
        assert g.wait_exit(60) == 0, g.console
        assert printed(g.console) == printed(want)
    # And the host sees what the guest has made.
    made = sorted(os.listdir(there))
    assert made == sorted(os.listdir(here))
    assert (there / "big").read_bytes() == (here / "big").read_bytes()


def same_files(here, there):
    assert sorted(os.listdir(here)) == sorted(os.listdir(there))
    for name in os.listdir(here):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_shared_mappings(tmp_path):
    """Mappings, read(2) and write(2) agree, and the host has it at the end."""
    here, there = tmp_path / "linux", tmp_path / "guest"
    here.mkdir()
    there.mkdir()
    want = subprocess.run(["build/tests/mapped", here], check=True,
                          capture_output=True, text=True).stdout
    with guest("mapped", there, "/data") as g:
        assert g.wait_exit(60) == 0, g.console
        assert printed(g.console) == printed(want)
    same_files(here, there)
    assert (there / "by-exit").read_bytes().startswith(b"stored \0")


@pytest.mark.parametrize("how", ["sync", "fsync"])
def test_synced_mapping(how, tmp_path):
    """The host has what was stored when msync or fsync returns."""
    with guest("mapped", tmp_path, f"/data {how}") as g:
        g.wait_console(f"{how} 0")
        assert (tmp_path / "left").read_bytes()[4096:4107] == b"this stays\0"
