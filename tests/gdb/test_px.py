"""The px- commands on one guest with real traffic: two connections that have
echoed, one whose client does not read. Then the same on a core of it.
"""
import ast
import re
import subprocess
import tempfile
import time

import pytest

from tests.gdb import gdb_session
from tests.gdb.gdb_session import fill, open_echo
from tests.lib.guest import Guest, UserNetGuest, initramfs
from tests.lib.qmp import Monitor

LISTENER, EPOLL, FIRST, SECOND, SLOW = 3, 4, 5, 6, 7
COMMANDS = ["px-tasks", "px-files", f"px-socket {FIRST}", "px-sock",
            f"px-sock {FIRST}", f"px-sock {SLOW}", f"px-epoll {EPOLL}",
            "px-waitqueue", "px-softirq", "px-timers", "px-slab", "px-lwip",
            "px-log", "px-trace 4000", "px-drops all", "px-help",
            f"px-epoll {FIRST}", "px-sock 60", "px-skb"]
WATCHES = 100000


class Px:
    """The outputs, live and on the core, and what they must agree with."""

    def __init__(self, folder, guest, monitor, sock):
        self.port = guest.port
        with open_echo(guest.port) as one, open_echo(guest.port) as two, \
             open_echo(guest.port) as slow:
            self.clients = [one, two, slow]
            fill(slow, sock, SLOW)
            # What the trace shows in its last records.
            two.sendall(b"again")
            assert two.recv(5) == b"again"
            self.core = f"{folder}/core"
            self.look(monitor, sock)
            skb = re.search(r"write queue: .*\n    skb (0x\w+)",
                            self.out[f"px-sock {SLOW}"])[1]
            self.skb = f"px-skb {skb}"
            self.out["px-skb"] += gdb_session.run(sock, [self.skb])[self.skb]
            self.foreign = gdb_session.run(sock, ["px-wakeup"],
                                           elf="build/user/echo")

    def look(self, monitor, sock):
        """On a core and live, at the same moment; one at which nobody is on
        the way to anywhere."""
        end = time.monotonic() + 20
        while True:
            monitor.ask("stop")
            monitor.dump_core(self.core)
            self.out = gdb_session.run(sock, COMMANDS)
            if "pid 1 echo: interruptible" in self.out["px-tasks"] and \
                    "pending: none" in self.out["px-softirq"] and \
                    "poll list: empty" in self.out["px-softirq"]:
                return
            assert time.monotonic() < end, self.out


@pytest.fixture(scope="module")
def px():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        args, sock = gdb_session.stub(folder)
        with UserNetGuest(more="trace=all",
                          extra=[*args, *monitor.args()]) as guest:
            monitor.connect()
            yield Px(folder, guest, monitor, sock)
            monitor.close()


def test_tasks(px):
    text = px.out["px-tasks"]
    assert re.search(r"pid 1 echo: interruptible", text), text
    assert f"waits on fd {EPOLL} ([eventpoll]) wq" in text
    assert "ep_sleep" in text and "sys_epoll_" in text
    assert re.search(r"pid 2 ksoftirqd: interruptible.* kernel", text)
    assert re.search(r"pid 0 idle: running", text)


def test_files(px):
    lines = {int(line.split()[0]): line
             for line in px.out["px-files"].splitlines()[1:]}
    assert set(lines) == set(range(8))
    assert "TCP LISTEN 0.0.0.0:7777" in lines[LISTENER]
    assert "4 watches" in lines[EPOLL]
    for fd in (FIRST, SECOND, SLOW):
        assert "TCP ESTABLISHED 10.0.2.15:7777 - 10.0.2.2:" in lines[fd]
        assert "RDWR|NONBLOCK refs 1 watched 1" in lines[fd]


def test_socket(px):
    text = px.out[f"px-socket {FIRST}"]
    assert f"fd {FIRST} -> file 0x" in text
    assert "INET STREAM CONNECTED" in text
    assert "ep_poll_callback: epitem 0x" in text
    assert "data_ready sock_def_readable" in text


def test_sock_lists_all_by_state(px):
    first, *rest = px.out["px-sock"].splitlines()
    assert first == "3 ESTABLISHED, 1 LISTEN"
    assert sum("10.0.2.15:7777 - 10.0.2.2:" in line for line in rest) == 3


