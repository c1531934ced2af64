"""tests/abi/errnos.txt has every call and no reason of its own making.

That its cases print what it says is checked where they run, in tests/abi.
"""
from tests.lib import errnos
from tools import syscalls


def test_every_call_has_an_entry():
    listed = [call for calls, _ in errnos.read()[0] for call in calls]
    assert len(listed) == len(set(listed))
    have = {name for _, name, where, _ in syscalls.table() if where}
    assert set(listed) == have, "calls without an entry in errnos.txt"


def test_errnos_stand_once_under_a_case_or_a_known_reason():
    entries, reasons = errnos.read()
    source = syscalls.read("tests/abi/main.c")
    assert len(reasons) > 5
    for calls, where in entries:
        names = [name for under in where.values() for name in under]
        assert len(names) == len(set(names)), calls
        assert names or list(where) == ["-none"], calls
        for key in where:
            assert key in reasons or not key.startswith("-"), (calls, key)
        for key, under in where.items():
            if not key.startswith("-"):
                assert all(f"E({name})" in source for name in under), calls


def test_most_have_a_case():
    """Reasons are for the rest; nothing that can occur is left open."""
    counts = {}
    for _, where in errnos.read()[0]:
        for key, under in where.items():
            kind = key if key.startswith("-") else "case"
            counts[kind] = counts.get(kind, 0) + len(under)
    assert counts["case"] >= 500
    assert counts.get("-differs", 0) <= 2


def test_reader():
    entries, reasons = errnos.parse(
        "# -root\tnobody\n\na b:\n\tone: EIO\n\t\tEPERM\n\t-root: EACCES\n"
        "c: -none\n")
    assert reasons == ["-root"]
    assert entries == [(["a", "b"], {"one": ["EIO", "EPERM"],
                                     "-root": ["EACCES"]}),
                       (["c"], {"-none": []})]
    assert errnos.prints(["recvfrom"], "EINTR", ["recv: EINTR, 1 signal"])
    assert errnos.prints(["dup"], "EBADF", ["dup(99) = -1 EBADF"])
    assert errnos.prints(["mmap"], "EINVAL", ["syscall(SYS_mmap, 0) = -1 EINVAL"])
    assert not errnos.prints(["dup"], "EBADF", ["dup2(99, 1) = -1 EBADF"])
    assert not errnos.prints(["dup"], "EBADF", ["dup(99) = -1 EBADFD"])
    assert not errnos.prints(["dup"], "EMFILE", ["dup(99) = -1 EBADF"])
