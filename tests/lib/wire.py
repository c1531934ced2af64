"""Raw Ethernet frames to and from a guest, over a QEMU datagram netdev, and a
TCP peer that does exactly what a test tells it. No root needed.
"""
import itertools
import os
import random
import shutil
import socket
import tempfile
import time

from scapy.config import conf
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from tests.lib.guest import ServerGuest
from tests.lib.qmp import DropCounters, Monitor
from tools import qemu

conf.verb = 0
HOST_MAC, GUEST_MAC = "02:00:00:00:00:01", "52:54:00:00:00:02"
HOST_IP, GUEST_IP = "10.9.0.1", "10.9.0.2"
STATIC_IP = f"{GUEST_IP}::{HOST_IP}:255.255.255.0::eth0:off"


class Wire:
    """A network cable: one end is the guest's card, the other one is ours."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="wire")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(f"{self.folder}/host")
        self.answer_arp_for = {HOST_IP}
        self.seen = []          # every frame that came, oldest first

    def args(self, machine="pc"):
        rom = "" if machine == "microvm" else ",romfile="
        return ["-netdev", "dgram,id=n0,"
                f"local.type=unix,local.path={self.folder}/guest,"
                f"remote.type=unix,remote.path={self.folder}/host",
                "-device", f"{qemu.device(machine, 'net')},netdev=n0,"
                f"mac={GUEST_MAC}{rom}"]

    def close(self):
        self.sock.close()
        shutil.rmtree(self.folder)

    def send_raw(self, frame):
        self.sock.settimeout(5)
        self.sock.sendto(bytes(frame), f"{self.folder}/guest")

    def send(self, packet):
        """An IP packet (or whatever is above Ethernet) to the guest."""
        self.send_raw(Ether(dst=GUEST_MAC, src=HOST_MAC) / packet)

    def _answer_arp(self, frame):
        arp = frame.getlayer(ARP)
        if arp and arp.op == 1 and arp.pdst in self.answer_arp_for:
            self.send_raw(Ether(dst=arp.hwsrc, src=HOST_MAC) / ARP(
                op=2, hwsrc=HOST_MAC, psrc=arp.pdst, hwdst=arp.hwsrc,
                pdst=arp.psrc))

    def recv(self, wanted, seconds=3):
        """The next frame that @wanted(frame) holds for; None if none came."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            self.sock.settimeout(max(left, 0.0001))
            try:
                frame = Ether(self.sock.recv(1 << 17))
            except (TimeoutError, BlockingIOError):
                return None
            self.seen.append(frame)
            self._answer_arp(frame)
            if wanted(frame):
                return frame

    def drain(self):
        """Forgets what has come so far."""
        while self.recv(lambda _: True, 0):
            pass


class WireGuest(ServerGuest):
    """A guest on a Wire, with its monitor and its drop counters."""

    def __init__(self, prog="echo", machine="pc", more="", **how):
        self.wire = Wire()
        self.monitor = Monitor(self.wire.folder)
        how.setdefault("append",
                       f"ip={STATIC_IP} init=/{prog} {more}".strip())
        super().__init__(machine=machine, net=self.wire.args(machine),
                         extra=self.monitor.args(), **how)
        self.drops = None

    def listening(self):
        self.monitor.connect()
        self.drops = DropCounters(self.monitor)

    def __exit__(self, *_):
        super().__exit__()
        self.monitor.close()
        self.wire.close()


class Dropped:
    """with Dropped(guest, "IP_CSUM"): what is sent inside is dropped for
    one of the given reasons, and for no other."""

    def __init__(self, guest, *reasons):
        self.guest, self.reasons = guest, reasons

    def __enter__(self):
        if self.guest.drops:
            self.before = self.guest.drops.read()

    def __exit__(self, kind, *_):
        if kind or not self.guest.drops:
            return
        end = time.monotonic() + 2
        while True:
            after = self.guest.drops.read()
            # Not what other connections' timers still send to the gone.
            new = {k for k in after if after[k] != self.before[k]} - \
                {"NEIGH_UNRESOLVED"}
            if new or time.monotonic() > end:
                break
            time.sleep(0.02)
        assert new and new <= set(self.reasons), \
            f"dropped as {new or 'nothing'}, not as {self.reasons}"


_ports = itertools.count(20000)


