"""nginx: curl with a file of 100 MB by its hash, wrk, h2load."""
import hashlib
import os
import re

import pytest

from tests.servers.server import ROOT, Server, client, find

CONF = """daemon off; master_process off; user root; pid /run/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 512; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
	server { listen 80; listen [::]:80; listen 81 http2; root /www; }
}
"""
BIG = 100 * 1000 * 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page of 612 bytes and a file of 100 MB; its hash."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "nginx.conf").write_text(CONF)
    www = folder / "www"
    www.mkdir()
    (www / "index.html").write_text("x" * 611 + "\n")
    seed = os.urandom(1 << 20)
    digest = hashlib.sha256()
    with open(www / "big", "wb") as f:
        for at in range(0, BIG, len(seed)):
            part = (at.to_bytes(8, "little") + seed)[:min(len(seed), BIG - at)]
            digest.update(part)
            f.write(part)
    return folder, digest.hexdigest()


def start(folder, *options, **how):
    return Server("nginx", "-c", "/etc/nginx.conf", "-g", "", options=(
        "--no-recipe", "--mkdir", "/var/lib/nginx", "--mkdir",
        "/var/log/nginx", "-f", f"{folder}/nginx.conf:/etc/nginx.conf", "--dir",
        f"{folder}/www:/www", *options), ready="start worker|using the", **how)


@pytest.fixture(scope="module")
def nginx(site):
    with start(site[0], "-m", "160M", port=80) as server:
        yield server


def test_page(nginx):
    out = client("curl", "-si", f"{nginx.url}/")
    assert "200 OK" in out and "Server: nginx" in out
    assert out.endswith("x" * 611 + "\n")
    assert "404 Not Found" in client("curl", "-si", f"{nginx.url}/none")


def test_as_debian_configures_it(tmp_path):
    """Without a word of ours but the page: the recipe's flags and folders."""
    (tmp_path / "index.html").write_text("as shipped\n")
    find("nginx")
    site = "/etc/nginx/sites-{}/default"
    packed = next((r + site.format("available") for r in (ROOT, "")
                   if os.path.exists(r + site.format("available"))))
    with Server("nginx", port=80, probe=b"GET / HTTP/1.0\r\n\r\n", options=(
            "-f", f"{packed}:{site.format('enabled')}",
            "-f", f"{tmp_path}/index.html:/var/www/html/index.html")) as server:
        assert client("curl", "-s", f"{server.url}/") == "as shipped\n"
        assert "master_process off" in server.console
        server.process.terminate()
        assert server.process.wait(30) == 0


def test_big_file(nginx, site, tmp_path):
    client("curl", "-s", "-o", tmp_path / "big", f"{nginx.url}/big",
           seconds=50)
    with open(tmp_path / "big", "rb") as f:
        assert hashlib.sha256(f.read()).hexdigest() == site[1]


def test_part_of_a_file(nginx):
    out = client("curl", "-s", "-r", "10-19", "-D", "-", f"{nginx.url}/big",
                 "-o", os.devnull)
    assert "206 Partial" in out and "bytes 10-19/100000000" in out


def test_wrk(nginx):
    out = client("wrk", "-t", 1, "-c", 64, "-d", 1, f"{nginx.url}/")
    assert "Socket errors" not in out and "Non-2xx" not in out
    assert float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]) > 10


def test_h2load(site):
    with start(site[0], "-m", "160M", port=81) as server:
        out = client("h2load", "-n", 500, "-c", 10, "-m", 10,
                     f"{server.url}/")
        assert "500 succeeded, 0 failed, 0 errored" in out


def test_answers_in_24_mebibytes(site):
    os.truncate(site[0] / "www" / "big", 0)
    with start(site[0], "-m", "24M", "-M", "microvm", port=80) as server:
        assert client("curl", "-s", f"{server.url}/").startswith("xxx")
