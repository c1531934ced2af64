"""Run in gdb (`source bench/guest_memory.py`) on a guest: prints as one JSON
line where its memory is, how many receive buffers the cards have, and which
packets it has dropped."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.getcwd(), "tools", "gdb"))

# pylint: disable=wrong-import-position
import px_slab                                          # noqa: E402
from px_lib import (address, enum_names, list_objs, obj,  # noqa: E402
                    percpu, text_of, variable)


def program():
    """Pages and mappings of the program; there is one address space."""
    for task in list_objs(address("task_list"), "task", "tasks"):
        if task.mm:
            mm = obj("mm_struct", task.mm)
            return {"user": mm.rss, "areas": mm.nr_areas}
    return {"user": 0, "areas": 0}


def posted():
    """A ring is filled again when it has lost some of its buffers."""
    devices = list_objs(address("dev_list", "net/dev.c"), "net_device", "list")
    return sum(obj("virtnet", dev.priv).rx_posted for dev in devices
               if text_of(dev.name) != "lo")


def drops():
    names = enum_names("drop_reason", "DROP_")
    return {names[n]: count
            for n, count in enumerate(percpu("drop_counts")) if count}


def snmp():
    names = enum_names("snmp_counter", "SNMP_")
    return {names[n]: count
            for n, count in enumerate(percpu("snmp_counts")) if count}


zone = variable("zone", "page_alloc.c")
print(json.dumps({
    "free": zone.nr_free, "total": zone.nr_total, **program(),
    "posted": posted(),
    "drops": drops(), "snmp": snmp(),
    "caches": {name: {"size": size, "used": used, "pages": pages}
               for name, size, used, _, pages, _ in px_slab.caches()},
}))
