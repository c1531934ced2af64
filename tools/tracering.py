"""The kernel's trace ring, read from outside: from a running guest through
QEMU's monitor, which costs the guest nothing, or from a core. And echoes,
found in it: the records of one packet's road, hop by hop.
"""
import collections
import os
import re
import struct
import tempfile

# Run as a script's module, or as a part of tools.
if __package__:
    from tools import qmp
else:
    import qmp

RECORD = struct.Struct("<QHHiQQ")   # struct trace_record
RECORDS = 4096                      # TRACE_RECORDS
PT_LOAD = 1

Record = collections.namedtuple("Record", "time name cpu pid a b")


def point_names():
    """Tracepoints in the order of enum trace_point. The header lies in the
    tree, or where `make install` has put it."""
    base = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(f"{base}/kernel/trace.h", encoding="utf-8") as f:
        text = f.read()
    body = text[text.index("enum trace_point"):text.index("NR_TRACE_POINTS")]
    return [n.lower() for n in re.findall(r"\bTRACE_(\w+),", body)]


class LiveGuest:
    """Reads a running guest's memory through QMP: a socket's path, or a
    monitor that is connected."""

    def __init__(self, where):
        self.monitor = where
        if isinstance(where, str):
            self.monitor = qmp.Monitor(where)
            self.monitor.connect(1)

    def read(self, address, size):
        # A path of QEMU's own: it writes the file.
        with tempfile.NamedTemporaryFile() as f:
            # The address is a signed number to QMP.
            signed = address - (1 << 64) if address >> 63 else address
            self.monitor.ask("memsave", val=signed, size=size,
                             filename=os.path.abspath(f.name))
            return f.read()

    def symbols(self, elf):
        return self.monitor.symbols(elf)

    def stop(self):
        self.monitor.ask("stop")

    def cont(self):
        self.monitor.ask("cont")


class Core:
    """Reads a core by virtual address."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        start, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        heads = [struct.unpack_from("<IIQQQQQQ", self.data, start + i * size)
                 for i in range(count)]
        # (virtual, size, in the file, physical)
        self.loads = [(h[3], h[5], h[2], h[4]) for h in heads
                      if h[0] == PT_LOAD]

    def piece(self, address, size):
        for vaddr, length, offset, _ in self.loads:
            if vaddr <= address < vaddr + length:
                size = min(size, vaddr + length - address)
                at = offset + address - vaddr
                return self.data[at:at + size]
        raise ValueError(f"the core has nothing at {address:#x}")

    def read(self, address, size):
        out = b""
        while len(out) < size:
            out += self.piece(address + len(out), size - len(out))
        return out

    def symbols(self, elf):
        moved = max(vaddr - physical for vaddr, _, _, physical in self.loads
                    if vaddr >= qmp.KERNEL_VMA) - qmp.KERNEL_VMA
        return {name: address + moved
                for name, address in qmp.symbols(elf).items()}

    def stop(self):
        pass

    cont = stop


def read_ring(memory, elf="build/pollux.elf"):
    """All records, oldest first; [] if no tracepoint is on. The guest stands
    still for the milliseconds that it takes. CPU 0's ring: its per-CPU data
    is where it is linked."""
    at = memory.symbols(elf)["trace_ring"]
    memory.stop()
    try:
        ring, written = struct.unpack("<QQ", memory.read(at, 16))
        raw = memory.read(ring, RECORDS * RECORD.size) if ring else b""
    finally:
        memory.cont()
    if not ring:
        return []
    names = point_names()
    out = []
    for i in range(max(0, written - RECORDS), written):
        time, point, cpu, pid, a, b = RECORD.unpack_from(
            raw, i % RECORDS * RECORD.size)
        out.append(Record(time, names[point], cpu, pid, a, b))
    return out


# --- echoes --------------------------------------------------------------

# The hops of an echo, in their order. The first five come before the sock is
# known; the last one after it.
BEFORE = ("virtnet_interrupt", "do_softirq", "net_rx_action", "virtnet_poll",
          "ip_rcv")
HOPS = BEFORE + ("tcp_v4_rcv", "sk_data_ready", "ep_poll_callback",
                 "epoll_wait", "tcp_recvmsg", "tcp_transmit", "virtnet_xmit")


class Echo:
    """One request and its answer: sock, and (hop, ns) in order of time."""

    def __init__(self, sock, hops):
        self.sock = sock
        self.hops = hops

    def spent(self):
        """[(hop, ns until the next one)]."""
        return [(name, after - at) for (name, at), (_, after)
                in zip(self.hops, self.hops[1:])]

    @property
    def total(self):
        return self.hops[-1][1] - self.hops[0][1]


def echoes(records):
    """The echoes that lie wholly within @records."""
    done = []
    arriving = {}       # hop: record, of the packet on its way up
    under_way = {}      # sock: hops so far
    for r in records:
        if r.name == BEFORE[0]:
            arriving = {}
        if r.name in BEFORE:
            arriving[r.name] = r.time
        elif r.name == "tcp_v4_rcv":
            hops = sorted(arriving.items(), key=lambda hop: hop[1])
            under_way[r.a] = {**dict(hops), r.name: r.time}
            # The next packet of the batch begins in virtnet_poll.
            arriving = {}
        elif r.name == "sk_data_ready" and r.a in under_way:
            under_way[r.a].setdefault(r.name, r.time)
        elif r.name in ("ep_poll_callback", "epoll_wait"):
            # They name no sock: whoever has come just as far.
            mark(under_way, r)
        elif r.name in ("tcp_recvmsg", "tcp_transmit") and r.a in under_way:
            if r.name != "tcp_transmit" or r.b & 0xffffffff:
                under_way[r.a].setdefault(r.name, r.time)
        elif r.name == "virtnet_xmit":
            for sock, hops in list(under_way.items()):
                if "tcp_recvmsg" in hops and "tcp_transmit" in hops:
                    hops[r.name] = r.time
                    done.append(Echo(sock, list(hops.items())))
                    del under_way[sock]
    return done


def mark(under_way, record):
    before = HOPS[HOPS.index(record.name) - 1]
    for hops in under_way.values():
        if before in hops and record.name not in hops:
            hops[record.name] = record.time
