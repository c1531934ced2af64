"""Servers as Debian ships them, started by tools/pollux, for their clients."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from tests.lib.guest import Logged, free_port

ROOT = "build/servers"		# where `make` has unpacked the packages
BOOT_SECONDS = 60
ENV = dict(os.environ, LD_LIBRARY_PATH=os.path.abspath(
    f"{ROOT}/usr/lib/x86_64-linux-gnu"))


def find(name):
    """A program, from the unpacked packages or this machine's; or skips."""
    for folder in ("usr/bin", "usr/sbin", "bin", "usr/local/bin"):
        if os.path.exists(f"{ROOT}/{folder}/{name}"):
            return f"{ROOT}/{folder}/{name}"
    return shutil.which(name) or pytest.skip(
        f"{name} is not installed and could not be fetched")


def client(name, *args, seconds=30, ok=(0,), **how):
    """Runs a client on this machine; returns what it printed."""
    done = subprocess.run([find(name), *map(str, args)], env=ENV, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds, check=False, **how)
    assert done.returncode in ok, done.stdout[-3000:]
    return done.stdout


class Server(Logged):
    """`pollux run` of @program with @args, its port @port led to a free one
    here. Use it in a with statement: it waits for @ready on the console, or
    until @probe is answered (QEMU takes connections before the guest does)."""

    def __init__(self, program, *args, port, ready=None, probe=None,
                 options=(), kind="tcp"):
        if "/" not in program:
            find(program)
        self.port, self.ready, self.probe = free_port(), ready, probe
        super().__init__(["tools/pollux", "run", "--root", ROOT, "-p",
                          f"{self.port}:{port}/{kind}", *options, program,
                          *args])

    def __enter__(self):
        try:
            if self.ready:
                self.wait_console(self.ready, BOOT_SECONDS)
            if self.probe:
                self.wait_answer()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind and kind is not pytest.skip.Exception:
            print(f"$ {' '.join(self.command)}\n{self.console[-4000:]}")
        super().__exit__()

    def kill(self):
        """Twice asked, it ends at once."""
        for _ in range(2):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                time.sleep(0.05)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            super().kill()

    def wait_answer(self, seconds=BOOT_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.fail("it ended")
            try:
                with socket.create_connection(("127.0.0.1", self.port),
                                              1) as s:
                    s.settimeout(0.5)
                    s.sendall(self.probe)
                    if s.recv(1):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail(f"no answer on port {self.port} after {seconds} s")

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), 10)
        s.settimeout(10)
        return s

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"
