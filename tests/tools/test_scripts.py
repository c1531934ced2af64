"""Segment scripts: enough of them, each named after its rule, none forgotten."""
import glob
import re

LEAST = 230
# At least so many scripts for each of what TCP is made of.
RFCS = {1122: 4, 1191: 2, 2018: 7, 2883: 5, 3042: 3, 3168: 10, 4821: 4,
        5482: 2, 5681: 11, 5682: 6, 5961: 8, 6093: 2, 6191: 3, 6298: 12,
        6528: 1, 6582: 4, 6675: 4, 6937: 3, 7323: 14, 7413: 12, 8985: 10,
        9293: 70, 9406: 4, 9438: 7}


def scripts():
    """{name: file} of the tests that say what goes in and what comes out."""
    found = {}
    for path in glob.glob("tests/unit/test_tcp_*.c"):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for name in re.findall(r"^static void (test_rfc\d+_\w+)\(", text,
                               re.M):
            assert name not in found, f"{name} is in {found[name]}, too"
            assert f"T({name})" in text, f"{path} never runs {name}"
            found[name] = path
    return found


def test_each_rule_has_its_script():
    names = scripts()
    assert len(names) >= LEAST, f"{len(names)} scripts"
    for rfc, least in RFCS.items():
        there = sum(name.startswith(f"test_rfc{rfc}_") for name in names)
        assert there >= least, f"RFC {rfc}: {there} scripts"
