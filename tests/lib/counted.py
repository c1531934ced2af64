"""What a guest executes, instruction by instruction, from the emulator's log:
exact, and the same on a slow machine."""
import collections
import itertools
import re
import tempfile

from tests.lib.guest import UserNetGuest
from tests.lib.qmp import Monitor
from tools.qmp import symbols

WARM, TIMES, ALIKE = 60, 60, 6
# A line for each instruction, as one is a block of its own (-singlestep).
EXECUTED = re.compile(rb"^Trace \d+: \S+ \[\w+/(\w+)/", re.M)


def executed(act, kernel="build/pollux.elf"):
    """The addresses of all that runs while act(port) is called TIMES times,
    after it was WARM times; each of 16 digits."""
    with tempfile.TemporaryDirectory(dir="build/tests") as folder:
        monitor = Monitor(folder)
        extra = [*monitor.args(), "-singlestep", "-D", f"{folder}/log"]
        with UserNetGuest(more="nokaslr", kernel=kernel,
                          extra=extra) as guest:
            for _ in range(WARM):
                act(guest.port)
            monitor.connect()
            monitor.human("log exec,nochain")
            for _ in range(TIMES):
                act(guest.port)
            monitor.human("log none")
            monitor.close()
        with open(f"{folder}/log", "rb") as f:
            return EXECUTED.findall(f.read())


def runs(ran, first, kernel="build/pollux.elf"):
    """What was executed from each call of the function @first to the next."""
    begin = b"%016x" % symbols(kernel)[first]
    at = [i for i, pc in enumerate(ran) if pc == begin]
    return [ran[a:b] for a, b in itertools.pairwise(at)]


def usual_length(ran, first, kernel="build/pollux.elf"):
    """The least of which there are ALIKE alike, where nothing came between."""
    seen = collections.Counter(map(len, runs(ran, first, kernel)))
    return min(n for n, times in seen.items() if times >= ALIKE)
