"""Two guests for all wire tests: echo and hello, on a wire each.

With WIRE_ON=linux in the environment (as root) they are Linux in a network
namespace: to see whether a test asks what TCP really does.
"""
import os
import random

import pytest
from scapy.layers.inet import ICMP, IP

from tests.lib.linux_wire import LinuxOnWire
from tests.lib.wire import GUEST_IP, HOST_IP, Peer, WireGuest

ON_WIRE = LinuxOnWire if os.environ.get("WIRE_ON") == "linux" else WireGuest


@pytest.fixture(scope="session")
def echo_guest():
    with ON_WIRE("echo") as guest:
        yield guest


@pytest.fixture(scope="session")
def hello_guest():
    with ON_WIRE("hello") as guest:
        yield guest


@pytest.fixture
def guest(echo_guest):
    """The echo guest; it must ping and echo when the test is over."""
    echo_guest.wire.drain()
    del echo_guest.wire.seen[:]
    yield echo_guest
    wire = echo_guest.wire
    wire.answer_arp_for = {HOST_IP}
    ident = random.getrandbits(16)
    wire.send(IP(src=HOST_IP, dst=GUEST_IP) / ICMP(id=ident) / b"alive?")
    assert wire.recv(lambda f: ICMP in f and f[ICMP].id == ident), \
        "no ping after the test\n" + echo_guest.console[-2000:]
    peer = Peer(wire).connect()
    peer.echo(b"alive?")
    peer.send("RA")


@pytest.fixture
def wire(guest):
    return guest.wire


@pytest.fixture
def peer(wire):
    """An established connection to the echo server."""
    one = Peer(wire).connect()
    yield one
    one.send("RA")
