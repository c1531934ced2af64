"""What the kernel does with the machine, seen from QEMU's monitor: page
protections, randomness of each boot, idling, panics.
"""
import contextlib
import re
import socket
import tempfile
import time

import pytest
from scapy.layers.inet import ICMP, IP

from tests.lib.guest import UserNetGuest, initramfs
from tests.lib.qmp import Monitor
from tests.lib.wire import GUEST_IP, HOST_IP, WireGuest
from tools import qemu

CR0_WP, CR4_SMEP, CR4_SMAP, EFER_NX = 1 << 16, 1 << 20, 1 << 21, 1 << 11


@contextlib.contextmanager
def monitored(more="", extra=(), **how):
    """An echo guest and its monitor."""
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor(folder)
        with UserNetGuest(more=more, extra=[*monitor.args(), *extra],
                          **how) as guest:
            monitor.connect()
            try:
                yield guest, monitor
            finally:
                monitor.close()


@pytest.fixture(scope="module")
def machine():
    with monitored() as both:
        yield both


def registers(monitor):
    text = monitor.human("info registers")
    return {name: int(value, 16) for name, value in
            re.findall(r"\b(CR\d|EFER)\s?=\s?([0-9a-f]+)", text)}


def mappings(monitor):
    """(address, flags) of every page: X for no-execute, U user, W write."""
    found = re.findall(r"^([0-9a-f]{16}): [0-9a-f]{16} (\S+)",
                       monitor.human("info tlb"), re.M)
    assert found
    return [(int(address, 16), flags) for address, flags in found]


def test_protections_are_on(machine):
    now = registers(machine[1])
    assert now["CR0"] & CR0_WP
    assert now["CR4"] & CR4_SMEP and now["CR4"] & CR4_SMAP
    assert now["EFER"] & EFER_NX


def test_nothing_is_writable_and_executable(machine):
    both = [hex(a) for a, flags in mappings(machine[1])
            if "W" in flags and "X" not in flags]
    assert both == []


def test_page_zero_is_not_mapped(machine):
    assert min(a for a, _ in mappings(machine[1])) >= 0x1000


def test_user_pages_are_in_the_lower_half(machine):
    for address, flags in mappings(machine[1]):
        assert ("U" in flags) == (address < 1 << 47), hex(address)


def test_constants_are_not_writable(machine):
    table = machine[1].symbols("build/pollux.elf")
    start, end = table["__rodata_start"], table["__rodata_end"]
    inside = [(a, f) for a, f in mappings(machine[1]) if start <= a < end]
    assert inside and not any("W" in f for _, f in inside)
    start, end = (table[f"__ro_after_init_{x}"] for x in ("start", "end"))
    assert not any("W" in f for a, f in mappings(machine[1])
                   if start <= a < end)


def test_each_boot_has_its_own_secrets():
    guards, stacks = set(), set()
    for _ in range(3):
        with monitored() as (_, monitor):
            guard = monitor.symbols("build/pollux.elf")["__stack_chk_guard"]
            guards.add(monitor.read_words(guard, 1)[0])
            stacks.add(max(a for a, f in mappings(monitor) if "U" in f))
    assert len(guards) == 3 and 0 not in guards
    assert len(stacks) > 1


def test_idle_takes_no_ticks():
    """Two seconds with nothing to do: a handful of interrupts at most."""
    with tempfile.NamedTemporaryFile(dir="build/tests") as log:
        with monitored(extra=["-d", "int", "-D", log.name]) as (guest, _):
            with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
                s.sendall(b"x")
                assert s.recv(1) == b"x"
            time.sleep(1)

            def interrupts():
                with open(log.name, encoding="utf-8", errors="replace") as f:
                    return len(re.findall(r"^ *\d+: v=", f.read(), re.M))
            before = interrupts()
            assert before > 0
            time.sleep(2)
            assert interrupts() - before < 20


def test_idle_halts():
    """With nothing to do the CPU is off, not looking for something."""
    with monitored() as (_, monitor):
        halted = 0
        for _ in range(500):
            halted += "HLT=1" in monitor.human("info registers")
            if halted > 5:
                break
            time.sleep(0.02)
        assert halted > 5


def test_a_program_that_spins_does_not_stop_the_network():
    image = initramfs({"spin": "build/tests/spin"})
    with WireGuest("spin", initrd=image) as guest:
        for n in range(20):
            guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP) /
                            ICMP(id=n + 1) / b"?")
            assert guest.wire.recv(
                lambda f, n=n: ICMP in f and f[ICMP].id == n + 1 and
                f[ICMP].type == 0)


def test_panic_shows_where_and_exits_127():
    """An NMI is nothing that this kernel expects."""
    with monitored() as (guest, monitor):
        with contextlib.suppress(EOFError):  # it may end before it answers
            monitor.ask("inject-nmi")
        assert guest.wait_exit() == 127
        console = guest.console
    assert re.search(r"(?i)panic", console), console
    assert re.search(r"(?i)\brip\b.*[0-9a-f]{16}", console), console
    # A symbolised backtrace: names, with how far into the function.
    # The guest sleeps in epoll_wait, below the frame of the interrupt.
    calls = re.findall(r"^  0x[0-9a-f]+ ([a-z_0-9]+)\+0x[0-9a-f]+", console,
                       re.M)
    assert calls[-1] == "entry_syscall" and "do_epoll_wait" in calls, console
    assert console.splitlines()[-1] == "pollux: exit 127"


@pytest.mark.parametrize("machine_type", ["pc", "microvm"])
def test_virtio_rng(machine_type):
    with UserNetGuest(machine=machine_type, cpu=None, extra=[
            "-device", qemu.device(machine_type, "rng")]) as guest:
        with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            s.sendall(b"x")
            assert s.recv(1) == b"x"


ROAD = ["virtnet_interrupt", "do_softirq", "net_rx_action", "virtnet_poll",
        "ip_rcv", "tcp_v4_rcv", "sk_data_ready", "ep_poll_callback",
        "sched_switch", "epoll_wait", "tcp_recvmsg", "tcp_sendmsg",
        "tcp_transmit", "virtnet_xmit"]


def trace_of_echoes(more):
    """The names in the trace ring after two echoes, read from a panic."""
    with monitored(more=more) as (guest, monitor):
        with socket.create_connection(("127.0.0.1", guest.port), 10) as s:
            for _ in range(2):
                s.sendall(b"x")
                assert s.recv(1) == b"x"
                time.sleep(0.3)
            with contextlib.suppress(EOFError):  # it may end before it answers
                monitor.ask("inject-nmi")
            guest.wait_exit()
        return re.findall(r"^trace \d+\.\d{6} pid \d+ (\w+) ", guest.console,
                          re.M)


def test_every_hop_of_the_road_leaves_a_trace_in_order():
    names = trace_of_echoes("trace=all")
    start = len(names) - 1 - names[::-1].index("sk_data_ready")
    start -= names[:start][::-1].index("virtnet_interrupt") + 1
    rest = iter(names[start:])
    for hop in ROAD:
        assert hop in rest, f"{hop} is missing or out of order: {names[start:]}"


def test_only_the_tracepoints_asked_for_are_on():
    assert set(trace_of_echoes("trace=tcp_recvmsg,ip_rcv")) == {
        "tcp_recvmsg", "ip_rcv"}
    assert not trace_of_echoes("")
