"""make syscalls: the table says what the source says, and cannot rot."""
import os
import re
import subprocess

from tools import syscalls


def test_every_call_has_a_row():
    done = subprocess.run(["make", "-s", "syscalls"], text=True, check=True,
                          stdout=subprocess.PIPE)
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\S+) \| (.*) \|$",
                      done.stdout, re.M)
    assert len(rows) == len({nr for nr, *_ in rows}) > 350
    assert [int(nr) for nr, *_ in rows] == sorted(int(nr) for nr, *_ in rows)
    by_name = {name: (where, tests) for _, name, where, tests in rows}
    assert by_name["kexec_load"] == ("-", "-")
    assert by_name["fork"][0] == "kernel/clone.c"
    assert by_name["epoll_wait"][0] == "fs/epoll_syscall.c"
    assert "abi/unix.c" in by_name["socketpair"][1].split(", ")


def test_what_the_source_defines_is_in_the_table():
    found = subprocess.run(
        ["grep", "-rhoE", r"^SYSCALL_DEFINE[0-6]\(\w+", "kernel", "fs", "net",
         "drivers", "boot"], text=True, check=True, stdout=subprocess.PIPE)
    defined = {line.partition("(")[2] for line in found.stdout.split()}
    # These two need the registers and have a form of their own.
    assert defined | {"clone", "clone3"} == {name for _, name, where, _ in syscalls.table()
                       if where}


def test_tests_that_are_named_exist():
    for _, _, where, tests in syscalls.table():
        assert all(os.path.exists(path) for path in tests)
        assert not where or os.path.exists(where)


def test_every_call_is_tried():
    untried = [name for _, name, where, tests in syscalls.table()
               if where and not tests]
    assert not untried, "system calls without a test"


def test_a_declaration_is_no_test():
    text = "long sys_foo(int a,\n\t     int b);\n\tsys_bar(1);\n"
    assert syscalls.tests_of("foo", {}, {
        "u": syscalls.without_prototypes(text)}) == []
    assert syscalls.tests_of("bar", {}, {
        "u": syscalls.without_prototypes(text)}) == ["u"]
    assert syscalls.tests_of("sendfile", {"a": "x = sendfile(1)"}, {}) == ["a"]
    assert syscalls.tests_of("tee", {"a": "committee(1)"}, {}) == []
