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
