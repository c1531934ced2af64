#!/usr/bin/python3
"""check.py [--cc 'CC FLAGS'] [--lwip 'FLAGS']: what review need not look for.

The layer rule (includes point down only) and the style rules that a script
can judge. Prints file:line: what is wrong; exit code 1 if anything is.
tests/check/ holds, for every rule, a file that it refuses.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

COLUMNS = 80
FILE_LINES = 800
ONE_FILE = {"tools/pollux"}	# is installed as it is, so it stays one
FUNCTION_LINES = 100
OPENING_LINES = 8       # beside a LOCKING block below them

# What the files of a folder may include. boot/ sees everything.
LAYERS = {
    "boot": ("boot/", "drivers/", "net/", "fs/", "kernel/"),
    "drivers": ("drivers/", "kernel/", "net/dev.h", "net/skbuff.h",
                "fs/p9_transport.h", "fs/disk.h"),
    "net": ("net/", "kernel/"),
    "fs": ("fs/", "kernel/"),
    "kernel": ("kernel/",),
}
# The socket layer is where net/ and fs/ meet.
LAYER_EXCEPTIONS = {"net/socket.c": ("fs/",),
                    "net/socket_path.c": ("fs/",),
                    "net/socket_scm.c": ("fs/",)}
# What is written against somebody else's library may include its headers.
PORTS = {"net/lwip/": ("lwip/", "arch/", "netif/"),
         "fs/ext/lib/": ("ext2fs/", "uuid/", "config.h")}
# Freestanding headers that the compiler brings.
COMPILER_HEADERS = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
                    "limits.h"}
# Inline assembly lives with the machine; compiler.h has the barrier.
ASM_HOMES = ("kernel/x86/", "boot/", "kernel/compiler.h")
# The blocks of a connection, whose members have lock letters.
LETTERED = {"net/sock.h": ("sock",), "net/tcp/tcp_ext.h": ("tcp_ext",),
            "net/tcp/tcp_sock.h": ("tcp_sock", "tcp_listen", "tcp_mini")}
SKIP_DIRS = {".git", "build", "__pycache__", ".pytest_cache"}
TEXT_RULES = (".c", ".h", ".S", ".py", ".sh")


def floor(path):
    """The layer that @path is part of, None for tests, tools, user."""
    top = path.split("/")[0]
    return top if top in LAYERS else None


def without_strings(line):
    return re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])+\'', '""', line)


def includes(lines):
    """Yields (line number, '<' or '"', name)."""
    for n, line in enumerate(lines, 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if m:
            yield n, m[1], m[2]


def check_layers(path, lines, _tree):
    where = floor(path)
    if not where:
        return
    port = next((p for p in PORTS if path.startswith(p)), None)
    allowed = LAYERS[where] + LAYER_EXCEPTIONS.get(path, ())
    for n, kind, name in includes(lines):
        if port and (kind == "<" or name.startswith(PORTS[port])):
            continue
        if kind == "<":
            if name not in COMPILER_HEADERS:
                yield n, f"<{name}> is not a header of the compiler"
        elif "/" not in name or name.startswith("."):
            yield n, f'"{name}": include by path from the root'
        elif not name.startswith(allowed):
            yield n, f"layer rule: {where}/ may not include {name}"


def check_own_header(path, lines, tree):
    own = path[:-2] + ".h"
    if not path.endswith(".c") or own not in tree:
        return
    first = next(includes(lines), (1, "", ""))
    if first[2] != own:
        yield first[0], f"its own header {own} comes first"


def check_pragma_once(path, lines, _tree):
    if path.endswith(".h") and "#pragma once" not in lines:
        yield 1, "#pragma once is missing"


def check_columns(path, lines, _tree):
    for n, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS and '"' not in line:
            yield n, f"longer than {COLUMNS} columns"


def check_file_length(path, lines, _tree):
    if len(lines) > FILE_LINES and path not in ONE_FILE:
        yield len(lines), f"file is longer than {FILE_LINES} lines"


def functions(lines):
    """Yields (first, last) of each function body: braces in column 0."""
    start = None
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        elif line.startswith("}") and start:
            yield start, n
            start = None


def check_functions(path, lines, _tree):
    if not path.endswith((".c", ".h")):
        return
    for first, last in functions(lines):
        if last - first + 1 > FUNCTION_LINES:
            yield first, f"function is longer than {FUNCTION_LINES} lines"
        for n in range(first, last):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|else|elif)\b",
                        lines[n - 1]):
                yield n, "no #if inside a function: use a stub or a file"


def check_left_behind(path, lines, _tree):
    if path in ("tools/check.py", "tests/check/test_check.py"):
        return
    for n, line in enumerate(lines, 1):
        if re.match(r"\s*#\s*if\s+0\b", line):
            yield n, "dead code (#if 0)"
        m = re.search(r"\b(TODO|XXX|FIXME)\b", line)
        if m:
            yield n, f"{m[1]} left behind"


def check_white_space(path, lines, _tree):
    c_like = path.endswith((".c", ".h", ".S"))
    for n, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield n, "white space at the end of the line"
        if c_like and line.startswith(" " * 8):
            yield n, "indent with tabs"


def check_opening_comment(path, lines, _tree):
    if not floor(path) or not path.endswith((".c", ".h", ".S")):
        return
    if not lines or not lines[0].startswith("/*"):
        yield 1, "open with a comment: the job of this file"
        return
    end = next((n for n, l in enumerate(lines) if "*/" in l), len(lines))
    end = next((n for n, l in enumerate(lines[:end]) if "LOCKING" in l), end)
    text = [l for l in lines[:end + 1] if l.strip(" /*\t")]
    if len(text) > OPENING_LINES:
        yield 1, f"the opening comment has over {OPENING_LINES} lines"


def check_typedefs(path, lines, _tree):
    if not floor(path) or path.startswith(tuple(PORTS)):
        return
    for n, line in enumerate(lines, 1):
        if re.match(r"typedef\s+(struct|union|enum)\b", line):
            yield n, "no typedef for a struct, union or enum"


def check_forward_statics(path, lines, _tree):
    if not path.endswith(".c"):
        return
    for n, line in enumerate(lines, 1):
        if not re.match(r"static\s+(?:\w+[\s*]+)+\w+\s*\(", line):
            continue
        whole = " ".join(lines[n - 1:n + 8])
        m = re.search(r"[;{=]", whole)
        if m and m[0] == ";":
            yield n, "no forward declaration of a static: reorder"


def check_asm(path, lines, _tree):
    if not floor(path) or path.startswith(ASM_HOMES):
        return
    for n, line in enumerate(lines, 1):
        if re.search(r"\b(__asm__|asm)\s*(volatile|__volatile__)?\s*\(",
                     without_strings(line)):
            yield n, "inline assembly belongs in kernel/x86/"


def check_lock_letters(path, lines, _tree):
    """Every member says which lock guards it, by a letter of the legend."""
    inside, legend = None, ""
    for n, line in enumerate(lines, 1):
        m = re.match(r"struct (?:__\w+\(.*\) )?(\w+) {$", line)
        if m and m[1] in LETTERED.get(path, ()):
            inside, legend = m[1], " ".join(lines[max(n - 14, 0):n - 1])
        elif line.startswith("}"):
            inside = None
        elif inside and re.search(r";\s*(/\*|$)", line) and \
                not re.match(r"\s*(}|/?\*)", line):
            m = re.search(r"/\* ([a-z])(,| )", line)
            if not m:
                yield n, f"struct {inside}: which lock guards this member?"
            elif not re.search(rf"(Locks:|,)[ *]+{m[1]} ", legend):
                yield n, f"struct {inside}: no lock is called {m[1]}"


RULES = (check_layers, check_own_header, check_pragma_once, check_columns,
         check_file_length, check_functions, check_left_behind,
         check_white_space, check_opening_comment, check_typedefs,
         check_forward_statics, check_asm, check_lock_letters)


def is_script(path):
    with open(path, "rb") as f:
        return f.read(2) == b"#!"


def tree_files(root):
    """All files under @root that the rules are for, as paths from it."""
    found = []
    for folder, dirs, names in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIP_DIRS)
        for name in sorted(names):
            full = os.path.join(folder, name)
            if name.endswith(TEXT_RULES) or is_script(full):
                found.append(os.path.relpath(full, root))
    return found


def check_text(root, paths):
    """The findings of every rule but the compiler's, as printable lines."""
    tree = set(paths)
    found = []
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        lines = text.splitlines()
        if text and not text.endswith("\n"):
            found.append(f"{path}:{len(lines)}: no newline at the end")
        for rule in RULES:
            found += [f"{path}:{n}: {what}"
                      for n, what in rule(path, lines, tree)]
    return found


