"""gdb in a batch, with the px- commands, on a guest or on a core."""
import contextlib
import re
import socket
import subprocess
import time

GDB = ["gdb", "-q", "-nx", "-batch"]
MARK = "@@ "


def stub(folder):
    """QEMU's arguments for a gdb stub in @folder, and its socket."""
    sock = f"{folder}/gdb"
    return ["-gdb", f"unix:{sock},server=on,wait=off"], sock


def script(target, commands, elf="build/pollux.elf", core=False):
    """gdb's command line. @target: the stub's socket, or a core."""
    line = [*GDB, elf] + ([target] if core else [])
    steps = [] if core else [f"target remote {target}"]
    steps.append("source tools/gdb/load.py")
    for step in steps:
        line += ["-ex", step]
    return line + marked(commands)


def marked(commands):
    """The arguments by which gdb runs them, each under its own headline."""
    return [word for command in commands
            for word in ("-ex", f"echo {MARK}{command}\\n", "-ex", command)]


def run(target, commands, seconds=50, **how):
    """{command: what it printed}. @how as for script()."""
    return outputs(script(target, commands, **how), commands, seconds)


def outputs(line, commands, seconds=50, **how):
    """The same of a command line that runs gdb with marked(commands)."""
    done = subprocess.run(line, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **how)
    parts = ("\n" + done.stdout).split("\n" + MARK)[1:]
    out = {}
    for part in parts:
        command, _, text = part.partition("\n")
        out[command] = text.split("[Inferior 1")[0].rstrip("\n")
    assert set(out) == set(commands), done.stdout
    for command, text in out.items():
        assert "Python Exception" not in text and "Traceback" not in text, \
            f"{command}: {text}"
    return out


def wait_for(sock, commands, pattern, seconds=30, **how):
    """What they print once the first one's output has @pattern. The guest
    stands still only while gdb looks. @how as for run()."""
    end = time.monotonic() + seconds
    while True:
        out = run(sock, commands, **how)
        if re.search(pattern, out[commands[0]]):
            return out
        assert time.monotonic() < end, out[commands[0]]


def documented(number):
    """gdb's commands in that session of docs/debugging.md, as typed there,
    and the lines for the shell."""
    with open("docs/debugging.md", encoding="utf-8") as f:
        text = f.read().split(f"\n### {number}. ")[1].split("\n#")[0]
    gdb = re.findall(r"^    \(gdb\) (.*)", text, re.M)
    shell = re.findall(r"^    ((?:git|make|tools/\S+|yes) .*)", text, re.M)
    return gdb, shell


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 10)


def open_echo(port):
    s = connect(port)
    s.sendall(b"hello")
    assert s.recv(5) == b"hello"
    return s


def fill(s, sock, fd):
    """Sends and never reads, until the guest's end of the connection, which
    it has as @fd, takes nothing: it waits for room and has unread data."""
    s.setblocking(False)
    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(BlockingIOError):
            while True:
                s.send(bytes(65536))
        out = run(sock, [f"px-sock {fd}", "px-epoll 4"])
        if "receive queue: 0 " not in out[f"px-sock {fd}"] and \
                re.search(r"[1-9]\d* unsent", out[f"px-sock {fd}"]) and \
                f"fd {fd} OUT|ERR|HUP" in out["px-epoll 4"] and \
                ", 0 ready" in out["px-epoll 4"]:
            return out
        assert time.monotonic() < end, out
