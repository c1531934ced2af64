#!/usr/bin/python3
"""mkinitramfs.py OUT NAME=FILE...: a newc cpio of the files, all mode 0755.

The same files give the same bytes: no time, owner or inode of this machine
goes in, and no root is needed. `cpio -o -H newc` makes one as good, except
that here files begin on pages, so that a program runs from where the archive
has it; of others it is copied.
"""
import sys

PAGE = 4096


def record(ino, name, data, mode):
    """One archive member; the format wants names and data padded to 4."""
    name = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def pad_to_page(size, name):
    """What to put at @size so that the data of file @name, added next, begins
    on a page: the end of one archive, after which zeroes may stand."""
    head = len(record(0, name, b"", 0))
    trailer = record(0, "TRAILER!!!", b"", 0)
    return trailer + bytes(-(size + len(trailer) + head) % PAGE)


def archive(files):
    """The whole cpio of {name without leading slash: bytes}."""
    out, ino, size = [], 1, 0
    folders = set()
    for name, data in sorted(files.items()):
        parts = name.split("/")[:-1]
        for i in range(len(parts)):
            folder = "/".join(parts[:i + 1])
            if folder not in folders:
                folders.add(folder)
                out.append(record(ino, folder, b"", 0o040755))
                size += len(out[-1])
                ino += 1
        if len(data) >= PAGE:
            out.append(pad_to_page(size, name))
            size += len(out[-1])
        out.append(record(ino, name, data, 0o100755))
        size += len(out[-1])
        ino += 1
    out.append(record(0, "TRAILER!!!", b"", 0))
    return b"".join(out)


def main():
    out, *members = sys.argv[1:]
    files = {}
    for member in members:
        name, path = member.split("=", 1)
        with open(path, "rb") as f:
            files[name.lstrip("/")] = f.read()
    with open(out, "wb") as f:
        f.write(archive(files))


if __name__ == "__main__":
    main()
