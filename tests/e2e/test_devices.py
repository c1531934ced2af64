"""The network card in all the shapes that QEMU can give it."""
import os
import socket
import threading
import time

import pytest

from tests.lib.guest import Guest, UserNetGuest, free_port
from tests.lib.qmp import Monitor

PCI = "virtio-net-pci"
MMIO = "virtio-net-device"
SHAPES = {
    "no event index": ("pc", f"-global {PCI}.event_idx=off"),
    "no indirect": ("pc", f"-global {PCI}.indirect_desc=off"),
    "no merging": ("pc", f"-global {PCI}.mrg_rxbuf=off"),
    "nothing": ("pc", f"-global {PCI}.event_idx=off "
                f"-global {PCI}.indirect_desc=off "
                f"-global {PCI}.mrg_rxbuf=off -global {PCI}.status=off"),
    "modern only": ("q35", f"-global {PCI}.disable-legacy=on"),
    "one vector": ("pc", f"-global {PCI}.vectors=1"),
    "polled": ("pc", f"-global {PCI}.vectors=0"),
    "large rings": ("pc", f"-global {PCI}.rx_queue_size=1024 "
                    f"-global {PCI}.tx_queue_size=1024"),
    "mmio 2": ("microvm", "-global virtio-mmio.force-legacy=false"),
    "mmio 1, no event index": ("microvm", f"-global {MMIO}.event_idx=off"),
    "mmio 1, nothing": ("microvm", f"-global {MMIO}.event_idx=off "
                        f"-global {MMIO}.indirect_desc=off "
                        f"-global {MMIO}.any_layout=off "
                        f"-global {MMIO}.mrg_rxbuf=off"),
    "mmio by command line": ("microvm", "-machine acpi=off"),
    "one I/O APIC": ("microvm", "-machine ioapic2=off"),
}


def echo(sock, size):
    """Sends @size bytes while it reads them back."""
    data = os.urandom(size)
    sender = threading.Thread(target=sock.sendall, args=(data,))
    sender.start()
    got = b""
    while len(got) < size:
        part = sock.recv(1 << 16)
        assert part, f"closed after {len(got)} of {size}"
        got += part
    sender.join()
    assert got == data


def use(port):
    """Small packets one by one, large ones, several connections."""
    with socket.create_connection(("127.0.0.1", port), 10) as one:
        one.settimeout(10)
        for _ in range(50):
            echo(one, 64)
        echo(one, 1 << 20)
        with socket.create_connection(("127.0.0.1", port), 10) as two:
            two.settimeout(10)
            echo(two, 1000)
            echo(one, 1000)


@pytest.mark.parametrize("shape", SHAPES)
def test_card(shape):
    machine, options = SHAPES[shape]
    with UserNetGuest(machine=machine, extra=options.split()) as guest:
        use(guest.port)
        # Found by the timer, if at all: then it was slow as well.
        assert "got lost" not in guest.console


def test_behind_a_root_port():
    """The second bus of q35."""
    port = free_port()
    net = ["-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{port}-:7777",
           "-device", "pcie-root-port,id=rp", "-device",
           f"{PCI},netdev=n0,bus=rp,romfile="]
    with Guest(machine="q35", append="ip=dhcp init=/echo", net=net) as guest:
        guest.wait_console("listening on")
        use(port)


def test_entropy_device_beside_it():
    with UserNetGuest(machine="pc", cpu=None,
                      extra=["-device", "virtio-rng-pci"]) as guest:
        use(guest.port)
        assert "entropy device not started" not in guest.console


def test_old_card_is_refused_with_a_remedy():
    net = ["-netdev", "user,id=n0", "-device",
           f"{PCI},netdev=n0,disable-modern=on,romfile="]
    with Guest(append="init=/echo", net=net) as guest:
        guest.wait_console("disable-modern=off")


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_link_goes_and_comes(machine, tmp_path):
    monitor = Monitor(tmp_path)
    with UserNetGuest(machine=machine, extra=monitor.args()) as guest:
        use(guest.port)
        monitor.connect()
        monitor.ask("set_link", name="n0", up=False)
        guest.wait_console("link is down", 5)
        monitor.ask("set_link", name="n0", up=True)
        guest.wait_console("link is up", 5)
        time.sleep(0.05)
        use(guest.port)
        monitor.close()
