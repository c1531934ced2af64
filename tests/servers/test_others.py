"""haproxy, lighttpd, sockperf, node, a static Go program, python3."""
import os
import re
import subprocess

import pytest

from tests.lib.guest import free_port
from tests.servers.server import Server, client, find


def test_python_http_server(tmp_path):
    (tmp_path / "page.txt").write_text("from a file\n")
    with Server("/usr/bin/python3", "-m", "http.server", "-d", "/site",
                port=8000, ready="Serving HTTP",
                options=("--dir", f"{tmp_path}:/site", "-e",
                         "PYTHONUNBUFFERED=1")) as server:
        assert client("curl", "-s", f"{server.url}/page.txt") == \
            "from a file\n"
        assert "Directory listing" in client("curl", "-s", f"{server.url}/")
        assert "404" in client("curl", "-si", f"{server.url}/none")
        server.wait_console('"GET /page.txt HTTP/1.1" 200')


ASYNCIO = """\
import asyncio, socket

async def serve(reader, writer):
    async for line in reader:
        await asyncio.sleep(0.01)
        writer.write(line.upper())
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 9000)
    print("ready on", socket.gethostname(), flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""


def test_python_asyncio(tmp_path):
    script = tmp_path / "serve.py"
    script.write_text("#!/usr/bin/python3\n" + ASYNCIO)
    with Server(str(script), port=9000, ready="ready on pyhost",
                options=("--hostname", "pyhost")) as server:
        socks = [server.connect() for _ in range(10)]
        for i, s in enumerate(socks):
            s.sendall(b"line %d\n" % i)
        for i, s in enumerate(socks):
            assert s.recv(100) == b"LINE %d\n" % i
            s.close()


HAPROXY = """\
global
	maxconn 200
defaults
	mode http
	timeout client 10s
	timeout server 10s
	timeout connect 5s
frontend front
	bind :8080
	default_backend back
backend back
	http-response set-header X-Through haproxy
	server one 10.0.2.2:{port}
frontend here
	bind :8081
	http-request return status 200 content-type text/plain string "direct\\n"
"""


def test_haproxy(tmp_path):
    """From this machine through the guest to a server on this machine."""
    port = free_port()
    (tmp_path / "index.txt").write_text("behind the proxy\n")
    (tmp_path / "haproxy.cfg").write_text(HAPROXY.format(port=port))
    with subprocess.Popen(
            ["/usr/bin/python3", "-m", "http.server", str(port), "-d",
             tmp_path], stderr=subprocess.DEVNULL) as back:
        try:
            with Server("haproxy", "-f", "/haproxy.cfg", port=8080,
                        probe=b"GET / HTTP/1.0\r\n\r\n", options=(
                    "-f", f"{tmp_path}/haproxy.cfg:/haproxy.cfg")) as server:
                out = client("curl", "-si", f"{server.url}/index.txt")
                assert "behind the proxy" in out
                assert "x-through: haproxy" in out.lower()
                assert "404" in client("curl", "-si", f"{server.url}/none")
        finally:
            back.kill()


def test_haproxy_as_debian_configures_it(tmp_path):
    """It goes into /var/lib/haproxy (chroot) and becomes the user haproxy."""
    with open(os.path.join(os.path.dirname(find("haproxy")), "../../etc",
                           "haproxy/haproxy.cfg"), encoding="utf-8") as f:
        shipped = f.read()
    assert re.search(r"^\s*chroot /var/lib/haproxy$", shipped, re.M)
    (tmp_path / "haproxy.cfg").write_text(shipped + """
frontend here
	bind :80
	http-request return status 200 content-type text/plain string "in a cage"
