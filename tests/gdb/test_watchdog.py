"""What stands still is found, told with a backtrace, and counted; and what
only works hard, or sleeps, or was paused, is not."""
import contextlib
import re
import tempfile
import time

import pytest

from tests.gdb.gdb_session import open_echo, run
from tests.gdb.test_sessions import guest_and_tools
from tests.lib import disk
from tests.lib.guest import KERNEL, Guest
from tests.lib.qmp import Monitor

DEBUG_KERNEL = "build/debug/pollux.elf"
COUNTS = "output watchdog_counts"
BARK = r"watchdog: a {} stands still, case 1; what is on its stack:\n"


@pytest.mark.parametrize("kernel", [KERNEL, DEBUG_KERNEL])
@pytest.mark.parametrize("case, where", [
    ("cpu", "test_stuck_cpu"), ("softirq", "stuck_softirq")])
def test_planted(case, where, kernel):
    """A loop of the kernel's that ends when it has been counted."""
    with Guest(append=f"selftest=stuck-{case} watchdog=1",
               kernel=kernel) as guest:
        assert guest.wait_exit(50) == 0, guest.console
        console = guest.console
    told = re.split(BARK.format(case), console)[1].split("watchdog: ")[0]
    # While a softirq runs no task does, which is not a second fault.
    assert not any(" stuck_softirq+" in part
                   for part in console.split("watchdog: ")
                   if part.startswith("a cpu stands")), console
    assert told.startswith("Call trace:\n") and f" {where}+" in told, told


def test_interrupts_off():
    """Nothing in the machine sees it; asked from outside, it says where."""
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor(folder)
        with Guest(append="plant=irqs-off watchdog=1", kernel=DEBUG_KERNEL,
                   extra=monitor.args()) as guest:
            guest.wait_console("interrupts are off")
            monitor.connect()
            time.sleep(2)
            assert "watchdog: " not in guest.console
            with contextlib.suppress(EOFError):  # it may end before it answers
                monitor.ask("inject-nmi")
            assert guest.wait_exit() == 127, guest.console
            assert re.search(r"^  at irqs_off\+.*\nCall trace:\n"
                             r".* run_planted\+", guest.console, re.M), \
                guest.console


def test_task_that_no_signal_reaches():
    """Somebody who never gives it back has the epoll's mutex."""
    with guest_and_tools(more="watchdog=1") as (guest, _, sock), \
         open_echo(guest.port) as s:
        ep = re.search(r"eventpoll (0x\w+)",
                       run(sock, ["px-epoll 4"])["px-epoll 4"])[1]
        run(sock, [f"set var ((struct eventpoll *){ep})->mtx.owner = "
                   "(void *)1", "detach"])
        s.sendall(b"x")
        guest.wait_console(BARK.format("task") + r"task 1 echo\n"
                           r"Call trace:\n.*mutex_lock_slow\+.*\n"
                           r".* ep_send_events\+")
        assert run(sock, [COUNTS])[COUNTS] == "{0, 0, 1, 0}"


def test_work_sleep_and_a_pause_are_none():
    """Far longer than the watchdog's second, each; and a task of the kernel's
    own that sleeps for good."""
    with guest_and_tools(["-device", "virtio-balloon-pci"],
                         kernel=disk.KERNEL, more="watchdog=1") as \
         (guest, path, sock), \
         open_echo(guest.port) as s:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            s.sendall(b"x" * 1000)
            assert s.recv(1000)
        monitor = Monitor(path)
        monitor.connect()
        monitor.ask("stop")
        time.sleep(2)
        monitor.ask("cont")
        monitor.close()
        time.sleep(2)
        assert run(sock, [COUNTS], elf=disk.KERNEL)[COUNTS] == "{0, 0, 0, 0}"
        assert "watchdog" not in guest.console
