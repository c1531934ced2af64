"""px-sock: TCP connections (state, sequence space, queues, timers), and
px-socket FD: the chain from a descriptor down to its sock."""
import px_files
import px_skb
import px_waitqueue
from px_lib import (command, container, enum_names, flags_text,
                    hlist_nodes, ip_text, list_nodes, list_objs,
                    memory, Missing, ns_text, number, obj,
                    percpu, pointer_name, variable)

STATES = ("?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1",
          "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
          "LISTEN", "CLOSING", "NEW_SYN_RECV")
LISTEN = 10
CLOSE = 7
TYPES = {1: "STREAM", 2: "DGRAM", 3: "RAW"}
FAMILIES = {2: "INET", 10: "INET6"}
SHUTDOWN = ((1, "RCV"), (2, "SEND"))
LOCK = ((1, "spin"), (2, "owned by a task"), (4, "work waits"),
        (8, "a task sleeps for it"))
ACK_STATE = ((1, "SCHED"), (2, "NOW"), (4, "PINGPONG"))
TCP_FLAGS = ((0x1, "TIMER"), (0x2, "ORPHAN"), (0x4, "HASHED"),
             (0x8, "OWNS_PORT"), (0x10, "SHARES_PORT"), (0x20, "FIN_WANTED"),
             (0x40, "WND_PROBE"), (0x80, "FRTO"), (0x100, "PORT_STRICT"),
             (0x200, "TLP"), (0x400, "REO"), (0x800, "TLP_OUT"),
             (0x1000, "TLP_RETRANS"), (0x2000, "RACK"), (0x4000, "REORDER"),
             (0x8000, "UNDO"), (0x10000, "ECN_ECHO"), (0x20000, "ECN_CWR"),
             (0x40000, "FO_CHILD"), (0x80000, "FO_ASK"),
             (0x100000, "FO_DEFER"), (0x200000, "URG"), (0x400000, "PACED"),
             (0x800000, "MTU_LOW"), (0x1000000, "MTU_PROBE"))
TX_TAGS = ((1, "SACKED"), (2, "LOST"), (4, "RETRANS"))
LEAF_SHIFT = 9
QUEUE_SHOWN = 8
SOCKS_SHOWN = 64
U32 = (1 << 32) - 1


def state_name(sk):
    return STATES[sk.sk_state] if sk.sk_state < len(STATES) else "?"


def ends_text(sk):
    text = f"{ip_text(sk.sk_rcv_saddr)}:{sk.sk_num}"
    if sk.sk_dport:
        text += f" - {ip_text(sk.sk_daddr)}:{sk.sk_dport}"
    return text


def line(sk):
    proto = memory.string(obj("proto", sk.sk_prot).name)
    return (f"{proto} {state_name(sk)} {ends_text(sk)} sock {sk.addr:#x} "
            f"rcv {sk.sk_rmem_alloc}/{sk.sk_rcvbuf} "
            f"snd {sk.sk_wmem_queued}/{sk.sk_sndbuf}")


def socket_text(addr):
    sock = obj("socket", addr)
    return line(obj("sock", sock.sk)) if sock.sk else "no sock"


# --- the tables ----------------------------------------------------------

def table_heads(table):
    """The address of each bucket of a struct table of tcp_hash.c."""
    for n in range(table.nr_buckets):
        leaf = n >> LEAF_SHIFT
        at = (n & ((1 << LEAF_SHIFT) - 1)) * 8
        if not leaf:
            yield table.first + at
        else:
            root = table.root[leaf >> LEAF_SHIFT]
            yield memory.u64(root + 8 * (leaf & 511)) + at


def connections():
    for head in table_heads(variable("socks", "net/tcp/tcp_hash.c")):
        for node in hlist_nodes(head):
            yield container("sock", node, "sk_node")


def listeners():
    table = variable("listeners", "net/tcp/tcp_hash.c")
    for head in table.bucket:
        node = head.first
        while node:
            sk = container("sock", node, "sk_node")
            yield sk
            node = memory.u64(node)


def minis():
    for head in table_heads(variable("minis", "net/tcp/tcp_hash.c")):
        for node in hlist_nodes(head):
            yield container("tcp_mini", node, "node")


