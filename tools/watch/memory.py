"""A guest's memory, read from outside: the file that QEMU has it in, which is
there whether the guest runs, hangs or has crashed. The guest is not stopped:
what is read may change meanwhile, so every pointer is checked and every walk
bounded by its caller.

All that depends on where the kernel is linked and loaded is in Memory.symbol()
and Memory.physical().
"""
import mmap
import os
import struct

KERNEL_VMA = 0xffffffff80000000
PAGE = 4096
PRESENT, LARGE = 1, 1 << 7
ADDRESS = 0x000ffffffffff000
GIB = 1 << 30
FORMATS = {"u1": "<B", "u2": "<H", "u4": "<I", "u8": "<Q",
           "i1": "<b", "i2": "<h", "i4": "<i", "i8": "<q"}

U64 = struct.Struct("<Q").unpack_from
U32 = struct.Struct("<I").unpack_from


class Gone(Exception):
    """An address that leads nowhere: it changed meanwhile, or is damaged."""


def rodata_start(elf):
    """(address, bytes) of the last constants of a kernel image, tables of its
    functions without an address in them: they tell whether the memory holds
    this image."""
    with open(elf, "rb") as f:
        raw = f.read()
    table, = struct.unpack_from("<Q", raw, 40)
    size, count, names = struct.unpack_from("<HHH", raw, 58)
    heads = [struct.unpack_from("<IIQQQQ", raw, table + i * size)
             for i in range(count)]
    strings = heads[names][4]
    for name, _, _, address, offset, length in heads:
        at = strings + name
        if raw[at:raw.index(b"\0", at)] == b".rodata":
            skip = max(0, length - 256)
            return address + skip, raw[offset + skip:offset + length]
    raise ValueError(f"{elf} has no .rodata")


class Struct:
    """Where the members of a C struct are."""

    def __init__(self, tag, described):
        self.tag = tag
        self.size = described["size"]
        self.members = described["members"]
        self.offsets = {m[0]: m[1] for m in self.members}
        self.readers = {m[0]: (m[1], struct.Struct(FORMATS[m[2]]).unpack_from)
                        for m in self.members if m[2] in FORMATS}


class Memory:
    """@ram: QEMU's memory file. @types: what types.py has found out."""

    def __init__(self, ram, types, image, machine="pc"):
        self.types = types
        self.structs = {tag: Struct(tag, d)
                        for tag, d in types["structs"].items()}
        self.image = image
        with open(ram, "rb") as f:
            self.size = os.fstat(f.fileno()).st_size
            self.map = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        low = 2 * GIB if machine == "q35" else 3 * GIB
        self.low = low if self.size > low else self.size
        self.direct = self.moved = 0
        self.pages = {}

    def close(self):
        self.map.close()

    def refresh(self):
        """Before each look: forgets what may have changed."""
        self.pages.clear()
        self.moved = 0
        self.moved = self.u64(self.symbol("pollux_kaslr_offset"))
        self.direct = self.u64(self.symbol("direct_map_base"))

    def holds_image(self):
        """Whether this kernel is in that memory, as it is once booted."""
        address, constants = self.image
        return self.bytes(address + self.moved, len(constants)) == constants

    def symbol(self, name):
        """Where it is in this run: boot moves the kernel."""
        return self.types["symbols"][name]["at"] + self.moved

    # --- addresses -------------------------------------------------------

    def offset(self, physical):
        """Where in the file."""
        at = physical if physical < self.low else \
            physical - 4 * GIB + self.low
        if not 0 <= at < self.size - 8:
            raise Gone(f"no memory at physical {physical:#x}")
        return at

    def physical(self, va):
        if va >= KERNEL_VMA:
            return va - KERNEL_VMA - self.moved
        if self.direct <= va < self.direct + (self.size << 1):
            return va - self.direct
        return self.walk(va)

    def walk(self, va):
        """By the kernel's page tables."""
        page = self.pages.get(va >> 12)
        if page is None:
            page = self.pages[va >> 12] = self.look_up(va)
        return page + va % PAGE

    def look_up(self, va):
        table, = U64(self.map, self.offset(self.symbol("kernel_pgd")
                                           - self.moved - KERNEL_VMA))
        for level in (3, 2, 1, 0):
            shift = 12 + 9 * level
            entry, = U64(self.map, self.offset(
                (table & ADDRESS) + (va >> shift & 511) * 8))
            if not entry & PRESENT:
                raise Gone(f"nothing is mapped at {va:#x}")
            if level and level < 3 and entry & LARGE:
                base = entry & ADDRESS & -(1 << shift)
                return base + (va & (1 << shift) - PAGE)
            table = entry
        return table & ADDRESS

    # --- values ----------------------------------------------------------

    def at(self, va):
        """Where in the file virtual @va is."""
        if va >= self.direct and va - self.direct < self.low:
            return va - self.direct
        return self.offset(self.physical(va))

    def u64(self, va):
        return U64(self.map, self.at(va))[0]

    def u32(self, va):
        return U32(self.map, self.at(va))[0]

    def bytes(self, va, size):
        parts = []
        while size > 0:
            n = min(size, PAGE - va % PAGE)
            at = self.at(va)
            parts.append(self.map[at:at + n])
            va, size = va + n, size - n
        return b"".join(parts)

    def string(self, va, limit=64):
        raw = self.bytes(va, min(limit, PAGE - va % PAGE))
        return raw.split(b"\0")[0].decode(errors="replace")

    def get(self, tag, va, member):
        offset, unpack = self.structs[tag].readers[member]
        return unpack(self.map, self.at(va + offset))[0]

    def get_all(self, tag, va, *names):
        return [self.get(tag, va, n) for n in names]

    def offset_of(self, tag, member):
        return self.structs[tag].offsets[member]

    def enum(self, tag):
        """{number: name}."""
        return {int(n): name for n, name in self.types["enums"][tag].items()}

    # --- lists -----------------------------------------------------------

    def list_nodes(self, head, limit=1 << 17):
        """The nodes of a circular list; Gone if it does not end."""
        node = self.u64(head)
        while node != head:
            yield node
            node = self.u64(node)
            limit -= 1
            if not limit:
                raise Gone(f"the list at {head:#x} does not end")