def test_sock_sequence_space(px):
    """Five bytes came and went: one more than iss and irs."""
    text = px.out[f"px-sock {FIRST}"]
    assert "snd_una +6 snd_nxt +6 write_seq +6; 0 bytes unack" in text
    assert "rcv_nxt +6 copied_seq +6; 0 bytes unread" in text
    assert "congestion: OPEN cwnd " in text and "write queue: 0" in text


def test_sock_slow_reader(px):
    text = px.out[f"px-sock {SLOW}"]
    queued = int(re.search(r"write queue: (\d+) packets", text)[1])
    unsent = int(re.search(r"(\d+) unsent", text)[1])
    assert queued > 1 and unsent > 0, text
    assert "retransmit in " in text or "retransmit due " in text
    assert "wheel timer armed" in text
    # It watches for output now, and has not read what goes on coming.
    assert re.search(r"receive queue: [1-9]\d* packets\n    skb 0x\w+ len \d+ "
                     r".*IPv4 10.0.2.2 > 10.0.2.15 TCP \d+ > 7777", text)


def test_skb(px):
    text = px.out["px-skb"]
    assert text.startswith("px-skb wants the address")
    assert re.search(r"piece 0: \d+ bytes at 0x", text), text
    # Its headers, if it has been sent, else what the client sends: zeroes.
    assert "sk 0x" in text and re.search(r"\n    0000  (\w\w ){15}", text)


def test_epoll(px):
    text = px.out[f"px-epoll {EPOLL}"]
    assert re.search(r"exclusive ep_autoremove_wake_function: task 1 echo",
                     text)
    assert "overflow list: not active" in text
    for fd, events in ((LISTENER, "IN|ERR|HUP"), (FIRST, "IN|ERR|HUP"),
                       (SECOND, "IN|ERR|HUP"), (SLOW, "OUT|ERR|HUP")):
        assert re.search(rf"(red|black) fd {fd} {re.escape(events)} data",
                         text), text
    assert "in all 4 watches in a tree 3 deep, 0 ready" in text


def test_commands_say_what_is_wrong(px):
    assert px.out[f"px-epoll {FIRST}"].startswith(
        f"descriptor {FIRST} is socket, not an epoll")
    assert px.out["px-sock 60"].startswith("descriptor 60 is not open")


def test_waitqueue(px):
    text = px.out["px-waitqueue"]
    for fd in (LISTENER, FIRST, SECOND, SLOW):
        assert f"fd {fd} (socket) wq\n" in text
    assert f"fd {EPOLL} ([eventpoll]) wq\n" in text


def test_softirq(px):
    text = px.out["px-softirq"]
    assert "pending: none" in text and "poll list: empty" in text
    assert "NET_RX: net_rx_action" in text and "ksoftirqd: pid 2" in text
    assert int(re.search(r"eth0: received (\d+)", text)[1]) > 10


def test_timers(px):
    text = px.out["px-timers"]
    assert re.search(r"of sock 0x\w+ port 7777 - \d+", text), text
    assert re.search(r"level \d slot \d+: timer 0x\w+ \w+ in ", text)


def test_slab(px):
    rows = {line.split()[0]: line.split()[1:]
            for line in px.out["px-slab"].splitlines()[1:-1]}
    assert rows["tcp_sock"][1] == "4" and rows["eventpoll_epi"][1] == "4"
    assert rows["socket"][1] == "4"


def test_lwip(px):
    text = px.out["px-lwip"]
    assert "netif eth0" in text and "address 10.0.2.15 mask 255.255.255.0 " \
        "gateway 10.0.2.2 mac 52:54:00:12:34:56 mtu 1500" in text
    assert re.search(r"10.0.2.2 is 52:55:0a:00:02:02 stable", text)


def test_log(px):
    assert "eth0: address 10.0.2.15/24" in px.out["px-log"]


def test_trace(px):
    text = px.out["px-trace 4000"]
    for name in ("virtnet_interrupt", "do_softirq         NET_RX", "ip_rcv",
                 "tcp_v4_rcv", "ep_poll_callback", "epoll_wait", "tcp_recvmsg",
                 "tcp_transmit"):
        assert name in text, name