# --- one connection ------------------------------------------------------

def rel(seq, base):
    return seq - base & U32


def deadline_text(at, now):
    if not at:
        return "off"
    return f"in {ns_text(at - now)}" if at >= now else \
        f"due {ns_text(now - at)} ago"


def print_queue(title, skbs, total, describe):
    print(f"  {title}: {total} packets")
    for n, skb in enumerate(skbs):
        if n == QUEUE_SHOWN:
            print("    ...")
            break
        print(f"    {describe(skb)}")


def tx_text(skb):
    tx = container("tcp_tx", skb.member("cb"), "seq")
    return (f"skb {skb.addr:#x} seq {tx.seq}..{tx.end_seq} segs {tx.segs} "
            f"sent again {tx.retrans} {flags_text(tx.tags, TX_TAGS, '')}"
            .rstrip())


def last_time():
    """ktime ns of the last network softirq: the clock as of then."""
    try:
        return percpu("softnet_now", "net/dev.c")
    except Missing:
        return 0


def show_listen(tp):
    listen = obj("tcp_listen", tp.listen) if tp.listen else None
    if listen:
        print(f"  accept queue {listen.qlen} of {listen.backlog}, half-open "
              f"{listen.requests.v}")


def show_sequences(tp):
    out = rel(tp.snd_nxt, tp.snd_una)
    print(f"  send: iss {tp.iss} snd_una +{rel(tp.snd_una, tp.iss)} snd_nxt "
          f"+{rel(tp.snd_nxt, tp.iss)} write_seq +{rel(tp.write_seq, tp.iss)}"
          f"; {out} bytes unacknowledged, {rel(tp.write_seq, tp.snd_nxt)} "
          f"unsent; snd_wnd {tp.snd_wnd} (<< {tp.snd_wscale})")
    print(f"  receive: irs {tp.irs} rcv_nxt +{rel(tp.rcv_nxt, tp.irs)} "
          f"copied_seq +{rel(tp.copied_seq, tp.irs)}; "
          f"{rel(tp.rcv_nxt, tp.copied_seq)} bytes unread; rcv_wnd "
          f"{tp.rcv_wnd} (<< {tp.rcv_wscale})")


def show_congestion(tp):
    states = enum_names("tcp_ca_state", "TCP_CA_")
    print(f"  congestion: {states.get(tp.ca_state, '?')} cwnd {tp.cwnd} "
          f"ssthresh {tp.ssthresh} out {tp.packets_out} sacked "
          f"{tp.sacked_out} lost {tp.lost_out} retransmitted "
          f"{tp.retrans_out}, in all {tp.total_retrans}; dupacks "
          f"{tp.dupacks}; mss {tp.mss_cache}")
    print(f"  round trip: srtt {tp.srtt / 8000:.3f} ms rttvar "
          f"{tp.rttvar / 4000:.3f} ms rto {tp.rto / 1000:.0f} ms backoff "
          f"{tp.backoff} timeouts {tp.retransmits} probes {tp.probes_out}")


def show_timers(tp):
    now = last_time()
    wheel = "armed" if tp.timer.node.pprev else "not armed"
    print(f"  timers: retransmit {deadline_text(tp.rto_at, now)}, delayed ACK "
          f"{deadline_text(tp.ack_at, now)}, keepalive or FIN-WAIT-2 "
          f"{deadline_text(tp.keep_at, now)}; wheel timer {wheel}")
    print(f"  flags {flags_text(tp.flags, TCP_FLAGS)}, ack "
          f"{flags_text(tp.ack_state, ACK_STATE)}")


def show_queues(tp, sk):
    head = sk.member("sk_receive_queue")
    print_queue("receive queue", list_objs(head, "sk_buff", "list"),
                sk.sk_receive_queue.qlen, px_skb.line)
    if tp:
        sent = tp.member("write_queue")
        print_queue("write queue",
                    list_objs(sent, "sk_buff", "tx_link"),
                    sum(1 for _ in list_nodes(sent)), tx_text)
        if tp.ofo:
            queue = obj("tcp_ofo", tp.ofo).queue
            print_queue("out of order",
                        list_objs(queue.member("list"), "sk_buff", "list"),
                        queue.qlen, px_skb.line)