def check_headers(root, paths, cc, port_flags):
    """Compiles each kernel header by itself; returns findings."""
    def alone(path):
        flags = next((port_flags[p] for p in port_flags
                      if path.startswith(p)), [])
        done = subprocess.run(
            [*cc, *flags, "-fsyntax-only", "-include", path, "-xc",
             "/dev/null"], cwd=root, text=True, stderr=subprocess.PIPE)
        if done.returncode == 0:
            return []
        return [f"{path}:1: does not compile alone\n{done.stderr}"]

    headers = [p for p in paths if p.endswith(".h") and floor(p)]
    with ThreadPoolExecutor(2) as pool:
        return [line for part in pool.map(alone, headers) for line in part]


def main():
    p = argparse.ArgumentParser(description="Style and layer rules.")
    p.add_argument("--cc", help="compiler and flags, to try each header")
    p.add_argument("--lwip", default="", help="more flags for net/lwip/")
    p.add_argument("--e2fs", default="", help="and for fs/ext/lib/")
    p.add_argument("--root", default=".")
    args = p.parse_args()
    paths = tree_files(args.root)
    found = check_text(args.root, paths)
    if args.cc:
        found += check_headers(args.root, paths, shlex.split(args.cc),
                               {"net/lwip/": shlex.split(args.lwip),
                                "fs/ext/lib/": shlex.split(args.e2fs)})
    for line in found:
        print(line)
    print(f"check: {len(paths)} files, {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
