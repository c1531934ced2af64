"""python3 -m tools.watch: serves the page that draws the live kernel. Run
from the top of the tree, which `make watch` does. Looks at the guest that
`make run` has started, or starts one."""
import argparse
import os
import subprocess
import sys

from tools import qemu
from tools.watch import guest, server


def arguments():
    p = argparse.ArgumentParser(prog="make watch",
                                description="Draws the live kernel.")
    p.add_argument("--ram", default="build/guest.ram",
                   help="the guest's memory file, see tools/qemu.py --ram")
    p.add_argument("--elf", help="the kernel, if it is another one")
    p.add_argument("--http", type=int, default=8000, help="the page's port")
    p.add_argument("--start", nargs=argparse.REMAINDER,
                   help="what starts a guest if none runs")
    return p.parse_args()


def start_guest(finder, command):
    """The process of a guest of our own, or None if one runs."""
    found = finder.find()
    if not command or (found and guest.alive(found.note["pid"])):
        return None
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            preexec_fn=qemu.die_with_parent)


def main():
    args = arguments()
    finder = guest.Finder(args.ram, args.elf)
    try:
        page = server.Server(args.http, finder)
    except OSError as e:
        print(f"Port {args.http} of 127.0.0.1: {e.strerror}: take another: "
              f"make watch HTTP={args.http + 1}", file=sys.stderr)
        return 1
    ours = start_guest(finder, args.start)
    print(f"The picture: http://127.0.0.1:{page.server_port}/   Ctrl-C ends "
          "it.", flush=True)
    try:
        page.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        if ours:
            ours.terminate()
            ours.wait()
    return 0


if __name__ == "__main__":
    os.makedirs("build", exist_ok=True)
    sys.exit(main())
