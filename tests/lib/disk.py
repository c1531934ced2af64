"""Shares and disks for guests: the QEMU arguments, and images of disks."""
import subprocess

from tests.lib.guest import UserNetGuest, free_port, initramfs

KERNEL = "build/pollux-disk.elf"


def share(machine, folder, tag="data"):
    """A folder of the host: mount=9p:TAG:/path."""
    bus = "device" if machine == "microvm" else "pci"
    return ["-fsdev", f"local,id=f0,path={folder},security_model=none",
            "-device", f"virtio-9p-{bus},fsdev=f0,mount_tag={tag}"]


def disk(machine, image, nr=0, more=""):
    """An image: mount=ext:vda:/path; the next is vdb."""
    bus = "device" if machine == "microvm" else "pci"
    drive = image if isinstance(image, list) else [
        "-drive", f"if=none,id=d{nr},format=raw,file={image}{more}"]
    return drive + ["-device", f"virtio-blk-{bus},drive=d{nr}"]


def make_image(path, size="32M", kind="ext4", *options):
    with open(path, "wb"):
        pass
    subprocess.run(["truncate", "-s", size, path], check=True)
    subprocess.run(["mke2fs", "-q", "-t", kind, *options, path], check=True,
                   stderr=subprocess.DEVNULL)
    return str(path)


def fsck(image, how="-fn"):
    """e2fsck's exit code (0: clean, 1: mended) and what it says."""
    done = subprocess.run(["e2fsck", how, image], capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def assert_clean(image):
    code, text = fsck(image)
    assert code == 0, text


def printed(console):
    """What the program printed, up to its last line."""
    return console.partition("--- begin\n")[2].partition("--- end\n")[0]


class DiskGuest(UserNetGuest):
    """A server of tests/progs on the kernel with disks."""

    def __init__(self, prog, mount, extra, args="/data", machine="pc",
                 more="", mem="32"):
        initrd = initramfs({"prog": f"build/tests/{prog}"})
        mount = f"mount={mount}" if mount else ""
        super().__init__(
            "prog", machine, mem=mem, kernel=KERNEL, initrd=initrd,
            more=f"{mount} {more} -- {args}", extra=extra)


__all__ = ["KERNEL", "DiskGuest", "assert_clean", "disk", "free_port", "fsck",
           "make_image", "printed", "share"]
