#!/usr/bin/python3
"""core.py FILE [--qmp SOCKET]: an ELF core of the guest that `make run` has
started, which runs on. Open it with tools/gdb-core FILE.

qemu.py calls on_panic() for `make run CORE=FILE`: then a guest that ends only
resets, QEMU stands still, and what a panic leaves behind can be dumped.
"""
import argparse
import os
import sys

# Run as a script, or imported as tools.core.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qmp  # noqa: E402  pylint: disable=wrong-import-position

PANIC_EXIT_CODE = 127


def panicked(monitor, elf):
    at = monitor.symbols(elf)["panic_in_progress"]
    return monitor.read_words(at & ~7, 1)[0] >> 8 * (at & 7) & 0xff != 0


def on_panic(socket_path, core, elf="build/pollux.elf"):
    """Waits for the guest's end; if it was a panic, writes @core. Then ends
    QEMU. Returns the guest's exit code, as far as one can know it."""
    monitor = qmp.Monitor(socket_path)
    monitor.connect()
    code = 0
    try:
        monitor.wait_event("SHUTDOWN")
        if panicked(monitor, elf):
            code = PANIC_EXIT_CODE
            dump(monitor, core)
        monitor.ask("quit")
    except (EOFError, ConnectionError):
        pass
    finally:
        monitor.close()
    return code


def dump(monitor, path):
    if os.path.exists(path):
        os.remove(path)
    monitor.dump_core(path)
    print(f"core: {path} ({os.path.getsize(path) >> 20} MiB); look at it with "
          f"tools/gdb-core {path}", flush=True)


def main():
    p = argparse.ArgumentParser(description="Writes a core of a guest.")
    p.add_argument("file")
    p.add_argument("--qmp", default="build/qmp")
    args = p.parse_args()
    monitor = qmp.Monitor(args.qmp)
    try:
        monitor.connect(1)
    except OSError:
        print(f"No guest answers at {args.qmp}: start one with `make run`",
              file=sys.stderr)
        return 1
    dump(monitor, args.file)
    monitor.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
