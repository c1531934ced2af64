#!/usr/bin/python3
"""trim-elf.py IN OUT: a shared object without its section headers, cut behind
its last segment. All that runs it reads are segments; it must fit in a page.
"""
import struct
import sys

PAGE = 4096
E_SHOFF = 0x28      # ELF-64: the header's words that name section headers
E_PHOFF = 0x20
E_PHNUM = 0x38
PHENT = 56


def trim(elf):
    phoff, = struct.unpack_from("<Q", elf, E_PHOFF)
    phnum, = struct.unpack_from("<H", elf, E_PHNUM)
    end = 0
    for at in range(phoff, phoff + phnum * PHENT, PHENT):
        offset, _, _, size, memory = struct.unpack_from("<5Q", elf, at + 8)
        if memory > size:
            sys.exit("trim-elf.py: a segment with .bss; it has no memory for")
        end = max(end, offset + size)
    if end > PAGE:
        sys.exit(f"trim-elf.py: {end} bytes do not fit in a page")
    out = bytearray(elf[:end])
    struct.pack_into("<Q", out, E_SHOFF, 0)
    out[E_PHNUM + 2:E_PHNUM + 8] = bytes(6)     # shentsize, shnum, shstrndx
    return out


def main():
    with open(sys.argv[1], "rb") as f:
        out = trim(f.read())
    with open(sys.argv[2], "wb") as f:
        f.write(out)


main()
