"""Each member of a connection's blocks says by a letter what guards it, and
the legend above knows the letter."""
import re

import pytest


def struct_of(path, name):
    """(the comment above, its lines)"""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    m = re.search(r"/\*((?:(?!\*/).)*)\*/\nstruct (?:__capability\(.*\) )?" +
                  name + r" \{\n(.*?)\n\}", text, re.S)
    assert m, f"{path} has no struct {name} with a comment"
    return m[1], m[2].split("\n")


@pytest.mark.parametrize("path, name", [
    ("net/tcp/tcp_sock.h", "tcp_sock"),
    ("net/tcp/tcp_sock.h", "tcp_counts"),
    ("net/tcp/tcp_sock.h", "tcp_listen"),
    ("net/tcp/tcp_sock.h", "tcp_mini"),
    ("net/tcp/tcp_ext.h", "tcp_ext"),
    ("net/sock.h", "sock"),
])
def test_every_member_has_one(path, name):
    legend, lines = struct_of(path, name)
    known = re.findall(r"\b([a-z])\b", legend.partition("ocks:")[2])
    members = 0
    for i, line in enumerate(lines):
        if not line.rstrip().endswith("*/") and ";" not in line or \
           re.match(r"\s*(/\*|\}|\*)", line):
            continue
        # The comment of a long declaration is on the next line.
        text = line if "/*" in line else line + lines[i + 1]
        m = re.search(r"/\* +([a-z])(?:,| \*/|  | \()", text)
        assert m, f"{path}: no letter: {line.strip()}"
        assert m[1] in known, f"{path}: what is {m[1]}? {line.strip()}"
        members += 1
    assert members >= 5
