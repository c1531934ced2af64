"""The Linux guest that Pollux is measured beside: the distribution's cloud
kernel, and an initramfs with the network driver, bench/linux_init.c and the
very same echo binary. Fetched and unpacked once, into build/linux.
"""
import glob
import os
import subprocess

from tools import mkinitramfs

FOLDER = "build/linux"
KERNEL, INITRD = f"{FOLDER}/vmlinuz", f"{FOLDER}/initramfs.cpio"
# In the order that they need each other; virtio_net comes after them.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev",
           "virtio_pci_modern_dev", "virtio_pci", "virtio_mmio", "failover",
           "net_failover")
STOCK = "console=ttyS0 quiet rdinit=/init"
TUNED = (STOCK + " mitigations=off init_on_alloc=0 hardened_usercopy=off "
         "psi=0 lsm=none audit=0 nowatchdog NET_PARAMS=napi_tx=0")


def run(*cmd, **how):
    return subprocess.run(cmd, check=True, stdout=subprocess.PIPE, text=True,
                          **how).stdout


def package():
    """The versioned package that the distribution's meta package names."""
    for line in run("apt-cache", "depends",
                    "linux-image-cloud-amd64").splitlines():
        if "Depends:" in line:
            return line.split()[-1]
    raise SystemExit("bench: apt knows no linux-image-cloud-amd64: "
                     "run apt-get update")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def newer(path, sources):
    return os.path.exists(path) and all(
        os.path.getmtime(path) >= os.path.getmtime(s) for s in sources)


def prepare():
    """Makes KERNEL and INITRD, unless they are there."""
    bulk = f"{FOLDER}/bulk"
    if newer(INITRD, ("bench/linux_init.c", "bench/bulk.c",
                      "build/user/echo.stripped")):
        return
    os.makedirs(FOLDER, exist_ok=True)
    if not os.path.exists(KERNEL):
        run("apt-get", "-qq", "download", package(), cwd=FOLDER)
        deb, = glob.glob(f"{FOLDER}/*.deb")
        run("dpkg-deb", "-x", deb, f"{FOLDER}/root")
        vmlinuz, = glob.glob(f"{FOLDER}/root/boot/vmlinuz-*")
        os.replace(vmlinuz, KERNEL)
    for source, made in (("bench/linux_init.c", f"{FOLDER}/init"),
                         ("bench/bulk.c", bulk)):
        run("musl-gcc", "-static", "-s", "-O2", source, "-o", made)
    files = {"init": read(f"{FOLDER}/init"), "bulk": read(bulk),
             "echo": read("build/user/echo.stripped")}
    for i, name in enumerate((*MODULES, "virtio_net")):
        path, = glob.glob(f"{FOLDER}/root/lib/modules/*/kernel/**/{name}.ko",
                          recursive=True)
        files["virtio_net.ko" if name == "virtio_net" else
              f"module{i}.ko"] = read(path)
    with open(INITRD, "wb") as f:
        f.write(mkinitramfs.archive(files))
