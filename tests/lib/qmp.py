"""The monitor of a guest under test; the kernel's counters through it."""
import re
import time

from tools import qmp


class Monitor(qmp.Monitor):
    """Add args() to the guest's command; connect() once it runs."""

    def percpu_offset(self):
        """How far CPU 0's copy of per-CPU data is from where it is linked;
        the guest is idle in the kernel, or asked again until it is."""
        for _ in range(100):
            text = self.human("info registers")
            if re.search(r"CPL=0", text):
                return int(re.search(r"^GS =\w+ (\w+)", text, re.M)[1], 16)
            time.sleep(0.01)
        raise RuntimeError("the guest never is in the kernel")


def drop_names(header="net/drop.h"):
    with open(header, encoding="utf-8") as f:
        text = f.read()
    text = text[text.index("define DROP_REASONS"):text.index("enum")]
    return re.findall(r"\bX\((\w+)\)", text)


class DropCounters:
    """The kernel's counters of dropped packets, by name."""

    def __init__(self, monitor, elf="build/pollux.elf"):
        self.monitor = monitor
        self.names = drop_names()
        self.address = monitor.symbols(elf)["drop_counts"]

    def read(self):
        at = self.address + self.monitor.percpu_offset()
        words = self.monitor.read_words(at % (1 << 64), len(self.names))
        return dict(zip(self.names, words))