""")
    with Server("haproxy", port=80, probe=b"GET / HTTP/1.0\r\n\r\n", options=(
            "--kernel-arg", "strace=1",
            "-f", f"{tmp_path}/haproxy.cfg:/etc/haproxy/haproxy.cfg")) as server:
        assert client("curl", "-s", server.url) == "in a cage"
        assert re.search(r"chroot\(.*\) += 0", server.console)
        assert re.search(r"setuid\((0x)?[1-9].*\) += 0", server.console)


LIGHTTPD = """\
server.document-root = "/www"
server.port = 80
server.modules = ( "mod_indexfile", "mod_staticfile" )
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html" )
"""


def test_lighttpd(tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/index.html").write_text("<p>light</p>\n")
    (tmp_path / "www/big").write_bytes(bytes(3_000_000))
    (tmp_path / "light.conf").write_text(LIGHTTPD)
    find("lighttpd")
    with Server("lighttpd", "-f", "/light.conf", port=80,
                ready="server started", options=(
                    "-f", f"{tmp_path}/light.conf:/light.conf", "--dir",
                    f"{tmp_path}/www:/www")) as server:
        out = client("curl", "-si", f"{server.url}/")
        assert "Server: lighttpd" in out and "<p>light</p>" in out
        assert client("curl", "-s", "-o", os.devnull, "-w", "%{size_download}",
                      f"{server.url}/big") == "3000000"


def test_lighttpd_as_debian_configures_it(tmp_path):
    """Its include_shell lines are run here, since the guest cannot fork."""
    (tmp_path / "index.html").write_text("<p>as shipped</p>\n")
    find("lighttpd")
    with Server("lighttpd", port=80, probe=b"GET / HTTP/1.0\r\n\r\n", options=(
            "-f", f"{tmp_path}/index.html:/var/www/html/index.html")) as server:
        out = client("curl", "-si", f"{server.url}/")
        assert "<p>as shipped</p>" in out
        # What one of those lines has printed.
        assert "content-type: text/html" in out.lower()
        assert "create-mime.conf.pl is run here" in server.console


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_sockperf(kind):
    tcp = ["--tcp"] if kind == "tcp" else []
    with Server("sockperf", "server", *tcp, port=11111, kind=kind,
                ready=r"\[tid \d+\] using|Warmup|to terminate") as server:
        out = client("sockperf", "ping-pong", *tcp, "-i", "127.0.0.1", "-p",
                     server.port, "-t", 1, "--mps=200")
        assert re.search(r"avg-latency=[\d.]+|Summary: Latency is", out)
        assert "# dropped messages = 0" in out


NODE = """\
const http = require('http'), fs = require('fs');
http.createServer((req, res) => {
  if (req.url == '/file')
    return fs.createReadStream('/etc/passwd').pipe(res);
  let body = '';
  req.on('data', d => body += d);
  req.on('end', () => res.end(JSON.stringify({url: req.url, body})));
}).listen(3000, () => console.log('ready'));
"""


@pytest.mark.limit(240)
def test_node(tmp_path):
    (tmp_path / "app.js").write_text(NODE)
    with Server("node", "/app.js", port=3000, options=(
            "-f", f"{tmp_path}/app.js:/app.js", "-m", "512M")) as server:
        server.wait_console("^ready", 60)
        assert client("curl", "-s", "-d", "posted", f"{server.url}/x") == \
            '{"url":"/x","body":"posted"}'
        assert "root:" in client("curl", "-s", f"{server.url}/file")


GO = """\
package main

import (
	"fmt"
	"net/http"
	"runtime"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Millisecond)
		fmt.Fprintf(w, "%s on %s", r.URL.Path, runtime.GOOS)
	})
	panic(http.ListenAndServe(":8080", nil))
}
"""


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    work = tmp_path_factory.mktemp("go")
    (work / "main.go").write_text(GO)
    go = os.path.abspath(os.path.realpath(find("go")))
    env = dict(os.environ, GO111MODULE="off", CGO_ENABLED="0",
               GOROOT=os.path.dirname(os.path.dirname(go)),
               GOCACHE=os.path.abspath("build/go-cache"), GOPATH=str(work))
    subprocess.run([go, "build", "-o", work / "server", work / "main.go"],
                   env=env, check=True, timeout=100)
    return str(work / "server")


@pytest.mark.limit(240)
def test_go(go_program):
    with Server(go_program, port=8080,
                probe=b"GET / HTTP/1.0\r\n\r\n") as server:
        assert client("curl", "-s", f"{server.url}/path") == "/path on linux"
        out = client("wrk", "-t", 1, "-c", 20, "-d", 1, f"{server.url}/")
        assert "Socket errors" not in out


def wait_for_qemu(server):
    while True:
        try:
            server.connect().close()
            return
        except ConnectionRefusedError:
            assert server.process.poll() is None


def no_answer(server, request):
    """The connection is closed without a word."""
    with server.connect() as s:
        try:
            s.sendall(request)
            assert s.recv(100) == b""
        except ConnectionResetError:
            pass


def test_busybox_httpd_without_processes():
    """It forks for each connection: it cannot, and goes on listening."""
    with Server("busybox", "httpd", "-f", "-p", "80", "-h", "/etc", port=80,
                ready="leads to") as server:
        wait_for_qemu(server)
        while "EAGAIN" not in server.console:
            no_answer(server, b"GET / HTTP/1.0\r\n\r\n")
        no_answer(server, b"GET / HTTP/1.0\r\n\r\n")
        assert server.process.poll() is None


def test_dropbear_without_processes(tmp_path):
    """The same: the connection is closed, the server goes on."""
    key = tmp_path / "key"
    client("dropbearkey", "-t", "ed25519", "-f", key)
    with Server("dropbear", "-F", "-E", "-p", "22", "-r", "/key", port=22,
                ready="Not backgrounding",
                options=("-f", f"{key}:/key")) as server:
        for _ in range(2):
            no_answer(server, b"")
        server.wait_console("EAGAIN")
        assert server.process.poll() is None
