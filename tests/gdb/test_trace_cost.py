"""What tracepoints cost that are off: the instructions of an echo, counted
one by one in the emulator's log, beside a kernel made without them."""
import pytest

from tests.gdb import watched
from tests.lib import counted
from tests.lib.guest import UserNetGuest

LIMIT = 1.01
TRIES = 4
MOST = 4000      # for an echo, all in
KERNELS = ("build/pollux.elf", "build/notrace/pollux.elf")


def instructions(kernel):
    """Those of an echo."""
    kept = []

    def act(port):
        if not kept:
            kept.append(watched.connect(port))
        watched.echo(kept[0], b"cost")
    return counted.usual_length(counted.executed(act, kernel), "tcp_sendmsg",
                                kernel)


@pytest.mark.limit(240)
def test_an_echo_is_short_and_tracepoints_that_are_off_a_hundredth_of_it():
    """On a busy host the two may get their packets in another rhythm, and
    do not compare: then once more."""
    seen = []
    while not seen or not seen[-1][1] < seen[-1][0] < seen[-1][1] * LIMIT:
        assert len(seen) < TRIES, seen
        seen.append(tuple(map(instructions, KERNELS)))
    assert seen[-1][0] < MOST


def test_a_kernel_without_tracepoints_says_so():
    with UserNetGuest(kernel=KERNELS[1], more="trace=all") as guest:
        assert "this kernel has no tracepoints" in guest.console
