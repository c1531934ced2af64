#!/usr/bin/python3
"""trace.py: where the time of an echo goes, hop by hop.

Reads the trace ring of the guest that `make run ARGS=trace=all` has started,
or of a core, and prints each echo and a histogram of each hop. Also writes
Chrome's trace format (--json; open it in ui.perfetto.dev or chrome://tracing)
and pcapng with the kernel's view as comments (--pcap IN --pcapng OUT).
"""
import argparse
import json
import os
import sys

# Run as a script, or imported as tools.trace.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tools import pcapng, tracering  # noqa: E402

SHORT = {"virtnet_interrupt": "irq", "do_softirq": "softirq",
         "net_rx_action": "net_rx", "virtnet_poll": "poll", "ip_rcv": "ip",
         "tcp_v4_rcv": "tcp", "sk_data_ready": "ready",
         "ep_poll_callback": "callback", "epoll_wait": "wait",
         "tcp_recvmsg": "recv", "tcp_transmit": "send"}
COLUMN = 9
BAR = 40


def print_echoes(echoes, limit):
    """A line for each echo: microseconds from each hop to the next."""
    columns = [h for h in tracering.HOPS if h in SHORT]
    print("us until the next hop\n" + "".join(
        f"{SHORT[h]:>{COLUMN}}" for h in columns) + f"{'all':>{COLUMN}}")
    for echo in echoes[-limit:]:
        spent = dict(echo.spent())
        cells = [f"{spent[h] / 1000:{COLUMN}.1f}" if h in spent
                 else f"{'-':>{COLUMN}}" for h in columns]
        print("".join(cells) + f"{echo.total / 1000:{COLUMN}.1f}"
              f"  sock {echo.sock:#x}")


def histogram(name, values):
    """Counts by powers of two of a microsecond's 1/4 and up."""
    values = sorted(values)
    middle = values[len(values) // 2] / 1000
    late = values[min(len(values) - 1, len(values) * 99 // 100)] / 1000
    print(f"\n{name}: {len(values)} times, median {middle:.1f} us, 99 % "
          f"{late:.1f} us")
    buckets = {}
    for value in values:
        step = max(0, (value // 250).bit_length())
        buckets[step] = buckets.get(step, 0) + 1
    most = max(buckets.values())
    for step in range(min(buckets), max(buckets) + 1):
        count = buckets.get(step, 0)
        upper = 0.25 * (1 << step)
        print(f"  < {upper:8.2f} us {count:6} "
              f"{'#' * -(-count * BAR // most)}")


def print_histograms(echoes):
    by_hop = {}
    for echo in echoes:
        for name, ns in echo.spent():
            by_hop.setdefault(name, []).append(ns)
        by_hop.setdefault("whole echo", []).append(echo.total)
    for name in (*tracering.HOPS, "whole echo"):
        if name in by_hop:
            histogram(name, by_hop[name])


def chrome_events(records, echoes):
    """Chrome's trace events: hops as slices by sock, records as instants."""
    socks = {}
    events = []
    for echo in echoes:
        track = socks.setdefault(echo.sock, len(socks) + 1)
        start = echo.hops[0][1]
        events.append({"name": "echo", "ph": "X", "pid": 1, "tid": track,
                       "ts": start / 1000, "dur": echo.total / 1000})
        for (name, ns), (_, at) in zip(echo.spent(), echo.hops):
            events.append({"name": name, "ph": "X", "pid": 1, "tid": track,
                           "ts": at / 1000, "dur": ns / 1000})
    for sock, track in socks.items():
        events.append({"name": "thread_name", "ph": "M", "pid": 1,
                       "tid": track, "args": {"name": f"sock {sock:#x}"}})
    for r in records:
        events.append({"name": r.name, "ph": "i", "s": "t", "pid": 2,
                       "tid": r.pid, "ts": r.time / 1000,
                       "args": {"a": hex(r.a), "b": hex(r.b)}})
    for pid, name in ((1, "echoes"), (2, "tracepoints")):
        events.append({"name": "process_name", "ph": "M", "pid": pid,
                       "args": {"name": name}})
    return events


def arguments():
    p = argparse.ArgumentParser(description="Where an echo's time goes.")
    p.add_argument("--qmp", default="build/qmp", help="the guest's monitor")
    p.add_argument("--core", help="a core instead of a running guest")
    p.add_argument("--elf", default="build/pollux.elf")
    p.add_argument("--echoes", type=int, default=20, help="lines to print")
    p.add_argument("--json", help="write Chrome's trace format to this file")
    p.add_argument("--pcap", help="what make run PCAP= has captured")
    p.add_argument("--pcapng", help="write it with comments to this file")
    p.add_argument("--port", type=int, default=7777, help="in the guest")
    return p.parse_args()


def main():
    args = arguments()
    try:
        memory = tracering.Core(args.core) if args.core else \
            tracering.LiveGuest(args.qmp)
    except OSError as e:
        print(f"{e}: start a guest with `make run ARGS=trace=all`",
              file=sys.stderr)
        return 1
    records = tracering.read_ring(memory, args.elf)
    if not records:
        print("The trace ring is empty: boot with trace=all (make run "
              "ARGS=trace=all) and send something", file=sys.stderr)
        return 1
    echoes = tracering.echoes(records)
    print(f"{len(records)} records over "
          f"{(records[-1].time - records[0].time) / 1e9:.3f} s, "
          f"{len(echoes)} whole echoes")
    if echoes:
        print_echoes(echoes, args.echoes)
        print_histograms(echoes)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"traceEvents": chrome_events(records, echoes)}, f)
    if args.pcap and args.pcapng:
        told = pcapng.merge(args.pcap, args.pcapng, records, echoes,
                            args.port)
        print(f"\n{args.pcapng}: {told} packets carry a comment")
    return 0


if __name__ == "__main__":
    sys.exit(main())