def show(sk):
    print(line(sk))
    print(f"  lock {flags_text(sk.sk_lock, LOCK, 'free')}, refs "
          f"{sk.sk_refs.v}, err {sk.sk_err}, shutdown "
          f"{flags_text(sk.sk_shutdown, SHUTDOWN, 'none')}, backlog "
          f"{sk.sk_backlog_len} bytes, socket {sk.sk_socket:#x}, data_ready "
          f"{pointer_name(sk.sk_data_ready)}")
    is_tcp = sk.sk_protocol == px_skb.IPPROTO_TCP
    tp = obj("tcp_sock", sk.addr) if is_tcp else None
    if tp and sk.sk_state == LISTEN:
        show_listen(tp)
    elif tp and sk.sk_state != CLOSE:
        show_sequences(tp)
        show_congestion(tp)
        show_timers(tp)
    show_queues(tp if sk.sk_state not in (LISTEN, CLOSE) else None, sk)


def sock_of_fd(fd):
    """The struct sock of @fd; None, and it has said why, if it has none."""
    file = px_files.file_of(fd)
    if not file:
        print(f"descriptor {fd} is not open: px-files lists those that are")
        return None
    kind = px_files.kind_of(file)
    if kind != "socket":
        print(f"descriptor {fd} is {kind}, not a socket")
        return None
    sock = obj("socket", file.private_data)
    if not sock.sk:
        print(f"descriptor {fd}: its socket has no sock")
        return None
    return obj("sock", sock.sk)


def list_all():
    by_state = {}
    rows = []
    for source in (listeners, connections):
        for sk in source():
            by_state[state_name(sk)] = by_state.get(state_name(sk), 0) + 1
            if len(rows) < SOCKS_SHOWN:
                rows.append(line(sk))
    kinds = enum_names("tcp_mini_kind", "TCP_MINI_")
    for mini in minis():
        kind = f"{kinds.get(mini.kind, '?')} (record)"
        by_state[kind] = by_state.get(kind, 0) + 1
        t = mini.tuple
        if len(rows) < SOCKS_SHOWN:
            rows.append(f"{kind} {ip_text(t.local)}:{t.lport} - "
                        f"{ip_text(t.remote)}:{t.rport} {mini.addr:#x}")
    print(", ".join(f"{n} {name}" for name, n in sorted(by_state.items()))
          or "no TCP socks")
    for row in rows:
        print(row)
    if sum(by_state.values()) > len(rows):
        print(f"... and {sum(by_state.values()) - len(rows)} more")


@command("px-sock", "[FD | ADDR]")
def sock_command(words):
    """TCP: all connections by state; or one, by descriptor or address.

    One is shown with its sequence space, congestion state, timers and the
    packets in its queues."""
    if not words:
        list_all()
        return
    which = number(" ".join(words))
    sk = sock_of_fd(which) if which < 1 << 32 else obj("sock", which)
    if sk:
        show(sk)


@command("px-socket", "FD")
def socket_command(words):
    """The chain of a descriptor: file, socket, wait queue, sock."""
    if not words:
        print("px-socket wants a descriptor; px-files lists those open")
        return
    fd = number(words[0])
    file = px_files.file_of(fd)
    sk = sock_of_fd(fd)
    if not sk:
        return
    sock = obj("socket", file.private_data)
    states = enum_names("socket_state", "SS_")
    print(f"fd {fd} -> file {file.addr:#x} refs {file.f_count.v}")
    print(f"  -> socket {sock.addr:#x} {FAMILIES.get(sk.sk_family, '?')} "
          f"{TYPES.get(sock.type, '?')} {states.get(sock.state, '?')}")
    head = sock.member("wq")
    print(f"     wait queue {head:#x}:")
    px_waitqueue.show(head, "       ")
    for item in px_files.watchers(file):
        print(f"     watched by epitem {item.addr:#x} of eventpoll "
              f"{item.ep:#x}")
    print("  -> ", end="")
    show(sk)
