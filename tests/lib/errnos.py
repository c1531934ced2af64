"""Reads tests/abi/errnos.txt: what each manual page says can go wrong."""
import re

from tools import syscalls

PATH = "tests/abi/errnos.txt"
# What restart.c says instead of the call.
SPOKEN = {"fcntl": r"F_\w+", "fadvise64": "posix_fadvise"}


def parse(text):
    """[(calls, {case or -reason: [errno names]})], and the known reasons."""
    reasons = re.findall(r"^# (-[a-z]+)\t", text, re.M)
    entries, under = [], []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        body = line.strip()
        if not line.startswith("\t"):
            calls, _, body = body.partition(":")
            entries.append((calls.split(), {}))
            if body:
                entries[-1][1][body.strip()] = []
            continue
        if not line.startswith("\t\t"):
            where, _, body = body.partition(":")
            assert where not in entries[-1][1], line
            under = entries[-1][1].setdefault(where, [])
        under += body.split()
    return entries, reasons


def read():
    return parse(syscalls.read(PATH))


def prints(calls, errno, lines):
    """Whether a line of a case's output says that one of @calls failed so."""
    names = "|".join(f"{c}|{syscalls.C_NAMES.get(c, c)}|{SPOKEN.get(c, c)}"
                     for c in calls)
    said = re.compile(rf"(?<![\w.>])(?:SYS_)?(?:{names})\b"
                      rf".*(?: = -1 |: ){errno}\b")
    return any(said.search(line) for line in lines)
