"""An address for a while: renewed, refused, run out. The server is here; the
guest's clock is put forward by gdb, as lwIP counts leases in minutes."""
import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from tests.gdb.gdb_session import run
from tests.lib.wire import (GUEST_IP, GUEST_MAC, HOST_IP, HOST_MAC, WireGuest)

LEASE = 120     # seconds, two of lwIP's steps
STEP = 61
OTHER_IP = "10.9.0.77"
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6


def kind(frame):
    return dict(o for o in frame[DHCP].options
                if isinstance(o, tuple) and len(o) == 2)["message-type"]


class Lease:
    """The guest's wire, with a DHCP server that does as it is told."""

    def __init__(self, guest):
        self.guest, self.wire = guest, guest.wire
        self.stub = f"{self.wire.folder}/gdb"
        guest.monitor.human(f"gdbserver unix:{self.stub},server=on,wait=off")

    def asked(self, what):
        frame = self.wire.recv(lambda f: DHCP in f and kind(f) == what, 30)
        assert frame, "the guest does not ask"
        return frame

    def answer(self, frame, what, address=GUEST_IP):
        options = [("message-type", what), ("server_id", HOST_IP)]
        if what != NAK:
            options += [("lease_time", LEASE), ("router", HOST_IP),
                        ("subnet_mask", "255.255.255.0")]
        self.wire.send_raw(
            Ether(dst=GUEST_MAC, src=HOST_MAC) /
            IP(src=HOST_IP, dst="255.255.255.255") / UDP(sport=67, dport=68) /
            BOOTP(op=2, xid=frame[BOOTP].xid, chaddr=frame[BOOTP].chaddr,
                  yiaddr="0.0.0.0" if what == NAK else address) /
            DHCP(options=[*options, "end"]))

    def give(self, address):
        """The whole exchange."""
        self.answer(self.asked(DISCOVER), OFFER, address)
        self.answer(self.asked(REQUEST), ACK, address)
        self.guest.wait_console(f"address {address}/24", 30)

    def time_passes(self):
        self.wire.drain()       # what was asked twice
        run(self.stub, ["set var vvar.scale[vvar.now / sizeof(vvar.scale[0])]"
                        f".ns0 += {STEP}000000000", "detach"])

    def pings(self, address):
        for n in range(10):     # one that ARP is asked for first may be lost
            self.wire.send(IP(src=HOST_IP, dst=address) / ICMP(id=n))
            if self.wire.recv(lambda f: ICMP in f and f[ICMP].type == 0, 3):
                return True
        return False


@pytest.fixture(name="lease")
def make_lease():
    # The watchdog looks four times a second, and sees the clock anew.
    with WireGuest(append="ip=dhcp init=/echo watchdog=1 "
                   "loglevel=7") as guest:
        lease = Lease(guest)
        lease.give(GUEST_IP)
        yield lease


def test_renewed_then_refused(lease):
    for _ in range(2):
        lease.time_passes()
        # RFC 2131 section 4.3.2: from the address, to the server alone.
        again = lease.asked(REQUEST)
        assert again[BOOTP].ciaddr == again[IP].src == GUEST_IP
        assert again[IP].dst == HOST_IP
        lease.answer(again, ACK)
        assert lease.pings(GUEST_IP)
    assert "no address any more" not in lease.guest.console
    assert lease.guest.console.count("address 10.") == 1
    # The server takes it back, and gives another one.
    lease.time_passes()
    lease.answer(lease.asked(REQUEST), NAK)
    lease.guest.wait_console("eth0: no address any more", 30)
    lease.give(OTHER_IP)
    assert lease.pings(OTHER_IP)


def test_runs_out(lease):
    """Nobody answers: it is said, and asked for anew."""
    lease.time_passes()
    lease.asked(REQUEST)
    assert "no address any more" not in lease.guest.console
    lease.time_passes()
    lease.guest.wait_console("eth0: no address any more", 30)
    lease.give(OTHER_IP)
    assert lease.pings(OTHER_IP)
    assert "watchdog: " not in lease.guest.console
