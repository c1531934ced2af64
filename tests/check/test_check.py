"""Each rule of tools/check.py: a file that it refuses, and one that passes."""
import pytest

from tools import check

GOOD = """\
/* The job of this file. */
#include "net/good.h"

static int twice(int n)
{
	return 2 * n;
}

int good(int n)
{
	return twice(n);
}
"""
GOOD_H = "/* What good offers. */\n#pragma once\n\nint good(int n);\n"
LONG_BODY = "int f(void)\n{\n" + "\tg();\n" * 99 + "}\n"

LETTERS = """\
/* A sock. */
#pragma once

/* Locks: s the sock's, a atomic. */
struct sock {
	int a;		/* s  one, and why */
"""

# path, text, a part of the finding
REFUSED = [
    ("fs/a.c", '/* a */\n#include "net/sock.h"\n', "layer rule"),
    ("kernel/a.c", '/* a */\n#include "fs/file.h"\n', "layer rule"),
    ("net/a.c", '/* a */\n#include "fs/file.h"\n', "layer rule"),
    ("net/a.c", '/* a */\n#include "drivers/pci.h"\n', "layer rule"),
    ("drivers/a.c", '/* a */\n#include "net/sock.h"\n', "layer rule"),
    ("drivers/a.c", '/* a */\n#include "boot/boot.h"\n', "layer rule"),
    ("kernel/a.c", '/* a */\n#include "wait.h"\n', "path from the root"),
    ("kernel/a.c", '/* a */\n#include "../fs/file.h"\n', "from the root"),
    ("kernel/a.c", "/* a */\n#include <stdio.h>\n", "not a header of the"),
    ("net/good.c", '/* a */\n#include "net/b.h"\n#include "net/good.h"\n',
     "own header"),
    ("net/a.h", "/* a */\nint a;\n", "#pragma once"),
    ("net/a.c", "/* a */\n" + "a" * 81 + "\n", "80 columns"),
    ("net/a.c", "/* a */\n\t" + "a" * 73 + "\n", "80 columns"),
    ("net/a.c", "/* a */\n" + "int a;\n" * 800, "800 lines"),
    ("net/a.c", "/* a */\n" + LONG_BODY, "100 lines"),
    ("net/a.c", "/* a */\nvoid f(void)\n{\n#ifdef X\n\tg();\n#endif\n}\n",
     "inside a function"),
    ("net/a.c", "/* a */\n#if 0\n#endif\n", "dead code"),
    ("net/a.c", "/* a */\n/* TODO: more */\n", "TODO left behind"),
    ("tests/a.c", "/* FIXME */\n", "FIXME left behind"),
    ("net/a.c", "/* a */\nint a; \n", "white space"),
    ("net/a.c", "/* a */\nint f(void)\n{\n        g();\n}\n", "tabs"),
    ("net/a.c", "int a;\n", "open with a comment"),
    ("net/a.c", "/*\n" + " * more\n" * 9 + " */\n", "opening comment"),
    ("net/a.c", "/* a */\nint a;", "no newline"),
    ("net/a.c", "/* a */\ntypedef struct a a_t;\n", "no typedef"),
    ("net/a.c", "/* a */\nstatic int f(int a,\n\t\t int b);\n",
     "forward declaration"),
    ("net/a.c", '/* a */\nvoid f(void)\n{\n\t__asm__("nop");\n}\n',
     "inline assembly"),
    ("net/sock.h", LETTERS + "\tint b;\n};\n", "which lock guards"),
    ("net/sock.h", LETTERS + "\tint b;\t/* the other */\n};\n",
     "which lock guards"),
    ("net/sock.h", LETTERS + "\tint b;\t\t/* x */\n};\n",
     "no lock is called x"),
]

ACCEPTED = [
    ("net/sock.h", LETTERS + "\tint b;\t/* a */\n};\nint c;\n"),
    ("net/socket.c", '/* a */\n#include "fs/file.h"\n'),
    ("drivers/a.c", '/* a */\n#include "net/skbuff.h"\n'),
    ("boot/a.c", '/* a */\n#include "net/sock.h"\n'),
    ("net/lwip/a.c", '/* a */\n#include "lwip/init.h"\n'),
    ("user/a.c", "#include <stdio.h>\n"),
    ("net/a.c", '/* a */\nchar *a = "' + "a" * 80 + '";\n'),
    ("net/a.c", "/* a */\nstatic DEFINE_LOCK(a);\n"),
    ("net/a.c", "/* a */\nstatic int a = f(1);\nstatic int (*f)(int a);\n"),
    ("net/a.c", '/* a */\nchar *a = "asm(x)";\n'),
    ("kernel/x86/a.c", '/* a */\nvoid f(void)\n{\n\t__asm__("hlt");\n}\n'),
]


def findings(tmp_path, path, text):
    for name, content in (("net/good.c", GOOD), ("net/good.h", GOOD_H),
                          (path, text)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return check.check_text(str(tmp_path), check.tree_files(str(tmp_path)))


@pytest.mark.parametrize("path,text,why", REFUSED)
def test_refused(tmp_path, path, text, why):
    found = findings(tmp_path, path, text)
    assert any(why in line and line.startswith(path) for line in found), found


@pytest.mark.parametrize("path,text", ACCEPTED)
def test_accepted(tmp_path, path, text):
    assert findings(tmp_path, path, text) == []


def test_header_that_does_not_compile_alone(tmp_path):
    header = tmp_path / "net" / "bad.h"
    header.parent.mkdir()
    header.write_text("/* a */\n#pragma once\n\nint f(u32 n);\n")
    found = check.check_headers(str(tmp_path), ["net/bad.h"], ["gcc"], [])
    assert "does not compile alone" in found[0]
    header.write_text(GOOD_H)
    assert not check.check_headers(str(tmp_path), ["net/bad.h"], ["gcc"], [])
