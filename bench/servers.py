#!/usr/bin/python3
"""Measures Debian's redis-server and nginx in Pollux beside a Linux guest:
the same binaries, QEMU and flags, in turn. Needs root (a TAP in a network
namespace).

	bench/servers.py [ROUNDS] [redis] [nginx] [profile]	default 3, both

Requests a second by redis-benchmark (50 clients, pipelines of 1 and 16) and
wrk (64 connections, a page of 612 bytes); guest instructions for each, of
everything that runs, counted in boots of their own; milliseconds from QEMU's
start to the first PONG, booting and from a saved machine. profile: where the
instructions go, Pollux only. Writes build/bench/servers.md.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import linux, measure  # noqa: E402
from tools import qemu  # noqa: E402

ROOT = "build/servers"
BUILD = measure.BUILD
ENV = dict(os.environ, LD_LIBRARY_PATH=os.path.abspath(
    f"{ROOT}/usr/lib/x86_64-linux-gnu"))
GUESTS = ("pollux", "linux tuned")
# Address, gateway, mask.
STATIC = ("10.77.0.2", "10.77.0.1", "255.255.0.0")
USER_NET = ("10.0.2.15", "10.0.2.2", "255.255.255.0")
NGINX_CONF = """daemon off; master_process off; user root; pid /run/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 512; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000;
	server { listen 80; root /www; }
}
"""
COUNTED_WRK = 2		# seconds
LONGEST = 20		# seconds to a first answer
TRIES = 5		# of a Linux that hangs, for each round


def middle(values):
    return statistics.median(values)


def load_pollux():
    loader = importlib.machinery.SourceFileLoader("pollux", "tools/pollux")
    spec = importlib.util.spec_from_loader("pollux", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.quiet = True
    return module


def pack(*words):
    """The archive of `pollux build` of these words: (path, init=)."""
    pollux = load_pollux()
    options = pollux.arguments(["build", "-o", "x.elf", "--root", ROOT, "-q",
                                "--config", os.devnull, *words])
    pollux.settle(options)
    plan = pollux.Plan(options)
    path = f"{BUILD}/{plan.name}.cpio"
    plan.write(path)
    both = f"{BUILD}/{plan.name}-linux.cpio"
    with open(both, "wb") as out:
        for part in (linux.INITRD, path):
            with open(part, "rb") as f:
                out.write(f.read())
    return {"pollux": path, "linux": both, "init": plan.path}


class Redis:
    name, ready = "redis", "Ready to accept connections"

    def __init__(self):
        self.files = pack("redis-server", "--save", "")

    def loads(self):
        for what in ("get", "set"):
            for pipeline in (1, 16):
                yield f"{what.upper()}, pipeline {pipeline}", \
                    20000 * (4 if pipeline > 1 else 1), \
                    ["redis-benchmark", "-h", "10.77.0.2", "-t", what, "-c",
                     "50", "-P", str(pipeline), "--csv", "-n"]

    @staticmethod
    def rate(out):
        return float(re.search(r'^"[GS]ET[^"]*","([\d.]+)"', out, re.M)[1])


class Nginx:
    name, ready = "nginx", "using the \"epoll\""

    def __init__(self):
        os.makedirs(f"{BUILD}/www", exist_ok=True)
        with open(f"{BUILD}/www/index.html", "w", encoding="ascii") as f:
            f.write("x" * 611 + "\n")
        with open(f"{BUILD}/nginx.conf", "w", encoding="ascii") as f:
            f.write(NGINX_CONF)
        self.files = pack(
            "--no-recipe", "-f", f"{BUILD}/nginx.conf:/etc/nginx.conf",
            "--dir", f"{BUILD}/www:/www", "--mkdir", "/var/lib/nginx",
            "--mkdir", "/var/log/nginx", "nginx", "-c", "/etc/nginx.conf")

    def loads(self):
        yield "page of 612 bytes", None, [
            "wrk", "-t", "1", "-c", "64", "http://10.77.0.2/", "-d"]

    @staticmethod
    def rate(out):
        return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def find(name):
    for folder in ("usr/bin", "usr/sbin"):
        if os.path.exists(f"{ROOT}/{folder}/{name}"):
            return f"{ROOT}/{folder}/{name}"
    return name


def command(server, guest, net, mem="256", machine="pc", extra=(),
            address=STATIC, more="", kernel="build/pollux.stripped.elf"):
    ip, gateway, mask = address
    if guest == "pollux":
        return qemu.command(
            machine, kernel=kernel,
            initrd=server.files["pollux"], mem=mem, net=net, extra=extra,
            append=f"ip={ip}::{gateway}:{mask}::eth0:off "
            f"init={server.files['init']} {more}")
    return qemu.command(
        machine, kernel=linux.KERNEL, initrd=server.files["linux"], mem=mem,
        net=net, extra=extra, append=f"{linux.TUNED} panic=-1 ADDR={ip} "
        f"MASK={mask} GATEWAY={gateway}")


def on_tap(server, guest, lab, extra=(), more=""):
    net = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
           "-device", "virtio-net-pci,netdev=n0"]
    return lab.inside(command(server, guest, net, extra=extra, more=more))


def until_ready(process, server):
    for line in process.stdout:
        if server.ready in line:
            time.sleep(0.3)
            return
    raise SystemExit("bench: the guest ended before it was ready")


def client(lab, words, amount):
    return subprocess.run(
        lab.inside([find(words[0]), *words[1:], str(amount)]), env=ENV,
        stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def rates(server, guest, lab):
    found = {}
    with measure.process(on_tap(server, guest, lab), text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         errors="replace") as running:
        until_ready(running, server)
        for what, number, words in server.loads():
            out = client(lab, words, number or 4)
            found[what] = server.rate(out)
    return found


def symbols(path):
    """The kernel's functions; all below them, user code, is one."""
    names = measure.symbols(path)
    with open(path, encoding="ascii") as f:
        lines = [line for line in f if line.startswith("ffff")]
    with open(path, "w", encoding="ascii") as f:
        f.write("0 user\n" + "".join(lines))
    return ["user", *names[-len(lines) - 1:]]


