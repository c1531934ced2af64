#!/usr/bin/python3
"""trim-elf.py [--page] IN OUT: an ELF file without its section headers, cut
behind its last segment: all that runs it reads are segments. With --page it
must fit in a page and bring all its memory.
"""
import struct
import sys

PAGE = 4096
E_SHOFF = 0x28      # ELF-64: the header's words that name section headers
E_PHOFF = 0x20
E_PHNUM = 0x38
PHENT = 56


def trim(elf, page):
    phoff, = struct.unpack_from("<Q", elf, E_PHOFF)
    phnum, = struct.unpack_from("<H", elf, E_PHNUM)
    end = 0
    for at in range(phoff, phoff + phnum * PHENT, PHENT):
        offset, _, _, size, memory = struct.unpack_from("<5Q", elf, at + 8)
        if page and memory > size:
            sys.exit("trim-elf.py: a segment with .bss; it has no memory for")
        if size:
            end = max(end, offset + size)
    if page and end > PAGE:
        sys.exit(f"trim-elf.py: {end} bytes do not fit in a page")
    out = bytearray(elf[:end])
    struct.pack_into("<Q", out, E_SHOFF, 0)
    out[E_PHNUM + 2:E_PHNUM + 8] = bytes(6)     # shentsize, shnum, shstrndx
    return out


def main():
    *flags, name, to = sys.argv[1:]
    with open(name, "rb") as f:
        out = trim(f.read(), "--page" in flags)
    with open(to, "wb") as f:
        f.write(out)


main()