def test_drops(px):
    text = px.out["px-drops all"]
    assert "in all" in text
    assert int(re.search(r"(\d+) TcpPassiveOpens", text)[1]) == 3


def test_help_names_every_command(px):
    for command in COMMANDS:
        assert command.split()[0] in px.out["px-help"]


def test_core_says_the_same(px):
    """The guest stood still between the core and the live session."""
    again = [c for c in COMMANDS if c != "px-skb"]
    core = gdb_session.run(px.core, again, core=True)
    for command in again:
        assert core[command] == px.out[command], command
    core = gdb_session.run(px.core, [px.skb, "px-wakeup"], core=True)
    assert re.search(r"piece 0: \d+ bytes at 0x", core[px.skb]), core
    assert core["px-wakeup"].startswith("px-wakeup needs a live guest")


def test_missing_symbols_are_named(px):
    commands = ["px-tasks", "px-files", "px-socket 5", "px-sock", "px-epoll",
                "px-waitqueue", "px-skb 0x1000", "px-softirq", "px-timers",
                "px-slab", "px-lwip", "px-log", "px-trace", "px-drops"]
    out = gdb_session.run("none", commands, elf="build/user/echo", core=True)
    # This one wants a guest that runs.
    out.update(px.foreign)
    commands += px.foreign
    for command in commands:
        assert re.search(rf"^{command.split()[0]}: this kernel image has no "
                         r"(symbol|type|function) '", out[command], re.M), \
            out[command]


def test_flags_have_the_names_of_the_header():
    with open("net/tcp/tcp_sock.h", encoding="utf-8") as f:
        flags = [(int(value, 16), name) for name, value in
                 re.findall(r"define TCP_F_(\w+)\s+(0x\w+)u", f.read())]
    with open("tools/gdb/px_sock.py", encoding="utf-8") as f:
        known = re.search(r"^TCP_FLAGS = (\(.*?\)\))$", f.read(), re.M | re.S)
    assert set(ast.literal_eval(known[1])) == {
        (bits, name) for bits, name in flags if not bits & bits - 1}


@pytest.mark.limit(240)
def test_epoll_with_100000_watches():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        args, sock = gdb_session.stub(folder)
        initrd = initramfs({"watches": "build/tests/watches"})
        with Guest(append=f"init=/watches -- {WATCHES}", initrd=initrd,
                   mem="128", extra=args) as guest:
            guest.wait_console(f"watching {WATCHES}", 60)
            plain = time.monotonic()
            gdb_session.run(sock, ["px-help"])
            start = time.monotonic()
            out = gdb_session.run(sock, [f"px-epoll {EPOLL}"])
            took = time.monotonic() - start - (start - plain)
    assert f"in all {WATCHES} watches" in out[f"px-epoll {EPOLL}"]
    assert took < 5, took


@pytest.mark.limit(180)
def test_wakeup_walks_the_road():
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        args, sock = gdb_session.stub(folder)
        with UserNetGuest(extra=args) as guest, \
             open_echo(guest.port) as s:
            with subprocess.Popen(
                    gdb_session.script(sock, ["px-wakeup all", "detach"]),
                    text=True, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as gdb:
                try:
                    for line in gdb.stdout:
                        if "waiting for a packet" in line:
                            break
                    s.sendall(b"road")
                    text = gdb.communicate(timeout=60)[0]
                finally:
                    gdb.kill()
            assert s.recv(4) == b"road"
    rows = re.findall(r"^row (\d+): (\w+)(:| has)", text, re.M)
    begun = [int(r) for r, _, how in rows if how == ":"]
    ended = [int(r) for r, _, how in rows if how == " has"]
    assert begun == list(range(1, 12)), text
    assert sorted(ended) == begun
    assert ended.index(9) < ended.index(8)
    # The interrupt may come while a softirq runs, which then takes the packet.
    assert (ended.index(8) < ended.index(2)) != \
        ("interrupted a softirq" in text), text
    assert "softirqs pending: NET_RX" in text
    assert "0 bytes to read in 0 packets" in text
    assert "4 bytes to read in 1 packets" in text
    assert "task 1 echo: interruptible" in text
    assert "task 1 echo: running" in text
