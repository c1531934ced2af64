"""The simulator's own checks: each fires at the fault that it is for, and a
seed that failed fails again in the same way."""
import re
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

SIM = "build/sim/sim"
SEEDS = 30


@pytest.fixture(scope="module", autouse=True)
def make_sim():
    subprocess.run(["make", "--no-print-directory", "sim", "SEEDS=1"],
                   check=True, stdout=subprocess.PIPE)


def sim(folder, *args):
    return subprocess.run([SIM, *map(str, args), "--dir", str(folder)],
                          check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def complaints(text):
    """{seed: what it died of}"""
    return {int(seed): why for why, seed in re.findall(
        r"FAILED: (.*)\n.*\n.*SEED=(\d+)", text)}


@pytest.mark.parametrize("fault, says", [
    ("sent", "wrong bytes at offset"),
    ("window", "the window ends at"),
    ("ack", "only [0-9]+ was sent"),
    ("shrink", "takes its window back"),
    ("read", "wrong bytes at [0-9]+,"),
    ("stuck", "is stuck"),
    ("leak", "allocations are left"),
])
@pytest.mark.limit(200)
def test_a_check_fires(tmp_path, fault, says):
    found = complaints(sim(tmp_path, "--seeds", SEEDS, "--fault", fault))
    assert any(re.search(says, why) for why in found.values()), found


@pytest.mark.limit(200)
def test_a_seed_fails_again_with_packets_and_plot(tmp_path):
    text = sim(tmp_path, "--seeds", SEEDS, "--fault", "sent")
    assert "does not fail again" not in text
    seed, why = next(iter(complaints(text).items()))
    pcap = (tmp_path / f"seed-{seed}.pcap").read_bytes()
    again = tmp_path / "again"
    again.mkdir()
    assert complaints(sim(again, "--seed", seed, "--fault", "sent")) == {
        seed: why}
    assert (again / f"seed-{seed}.pcap").read_bytes() == pcap
    # Packets in the order of time, as many as the file says.
    assert struct.unpack_from("<I", pcap)[0] == 0xa1b23c4d
    at, times = 24, []
    while at < len(pcap):
        sec, nsec, kept, _ = struct.unpack_from("<4I", pcap, at)
        times.append((sec, nsec))
        at += 16 + kept
    assert at == len(pcap) and len(times) > 20 and times == sorted(times)
    plot = ElementTree.parse(tmp_path / f"seed-{seed}.svg").getroot()
    kinds = [e.tag.rpartition("}")[2] for e in plot]
    # Segments over time, and what acknowledges them; both ways have a title.
    assert kinds.count("path") > 10 and kinds.count("circle") > 10
    assert kinds.count("text") == 2
