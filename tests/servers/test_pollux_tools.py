"""The command pollux: images that boot, gdb and traces of running guests,
what `make install` puts where, completion."""
import os
import re
import socket
import subprocess

import pytest

from tests.lib.guest import Guest, free_port
from tests.servers.command import ECHO, pollux, refuses
from tests.servers.server import Server
from tools.qemu import user_net


def echoes(port, text=b"hello"):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(10)
        s.sendall(text)
        return s.recv(len(text), socket.MSG_WAITALL) == text


def boots(out, kind):
    port = free_port()
    how = {"elf": {"kernel": out, "initrd": None}, "iso": {"iso": out}}.get(
        kind, {"kernel": None, "initrd": None, "extra": (
            "-drive", f"file={out},format={kind},snapshot=on")})
    with Guest(net=user_net("pc", port, 7777), **how) as guest:
        guest.wait_console("listening on")
        assert echoes(port)


@pytest.mark.parametrize("kind", ["iso", "raw", "qcow2", "elf"])
def test_image(kind, tmp_path):
    out = f"{tmp_path}/app.{kind}"
    code, text = pollux("build", "-o", out, ECHO)
    assert code == 0 and re.search(rf"app.{kind}: [\d.]+ MiB", text), text
    boots(out, kind)


def test_image_keeps_arguments_and_files(tmp_path):
    """They are in it; only the console is left to see them on."""
    (tmp_path / "motd").write_text("a file in the image\n")
    out = f"{tmp_path}/app.elf"
    assert pollux("build", "-q", "-o", out, "-f", f"{tmp_path}/motd:/motd",
                  "--ip", "10.0.2.15::10.0.2.2:255.255.255.0::eth0:off",
                  "/bin/cat", "/motd")[0] == 0
    with Guest(kernel=out, initrd=None) as guest:
        guest.wait_console("^a file in the image$")
        assert guest.wait_exit() == 0


def test_no_tool_for_an_image(tmp_path):
    refuses("xorriso is not installed: apt install xorriso", "build", "-o",
            f"{tmp_path}/x.iso", os.path.abspath(ECHO),
            env={"PATH": str(tmp_path)})


def test_gdb_looks_and_lets_go():
    with Server(ECHO, port=7777, ready="listening on",
                options=("--name", "looked-at")) as server:
        assert echoes(server.port)
        code, out = pollux("gdb", "looked-at", "-batch", "-ex", "px-tasks",
                           "-ex", "px-sock", seconds=50)
        assert code == 0, out
        assert "echo" in out and "LISTEN" in out
        assert echoes(server.port)
    refuses("no guest looked-at", "gdb", "looked-at")


def test_trace_shows_the_way_of_an_echo(tmp_path):
    with Server(ECHO, port=7777, ready="listening on",
                options=("--trace",)) as server:
        with socket.create_connection(("127.0.0.1", server.port), 5) as s:
            for _ in range(20):
                s.sendall(b"x")
                assert s.recv(1) == b"x"
        code, out = pollux("trace", "echo", "--json", f"{tmp_path}/t.json")
        assert code == 0, out
        assert "us until the next hop" in out
        assert re.search("callback.*wait.*recv", out), out
        assert os.path.getsize(tmp_path / "t.json") > 1000
    with Server(ECHO, port=7777, ready="listening on") as server:
        assert echoes(server.port)
        code, out = pollux("trace", "echo")
        assert code != 0 and "Traceback" not in out and "trace" in out


def completes(script, *words):
    """What bash offers for the last of @words."""
    quoted = " ".join(f"'{w}'" for w in words)
    return subprocess.run(
        ["bash", "-c", f"{script}\nCOMP_WORDS=({quoted}); "
         f"COMP_CWORD={len(words) - 1}; _pollux; echo ${{COMPREPLY[@]}}"],
        check=True, stdout=subprocess.PIPE, text=True, env={
            **os.environ,
            "PATH": f"{os.path.abspath('tools')}:{os.environ['PATH']}"}
        ).stdout.split()


def test_completion():
    script = pollux("completion", "bash")[1]
    assert completes(script, "pollux", "st") == ["stop"]
    assert completes(script, "pollux", "run", "--me") == ["--memory"]
    assert completes(script, "pollux", "build", "--ou") == ["--output"]
    with Server(ECHO, port=7777, ready="listening on",
                options=("--name", "complete-me")):
        for command in ("stop", "gdb", "trace", "memory"):
            assert completes(script, "pollux", command, "c") == \
                ["complete-me"]
    assert "bashcompinit" in pollux("completion", "zsh")[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    where = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "-s", "install", "SETUP=no", f"DESTDIR={where}/",
                    "PREFIX=/usr"], check=True, stdout=subprocess.DEVNULL,
                   env={k: v for k, v in os.environ.items()
                        if k not in ("MAKEFLAGS", "POLLUX_KERNEL")})
    return f"{where}/usr"


def test_installed_runs_and_builds(installed, tmp_path):
    """Without the source tree: from another folder."""
    def run(*args):
        return subprocess.run(
            [f"{installed}/bin/pollux", *args], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90,
            cwd=tmp_path, stdin=subprocess.DEVNULL)

    done = run("run", "/bin/echo", "from the installed one")
    assert done.returncode == 0 and "from the installed one" in done.stdout
    (tmp_path / "data").mkdir()
    done = run("run", "-v", f"{tmp_path}/data:/data", "/bin/cp", "/etc/passwd",
               "/data/copy")
    assert done.returncode == 0, done.stdout
    assert "root:" in (tmp_path / "data/copy").read_text()
    for kind in ("iso", "elf"):
        done = run("build", "-o", f"app.{kind}", os.path.abspath(ECHO))
        assert done.returncode == 0, done.stdout
        boots(f"{tmp_path}/app.{kind}", kind)


def test_installed_tools_and_completion(installed, tmp_path):
    script = f"source {installed}/share/bash-completion/completions/pollux"
    assert completes(script, "pollux", "st") == ["stop"]
    with Server(ECHO, port=7777, ready="listening on",
                options=("--name", "seen", "--trace")) as server:
        assert echoes(server.port)
        for words, says in ((("ps",), "seen"),
                            (("gdb", "seen", "-batch", "-ex", "px-tasks"),
                             "echo"),
                            (("trace", "seen"), "next hop")):
            out = subprocess.run(
                [f"{installed}/bin/pollux", *words], check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50,
                cwd=tmp_path, stdin=subprocess.DEVNULL).stdout
            assert says in out, out
