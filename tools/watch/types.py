"""Run by gdb on a kernel image (`gdb -batch -x tools/watch/types.py ELF`):
prints as JSON what a reader of the guest's memory must know of that image:
symbols, structures, names of enumerators, where the rows of the packet's road
begin. Needs no guest. Everything that asks the debug information is px_lib's.
"""
import json
import os
import sys

import gdb

sys.path.insert(0, os.path.join(os.getcwd(), "tools", "gdb"))

# pylint: disable=wrong-import-position
import px_lib                                           # noqa: E402
import px_wakeup                                        # noqa: E402

STRUCTS = ("task", "files_struct", "file", "file_operations", "socket",
           "sock", "tcp_sock", "proto", "wait_queue_head",
           "wait_queue_entry", "eventpoll", "epitem", "eventfd", "timerfd",
           "net_device", "sk_buff", "kmem_cache", "magazine", "trace_record",
           "trace_ring", "tcp_listen", "virtnet", "virtqueue", "vring_used")
SYMBOLS = (("task_list", None), ("current_task", None),
           ("panic_in_progress", None), ("kernel_pgd", "paging.c"),
           ("direct_map_base", None), ("pollux_kaslr_offset", None),
           ("trace_ring", "kernel/trace.c"),
           ("trace_mask", None), ("drop_counts", None),
           ("snmp_counts", None), ("slab_caches", None),
           ("socks", "net/tcp/tcp_hash.c"), ("minis", "net/tcp/tcp_hash.c"),
           ("dev_list", "net/dev.c"), ("log", "kernel/printk.c"),
           ("zone", "page_alloc.c"), ("softnet_now", "net/dev.c"))
ENUMS = (("task_state", "TASK_"), ("drop_reason", "DROP_"),
         ("snmp_counter", "SNMP_"), ("trace_point", "TRACE_"),
         ("tcp_ca_state", "TCP_CA_"))


def kind(gtype):
    """("u4" or "i8", what a pointer points to) of a scalar."""
    target = ""
    if gtype.code == gdb.TYPE_CODE_PTR:
        to = gtype.target().strip_typedefs()
        if to.code == gdb.TYPE_CODE_STRUCT:
            target = to.tag or ""
        elif to.code == gdb.TYPE_CODE_FUNC:
            target = "()"
        elif to.code == gdb.TYPE_CODE_INT and to.sizeof == 1:
            target = "char"
    sign = "i" if px_lib.is_signed(gtype) else "u"
    return f"{sign}{gtype.sizeof}", target


def members(gtype, base=0, path=""):
    """[name, offset, kind, target] of the scalars in @gtype, nested ones as
    a.b, short arrays as a[0]; bit-fields as the word that they are in."""
    for field in gtype.fields():
        at = base + field.bitpos // 8
        ftype = field.type.strip_typedefs()
        name = path + (field.name or "")
        yield from member(ftype, at, name, bool(field.name))


def member(ftype, at, name, named=True):
    if ftype.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        yield from members(ftype, at, name + "." if named else name)
    elif ftype.code == gdb.TYPE_CODE_ARRAY:
        element = ftype.target().strip_typedefs()
        if element.sizeof == 1:
            yield [name, at, f"s{ftype.sizeof}", ""]
            return
        for i in range(min(ftype.sizeof // element.sizeof, 8)
                       if element.sizeof else 0):
            yield from member(element, at + i * element.sizeof, f"{name}[{i}]")
    elif ftype.sizeof in (1, 2, 4, 8):
        yield [name, at, *kind(ftype)]


def structs():
    out = {}
    for tag in STRUCTS:
        try:
            gtype = gdb.lookup_type(f"struct {tag}").strip_typedefs()
        except gdb.error:
            continue
        out[tag] = {"size": gtype.sizeof, "members": list(members(gtype))}
    return out


def globals_of(name, file):
    """A variable's address, size, and members if it is a struct."""
    value = px_lib.symbol(name, file)
    vtype = value.type.strip_typedefs()
    fields = list(members(vtype)) if vtype.code == gdb.TYPE_CODE_STRUCT else []
    return {"at": int(value.address) & px_lib.U64, "size": vtype.sizeof,
            "members": fields}


def collect():
    symbols, missing = {}, []
    for name, file in SYMBOLS:
        try:
            symbols[name] = globals_of(name, file)
        except px_lib.Missing as e:
            missing.append(str(e))
    enums = {}
    for tag, prefix in ENUMS:
        try:
            names = px_lib.enum_names(tag, prefix)
            enums[tag] = {n: name for n, name in names.items()
                          if not name.startswith("NR_")}
        except px_lib.Missing as e:
            missing.append(str(e))
    road = []
    for number, name, what, *_ in px_wakeup.ROWS:
        try:
            pcs = px_wakeup.entries_of(name)
        except px_lib.Missing as e:
            pcs = []
            missing.append(str(e))
        road.append({"row": number, "name": name, "what": what, "pcs": pcs})
    return {"structs": structs(), "symbols": symbols, "enums": enums,
            "road": road, "missing": missing}


print(json.dumps(collect()))
