"""How often an echo troubles the device: doorbells that the guest rings and
interrupts that it takes, by queue, as QEMU's own trace points tell.
"""
import re
import tempfile

from bench import guests, measure

EVENTS = ("virtio_queue_notify", "virtio_notify")
RX, TX = 0, 1


def count(lines):
    """{(event, queue): times} from QEMU's log. An interrupt's line names its
    queue by an address, which a doorbell's line pairs with a number."""
    numbers, found = {}, {}
    for line in lines:
        if m := re.search(r"virtio_queue_notify vdev (\w+) n (\d+) vq (\w+)",
                          line):
            numbers[m[3]] = int(m[2])
            key = ("doorbell", int(m[2]))
        elif m := re.search(r"virtio_notify vdev \w+ vq (\w+)", line):
            key = ("interrupt", m[1])
        else:
            continue
        found[key] = found.get(key, 0) + 1
    named = {}
    for (what, queue), times in found.items():
        key = (what, numbers.get(queue, queue) if what == "interrupt"
               else queue)
        named[key] = named.get(key, 0) + times
    return named


def per_echo(guest, lab, conns, total):
    """{what: how often for each echo}."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        trace = [w for e in EVENTS for w in ("-trace", f"enable={e}")]
        # Without eventfds each doorbell comes by itself.
        with guests.Running(guest, lab, extra=[*trace, "-D", log.name],
                            device=",ioeventfd=off") as running:
            measure.converse(lab, None, conns, 200, 64, to=running.address)
            before = count(log)
            log.seek(0)
            measure.converse(lab, None, conns, total, 64, to=running.address)
            after = count(log)
    return {f"{'receive' if queue == RX else 'transmit'} {what}s":
            (after.get((what, queue), 0) - before.get((what, queue), 0))
            / total
            for queue, what in ((TX, "doorbell"), (RX, "interrupt"),
                                (TX, "interrupt"))}
