#!/usr/bin/python3
"""rr.py record|replay [--gdb SOCKET] [what qemu.py takes]: a run of the guest
with all that comes in from the network, recorded, and run again exactly.

The recording is build/rr (--dir): QEMU's log of events, a snapshot of the
beginning, which is where it goes back to for reverse steps, the command line,
and the kernel and initramfs of that run, so that a rebuild does not spoil it.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys

# Run as a script, or imported as tools.rr.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qemu  # noqa: E402  pylint: disable=wrong-import-position

FILES = {"pollux.elf": "build/pollux.elf",
         "initramfs.cpio": "build/initramfs.cpio"}
# What QEMU 7.2 would not replay: the reset of the APIC's vapic, part of going
# back to the snapshot, waits for the CPU's thread, which waits for the lock of
# the replay that the reset holds; and the network card sends in a bottom half
# of the host's time, a timer of the guest's is in the recording.
EXACT = ["-global", "apic-common.vapic=off",
         "-global", "virtio-net-device.tx=timer"]


def command(folder, mode, run, extra=()):
    """QEMU's arguments; @run: machine, mem, prog, port, args of the run."""
    net = qemu.user_net(run["machine"], run["port"],
                        qemu.PORTS.get(run["prog"], 7777))
    # Found in no time, without DHCP: recordings stay short.
    append = (f"ip={qemu.USER_IP} init=/{run['prog']} nokaslr "
              f"{run['args']}").strip()
    return qemu.command(
        run["machine"], f"{folder}/pollux.elf", f"{folder}/initramfs.cpio",
        append, mem=run["mem"], net=net, extra=[
            "-icount", f"shift=4,rr={mode},rrfile={folder}/events,"
            "rrsnapshot=init",
            "-drive", f"file={folder}/snapshot.qcow2,if=none,format=qcow2,"
            "id=rr",
            "-object", "filter-replay,id=r0,netdev=n0",
            *EXACT, *extra])


def begin_record(folder, run, extra=()):
    """Makes @folder; returns the command that records into it."""
    os.makedirs(folder, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(source, f"{folder}/{name}")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2",
                    f"{folder}/snapshot.qcow2", "64M"], check=True)
    with open(f"{folder}/run.json", "w", encoding="utf-8") as f:
        json.dump(run, f)
    return command(folder, "record", run, extra)


def begin_replay(folder, gdb=None):
    """The command that replays @folder, stopped for @gdb if it is given."""
    with open(f"{folder}/run.json", encoding="utf-8") as f:
        run = json.load(f)
    extra = ["-S", "-gdb", f"unix:{gdb},server=on,wait=off"] if gdb else []
    return command(folder, "replay", run, extra)


def main():
    p = argparse.ArgumentParser(description="Records a run, runs it again.")
    p.add_argument("mode", choices=("record", "replay"))
    p.add_argument("--dir", default="build/rr")
    p.add_argument("--gdb")
    p.add_argument("--machine", choices=qemu.MACHINES, default="pc")
    p.add_argument("--prog", default="echo")
    p.add_argument("--port", type=int, default=7777)
    p.add_argument("--mem", default="64")
    p.add_argument("--args", default="")
    args = p.parse_args()
    if args.mode == "replay":
        if not os.path.exists(f"{args.dir}/run.json"):
            print(f"Nothing is recorded in {args.dir}: make record first",
                  file=sys.stderr)
            return 1
        # One that stalls heeds no other.
        return qemu.run(begin_replay(args.dir, args.gdb), end=signal.SIGKILL)
    run = {k: getattr(args, k)
           for k in ("machine", "prog", "port", "mem", "args")}
    cmd = begin_record(args.dir, run)
    print(f"Recording {args.prog}: {qemu.how_to_connect(args.prog, args.port)}"
          "\nCtrl-C ends it; make replay runs it again in gdb.", flush=True)
    return qemu.run(cmd)


if __name__ == "__main__":
    sys.exit(main())
