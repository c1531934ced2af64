"""tools/lint finds what it is there for, in files that have it."""
import importlib.machinery
import importlib.util

import pytest


def load():
    loader = importlib.machinery.SourceFileLoader("lint", "tools/lint")
    spec = importlib.util.spec_from_loader("lint", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


lint = load()
LOCKS = """\
#include "kernel/spinlock.h"

void f(struct spinlock *lock);

void f(struct spinlock *lock)
{
	%s(lock);
}
"""


@pytest.mark.parametrize("call, finding", [
    ("spin_lock", "still held at the end"),
    ("spin_unlock", "that was not held")])
def test_a_lock_that_is_not_in_balance(tmp_path, call, finding):
    path = tmp_path / "locks.c"
    path.write_text(LOCKS % call)
    assert any(finding in f for f in lint.findings("clang", str(path)))


def test_a_warning_of_clang(tmp_path):
    path = tmp_path / "unused.c"
    path.write_text("static int f(void)\n{\n\treturn 1;\n}\n")
    assert any("unused function" in f
               for f in lint.findings("clang", str(path)))


def test_what_does_not_compile(tmp_path):
    path = tmp_path / "broken.c"
    path.write_text("int f(\n")
    assert lint.findings("clang", str(path))


def test_every_exception_says_why():
    for tool, pattern, why in lint.EXCEPTIONS:
        assert tool in lint.COMMANDS and pattern and len(why) > 10


def test_an_exception_covers_only_its_tool():
    used = set()
    finding = "kernel/param.c : Comparing pointers that point to different obj"
    assert lint.excepted("cppcheck", finding, used) and used
    assert not lint.excepted("clang", finding, used)
