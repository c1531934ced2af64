"""A guest under test: started, watched on its console, ended, always killed."""
import os
import re
import socket
import subprocess
import tempfile
import time

from tools import mkinitramfs, qemu

KERNEL = qemu.KERNEL
INITRAMFS = "build/initramfs.cpio"
USER_IP = qemu.USER_IP
BOOT_SECONDS = 40


def until(what, seconds=60):
    """A slow machine needs more time for as much."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def initramfs(files):
    """A new cpio file of {name: path or bytes}; returns its path."""
    content = {}
    for name, value in files.items():
        if isinstance(value, str):
            with open(value, "rb") as f:
                value = f.read()
        content[name.lstrip("/")] = value
    fd, path = tempfile.mkstemp(suffix=".cpio", dir="build/tests")
    with os.fdopen(fd, "wb") as f:
        f.write(mkinitramfs.archive(content))
    return path


class Logged:
    """A process whose output a test reads while it runs. Use it in a with
    statement."""

    def __init__(self, command, **how):
        os.makedirs("build/tests", exist_ok=True)
        self.log = tempfile.NamedTemporaryFile(
            dir="build/tests", prefix="console-", suffix=".log")
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, preexec_fn=qemu.die_with_parent, **how)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.log.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def console(self):
        """All that it has printed, with plain line ends."""
        with open(self.log.name, "rb") as f:
            return f.read().decode(errors="replace").replace("\r", "")

    def fail(self, why):
        raise AssertionError(f"{why}\n$ {' '.join(self.command)}\n"
                             f"{self.console[-4000:]}")

    def wait_console(self, pattern, seconds=BOOT_SECONDS):
        """Waits for a line with @pattern; returns the match."""
        end = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            match = re.search(pattern, self.console, re.M)
            if match:
                return match
            if ended:
                self.fail(f"it ended without printing {pattern!r}")
            if time.monotonic() > end:
                self.fail(f"no {pattern!r} after {seconds} s")
            time.sleep(0.005)


class Guest(Logged):
    """One QEMU."""

    def __init__(self, append="", net=(), pass_fds=(), **how):
        """@how goes to qemu.command(): machine=, initrd=, iso=, mem=, ..."""
        super().__init__(qemu.command(append=append, net=net, **how),
                         pass_fds=pass_fds)

    def wait_exit(self, seconds=BOOT_SECONDS):
        """Waits for the end; returns the guest's exit code, None if reset."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.fail(f"the guest still runs after {seconds} s")
        return qemu.guest_exit_code(status)


class ServerGuest(Guest):
    """A guest that is there once its program listens."""

    def __enter__(self):
        try:
            self.wait_console("listening on")
            self.listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def listening(self):
        """What else must be there before the test begins."""


class UserNetGuest(ServerGuest):
    """A server in the guest, on a port of 127.0.0.1 through user networking."""

    def __init__(self, prog="echo", machine="pc", ip=USER_IP, more="", **how):
        self.port = free_port()
        net = qemu.user_net(machine, self.port, qemu.PORTS.get(prog, 7777))
        how.setdefault("append", f"ip={ip} init=/{prog} {more}".strip())
        super().__init__(machine=machine, net=net, **how)


class LinuxServer:
    """The same program on this machine's Linux: what the guest must match."""

    def __init__(self, prog="echo"):
        self.port = free_port()
        self.process = subprocess.Popen(
            [f"build/user/{prog}", str(self.port)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, preexec_fn=qemu.die_with_parent)

    def __enter__(self):
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