class Peer:
    """One TCP connection to the guest, segment by segment.

    snd_nxt and rcv_nxt are kept as a well-behaved peer would; every field of
    a segment can be given another value.
    """

    def __init__(self, wire, dport=7777, options=(("MSS", 1460),),
                 window=65000, ip=HOST_IP):
        self.wire, self.dport, self.window = wire, dport, window
        self.ip = ip
        self.sport = next(_ports)
        self.options = list(options)
        self.iss = random.getrandbits(32)
        self.snd_nxt = self.iss
        self.rcv_nxt = 0
        self.irs = None
        self.syn_ack = None

    def below(self):
        """What is under the TCP header of each segment."""
        return IP(src=self.ip, dst=GUEST_IP)

    def segment(self, flags="A", data=b"", seq=None, ack=None, window=None,
                options=(), **fields):
        """The segment, without sending it. @seq, @ack: absolute numbers."""
        seq = self.snd_nxt if seq is None else seq
        ack = self.rcv_nxt if ack is None else ack
        return self.below() / TCP(
            sport=self.sport, dport=self.dport, flags=flags,
            seq=seq % 2**32, ack=ack % 2**32 if "A" in flags else 0,
            window=self.window if window is None else window,
            options=list(options), **fields) / data

    def send(self, flags="A", data=b"", **fields):
        """Sends, and counts what it sent if it is the next in order."""
        in_order = fields.get("seq") in (None, self.snd_nxt)
        self.wire.send(self.segment(flags, data, **fields))
        if in_order:
            length = len(data) + ("S" in flags) + ("F" in flags)
            self.snd_nxt = (self.snd_nxt + length) % 2**32

    def is_mine(self, frame):
        tcp = frame.getlayer(TCP)
        return bool(tcp and tcp.dport == self.sport and
                    tcp.sport == self.dport and
                    tcp.underlayer.dst == self.ip)

    def recv(self, seconds=3, flags=None, data=None):
        """The next TCP segment to us, optionally of those flags or with
        (True) or without (False) data. None if none comes."""
        def wanted(frame):
            if not self.is_mine(frame):
                return False
            tcp = frame[TCP]
            if flags is not None and set(str(tcp.flags)) != set(flags):
                return False
            return data is None or bool(payload(tcp)) == data
        frame = self.wire.recv(wanted, seconds)
        return frame[TCP] if frame else None

    def expect(self, flags=None, data=None, seconds=30):
        tcp = self.recv(seconds, flags, data)
        assert tcp, f"no segment with flags {flags}, data {data}"
        return tcp

    def expect_nothing(self, seconds=0.3, **what):
        tcp = self.recv(seconds, **what)
        assert tcp is None, f"unexpected: {tcp!r}"

    def syn(self, **fields):
        self.send("S", options=self.options, **fields)
        return self.expect("SA")

    def connect(self):
        """The three-way handshake."""
        synack = self.syn_ack = self.syn()
        assert synack.ack == self.snd_nxt
        self.irs = synack.seq
        self.rcv_nxt = (synack.seq + 1) % 2**32
        self.send("A")
        return self

    def read(self, n, ack=True, seconds=30):
        """@n bytes in order, acknowledged segment by segment."""
        got = b""
        while len(got) < n:
            tcp = self.recv(seconds, data=True)
            assert tcp, f"{len(got)} of {n} bytes came"
            if tcp.seq != self.rcv_nxt:
                continue
            got += payload(tcp)
            self.rcv_nxt = (self.rcv_nxt + len(payload(tcp))) % 2**32
            if "F" in str(tcp.flags):
                self.rcv_nxt = (self.rcv_nxt + 1) % 2**32
            if ack:
                self.send("A")
        return got

    def echo(self, data=b"echo"):
        """Sends @data and reads it back."""
        self.send("PA", data)
        assert self.read(len(data)) == data

    def is_gone(self):
        """Does the guest know nothing of this connection any more?"""
        self.wire.drain()
        self.wire.send(self.segment("A"))
        tcp = self.recv(1)
        return tcp is not None and "R" in str(tcp.flags)


def payload(tcp):
    """The data of a segment, without Ethernet's padding."""
    ip = tcp.underlayer
    size = ip.plen if IPv6 in ip else ip.len - ip.ihl * 4
    return bytes(tcp.payload)[:size - tcp.dataofs * 4]


def option(tcp, name):
    return dict(tcp.options).get(name)
