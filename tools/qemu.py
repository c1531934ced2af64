#!/usr/bin/python3
"""The QEMU command line of this project, in one place: `make run` and
`make gdb` run this file, the tests and bench/ call command().

Every guest is one virtual CPU, but `maxcpus=2`: with one possible CPU the
emulator leaves out the guest's memory barriers, and a guest that uses
event-idx goes deaf.
"""
import argparse
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
MACHINES = ("pc", "q35", "microvm")
PORTS = {"echo": 7777, "hello": 8080}
# `make test-debug` runs the tests with another one.
KERNEL = os.environ.get("KERNEL", "build/pollux.elf")
# What user networking gives out, without waiting for DHCP.
USER_IP = "10.0.2.15::10.0.2.2:255.255.255.0::eth0:off"
DEBUG_EXIT = "isa-debug-exit,iobase=0xf4,iosize=0x04"


def kvm_works():
    """A /dev/kvm exists on machines whose CPU lacks it, and hangs there."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            if not re.search(r"^flags\s*:.*\b(vmx|svm)\b", f.read(), re.M):
                return False
        os.close(os.open("/dev/kvm", os.O_RDWR))
        return True
    except OSError:
        return False


def device(machine, name):
    """The virtio device @name on the bus that @machine has."""
    return f"virtio-{name}-{'device' if machine == 'microvm' else 'pci'}"


def user_net(machine, port, guest_port):
    """User networking with one port of 127.0.0.1 led into the guest."""
    rom = "" if machine == "microvm" else ",romfile="
    return ["-netdev", "user,id=n0,"
            f"hostfwd=tcp:127.0.0.1:{port}-:{guest_port}",
            "-device", f"{device(machine, 'net')},netdev=n0{rom}"]


def command(machine="pc", kernel=KERNEL,
            initrd="build/initramfs.cpio", append="", iso=None, accel="tcg",
            cpu="max", mem="64", net=(), extra=()):
    """The argument list; with @iso the ISO is booted instead of @kernel."""
    cmd = [QEMU, "-accel", accel, "-M", machine, "-m", str(mem),
           "-smp", "1,maxcpus=2", "-nodefaults", "-no-user-config",
           "-display", "none", "-no-reboot", "-serial", "stdio",
           "-device", DEBUG_EXIT]
    if cpu:
        cmd += ["-cpu", cpu]
    if "-plugin" in extra:
        # It counts by the addresses that the kernel is linked for.
        append = f"nokaslr {append}"
    if iso:
        cmd += ["-cdrom", iso, "-boot", "d"]
    elif kernel:
        cmd += ["-kernel", kernel]
        if initrd:
            cmd += ["-initrd", initrd]
        if append:
            cmd += ["-append", append]
    return cmd + list(net) + list(extra)


def shared_memory(path, mem):
    """The guest's memory in the file @path, where others can look at it."""
    size = f"{mem}M" if str(mem).isdigit() else mem
    return ["-object", f"memory-backend-file,id=ram,size={size},share=on,"
            f"mem-path={path}", "-machine", "memory-backend=ram"]


def note_guest(path, pid, **about):
    """Beside its memory: whose it is. For tools/watch."""
    with open(f"{path}.json.new", "w", encoding="utf-8") as f:
        json.dump({"ram": path, "pid": pid, **about}, f)
    os.replace(f"{path}.json.new", f"{path}.json")


