"""tools/trace.py on a guest that has echoed a known number of times."""
import itertools
import json
import re
import socket
import subprocess
import tempfile

import pytest
from scapy.utils import PcapNgReader

from tests.lib.guest import UserNetGuest
from tests.lib.qmp import Monitor, drop_names
from tests.lib.wire import Dropped, Peer, WireGuest, payload
from tools import tracering

CONNECTIONS, ROUNDS = 3, 10
ECHOES = CONNECTIONS * ROUNDS
# Frames of a multiple of 4 bytes: scapy 2.5 forgets the padding of others.
PAYLOAD = b"t" * 66
HEADERS = 54
# enum tcp_state
STATES = ("?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
          "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
          "LISTEN", "CLOSING", "NEW_SYN_RECV")


class Traced:
    """What the tool printed and wrote, live and on a core."""

    def __init__(self, folder, guest, monitor):
        self.json, self.pcapng = f"{folder}/t.json", f"{folder}/t.pcapng"
        socks = [socket.create_connection(("127.0.0.1", guest.port), 10)
                 for _ in range(CONNECTIONS)]
        for _ in range(ROUNDS):
            for s in socks:
                s.sendall(PAYLOAD)
                assert s.recv(len(PAYLOAD)) == PAYLOAD
        monitor.ask("stop")
        core = f"{folder}/core"
        monitor.dump_core(core)
        self.text = self.run("--qmp", monitor.path, "--json", self.json,
                             "--pcap", f"{folder}/pcap", "--pcapng",
                             self.pcapng)
        self.core = self.run("--core", core)
        self.records = tracering.read_ring(tracering.Core(core))
        for s in socks:
            s.close()

    @staticmethod
    def run(*args):
        return subprocess.run(["tools/trace.py", *args], text=True,
                              check=True, stdout=subprocess.PIPE).stdout


class Reconnecting:
    """QMP serves one client at a time: this one lets go after each word."""

    def __init__(self, monitor):
        self.monitor = monitor
        self.path = monitor.path

    def ask(self, *args, **how):
        self.monitor.connect()
        try:
            return self.monitor.ask(*args, **how)
        finally:
            self.monitor.close()

    def dump_core(self, path):
        self.monitor.connect()
        self.monitor.dump_core(path)
        self.monitor.close()


@pytest.fixture(scope="module")
def traced():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        dump = ["-object",
                f"filter-dump,id=d0,netdev=n0,file={folder}/pcap"]
        with UserNetGuest(more="trace=all",
                          extra=[*monitor.args(), *dump]) as guest:
            yield Traced(folder, guest, Reconnecting(monitor))


def test_every_echo_is_found(traced):
    assert f"{ECHOES} whole echoes" in traced.text
    assert re.search(rf"^whole echo: {ECHOES} times, median", traced.text,
                     re.M)
    assert re.search(rf"^tcp_recvmsg: {ECHOES} times", traced.text, re.M)


def test_core_says_the_same(traced):
    assert traced.text.startswith(traced.core.rstrip("\n"))


def test_hops_of_an_echo_are_in_order(traced):
    for echo in tracering.echoes(traced.records):
        names = [name for name, _ in echo.hops]
        assert names == [h for h in tracering.HOPS if h in names]
        times = [at for _, at in echo.hops]
        assert times == sorted(times)
        assert echo.total == sum(ns for _, ns in echo.spent())


def test_chrome_trace(traced):
    with open(traced.json, encoding="utf-8") as f:
        events = json.load(f)["traceEvents"]
    slices = [e for e in events if e["ph"] == "X" and e["name"] == "echo"]
    assert len(slices) == ECHOES and all(e["dur"] > 0 for e in slices)
    assert len({e["tid"] for e in slices}) == CONNECTIONS
    states = [e for e in events if e["name"] == "tcp_set_state"]
    assert len(states) >= CONNECTIONS


def test_pcapng_comments(traced):
    """Each request says when it was answered, each answer that it went."""
    assert re.search(r"\d+ packets carry a comment", traced.text)
    requests = answers = 0
    with PcapNgReader(traced.pcapng) as packets:
        for packet in packets:
            comment = getattr(packet, "comment", None) or b""
            if len(packet) == HEADERS + len(PAYLOAD):
                requests += b"answered after" in comment
                answers += b"tcp_transmit sock" in comment
    assert (requests, answers) == (ECHOES, ECHOES)


REQUEST = b"GET / HTTP/1.0\r\n\r\n"
# What a socket or a record must have gone through in the test below.
EDGES = """
    CLOSE>LISTEN CLOSE>NEW_SYN_RECV NEW_SYN_RECV>CLOSE
    CLOSE>SYN_RECV SYN_RECV>ESTABLISHED
    ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE
    ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE
    CLOSE>TIME_WAIT""".split()


def test_every_tracepoint_fires():
    """Each one of the enum in one run; every state change and both kinds of
    retransmission with it."""
    with WireGuest("hello", more="trace=all") as guest:
        silent, peer, other = (Peer(guest.wire, 8080) for _ in range(3))
        synack = silent.syn()
        assert silent.expect("SA", seconds=5).seq == synack.seq
        peer.connect().send("PA", REQUEST)
        first = peer.expect(data=True)
        # Not acknowledged: it comes again.
        assert peer.expect(data=True).seq == first.seq
        peer.rcv_nxt = (first.seq + len(payload(first)) + 1) % 2**32
        peer.send("A")
        peer.send("FA")
        peer.expect("A")
        other.connect().send("FA")
        other.rcv_nxt = (other.expect("FA").seq + 1) % 2**32
        other.send("A")
        with Dropped(guest, "TCP_CSUM"):
            other.send("A", chksum=1)
        records = tracering.read_ring(tracering.LiveGuest(guest.monitor))
    assert {r.name for r in records} == set(tracering.point_names())
    edges = {f"{STATES[r.b >> 16]}>{STATES[r.b & 0xffff]}"
             for r in records if r.name == "tcp_set_state"}
    assert set(EDGES) <= edges, set(EDGES) - edges
    again = [r.b >> 32 for r in records if r.name == "tcp_retransmit"]
    assert {first.seq, synack.seq} <= set(again)
    switches = [(r.a, r.b) for r in records if r.name == "sched_switch"]
    # Who is left in a switch is who came in the one before; not at first,
    # when a kernel thread becomes the program.
    switches = switches[switches.index((1, 0)):]
    assert not [(a, b) for a, b in itertools.pairwise(switches)
                if a[1] != b[0]], switches
    assert {drop_names()[r.a] for r in records
            if r.name == "net_drop"} >= {"TCP_CSUM"}


def test_without_tracepoints_it_says_so():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        with UserNetGuest(extra=monitor.args()):
            done = subprocess.run(
                ["tools/trace.py", "--qmp", monitor.path], text=True,
                stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and "trace=all" in done.stderr
