"""The HTTP server with a browser's habits, and under wrk."""
import http.client
import re
import socket
import subprocess

import pytest

from tests.lib.guest import LinuxServer, UserNetGuest


@pytest.fixture(scope="module", params=["linux", "guest"])
def server(request):
    kind = LinuxServer if request.param == "linux" else UserNetGuest
    with kind("hello") as running:
        yield running


def talk(server, *parts):
    """Sends @parts one by one; returns all that comes until end of file."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            s.sendall(part)
        got = b""
        while True:
            part = s.recv(65536)
            if not part:
                return got
            got += part


def test_keep_alive(server):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for path in ("/", "/a", "/b?c=d"):
        client.request("GET", path)
        reply = client.getresponse()
        assert reply.status == 200
        assert b"Hello from Pollux" in reply.read()
        assert not reply.will_close
    client.request("HEAD", "/")
    reply = client.getresponse()
    assert (reply.status, reply.read()) == (200, b"")
    assert int(reply.getheader("Content-Length")) > 20
    client.close()


def test_pipelined_and_split_requests(server):
    got = talk(server,
               b"GET / HTTP/1.1\r\n\r\n" * 50 + b"GET / HT",
               b"TP/1.1\r\nConnection: clo", b"se\r\n\r\n")
    assert got.count(b"HTTP/1.1 200 OK") == 51
    assert got.count(b"Connection: close") == 1


def test_http_1_0_closes(server):
    assert talk(server, b"GET / HTTP/1.0\r\n\r\n").startswith(
        b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("request_text,status", [
    (b"POST / HTTP/1.1\r\n\r\n", b"405"),
    (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"413"),
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /" + b"a" * 9000, b"431"),
])
def test_refused_requests(server, request_text, status):
    got = talk(server, request_text)
    assert got.startswith(b"HTTP/1.1 " + status)


def test_wrk(server):
    done = subprocess.run(
        ["wrk", "-t1", "-c32", "-d2s", f"http://127.0.0.1:{server.port}/"],
        text=True, stdout=subprocess.PIPE, timeout=30, check=True)
    assert int(re.search(r"(\d+) requests in", done.stdout)[1]) > 100
    assert "Socket errors" not in done.stdout, done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout
