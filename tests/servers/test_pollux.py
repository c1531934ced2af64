"""The command pollux: what it packs, starts, lists and ends, and what it says
when it cannot."""
import os
import re
import signal
import socket
import time

import pytest

from tests.lib.guest import free_port
from tests.servers.command import ECHO, pollux, refuses
from tests.servers.server import Server


def test_help_has_examples():
    code, out = pollux("--help")
    assert code == 0
    assert "pollux run /usr/bin/redis-server --port 6379" in out
    assert "--publish" in pollux("run", "--help")[1]


def test_exit_code_and_arguments(tmp_path):
    assert pollux("run", "build/tests/exit", "42")[0] == 42
    code, out = pollux("run", "-e", "GREETING=two words", "-e", "B=1",
                       "build/tests/args", "a b", "", 'c"d', *["x"] * 60)
    assert code == 0
    for text in ("a b", 'c"d', "GREETING=two words"):
        assert text in out


def test_progress_of_much_to_pack(tmp_path):
    for name, size in (("one", 70), ("two", 70)):
        with open(tmp_path / name, "wb") as f:
            f.truncate(size << 20)
    code, out = pollux("run", "--dry-run", "--dir", f"{tmp_path}:/d", ECHO,
                       seconds=90)
    assert code == 0
    said = re.findall(r"packing: (\d+) of 140 MiB", out)
    assert said == ["70"] or len(said) == 2, out
    assert "packing" not in pollux("run", "--dry-run", ECHO)[1]


@pytest.mark.parametrize("machine", ["pc", "q35", "microvm"])
def test_clock_is_the_hosts(machine):
    before = int(time.time())
    code, out = pollux("run", "-q", "-M", machine, "/bin/date", "+%s")
    said = int(re.search(r"^(\d{9,})$", out, re.M)[1])
    assert code == 0 and before - 1 <= said <= time.time() + 1, out


def test_dynamic_program_finds_its_libraries():
    assert pollux("run", "-q", "build/tests/dynamic", "7")[0] == 7
    code, out = pollux("run", "/bin/uname", "-sr")
    assert code == 0 and "Linux " in out


def test_files_folders_and_links(tmp_path):
    (tmp_path / "d/sub").mkdir(parents=True)
    (tmp_path / "d/sub/inner").write_text("inner text\n")
    (tmp_path / "d/link").symlink_to("sub/inner")
    (tmp_path / "one").write_text("one text\n")
    code, out = pollux("run", "--dir", f"{tmp_path}/d:/data", "-f",
                       f"{tmp_path}/one:/etc/one", "--mkdir", "/empty",
                       "/bin/cat", "/data/link", "/etc/one", "/etc/passwd")
    assert code == 0
    assert "inner text\none text\nroot:" in out
    code, out = pollux("run", "--dir", f"{tmp_path}/d:/data", "/bin/ls",
                       "-l", "/data/", "/empty")
    assert "link -> sub/inner" in out and code == 2


def test_script_brings_its_interpreter(tmp_path):
    script = tmp_path / "hello"
    script.write_text("#!/bin/cat\nthe script itself\n")
    code, out = pollux("run", script)
    assert code == 0 and "the script itself" in out


def test_ps_and_stop():
    with Server(ECHO, port=7777, ready="listening on",
                options=("--name", "first")) as one:
        with Server(ECHO, port=7777, ready="listening on",
                    options=("--name", "first")):
            out = pollux("ps")[1]
            assert re.search(r"^first .*64M .*->7777 .*/echo", out, re.M)
            assert re.search(r"^first-2 ", out, re.M)
            refuses("which guest", "stop")
            assert pollux("stop", "-t", "0.5", "first")[0] == 0
            one.process.wait(5)
            assert "first " not in pollux("ps")[1]
            assert pollux("stop", "--force")[0] == 0
    refuses("no guest gone is running", "stop", "gone")


def test_in_the_background():
    port = free_port()
    code, log = pollux("run", "-d", "-p", f"{port}:7777", ECHO)
    assert code == 0
    log, = (line for line in log.splitlines() if line.endswith(".log"))
    end = time.monotonic() + 20
    while "listening" not in open(log, encoding="utf-8").read():
        assert time.monotonic() < end
        time.sleep(0.05)
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(b"hello")
        assert s.recv(10) == b"hello"
    assert pollux("stop", "--force")[0] == 0


def test_console_in_small_pieces(tmp_path):
    """A carriage return that comes alone is not the console's end."""
    fake = tmp_path / "qemu"
    fake.write_text("#!/bin/sh\nfor c in 'one' '\\r' '\\n' 'two\\r\\n'; do\n"
                    "printf \"$c\"; sleep 0.2; done\n")
    fake.chmod(0o755)
    code, out = pollux("run", "-q", ECHO, env={"QEMU": str(fake)})
    assert (code, out) == (0, "one\ntwo\n")


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_interrupt_ends_it(machine):
    """The program gets a SIGTERM, and its end is ours."""
    with Server(ECHO, port=7777, ready="listening on",
                options=("-M", machine)) as server:
        server.process.send_signal(signal.SIGINT)
        # QEMU may lose the kernel's last line, which has the eighth bit.
        assert server.process.wait(5) & 0x7f == signal.SIGTERM
        assert "asked to end" in server.console


def test_second_interrupt_does_not_ask():
    with Server("/bin/sh", "-c", "trap '' TERM; echo up; while :; do :; done",
                port=7777, ready="^up") as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_console("asked to end")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0


def test_settings_from_a_file(tmp_path):
    (tmp_path / "pollux.toml").write_text(
        f'program = "{os.path.abspath("build/tests/args")}"\n'
        'args = ["from-toml"]\nmemory = "48M"\nenv = { A = "toml" }\n')
    code, out = pollux("run", "-e", "C=here", cwd=tmp_path)
    assert code == 0
    assert "from-toml" in out and "A=toml" in out and "C=here" in out
    out = pollux("run", "--dry-run", "-m", "80M", cwd=tmp_path)[1]
    assert "-m 80 " in out
    (tmp_path / "pollux.toml").write_text("memroy = 1\n")
    refuses("there is no setting memroy", "run", "x", cwd=tmp_path)
    (tmp_path / "pollux.toml").write_text("memory = \n")
    refuses("pollux.toml: ", "run", "x", cwd=tmp_path)


def test_program_is_wrong(tmp_path):
    other = tmp_path / "arm"
    with open(ECHO, "rb") as f:
        data = bytearray(f.read())
    data[18] = 183
    other.write_bytes(data)
    refuses("64-bit Arm; Pollux runs x86-64", "run", other)
    refuses("no such program", "run", "/no/such")
    refuses("is a folder", "run", "/etc")
    (tmp_path / "text").write_text("text")
    refuses("no ELF file", "run", tmp_path / "text")
    (tmp_path / "cut").write_bytes(bytes(data[:70]))
    refuses("Arm|damaged|no ELF", "run", tmp_path / "cut")
    refuses("which program", "run")


def test_missing_library(tmp_path):
    with open("/bin/cat", "rb") as f:
        data = f.read()
    prog = tmp_path / "prog"
    prog.write_bytes(data.replace(b"libc.so.6\0", b"libq.so.6\0"))
    prog.chmod(0o755)
    refuses(r"needs the library libq.so.6, which is in none of .*--lib-dir",
            "run", prog)
    prog.write_bytes(data.replace(b"/lib64/ld-linux", b"/lib64/ld-linuq"))
    refuses("needs /lib64/ld-linuq", "run", prog)


def test_machine_has_not_what_it_takes(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        refuses(f"port 127.0.0.1:{port} is in use.*-p {port + 1}:80", "run",
                "-p", f"{port}:80", ECHO)
    refuses("say 6379, HOST:GUEST", "run", "-p", "http", ECHO)
    refuses("too little.*say [0-9]+M or more", "run", "-m", "2M", ECHO)
    refuses("this machine has", "run", "-m", "4000G", ECHO)
    refuses("not installed: apt install qemu", "run", ECHO,
            env={"QEMU": "qemu-none"})
    refuses("the kernel .* is not there", "run", "--kernel", "/none", ECHO)
    # QEMU's own refusal is no exit code of a guest's.
    refuses("nonsense", "run", "--qemu-arg=-device nonsense", ECHO)
    refuses("end it with .iso", "build", "-o", "x.img", ECHO)
    refuses("cannot be packed: No such", "run", "-f", "/none", ECHO)
