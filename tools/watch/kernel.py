"""One look at the kernel's objects: the task, its open-file table, files,
sockets, socks, wait queues, epolls with their trees and ready lists. What is
many is counted; what is shown whole is chosen: pinned descriptors, those that
match the search, those with the latest traffic.
"""
import ipaddress
import struct
import time

from tools.watch.memory import Gone, U32, U64

STATES = ("?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
          "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
          "LISTEN", "CLOSING", "NEW_SYN_RECV")
TCP = 6
LISTEN = 10
SHOWN = 5           # connections drawn one by one
WHOLE_TREE = 40     # watches up to which the tree is drawn whole
TREE_DEPTH = 5      # levels of a larger one
READY_SHOWN = 6
UNACTIVE = (1 << 64) - 1
EVENTS = ((0x1, "IN"), (0x2, "PRI"), (0x4, "OUT"), (0x8, "ERR"),
          (0x10, "HUP"), (0x2000, "RDHUP"), (1 << 28, "EXCLUSIVE"),
          (1 << 30, "ONESHOT"), (1 << 31, "ET"))
U32_MASK = (1 << 32) - 1


def events_text(events):
    return "|".join(name for bit, name in EVENTS if events & bit) or "0"


def ip_text(words):
    address = ipaddress.IPv6Address(struct.pack("<4I", *words))
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address) if int(address) else "*"


class Conn:
    """A descriptor that is a socket with a TCP sock."""
    __slots__ = ("fd", "file", "socket", "sk", "state", "rcv", "write",
                 "moved", "item")


