"""The command pollux, run by its tests."""
import os
import re
import subprocess

ECHO = "build/user/echo"


def pollux(*args, env=None, cwd=None, seconds=30):
    """(exit code, what it printed)."""
    here = {k: v for k, v in os.environ.items() if k != "POLLUX_KERNEL"}
    done = subprocess.run(
        [os.path.abspath("tools/pollux"), *map(str, args)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd,
        stdin=subprocess.DEVNULL, check=False, timeout=seconds,
        env={**here, **(env or {})})
    return done.returncode, done.stdout


def refuses(pattern, *args, **how):
    code, out = pollux(*args, **how)
    assert code == 125 and re.search(pattern, out), out
    assert "Traceback" not in out
