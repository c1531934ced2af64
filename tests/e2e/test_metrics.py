"""metrics=9100: what Prometheus would read, while the server serves."""
import re
import socket
import time

import pytest

from tests.lib.guest import USER_IP, Guest, free_port
from tools import qemu

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(\{{({NAME}=\"[^\"\\\n]*\",?)*\}})? "
                    r"(-?[0-9.e+]+)$")
# The ports that the guest has: the program's, and the kernel's.
ECHO, METRICS = 7777, 9100


class MetricsGuest(Guest):
    """echo, with a second port led in."""

    def __init__(self, more=f"metrics={METRICS}"):
        self.port, self.metrics = free_port(), free_port()
        net = qemu.user_net("pc", self.port, ECHO)
        net[1] += f",hostfwd=tcp:127.0.0.1:{self.metrics}-:{METRICS}"
        super().__init__(append=f"ip={USER_IP} init=/echo {more}", net=net)

    def __enter__(self):
        self.wait_console("listening on")
        return self

    def connect(self, port):
        return socket.create_connection(("127.0.0.1", port), 10)

    def ask(self, request=b"GET /metrics HTTP/1.1\r\nHost: guest\r\n\r\n"):
        """(status line and headers, body)."""
        with self.connect(self.metrics) as s:
            s.sendall(request)
            answer = b""
            while True:
                data = s.recv(65536)
                if not data:
                    break
                answer += data
        headers, _, body = answer.decode().partition("\r\n\r\n")
        return headers, body


def parse(body):
    """{series: value}; refuses what the exposition format 0.0.4 forbids."""
    assert body.endswith("\n") and "\r" not in body
    values, types, family = {}, {}, None
    for line in body[:-1].split("\n"):
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert re.fullmatch(NAME, family)
            assert kind in ("counter", "gauge", "untyped"), line
            assert family not in types, f"{family} comes twice"
            assert kind != "counter" or family.endswith("_total"), line
            types[family] = kind
            continue
        sample = SAMPLE.match(line)
        assert sample, line
        assert sample[1] == family, f"{line} is not in its family's group"
        series = sample[1] + (sample[2] or "")
        assert series not in values, f"{series} comes twice"
        values[series] = float(sample[4])
    assert values
    return values


@pytest.fixture(scope="module")
def guest():
    with MetricsGuest() as g:
        yield g


def test_format_and_headers(guest):
    headers, body = guest.ask()
    assert headers.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/plain; version=0.0.4" in headers
    assert f"Content-Length: {len(body)}" in headers
    parse(body)


def test_counters_count_what_the_server_does(guest):
    """Three echoes on one connection, which stays open."""
    before = parse(guest.ask()[1])
    with guest.connect(guest.port) as s:
        for _ in range(3):
            s.sendall(b"counted")
            assert s.recv(7) == b"counted"
        after = parse(guest.ask()[1])
    more = {k: after[k] - before[k] for k in after if k in before}
    # The connection of the scrape itself, too.
    assert more["node_netstat_Tcp_PassiveOpens"] == 2
    assert more["node_netstat_Tcp_InSegs"] >= 8
    assert more["node_sockstat_TCP_inuse"] == 1
    assert after["node_netstat_Tcp_CurrEstab"] == 2
    assert more['node_network_receive_packets_total{device="eth0"}'] >= 8
    assert more["node_netstat_TcpExt_TCPOrigDataSent"] >= 3
    total = after["node_memory_MemTotal_bytes"]
    assert 32 << 20 < after["node_memory_MemFree_bytes"] < total < 64 << 20


def test_names_of_node_exporter(guest):
    values = parse(guest.ask()[1])
    for name in ("Ip_InReceives", "Tcp_ActiveOpens", "Tcp_RetransSegs",
                 "Tcp_OutRsts", "TcpExt_ListenOverflows",
                 "TcpExt_TCPTimeouts", "Udp_InDatagrams"):
        assert f"node_netstat_{name}" in values
    for name in ("node_sockstat_sockets_used", "node_sockstat_TCP_tw",
                 "node_memory_MemAvailable_bytes",
                 'pollux_slab_objects{cache="tcp_sock"}',
                 'pollux_drops_total{reason="TCP_CSUM"}',
                 'pollux_watchdog_total{case="cpu"}'):
        assert name in values


def test_other_paths_are_not_found(guest):
    headers, body = guest.ask(b"GET /etc HTTP/1.1\r\n\r\n")
    assert headers.startswith("HTTP/1.1 404 ") and "/metrics" in body


def test_a_silent_client_keeps_nobody_out(guest):
    """It is let go after two seconds; one that talks too much at once, which
    may reset the connection."""
    with guest.connect(guest.metrics), guest.connect(guest.port) as s:
        s.sendall(b"served")
        assert s.recv(6) == b"served"
        start = time.monotonic()
        parse(guest.ask()[1])
        assert time.monotonic() - start < 8
    try:
        headers, _ = guest.ask(b"GET /" + b"x" * 5000)
        assert headers.startswith("HTTP/1.1 404 ")
    except ConnectionError:
        pass
    parse(guest.ask()[1])


def test_off_unless_asked_for():
    """And a port that is none is refused by name."""
    with MetricsGuest(more="metrics=99999") as g:
        assert "metrics" in g.console and "a TCP port" in g.console
        with g.connect(g.metrics) as s:
            try:
                s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                answer = s.recv(1)
            except ConnectionError:
                answer = b""
        assert answer == b""
