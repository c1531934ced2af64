"""The tables of bench/ from made-up figures, and its load on a real server."""
import contextlib
import json
import socket
import subprocess
import types
import xml.etree.ElementTree as ET

import pytest

from bench import compare, device, hops, measure, report
from bench.guests import POLLUX, STOCK, TUNED

PORT = 17771


def row(what="echo", more=True, pollux=(300.0, 100.0), tuned=(100.0, 100.0)):
    return report.Row(what, "a second", {POLLUX: list(pollux),
                                         TUNED: list(tuned), STOCK: [None]},
                      more)


def test_ratios_pair_the_rounds_and_say_times_better():
    assert row().ratio() == (1, 2, 3)
    assert row(more=False, pollux=(50.0, 20.0)).ratio() == (2, 3.5, 5)
    assert not row(tuned=(None, None)).ratio()


def test_the_table_has_median_and_spread():
    text = report.markdown([row()], (POLLUX, TUNED, STOCK), "notes")
    assert "| echo, a second | 200 (100 to 300) | 100 |  | 2.00 (1.00 to " \
        "3.00) |" in text
    assert text.endswith("\n\nnotes\n")


def test_the_json_has_every_value():
    found = json.loads(report.as_json([row()], "n"))["rows"][0]
    assert found["values"][POLLUX] == [300, 100]
    assert found["ratio"] == [1, 2, 3]


def test_the_chart_is_well_formed_and_leaves_out_what_has_no_ratio():
    chart = report.svg([row(), row("worse", pollux=(40.0, 60.0)),
                        row("alone", tuned=(None, None))])
    texts = [e.text for e in ET.fromstring(chart).iter()
             if e.tag.endswith("text")]
    assert "echo" in texts and "worse" in texts and "alone" not in texts
    assert "2.0" in texts and "0.5" in texts
    assert "200 / 100 a second" in texts


def test_hops_take_each_function_once_and_lose_nothing():
    delta = {"tcp_v4_rcv": (100, 1), "user:run": (50, 1), "odd": (7, 1),
             "kmem_cache_alloc_bulk": (3, 1), "ep_ctl_locked": (40, 1)}
    found = hops.by_hop(delta, 1)
    assert found["TCP demultiplexing"] == 100
    assert found["the program and its libc"] == 50
    assert found["poll, frame to skb, fresh buffers"] == 3
    assert found["epoll_ctl"] == 40 and found["epoll_wait"] == 0
    assert found[hops.REST] == 7 and sum(found.values()) == 200
    text = hops.table({"echo": found})
    assert "| together | 200 |" in text and "| TCP input | 0 |" in text


def test_the_table_has_the_tails_of_the_open_loop(monkeypatch):
    said = {"rate": 9, **{key: i for i, (key, _) in
                          enumerate(compare.PERCENTILES)}}
    monkeypatch.setattr(measure, "converse",
                        lambda *_words, **_how: (said, None))
    monkeypatch.setattr(compare.guests, "Running",
                        lambda *_: contextlib.nullcontext(
                            types.SimpleNamespace(address="")))
    figures = compare.Figures()
    for guest in (POLLUX, TUNED):
        compare.measure_rates(figures, guest, None)
    text = report.markdown(list(figures.rows.values()), (POLLUX, TUNED), "")
    due = f"echo, 64 connections, {compare.OPEN_RATE} a second due"
    for i, name in enumerate(("median", "90 %", "99 %", "99.9 %")):
        assert f"| {due}: {name} within, us | {i} | {i} |" in text
    # Its rate is given, not measured.
    assert f"| {due}, a second" not in text


def test_rounds_and_names_of_a_comparison(monkeypatch):
    def asked(*words):
        monkeypatch.setattr("sys.argv", ["bench", *words])
        return measure.asked_for(("one", "two"), "usage")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert asked() == (3, [])
    assert asked("5", "two") == (5, ["two"])
    assert asked("one") == (3, ["one"])
    for wrong in (("three",), ("one", "5")):
        with pytest.raises(SystemExit):
            asked(*wrong)
    monkeypatch.setattr("os.geteuid", lambda: 1)
    with pytest.raises(SystemExit):
        asked()


def test_doorbells_and_interrupts_are_told_apart_by_queue():
    lines = ["virtio_queue_notify vdev 0x1 n 0 vq 0xa",
             "virtio_queue_notify vdev 0x1 n 1 vq 0xb",
             "virtio_notify vdev 0x1 vq 0xa",
             "virtio_queue_notify vdev 0x1 n 1 vq 0xb", "something else"]
    assert device.count(lines) == {("doorbell", 0): 1, ("doorbell", 1): 2,
                                   ("interrupt", 0): 1}


@pytest.fixture(name="load_program", scope="module")
def _load_program(tmp_path_factory):
    made = tmp_path_factory.mktemp("load") / "load"
    subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror",
                    "bench/load.c", "-o", made], check=True)
    return made


@pytest.fixture(name="load", scope="module")
def _load(tmp_path_factory, load_program):
    """Runs bench/load against the echo server on the host; its result."""
    folder = tmp_path_factory.mktemp("echo")
    subprocess.run(["gcc", "-O1", "-I.", "user/echo.c", "user/loop.c", "-o",
                    folder / "echo"], check=True)
    with subprocess.Popen([folder / "echo", str(PORT)],
                          stdout=subprocess.PIPE, text=True) as echo:
        assert "listening" in echo.stdout.readline()

        def run(*words):
            done = subprocess.run(
                [load_program, "127.0.0.1", str(PORT), *map(str, words)],
                input="go\nend\n", text=True, capture_output=True, timeout=30,
                check=True)
            return json.loads(done.stdout.splitlines()[1])
        yield run
        echo.kill()


@pytest.mark.parametrize("words", [
    (3, 300, 64), (3, 60, 64, "churn"), (2, 5, 300000),
    (4, 200, 64, "from", "127.0.0.9", 3), (3, 100, 64, "open", 2000)])
def test_every_mode_echoes_all_and_orders_its_percentiles(load, words):
    said = load(*words)
    assert said["done"] == words[1]
    values = [said[key] for key in ("p50_us", "p90_us", "p99_us", "p999_us",
                                    "max_us")]
    assert values == sorted(values) and values[0] > 0


def test_a_wrong_byte_ends_it(load_program):
    with socket.create_server(("127.0.0.1", 0)) as server:
        cmd = [load_program, "127.0.0.1", str(server.getsockname()[1]), "1",
               "2", "64"]
        with subprocess.Popen(cmd, stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as load:
            conn, _ = server.accept()
            with conn:
                load.stdin.write("go\n")
                load.stdin.flush()
                said = bytearray(conn.recv(64, socket.MSG_WAITALL))
                said[63] ^= 1
                conn.sendall(said)
                assert "a wrong byte" in load.communicate()[1]
        assert load.returncode == 1


def test_an_open_loop_keeps_its_rate_and_counts_waiting(load):
    assert 0.09 < load(4, 100, 64, "open", 1000)["done"] / load(
        4, 100, 64, "open", 1000)["rate"] < 0.5
    # A thousand due at once on one connection: the last waited for all.
    said = load(1, 1000, 64, "open", 10000000)
    assert said["max_us"] > 5 * said["p50_us"] / 4
    assert said["max_us"] > 0.9e6 * said["done"] / said["rate"]
