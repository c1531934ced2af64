"""What the px- commands share: symbols, structures, lists, names.

Structures are read in bulk: Obj decodes the bytes of a C struct by the layout
in the debug information, and Memory fetches whole pages, kept until the
command ends. Walking gdb.Value instead would cost a round trip a member. It
works alike on a stopped guest and on a core.
"""
import ipaddress
import struct

import gdb

U64 = (1 << 64) - 1
PAGE = 4096
AHEAD = 16          # pages read at once, where they are all there
COMMANDS = []       # (name, what follows it, its first doc line)


class Missing(Exception):
    """A symbol, type or member that this kernel image does not have."""


def is_live():
    """A guest that can run, not a core."""
    connection = gdb.selected_inferior().connection
    return connection is not None and connection.type == "remote"


class Memory:
    """Guest memory by page, remembered while one command runs."""

    def __init__(self):
        self.pages = {}

    def clear(self):
        self.pages.clear()

    def page(self, number):
        page = self.pages.get(number)
        if page is not None:
            return page
        inferior = gdb.selected_inferior()
        first = number - number % AHEAD
        try:
            if not is_live():
                raise gdb.error("gdb reads zeroes across a gap in a core")
            data = bytes(inferior.read_memory(first * PAGE, AHEAD * PAGE))
            for i in range(AHEAD):
                self.pages[first + i] = data[i * PAGE:(i + 1) * PAGE]
        except gdb.error:
            self.pages[number] = bytes(
                inferior.read_memory(number * PAGE, PAGE))
        return self.pages[number]

    def read(self, addr, size):
        addr &= U64
        at = addr % PAGE
        page = self.page(addr // PAGE)
        if at + size <= PAGE:
            return page[at:at + size]
        parts = [page[at:]]
        left = size - len(parts[0])
        addr += len(parts[0])
        while left > 0:
            parts.append(self.page(addr // PAGE)[:left])
            left -= len(parts[-1])
            addr += len(parts[-1])
        return b"".join(parts)

    def u64(self, addr):
        return int.from_bytes(self.read(addr, 8), "little")

    def u32(self, addr):
        return int.from_bytes(self.read(addr, 4), "little")

    def string(self, addr, limit=256):
        out = b""
        while addr and len(out) < limit:
            chunk = self.read(addr, min(64, PAGE - addr % PAGE))
            end = chunk.find(b"\0")
            if end >= 0:
                out += chunk[:end]
                break
            out += chunk
            addr += len(chunk)
        return out.decode(errors="replace")


memory = Memory()

# --- types ---------------------------------------------------------------

FORMATS = {(1, False): "<B", (1, True): "<b", (2, False): "<H",
           (2, True): "<h", (4, False): "<I", (4, True): "<i",
           (8, False): "<Q", (8, True): "<q"}


def is_signed(gtype):
    if gtype.code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR):
        return False
    return gdb.Value(b"\xff" * gtype.sizeof, gtype) < 0


def scalar(gtype):
    unpack = struct.Struct(FORMATS[gtype.sizeof, is_signed(gtype)]).unpack_from
    return lambda raw, at, addr: unpack(raw, at)[0]


def array(gtype):
    element = gtype.target().strip_typedefs()
    low, high = gtype.range()
    count = high - low + 1 if high >= low else 0
    if element.sizeof == 1:
        return lambda raw, at, addr: bytes(raw[at:at + count])
    get = decoder(element)
    size = element.sizeof
    return lambda raw, at, addr: [get(raw, at + i * size, addr + i * size)
                                  for i in range(count)]


def decoder(gtype):
    """A function (bytes, where in them, address) -> value of @gtype."""
    gtype = gtype.strip_typedefs()
    if gtype.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        layout = Layout.of(gtype)
        return lambda raw, at, addr: Obj(layout, addr, raw, at)
    if gtype.code == gdb.TYPE_CODE_ARRAY:
        return array(gtype)
    return scalar(gtype)


def bits_of(get, shift, width):
    mask = (1 << width) - 1
    return lambda raw, at, addr: get(raw, at, addr) >> shift & mask


class Layout:
    """Where the members of a struct are; anonymous ones are looked through."""
    known = {}

    def __init__(self, gtype):
        self.name = gtype.tag or "(unnamed)"
        self.size = gtype.sizeof
        self.fields = {}
        self.add(gtype, 0)

    def add(self, gtype, base):
        for f in gtype.fields():
            at = base + f.bitpos // 8
            ftype = f.type.strip_typedefs()
            if not f.name:
                self.add(ftype, at)
            elif f.bitsize:
                self.fields[f.name] = (at, bits_of(
                    scalar(ftype), f.bitpos % 8, f.bitsize))
            else:
                self.fields[f.name] = (at, decoder(ftype))

    @classmethod
    def of(cls, gtype):
        key = gtype.tag or str(gtype)
        layout = cls.known.get(key)
        if layout is None or layout.size != gtype.sizeof:
            layout = cls.known[key] = cls(gtype)
        return layout

    def offset(self, member):
        """Of a.b.c, too."""
        at = 0
        layout = self
        for name in member.split("."):
            if name not in layout.fields:
                raise Missing(f"no member '{name}' in struct {layout.name}")
            off, get = layout.fields[name]
            at += off
            layout = getattr(get(bytes(layout.size + 8), off, 0),
                             "layout", None)
        return at


class Obj:
    """A struct in the guest: .addr, and its members as attributes."""
    __slots__ = ("layout", "addr", "raw", "at")

    def __init__(self, layout, addr, raw=None, at=0):
        self.layout = layout
        self.addr = addr & U64
        self.raw = memory.read(addr, layout.size) if raw is None else raw
        self.at = at

    def __getattr__(self, name):
        field = self.layout.fields.get(name)
        if not field:
            raise Missing(f"no member '{name}' in struct {self.layout.name}")
        return field[1](self.raw, self.at + field[0], self.addr + field[0])

    def get(self, name):
        """A member whose name is one of Obj's own."""
        at, decode = self.layout.fields[name]
        return decode(self.raw, self.at + at, self.addr + at)

    def member(self, name):
        """The address of a member."""
        return self.addr + self.layout.offset(name)


def layout(tag):
    try:
        return Layout.of(gdb.lookup_type(f"struct {tag}").strip_typedefs())
    except gdb.error:
        raise Missing(f"no type 'struct {tag}'") from None


def obj(tag, addr):
    return Obj(layout(tag), addr)


def container(tag, addr, member):
    """The struct @tag whose @member is at @addr."""
    lay = layout(tag)
    return Obj(lay, addr - lay.offset(member))


def enum_names(tag, prefix=""):
    """{value: name without @prefix} of an enum."""
    try:
        gtype = gdb.lookup_type(f"enum {tag}")
    except gdb.error:
        raise Missing(f"no type 'enum {tag}'") from None
    return {f.enumval: f.name[len(prefix):] if f.name.startswith(prefix)
            else f.name for f in gtype.fields()}


# --- symbols -------------------------------------------------------------

def statics(name, file):
    """Values of the static variables @name, those of @file first. The kernel
    is compiled as a whole: a variable is declared in its own file, and defined
    in whichever unit the compiler put it; the line tells that they are one.
    """
    found = gdb.lookup_static_symbols(name)
    lines = {s.line for s in found
             if file and s.symtab and s.symtab.filename.endswith(file)}
    for sym in sorted(found, key=lambda s: s.line not in lines):
        try:
            yield sym.value()
        except gdb.error:
            pass


def values_named(name, file):
    for text in ([f"'{file}'::{name}"] if file else []) + [name]:
        try:
            yield gdb.parse_and_eval(text)
        except gdb.error:
            pass
    yield from statics(name, file)


def symbol(name, file=None):
    """The gdb.Value of a variable; @file where a static needs one."""
    for value in values_named(name, file):
        if value.address is not None:
            return value
    raise Missing(f"no symbol '{name}'" + (f" of {file}" if file else ""))


def address(name, file=None):
    return int(symbol(name, file).address) & U64


def variable(name, file=None):
    """A variable's value, read through Memory."""
    value = symbol(name, file)
    addr = int(value.address) & U64
    raw = memory.read(addr, value.type.sizeof)
    return decoder(value.type)(raw, 0, addr)


def name_table(name, file=None):
    """A C table of strings as a list."""
    return [memory.string(p) if p else "?" for p in variable(name, file)]


def functions_at(pc):
    """Names of the functions that @pc is in: the inlined ones, innermost
    first, then the one that has the code. Empty if there is none."""
    try:
        block = gdb.block_for_pc(pc)
    except (gdb.error, RuntimeError):
        block = None
    names = []
    while block:
        if block.function:
            names.append(block.function.name)
        block = block.superblock
    if names:
        return names
    text = gdb.execute(f"info symbol {pc:#x}", to_string=True).split(" in sec")
    return [text[0].split(" + ")[0]] if len(text) > 1 else []


def pointer_name(addr):
    """A function pointer's name, or its number."""
    names = functions_at(addr) if addr else []
    return names[-1] if names else f"{addr:#x}"


# --- per-CPU data --------------------------------------------------------

def register(name):
    try:
        return int(gdb.parse_and_eval(f"${name}")) & U64
    except (gdb.error, TypeError, ValueError):
        return None


def percpu_offset():
    """How far this CPU's copy of per-CPU data is from where it is linked: the
    GS base, or in user mode the one that swapgs would bring. Each copy holds
    its own offset in this_cpu_off, which tells whether a guess is right."""
    home = address("this_cpu_off")
    for guess in (register("gs_base"), register("k_gs_base"), 0):
        try:
            if guess is not None and memory.u64(home + guess) == guess:
                return guess
        except gdb.error:
            pass
    raise Missing("a GS base that fits 'this_cpu_off'")


def percpu(name, file=None):
    """This CPU's copy of a per-CPU variable."""
    value = symbol(name, file)
    addr = (int(value.address) + percpu_offset()) & U64
    raw = memory.read(addr, value.type.sizeof)
    return decoder(value.type)(raw, 0, addr)


# --- lists and trees -----------------------------------------------------

def list_nodes(head, limit=1 << 24):
    """Addresses of the list_heads in the circular list at @head."""
    node = memory.u64(head)
    while node != head and limit:
        yield node
        node = memory.u64(node)
        limit -= 1


def list_objs(head, tag, member):
    for node in list_nodes(head):
        yield container(tag, node, member)


def hlist_nodes(head):
    node = memory.u64(head)
    while node:
        yield node
        node = memory.u64(node)


def rb_nodes(root):
    """(address, depth, red?, parent) of all nodes in order; @root is the Obj.
    Without recursion: a damaged tree must not end gdb."""
    words = struct.Struct("<QQQ").unpack
    stack = []
    node, depth = root.node, 0
    while node or stack:
        while node:
            parent, left, right = words(memory.read(node, 24))
            stack.append((node, depth, parent, right))
            node, depth = left, depth + 1
        node, depth, parent, right = stack.pop()
        yield node, depth, parent
        node, depth = right, depth + 1


# --- text ----------------------------------------------------------------

def text_of(raw):
    """A char array up to its NUL."""
    return raw.split(b"\0")[0].decode(errors="replace")


def flags_text(value, names, none="0"):
    """EPOLLIN|EPOLLET, with what has no name as a number."""
    parts = [name for bit, name in names if value & bit == bit]
    for bit, _ in names:
        value &= ~bit
    if value:
        parts.append(f"{value:#x}")
    return "|".join(parts) or none


def ip_text(ip):
    """Of a struct ip_addr."""
    raw = b"".join(w.to_bytes(4, "little") for w in ip.a)
    addr = ipaddress.IPv6Address(raw)
    if addr.ipv4_mapped:
        return str(addr.ipv4_mapped)
    return "*" if not int(addr) else f"[{addr}]"


def ns_text(ns):
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if abs(ns) >= size:
            return f"{ns / size:.3f} {unit}"
    return f"{ns} ns"




def number(text):
    try:
        return int(gdb.parse_and_eval(text)) & U64
    except gdb.error as e:
        raise gdb.GdbError(f"'{text}' is not a number: {e}") from None


# --- commands ------------------------------------------------------------

def command(name, usage=""):
    """Makes a px- command of a function that takes a list of words."""
    def wrap(function):
        first = function.__doc__.strip().split("\n")[0]
        COMMANDS.append((name, usage, first))

        class Command(gdb.Command):
            __doc__ = f"{name} {usage}\n{function.__doc__}"

            def __init__(self):
                super().__init__(name, gdb.COMMAND_DATA)

            def invoke(self, text, from_tty):
                del from_tty
                memory.clear()
                try:
                    function(text.split())
                except Missing as e:
                    print(f"{name}: this kernel image has {e}: load the "
                          "build/pollux.elf that the guest runs, with its "
                          "debug information")
                except gdb.MemoryError as e:
                    print(f"{name}: {e}: the guest has nothing there (is it "
                          "too early in boot, or the list damaged?)")
                finally:
                    memory.clear()

        Command()
        return function
    return wrap