def instructions(server, guest, lab, profile=False):
    found = {}
    with tempfile.NamedTemporaryFile() as shared, \
            tempfile.NamedTemporaryFile("w") as names_file:
        names = ["all", "none"]
        if profile:
            names = symbols(names_file.name)
        else:
            names_file.write("0 all\n")
            names_file.flush()
        counts = measure.Counts(shared.name, names)
        plugin = f"{BUILD}/insns.so,symbols={names_file.name}"
        cmd = on_tap(server, guest, lab,
                     ["-plugin", f"{plugin},counts={shared.name}"],
                     "nokaslr")
        with measure.process(cmd, stdin=subprocess.DEVNULL, text=True,
                             stdout=subprocess.PIPE,
                             errors="replace") as running:
            until_ready(running, server)
            for what, number, words in server.loads():
                client(lab, words, number // 10 if number else 1)
                before = counts.read()
                out = client(lab, words, number or COUNTED_WRK)
                delta = counts.since(before)
                done = number or int(re.search(r"(\d+) requests in",
                                               out)[1])
                found[what] = measure.per(delta, done)
                if profile:
                    measure.profile(delta, done, f"{server.name}, {what}")
    return found


def first_pong(server, guest, machine):
    """Milliseconds from QEMU's start to a PONG, through user networking."""
    def command_for(port):
        return command(server, guest, qemu.user_net(machine, port, 6379),
                       mem="64" if guest == "pollux" else "256",
                       machine=machine, address=USER_NET, more="loglevel=3")
    took = measure.first_echo(command_for, limit=LONGEST, pause=0.004,
                              what=(b"PING\r\n", b"+PONG\r\n"))
    return took and 1000 * took


def first_pong_warm(pollux, server, machine, work):
    """The same for a machine that was saved when redis first waited."""
    options = pollux.arguments(["run", "--warm", "redis-server"])

    def warm(port):
        return pollux.Warm(options, command(
            server, "pollux", qemu.user_net(machine, port, 6379), mem="64",
            machine=machine, address=USER_NET, more="loglevel=3 warm",
            kernel="build/pollux-disk.elf"), 64, server.files["pollux"])

    with open(os.devnull, "wb") as nothing, \
            contextlib.redirect_stdout(io.TextIOWrapper(nothing)):
        warm(0).save("bench")
    return 1000 * measure.first_echo(
        lambda port: warm(port).start(work), pause=0.004,
        what=(b"PING\r\n", b"+PONG\r\n"))


def first_pongs_warm(server, machine, rounds):
    """A row of the table."""
    pollux = load_pollux()
    with tempfile.TemporaryDirectory() as work:
        os.environ["XDG_CACHE_HOME"] = work
        ours = [first_pong_warm(pollux, server, machine, work)
                for _ in range(5 * rounds)]
    return (f"the same with --warm, {machine} (least {min(ours):.0f})",
            middle(ours), None, None)


def first_pongs(server, machine, rounds):
    """A row of the table; Linux answers but once in a round. It may hang: on
    a busy machine without another clock, as on microvm, it cannot tell how
    fast the TSC is. Then it is started again, and the row says how often.
    """
    ours = [first_pong(server, "pollux", machine) for _ in range(5 * rounds)]
    theirs, hung = [], 0
    while len(theirs) < rounds and hung < TRIES * rounds:
        took = first_pong(server, "linux tuned", machine)
        theirs += [took] if took else []
        hung += not took
    said = f", Linux hung {hung} of {hung + len(theirs)} times" if hung else ""
    theirs = middle(theirs) if theirs else None
    return (f"start to first PONG in ms, {machine} (least {min(ours):.0f}"
            f"{said})", middle(ours), theirs, theirs and middle(ours) / theirs)


def measure_server(server, lab, rounds):
    """Rows of the table."""
    runs = {g: [] for g in GUESTS}
    for _ in range(rounds):
        for guest in GUESTS:
            runs[guest].append(rates(server, guest, lab))
    counted = {g: instructions(server, g, lab) for g in GUESTS}
    for what, _, _ in server.loads():
        ours, theirs = (middle([r[what] for r in runs[g]]) for g in GUESTS)
        yield (f"{server.name} {what}, requests/s", ours, theirs,
               middle([a[what] / b[what] for a, b in zip(*runs.values())]))
        ours, theirs = (counted[g][what] for g in GUESTS)
        yield (f"{server.name} {what}, instructions for each", ours, theirs,
               ours / theirs)


def main():
    words = sys.argv[1:]
    rounds = int(next((w for w in words if w.isdigit()), 3))
    os.makedirs(BUILD, exist_ok=True)
    linux.prepare()
    kinds = [k for k in (Redis, Nginx) if k.name in words] or [Redis, Nginx]
    with measure.Lab() as lab:
        if "profile" in words:
            for kind in kinds:
                instructions(kind(), "pollux", lab, profile=True)
            return 0
        rows = []
        for kind in kinds:
            server = kind()
            rows += measure_server(server, lab, rounds)
            for machine in ("microvm", "pc") if kind is Redis else ():
                rows.append(first_pongs(server, machine, rounds))
                rows.append(first_pongs_warm(server, machine, rounds))
    text = "| what | Pollux | Linux, tuned | ratio |\n|---|---|---|---|\n"
    for what, ours, theirs, ratio in rows:
        text += (f"| {what} | {ours:,.0f} | {theirs:,.0f} | {ratio:.2f} |\n"
                 if theirs else f"| {what} | {ours:,.0f} | | |\n")
    with open(f"{BUILD}/servers.md", "w", encoding="ascii") as f:
        f.write(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