def die_with_parent():
    """Run in the child before exec: no QEMU outlives who started it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def guest_exit_code(status):
    """Turns QEMU's exit status into the guest's code, None if it has none."""
    return status >> 1 if status > 0 and status & 1 else None


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def how_to_connect(prog, port):
    if prog == "hello":
        return f"http://127.0.0.1:{port}/   (or: curl 127.0.0.1:{port})"
    return f"127.0.0.1:{port}   (nc 127.0.0.1 {port})"


def arguments():
    p = argparse.ArgumentParser(description="Boots Pollux under QEMU.")
    p.add_argument("--machine", choices=MACHINES, default="pc")
    p.add_argument("--iso", help="boot this ISO, not the kernel directly")
    p.add_argument("--prog", default="echo", help="program in the initramfs")
    p.add_argument("--port", type=int, help="port of 127.0.0.1 to serve on")
    p.add_argument("--mem", default="64")
    p.add_argument("--accel", help="tcg or kvm; default: kvm if it works")
    p.add_argument("--args", default="", help="more kernel command line")
    p.add_argument("--gdb", help="wait for gdb on this socket path")
    p.add_argument("--qmp", help="QEMU's monitor on this socket path")
    p.add_argument("--core", help="a panic writes an ELF core to this file")
    p.add_argument("--ram", help="the guest's memory in this file, for "
                   "make watch")
    p.add_argument("--pcap", help="all frames go to this capture file, too")
    p.add_argument("--print", action="store_true", help="print the command")
    args = p.parse_args()
    if args.iso and args.machine == "microvm":
        p.error("microvm has no CD drive and no BIOS: use MACHINE=pc or q35")
    if args.port is None:
        args.port = PORTS.get(args.prog, 7777)
    return args


def run(cmd, core=None, qmp=None, note=None, end=signal.SIGTERM):
    """Runs QEMU to its end; returns the guest's exit code. @note: what
    note_guest() is to be told. @end: what QEMU gets when this is ended."""
    # Ctrl-C reaches QEMU too, from the terminal: here it is only waited for.
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(cmd, preexec_fn=die_with_parent) as qemu:
        for ended in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ended, lambda *_: qemu.send_signal(end))
        if note:
            note_guest(pid=qemu.pid, **note)
        if core:
            from core import on_panic
            return on_panic(qmp, core)
        status = qemu.wait()
    code = guest_exit_code(status)
    return 0 if code is None and status <= 0 else code or 0


def main():
    args = arguments()
    net = user_net(args.machine, args.port, PORTS.get(args.prog, 7777))
    extra = []
    if args.gdb:
        # A breakpoint before boot stays where it is.
        args.args = f"nokaslr {args.args}"
        extra = ["-S", "-gdb", f"unix:{args.gdb},server=on,wait=off"]
    if args.core and not args.qmp:
        args.qmp = "build/qmp"
    if args.qmp:
        extra += ["-qmp", f"unix:{args.qmp},server=on,wait=off"]
    note = None
    if args.ram:
        extra += shared_memory(args.ram, args.mem)
        note = {"path": args.ram, "qmp": args.qmp, "port": args.port,
                "kernel": "build/pollux.elf", "machine": args.machine}
    if args.pcap:
        extra += ["-object", f"filter-dump,id=d0,netdev=n0,file={args.pcap}"]
    accel = args.accel or ("kvm" if kvm_works() else "tcg")
    append = f"ip=dhcp init=/{args.prog} {args.args}".strip()
    cmd = command(args.machine, append=append, iso=args.iso, accel=accel,
                  mem=args.mem, net=net, extra=extra)
    if args.core:
        at = cmd.index(DEBUG_EXIT)
        cmd[at - 1:at + 1] = ["-action", "reboot=shutdown,shutdown=pause"]
    if args.print:
        print(" ".join(cmd))
        return 0
    if not port_is_free(args.port):
        print(f"Port {args.port} of 127.0.0.1 is taken: end what uses it, or "
              f"take another: make run PORT={args.port + 1}", file=sys.stderr)
        return 1
    print(f"{args.prog} on {args.machine} ({accel}): "
          f"{how_to_connect(args.prog, args.port)}\nCtrl-C ends it.",
          flush=True)
    if args.ram and os.path.exists(args.ram):
        os.remove(args.ram)     # QEMU would not clear it
    return run(cmd, args.core, args.qmp, note)


if __name__ == "__main__":
    sys.exit(main())
