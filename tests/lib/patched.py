"""A kernel with a fault: these sources and a patch of tests/patches/."""
import functools
import os
import shutil
import subprocess

# What is built from files without the fault is as good there.
OBJECTS = ("boot", "drivers", "fs", "kernel", "net", "lwip.o")
LIMIT_SECONDS = 600     # of a test that is the first to ask


@functools.lru_cache
def kernel(patch):
    """Its path. Built once in a run, in a folder of its own."""
    at = f"build/patched/{os.path.basename(patch).removesuffix('.patch')}"
    shutil.rmtree(at, ignore_errors=True)
    os.makedirs(f"{at}/build")
    files = subprocess.check_output(["git", "ls-files", "-z"])
    subprocess.run(["cpio", "-0pdm", "--quiet", at], input=files, check=True)
    for name in OBJECTS:
        # Their times tell make what is to be built again.
        subprocess.run(["cp", "-a", f"build/{name}", f"{at}/build"],
                       check=False, stderr=subprocess.DEVNULL)
    os.symlink(os.path.abspath("build/lwip"), f"{at}/build/lwip")
    with open(patch, encoding="utf-8") as f:
        subprocess.run(["patch", "-p1", "-s"], stdin=f, cwd=at, check=True)
    # Not a part of the make that may have started the tests.
    env = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    subprocess.run(["make", "-s", "-j2", "SETUP=no", "build/pollux.elf"],
                   cwd=at, env=env, check=True)
    return f"{at}/build/pollux.elf"
