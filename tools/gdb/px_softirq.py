"""px-softirq: what runs, what is pending, who wants to be polled."""
from px_lib import (command, address, enum_names, list_objs, obj, percpu,
                    pointer_name, text_of, variable)

# context_count, see kernel/context.h
SOFTIRQ_MASK = 0xff
HARDIRQ_MASK = 0xff00


def softirqs():
    """Their names by number."""
    names = enum_names("softirq")
    return [names[n].removesuffix("_SOFTIRQ") for n in sorted(names)
            if names[n] != "NR_SOFTIRQS"]


def pending_text(pending, names):
    return ", ".join(n for i, n in enumerate(names) if pending >> i & 1) or \
        "none"


@command("px-softirq")
def softirq(words):
    """Softirqs: context, pending ones, ksoftirqd, the NET_RX poll list."""
    del words
    names = softirqs()
    count = percpu("context_count")
    print(f"context_count {count:#x}: in a hard interrupt: "
          f"{'yes' if count & HARDIRQ_MASK else 'no'}, softirqs off or "
          f"running: {count & SOFTIRQ_MASK} deep")
    print(f"pending: {pending_text(percpu('softirq_pending'), names)}")
    actions = variable("softirq_action", "kernel/softirq.c")
    for name, action in zip(names, actions):
        print(f"  {name}: {pointer_name(action) if action else 'no action'}")
    daemon = percpu("ksoftirqd", "kernel/softirq.c")
    if daemon:
        task = obj("task", daemon)
        states = enum_names("task_state", "TASK_")
        print(f"ksoftirqd: pid {task.pid} {states.get(task.state, '?').lower()}")
    at = percpu("softnet", "net/dev.c").poll_head
    print("poll list:" if at else "poll list: empty")
    while at:
        napi = obj("napi_struct", at)
        dev = obj("net_device", napi.dev)
        print(f"  {text_of(dev.name)} by {pointer_name(napi.poll)}")
        at = napi.next
    for dev in list_objs(address("dev_list", "net/dev.c"), "net_device",
                         "list"):
        print(f"{text_of(dev.name)}: received {dev.rx_packets} packets "
              f"{dev.rx_bytes} bytes, sent {dev.tx_packets} packets "
              f"{dev.tx_bytes} bytes, {dev.tx_queue.qlen} wait for room"
              f"{', STOPPED' if dev.tx_stopped else ''}")
