"""px-trace: the trace ring, decoded."""
from px_lib import (command, enum_names, layout, name_table, Obj, percpu,
                    variable)
import px_epoll
import px_sock

SOFTIRQS = ("TIMER", "NET_TX", "NET_RX")


def sock_arg(addr):
    return f"sock {addr:#x}" if addr else "no sock"


def two(word):
    return word >> 32, word & 0xffffffff


def decode(name, a, b):
    """The arguments of a record in words."""
    if name == "do_softirq":
        return "|".join(s for i, s in enumerate(SOFTIRQS) if a >> i & 1)
    if name == "ep_poll_callback":
        return f"epitem {a:#x} {px_epoll.events_text(b)}"
    if name == "sched_switch":
        return f"pid {signed(a)} to pid {signed(b)}"
    if name == "tcp_set_state":
        old, new = b >> 16, b & 0xffff
        return (f"{sock_arg(a)} {px_sock.STATES[old]} -> "
                f"{px_sock.STATES[new]}")
    if name in ("tcp_v4_rcv", "tcp_transmit", "tcp_retransmit"):
        seq, length = two(b)
        return f"{sock_arg(a)} seq {seq} length {length}"
    if name in ("tcp_recvmsg", "tcp_sendmsg"):
        return f"{sock_arg(a)} {signed(b)} bytes"
    if name == "net_drop":
        return f"{drop_name(a)} {b} bytes"
    return {"virtnet_interrupt": f"queue {a}",
            "net_rx_action": f"budget {a}",
            "virtnet_poll": f"queue {a}, {b} frames",
            "ip_rcv": f"{a} bytes, protocol {b}",
            "sk_data_ready": sock_arg(a),
            "epoll_wait": f"returns {signed(a)}",
            "virtnet_xmit": f"{a} bytes"}.get(name, f"{a:#x} {b:#x}")


def signed(word):
    return word - (1 << 64) if word >> 63 else word


def drop_name(number):
    return enum_names("drop_reason", "DROP_").get(number, str(number))


def records():
    """The trace_record objects of this CPU, oldest first."""
    ring = percpu("trace_ring", "kernel/trace.c")
    if not ring.record:
        return
    lay = layout("trace_record")
    # kernel/trace.c: TRACE_RECORDS
    size = 4096
    for i in range(max(0, ring.next - size), ring.next):
        yield Obj(lay, ring.record + i % size * lay.size)


@command("px-trace", "[COUNT]")
def trace(words):
    """The last COUNT records (default 40) of the trace ring, decoded.

    The kernel traces what trace= on its command line names: trace=all."""
    names = name_table("trace_names")
    if not variable("trace_mask"):
        print("no tracepoint is on: boot with trace=all (or names joined by "
              "commas) on the kernel command line")
        return
    count = int(words[0], 0) if words else 40
    last = None
    for record in list(records())[-count:]:
        name = names[record.point]
        gap = "" if last is None else f"+{(record.time - last) / 1000:.1f} us"
        last = record.time
        print(f"{record.time / 1e9:.9f} {gap:>12} pid {record.pid:<3} "
              f"{name:18} {decode(name, *record.arg)}")
