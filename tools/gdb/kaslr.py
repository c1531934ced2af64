"""Where the kernel runs: boot moves it (boot/kaslr.c), its symbols follow."""
import struct

import gdb

KERNEL_VMA = 0xffffffff80000000     # where it is linked


def stub_read(physical, size):
    """Of a live guest, whatever it is doing."""
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        return bytes(gdb.selected_inferior().read_memory(physical, size))
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)


def offset_of_core(path):
    """How far virtual is from physical, where the core has the kernel."""
    with open(path, "rb") as f:
        raw = f.read(64)
        start, = struct.unpack_from("<Q", raw, 32)
        size, count = struct.unpack_from("<HH", raw, 54)
        f.seek(start)
        raw = f.read(size * count)
    heads = [struct.unpack_from("<IIQQQ", raw, i * size) for i in range(count)]
    return max(virtual - physical for kind, _, _, virtual, physical in heads
               if kind == 1 and virtual >= KERNEL_VMA) - KERNEL_VMA


def find_offset():
    connection = gdb.selected_inferior().connection
    if connection is None:
        return 0
    if connection.type == "core":
        # "Local core dump file:\n\t`PATH', file type ..."
        said = gdb.execute("info target", to_string=True)
        said = said[said.index("core dump file"):]
        return offset_of_core(said[said.index("`") + 1:said.index("'")])
    linked = gdb.lookup_static_symbol("pollux_kaslr_offset") or \
        gdb.lookup_global_symbol("pollux_kaslr_offset")
    if not linked:
        return 0
    at = (int(linked.value().address) & (1 << 64) - 1) - KERNEL_VMA
    return int.from_bytes(stub_read(at, 8), "little")


def move_symbols():
    """Once, for gdb's life on this guest."""
    files = [f.filename for f in gdb.objfiles() if f.filename]
    offset = find_offset()
    if files and offset:
        gdb.execute(f"symbol-file -o {offset:#x} {files[0]}", to_string=True)