class Kernel:
    """Looks again and again: remembers what moved when."""

    def __init__(self, memory):
        self.m = memory
        self.kinds = {}         # file_operations: name
        self.seen = {}          # sock: (rcv_nxt, write_seq, when it moved)
        self.percpu_of = memory.symbol
        m = memory.structs
        self.sock = {n: m["sock"].offsets[n] for n in (
            "sk_state", "sk_protocol", "sk_dport", "sk_num")}
        self.tcp = {n: m["tcp_sock"].offsets[n] for n in (
            "rcv_nxt", "write_seq")}

    # --- tasks -----------------------------------------------------------

    def tasks(self):
        m = self.m
        link = m.offset_of("task", "tasks.next")
        for node in m.list_nodes(m.symbol("task_list"), 4096):
            yield node - link

    def describe_task(self, addr):
        m = self.m
        comm = m.bytes(addr + m.offset_of("task", "comm"), 16)
        return {"addr": addr, "pid": m.get("task", addr, "pid"),
                "comm": comm.split(b"\0")[0].decode(errors="replace"),
                "state": m.enum("task_state").get(
                    m.get("task", addr, "state"), "?").lower(),
                "kernel": bool(m.get("task", addr, "kthread")),
                "files": m.get("task", addr, "files")}

    # --- descriptors -----------------------------------------------------

    def open_files(self, files):
        """(fd, file) in order."""
        m = self.m
        max_fds, table, bitmap = m.get_all(
            "files_struct", files, "max_fds", "fd", "open_fds")
        if max_fds > 1 << 24:
            raise Gone("the open-file table makes no sense")
        for word in range(0, max_fds, 64):
            bits = m.u64(bitmap + word // 8)
            if not bits:
                continue
            row = m.bytes(table + 8 * word, 8 * min(64, max_fds - word))
            while bits:
                n = (bits & -bits).bit_length() - 1
                bits &= bits - 1
                file, = U64(row, 8 * n)
                if file:
                    yield word + n, file

    def kind(self, file):
        ops = self.m.get("file", file, "f_op")
        name = self.kinds.get(ops)
        if name is None:
            name = self.kinds[ops] = self.m.string(
                self.m.get("file_operations", ops, "name"))
        return name

    def connection(self, fd, file, now):
        """A Conn, or None if there is no TCP sock behind @file."""
        m = self.m
        conn = Conn()
        conn.fd, conn.file, conn.item = fd, file, None
        conn.socket = m.get("file", file, "private_data")
        conn.sk = m.get("socket", conn.socket, "sk")
        if not conn.sk:
            return None
        at = m.at(conn.sk)
        data = m.map
        if data[at + self.sock["sk_protocol"]] != TCP:
            return None
        conn.state = data[at + self.sock["sk_state"]]
        conn.rcv, = U32(data, at + self.tcp["rcv_nxt"])
        conn.write, = U32(data, at + self.tcp["write_seq"])
        old = self.seen.get(conn.sk)
        if old and old[0] == conn.rcv and old[1] == conn.write:
            conn.moved = old[2]
        else:
            conn.moved = now
            self.seen[conn.sk] = (conn.rcv, conn.write, now)
        return conn

    # --- details of what is shown ----------------------------------------

    def ends(self, sk):
        m = self.m
        local = [m.get("sock", sk, f"sk_rcv_saddr.a[{i}]") for i in range(4)]
        peer = [m.get("sock", sk, f"sk_daddr.a[{i}]") for i in range(4)]
        port, dport = m.get_all("sock", sk, "sk_num", "sk_dport")
        return (f"{ip_text(local)}:{port}",
                f"{ip_text(peer)}:{dport}" if dport else "")

    def wait_entries(self, head):
        """[{addr, private, func}] of a wait_queue_head."""
        m = self.m
        link = m.offset_of("wait_queue_entry", "entry.next")
        out = []
        for node in m.list_nodes(head + m.offset_of("wait_queue_head",
                                                    "head.next"), 4096):
            entry = node - link
            private, func, flags = m.get_all("wait_queue_entry", entry,
                                             "private", "func", "flags")
            out.append({"addr": entry, "private": private, "func": func,
                        "exclusive": bool(flags & 1)})
        return out

    def describe(self, conn):
        m = self.m
        tcp = lambda *names: m.get_all("tcp_sock", conn.sk, *names)  # noqa
        local, peer = self.ends(conn.sk)
        rcv, copied, una, nxt, write = tcp("rcv_nxt", "copied_seq", "snd_una",
                                           "snd_nxt", "write_seq")
        listening = conn.state == LISTEN
        gap = lambda a, b: 0 if listening else a - b & U32_MASK  # noqa
        out = {
            "fd": conn.fd, "file": conn.file, "socket": conn.socket,
            "sk": conn.sk, "state": STATES[conn.state], "local": local,
            "peer": peer, "refs": m.get("file", conn.file, "f_count.v"),
            "unread": gap(rcv, copied), "unacked": gap(nxt, una),
            "unsent": gap(write, nxt), "cwnd": tcp("cwnd")[0],
            "srtt": tcp("srtt")[0] >> 3, "retrans": tcp("total_retrans")[0],
            "rcvq": m.get("sock", conn.sk, "sk_receive_queue.qlen"),
            "moved": conn.moved, "item": conn.item,
            "wq": conn.socket + m.offset_of("socket", "wq.lock.locked"),
            "entries": self.wait_entries(
                conn.socket + m.offset_of("socket", "wq.lock.locked"))[:4],
        }
        if listening:
            at = m.get("tcp_sock", conn.sk, "listen")
            out["backlog"] = m.get("tcp_listen", at, "backlog") if at else 0
            out["accepting"] = m.get("tcp_listen", at, "qlen") if at else 0
        return out

    # --- epoll -----------------------------------------------------------

    def tree(self, ep):
        """[(item, depth, red, left?, right?)] in order, without recursion."""
        m = self.m
        link = m.offset_of("epitem", "rbn") if "rbn" in \
            m.structs["epitem"].offsets else self.rbn_offset()
        node = m.get("eventpoll", ep, "rbr.node")
        words = struct.Struct("<QQQ").unpack_from
        stack, out, depth = [], [], 0
        while node or stack:
            while node:
                parent, left, right = words(m.map, m.at(node))
                stack.append((node, depth, parent, left, right))
                node, depth = left, depth + 1
                if depth > 64:
                    raise Gone("the tree is deeper than any tree")
            node, depth, parent, left, right = stack.pop()
            out.append((node - link, depth, not parent & 1, bool(left),
                        bool(right)))
            node, depth = right, depth + 1
        return out

    def rbn_offset(self):
        """struct rb_node's first member is what its own address is."""
        return min(offset for name, offset in
                   self.m.structs["epitem"].offsets.items()
                   if name.startswith("rbn."))

    def item(self, addr):
        m = self.m
        fd, file, events, data, ep = m.get_all(
            "epitem", addr, "ffd.fd", "ffd.file", "events", "data", "ep")
        return {"addr": addr, "fd": fd, "file": file, "ep": ep, "data": data,
                "events": events_text(events)}

    def ready(self, ep):
        m = self.m
        link = m.offset_of("epitem", "rdllink.next")
        head = ep + m.offset_of("eventpoll", "rdllist.next")
        return [node - link for node in m.list_nodes(head)]

    def overflow(self, ep):
        m = self.m
        at, out = m.get("eventpoll", ep, "ovflist"), []
        while at and at != UNACTIVE and len(out) < 4096:
            out.append(at)
            at = m.get("epitem", at, "next")
        return out

    def watches(self, ep):
        """(the tree, {fd: item})."""
        m = self.m
        tree = self.tree(ep)
        at_fd = m.offset_of("epitem", "ffd.fd")
        data, at = m.map, m.at
        return tree, {U32(data, at(item + at_fd))[0]: item
                      for item, *_ in tree}

    def drawn_tree(self, tree, fds, ready):
        """Whole if it is small; else its top, each cut branch with how many
        hang there."""
        by_item = {item: fd for fd, item in fds.items()}
        limit = 64 if len(tree) <= WHOLE_TREE else TREE_DEPTH
        out, hidden, hidden_ready = [], 0, 0
        for item, depth, red, left, right in tree:
            if depth < limit:
                out.append({"item": item, "fd": by_item[item], "d": depth,
                            "red": red, "ready": item in ready,
                            "before": hidden, "before_ready": hidden_ready})
                hidden = hidden_ready = 0
            else:
                hidden += 1
                hidden_ready += item in ready
        return {"nodes": out, "after": hidden, "depth": 1 + max(
            (d for _, d, *_ in tree), default=-1), "cut": len(tree) - len(out)}

    def epoll(self, fd, file):
        m = self.m
        addr = m.get("file", file, "private_data")
        tree, fds = self.watches(addr)
        ready = self.ready(addr)
        sleepers = self.wait_entries(addr + m.offset_of(
            "eventpoll", "wq.lock.locked"))
        return {"fd": fd, "file": file, "addr": addr, "fds": fds,
                "watches": len(tree), "ready": ready,
                "tree": self.drawn_tree(tree, fds, set(ready)),
                "overflow": self.overflow(addr), "wq": sleepers,
                "scan": m.get("eventpoll", addr, "ovflist") != UNACTIVE}

    # --- counters --------------------------------------------------------

    def counts(self, symbol, enum):
        m = self.m
        names = m.enum(enum)
        raw = m.bytes(m.symbol(symbol), 8 * len(names))
        return {name: U64(raw, 8 * n)[0] for n, name in names.items()
                if U64(raw, 8 * n)[0]}

    def pages(self):
        m = self.m
        zone, members = m.symbol("zone"), m.types["symbols"]["zone"]["members"]
        at = {name: zone + off for name, off, *_ in members}
        return {"total": m.u64(at["nr_total"]), "free": m.u64(at["nr_free"])}

    def log_lines(self, count):
        """The last lines of the kernel's log."""
        m = self.m
        log, members = m.symbol("log"), m.types["symbols"]["log"]["members"]
        at = {name: (log + off, kind) for name, off, kind, _ in members}
        head, tail = m.u64(at["head"][0]), m.u64(at["tail"][0])
        size = int(at["text"][1][1:])
        text = m.bytes(at["text"][0], size)
        text = (text[tail % size:] + text[:tail % size])[:head - tail]
        lines = [r[1:].decode(errors="replace") for r in text.split(b"\n")
                 if r]
        # A panic's trace records are on the page already.
        lines = [t for t in lines if not t.startswith("trace ")]
        return lines[-count:]

    def waiting_frames(self):
        """What the card has delivered and the driver has not taken:
        (how many, where the driver is)."""
        m = self.m
        link = m.offset_of("net_device", "list.next")
        for node in m.list_nodes(m.symbol("dev_list"), 16):
            dev = node - link
            if not m.string(dev).startswith("eth"):
                continue
            vi = m.get("net_device", dev, "priv")
            used, last = m.get_all("virtnet", vi, "rx.used", "rx.last_used")
            index = m.u32(used) >> 16
            return index - last & 0xffff, last
        return 0, 0

    # --- the look --------------------------------------------------------

    def choose(self, conns, pins, search, ready_fds):
        """The listeners, and of the connections the ones to be drawn."""
        listeners = [c for c in conns if c.state == LISTEN]
        rest = [c for c in conns if c.state != LISTEN]
        wanted = [c for c in rest if c.fd in pins]
        if search:
            wanted += [c for c in rest if self.matches(c, search)]
        wanted += sorted((c for c in rest if c.fd in ready_fds),
                         key=lambda c: c.fd)
        wanted += sorted(rest, key=lambda c: (-c.moved, c.fd))
        chosen = []
        for conn in wanted:
            if conn not in chosen:
                chosen.append(conn)
            if len(chosen) == SHOWN:
                break
        return listeners[:1] + sorted(chosen, key=lambda c: c.fd)

    def matches(self, conn, search):
        """A descriptor, a peer's port or address, a state, an object's
        address in hexadecimal."""
        if search.startswith("0x"):
            try:
                return int(search, 16) in (conn.file, conn.socket, conn.sk,
                                           conn.item)
            except ValueError:
                return False
        if search.isdigit():
            port = self.m.get("sock", conn.sk, "sk_dport")
            return int(search) in (conn.fd, port)
        if search.upper() in STATES:
            return STATES[conn.state] == search.upper()
        return search in self.ends(conn.sk)[1]

    def look(self, pins=(), search=""):
        """The picture's content; Gone or struct.error if it changed under
        our eyes."""
        now = time.monotonic()
        self.m.refresh()
        tasks = [self.describe_task(t) for t in self.tasks()]
        program = next((t for t in tasks if t["files"]), None)
        conns, others, epolls = [], [], []
        if program:
            for fd, file in self.open_files(program["files"]):
                kind = self.kind(file)
                conn = self.connection(fd, file, now) \
                    if kind == "socket" else None
                if conn:
                    conns.append(conn)
                elif kind == "[eventpoll]":
                    epolls.append(self.epoll(fd, file))
                else:
                    others.append({"fd": fd, "file": file, "kind": kind})
        return self.picture(tasks, program, conns, others, epolls, pins,
                            search)

    def picture(self, tasks, program, conns, others, epolls, pins, search):
        m = self.m
        items = {}
        for ep in epolls:
            items.update(ep.pop("fds"))
        for conn in conns:
            conn.item = items.get(conn.fd)
        ready = {self.item(i)["fd"] for ep in epolls for i in ep["ready"]}
        chosen = self.choose(conns, pins, search, ready)
        shown = {c.fd for c in chosen}
        states = {}
        hidden = {}
        for conn in conns:
            name = STATES[conn.state]
            states[name] = states.get(name, 0) + 1
            if conn.fd not in shown:
                hidden[name] = hidden.get(name, 0) + 1
        for ep in epolls:
            ep["n_ready"] = len(ep["ready"])
            ep["ready"] = [self.item(i) for i in ep["ready"][:READY_SHOWN]]
            ep["overflow"] = len(ep["overflow"])
        self.forget({c.sk for c in conns})
        return {
            "tasks": tasks, "program": program,
            "current": m.u64(m.symbol("current_task")),
            "files": program and {
                "addr": program["files"],
                "max": m.get("files_struct", program["files"], "max_fds"),
                "open": len(conns) + len(others) + len(epolls)},
            "conns": [self.describe(c) for c in chosen],
            "items": {c.fd: self.item(c.item) for c in chosen if c.item},
            "others": others[:8], "n_others": len(others),
            "epolls": epolls, "states": states, "hidden": hidden,
            "found": sum(self.matches(c, search) for c in conns)
            if search else None,
            "pages": self.pages(),
            "drops": self.counts("drop_counts", "drop_reason"),
            "counters": self.counts("snmp_counts", "snmp_counter"),
        }

    def forget(self, alive):
        if len(self.seen) > 2 * len(alive) + 64:
            self.seen = {sk: v for sk, v in self.seen.items() if sk in alive}
