"""What the trace ring tells: the last packets' ways through the hops, how
long each hop took, what else happened. The ring is read where it is; only
records that are new since the last look are decoded."""
from tools import tracering
from tools.tracering import RECORD, RECORDS, Record

KEPT = 400          # echoes that the figures are about
EVENTS = 40         # other happenings that the page lists
# The record of a hop, and the row of the README's table that it is.
ROWS = {"virtnet_interrupt": 1, "do_softirq": 2, "net_rx_action": 3,
        "virtnet_poll": 4, "ip_rcv": 5, "tcp_v4_rcv": 6, "sk_data_ready": 7,
        "ep_poll_callback": 8, "sched_switch": 9, "epoll_wait": 10,
        "tcp_recvmsg": 11}
TOLD = ("tcp_set_state", "tcp_retransmit", "net_drop")


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


class Road:
    """Follows one guest's ring."""

    def __init__(self, memory):
        self.m = memory
        self.names = [name.lower() for _, name in
                      sorted(memory.enum("trace_point").items())]
        self.next = 0
        self.open = []      # records that may be part of an unfinished echo
        self.echoes = []
        self.events = []
        self.most_ready = 0
        self.serial = 0     # how many echoes there were

    def on(self):
        m = self.m
        return bool(m.u64(m.symbol("trace_ring")) and
                    m.u32(m.symbol("trace_mask")))

    def fresh(self):
        """The records written since the last time."""
        m = self.m
        ring = m.u64(m.symbol("trace_ring"))
        written = m.u64(m.symbol("trace_ring") + 8)
        if not ring or written == self.next:
            return []
        if written < self.next:
            self.next = 0
        first = max(self.next, written - RECORDS + 64)
        raw = m.bytes(ring, RECORDS * RECORD.size)
        # While we read, the oldest may have been written over.
        again = m.u64(m.symbol("trace_ring") + 8)
        first = max(first, again - RECORDS)
        self.next = written
        out = []
        for i in range(first, written):
            time, point, cpu, pid, a, b = RECORD.unpack_from(
                raw, i % RECORDS * RECORD.size)
            if point < len(self.names):
                out.append(Record(time, self.names[point], cpu, pid, a, b))
        return out

    def look(self):
        new = self.fresh()
        self.most_ready = max((r.a for r in new if r.name == "epoll_wait"),
                              default=0)
        self.note_events(new)
        records = self.open + new
        found = tracering.echoes(records)
        if found:
            end = found[-1].hops[-1][1]
            done = [r for r in records if r.time <= end]
            self.echoes += [self.describe(e, done) for e in found[-50:]]
            self.serial += len(found)
            self.echoes = self.echoes[-KEPT:]
            records = [r for r in records if r.time > end]
        self.open = records[-256:]
        return self.summary()

    def note_events(self, new):
        drops = self.m.enum("drop_reason")
        for r in new:
            if r.name not in TOLD:
                continue
            event = {"at": r.time, "name": r.name, "a": r.a, "b": r.b}
            if r.name == "net_drop":
                event["reason"] = drops.get(r.a, str(r.a))
            self.events.append(event)
        self.events = self.events[-EVENTS:]

    @staticmethod
    def describe(echo, records):
        """An echo's hops by row, and the objects that it touched."""
        start, end = echo.hops[0][1], echo.hops[-1][1]
        inside = [r for r in records if start <= r.time <= end]
        item = next((r.a for r in inside if r.name == "ep_poll_callback"), 0)
        hops = [[ROWS.get(name, 12), name, at - start]
                for name, at in echo.hops]
        ready = next((at for row, _, at in hops if row == 8), None)
        for r in inside:
            if r.name == "sched_switch" and ready is not None and \
                    r.time - start >= ready:
                hops.append([9, r.name, r.time - start])
                break
        hops.sort(key=lambda hop: hop[2])
        return {"sock": echo.sock, "item": item, "at": start,
                "total": echo.total, "hops": hops}

    def last_whole(self):
        """The last echo that went over the ready list, not in the wake of
        another; else the last."""
        for echo in reversed(self.echoes):
            if {8, 10} <= {row for row, *_ in echo["hops"]}:
                return echo
        return self.echoes[-1] if self.echoes else None

    def summary(self):
        spent = {}
        for echo in self.echoes:
            for (row, name, at), (_, _, after) in zip(echo["hops"],
                                                      echo["hops"][1:]):
                spent.setdefault((row, name), []).append(after - at)
        hops = []
        for (row, name), values in sorted(spent.items()):
            values.sort()
            hops.append({"row": row, "name": name, "n": len(values),
                         "median": percentile(values, 0.5),
                         "late": percentile(values, 0.99),
                         "most": values[-1], "buckets": buckets(values)})
        totals = sorted(e["total"] for e in self.echoes)
        return {"on": self.on(), "serial": self.serial, "hops": hops,
                "last": self.last_whole(),
                "median": percentile(totals, 0.5) if totals else 0,
                "late": percentile(totals, 0.99) if totals else 0,
                "most_ready": self.most_ready, "events": self.events}


def buckets(values):
    """Counts by powers of two from 1/4 us up, at most 16."""
    out = [0] * 16
    for value in values:
        out[min(15, (value // 250).bit_length())] += 1
    return out
