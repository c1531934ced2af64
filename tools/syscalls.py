#!/usr/bin/python3
"""syscalls.py: every Linux x86-64 system call as a Markdown table, made from
the source: whether we have it, where, and which tests try it.

A test in tests/abi tries a call if it calls the C function of that name, or
syscall(SYS_name); one in tests/unit if it calls sys_name().
"""
import functools
import glob
import os
import re
import sys

SOURCES = ("kernel/*.c", "kernel/*/*.c", "fs/*.c", "net/*.c", "drivers/*.c")
# Where the C library's function has another name than the call.
C_NAMES = {
    "pread64": "pread", "pwrite64": "pwrite", "newfstatat": "fstatat",
    "rt_sigaction": "sigaction|signal", "rt_sigprocmask": "sigprocmask",
    "rt_sigpending": "sigpending", "rt_sigsuspend": "sigsuspend",
    "rt_sigtimedwait": "sigtimedwait|sigwaitinfo|sigwait",
    "rt_sigqueueinfo": "sigqueue", "getdents64": "readdir|getdents",
    "exit_group": "exit|_exit|_Exit", "prlimit64": "prlimit",
    "pselect6": "pselect", "eventfd2": "eventfd", "signalfd4": "signalfd",
    "faccessat2": "faccessat", "clone": "pthread_create|clone",
    "sendto": "sendto|send", "recvfrom": "recvfrom|recv",
}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def all_calls():
    """Yields (number, name) of every call of Linux."""
    for name, nr in re.findall(r"^#define __NR_(\w+)\s+(\d+)",
                               read("kernel/syscall_nr.h"), re.M):
        yield int(nr), name


def defined():
    """{name: file that has it}."""
    found = {}
    for path in sorted(p for pattern in SOURCES for p in glob.glob(pattern)):
        for name in re.findall(r"^SYSCALL_(?:DEFINE\d|ENTER)\((\w+)", read(path), re.M):
            found[name] = path
    return found


def tests_of(name, abi, unit):
    """The test files that try call @name."""
    c_name = C_NAMES.get(name, name)
    in_abi = re.compile(rf"\bSYS_{name}\b|(?<![\w.>])(?:{c_name})\(")
    in_unit = re.compile(rf"\bsys_{name}\(")
    return ([p for p, text in abi.items() if in_abi.search(text)] +
            [p for p, text in unit.items() if in_unit.search(text)])


def without_prototypes(text):
    """A declaration proves nothing."""
    return re.sub(r"^(?:extern )?long sys_\w+\([^;{]*;", "", text,
                  flags=re.M)


@functools.cache
def table():
    """[(number, name, source file or None, [test files])]."""
    rows = []
    have = defined()
    abi = {p: read(p) for p in sorted(glob.glob("tests/abi/*.c"))}
    unit = {p: without_prototypes(read(p))
            for p in sorted(glob.glob("tests/unit/test_*.c"))}
    for nr, name in sorted(all_calls()):
        where = have.get(name)
        rows.append((nr, name, where,
                     tests_of(name, abi, unit) if where else []))
    return rows


def main():
    os.chdir(os.path.join(os.path.dirname(__file__), ".."))
    rows = table()
    have = [r for r in rows if r[2]]
    proved = [r for r in have if r[3]]
    print("# System calls\n")
    print(f"Of Linux's {len(rows)} calls Pollux has {len(have)}; tests try "
          f"{len(proved)} of these by name. The others answer ENOSYS and are "
          "named in the log.\n")
    print("| nr | call | here | tests |\n|---|---|---|---|")
    for nr, name, where, tests in rows:
        print(f"| {nr} | {name} | {where or '-'} | "
              f"{', '.join(t[6:] for t in tests) or '-'} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
