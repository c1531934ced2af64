"""What is built does not depend on where and when: some of it, built in two
places, is equal to the byte. make reproduce does so with all that is shipped.
"""
import itertools
import os
import subprocess
import tempfile

import pytest

BUILT = ["kernel/siphash.c.o", "boot/head.S.o", "user/hello.stripped",
         "initramfs.cpio"]
LINKED = "kernel.o"


def build(folder):
    """{name: bytes}."""
    os.makedirs(folder)
    files = subprocess.run(["git", "ls-files", "-z"], check=True,
                           stdout=subprocess.PIPE).stdout
    subprocess.run(["cpio", "-0pdm", "--quiet", folder], input=files,
                   check=True)
    lwip = os.path.abspath("build/lwip")
    subprocess.run(["make", "SETUP=no", f"LWIP_DIR={lwip}",
                    *(f"build/{name}" for name in BUILT)], cwd=folder,
                   check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "CCACHE_DISABLE": "1"})
    with open(f"{folder}/build/.flags", encoding="utf-8") as f:
        flags = itertools.takewhile(lambda word: word.startswith("-"),
                                    f.read().split()[1:])
    # Objects for LTO name the place; what is made of them does not.
    subprocess.run(["gcc", *flags, "-flto", "-frandom-seed=kernel", "-r",
                    "-flinker-output=nolto-rel", "-nostdlib",
                    f"build/{BUILT[0]}", "-o", f"build/{LINKED}"],
                   cwd=folder, check=True)
    found = {}
    for name in (*BUILT[1:], LINKED):
        with open(f"{folder}/build/{name}", "rb") as f:
            found[name] = f.read()
    return found


@pytest.mark.limit(400)
def test_two_places():
    with tempfile.TemporaryDirectory() as folder:
        one = build(f"{folder}/a")
        other = build(f"{folder}/another/place/with/a/longer/name")
    assert [name for name in one if one[name] != other[name]] == []


def test_iso_of_other_users(tmp_path):
    """Neither the umask nor the place on the globe is in the image."""
    images = []
    for name, umask, zone in (("a", 0o22, "UTC"), ("b", 0o77, "Asia/Tokyo")):
        for kind in ("kernel", "initramfs"):
            (tmp_path / kind).write_text(kind)
            (tmp_path / kind).chmod(0o666 & ~umask)
        subprocess.run(["tools/mkiso", tmp_path / name, tmp_path / "kernel",
                        tmp_path / "initramfs", "ip=dhcp"], check=True,
                       umask=umask, env={**os.environ, "TZ": zone})
        images.append((tmp_path / name).read_bytes())
    assert images[0] == images[1]
