"""What tracepoints cost that are off: the instructions of an echo, counted
one by one in the emulator's log, beside a kernel made without them."""
import collections
import itertools
import re
import tempfile

import pytest

from tests.gdb import watched
from tests.lib.guest import UserNetGuest
from tests.lib.qmp import Monitor
from tools.qmp import symbols

ECHOES, ALIKE = 60, 6
LIMIT = 1.01
KERNELS = ("build/pollux.elf", "build/notrace/pollux.elf")
# A line for each instruction, as one is a block of its own (-singlestep).
EXECUTED = re.compile(rb"^Trace \d+: \S+ \[\w+/(\w+)/", re.M)


def instructions(kernel):
    """Those from one tcp_sendmsg to the next: the least of which there are
    several alike, where nothing came between."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        extra = [*monitor.args(), "-singlestep", "-D", f"{folder}/log"]
        with UserNetGuest(more="nokaslr", kernel=kernel,
                          extra=extra) as guest:
            s = watched.connect(guest.port)
            for _ in range(ECHOES):
                watched.echo(s, b"warm")
            monitor.connect()
            monitor.human("log exec,nochain")
            for _ in range(ECHOES):
                watched.echo(s, b"cost")
            monitor.human("log none")
            monitor.close()
            s.close()
        with open(f"{folder}/log", "rb") as f:
            ran = EXECUTED.findall(f.read())
    begin = b"%016x" % symbols(kernel)["tcp_sendmsg"]
    at = [i for i, pc in enumerate(ran) if pc == begin]
    seen = collections.Counter(b - a for a, b in itertools.pairwise(at))
    return min(n for n, times in seen.items() if times >= ALIKE)


@pytest.mark.limit(240)
def test_tracepoints_that_are_off_cost_under_a_hundredth():
    cost, without = map(instructions, KERNELS)
    assert without < cost < without * LIMIT, (cost, without)


def test_a_kernel_without_tracepoints_says_so():
    with UserNetGuest(kernel=KERNELS[1], more="trace=all") as guest:
        assert "this kernel has no tracepoints" in guest.console
