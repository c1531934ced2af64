"""What others must not guess, judged by what is on the wire: initial sequence
numbers (RFC 6528), ephemeral ports (RFC 6056), timestamps (RFC 7323 section
5.4 and 7.1), IP identifiers (RFC 6864).
"""
import math
import os
import time

import pytest
from scapy.layers.inet import IP, TCP, UDP

from tests.lib.guest import initramfs
from tests.lib.wire import GUEST_IP, HOST_IP, WireGuest

CALLS = 250
SIGMAS = 6      # once in 500 million, each


def timestamp(frame):
    return next((v[0] for k, v in frame[TCP].options if k == "Timestamp"), None)


def syn_ack(guest, port, seq=1000):
    guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP) / TCP(
        sport=port, dport=7777, flags="S", seq=seq, window=65535,
        options=[("MSS", 1460), ("Timestamp", (1, 0))]))
    got = guest.wire.recv(lambda f: TCP in f and f[TCP].dport == port and
                          f[TCP].flags == "SA")
    assert got, port
    guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP) / TCP(
        sport=port, dport=7777, flags="R", seq=seq + 1))
    return got


@pytest.fixture(scope="module", name="answers")
def make_answers():
    """[(when, SYN-ACK)], each for another port; then for one again."""
    with WireGuest() as guest:
        found = [(time.monotonic(), syn_ack(guest, 20000 + n))
                 for n in range(CALLS)]
        again = [(time.monotonic(), syn_ack(guest, 19999, 1 + 100000 * n))
                 for n in range(8)]
    return found, again


def call_out():
    """SYNs of a program that calls out."""
    image = initramfs({"ports": "build/tests/ports"})
    try:
        with WireGuest(prog="ports", initrd=image,
                       more=f"-- {HOST_IP} {CALLS}") as guest:
            found = []
            while True:
                frame = guest.wire.recv(
                    lambda f: TCP in f and f[TCP].flags == "S", 5)
                if not frame:
                    break
                if frame[TCP].sport not in (
                        f[TCP].sport for f in found[-3:]):
                    found.append(frame)
    finally:
        os.remove(image)
    # Before ARP has an answer some are given up.
    assert len(found) > CALLS / 2
    return found


@pytest.fixture(scope="module", name="calls")
def make_calls():
    return call_out()


def balanced(values, bits):
    """Each of the lowest @bits is as often one as zero, and as often like its
    predecessor's as not."""
    n = len(values)
    for bit in bits:
        ones = sum(v >> bit & 1 for v in values)
        same = sum((a ^ b) >> bit & 1 for a, b in zip(values, values[1:]))
        for what in (ones, same):
            assert abs(what - n / 2) < SIGMAS * math.sqrt(n) / 2, (bit, what)


def test_isn_differs_for_each_peer(answers):
    isns = [f[TCP].seq for _, f in answers[0]]
    assert len(set(isns)) == len(isns)
    balanced(isns, range(32))


def test_isn_of_the_same_peer_only_grows(answers):
    """By the clock of RFC 6528, so that an old segment fits no new one."""
    for (t0, a), (t1, b) in zip(answers[1], answers[1][1:]):
        grown = b[TCP].seq - a[TCP].seq & 0xffffffff
        assert 0 < grown < 1 << 28, (t1 - t0, grown)


def test_another_boot_another_key():
    """To the same peers: neither the numbers nor how far apart they are."""
    boots = []
    for _ in range(2):
        with WireGuest() as guest:
            boots.append([syn_ack(guest, 20000 + n) for n in range(12)])
    for value in (lambda f: f[TCP].seq, timestamp):
        apart = {value(b) - value(a) & 0xffffffff for a, b in zip(*boots)}
        # By the clock alone they would be the same, or nearly.
        assert len({a >> 24 for a in apart}) > 4, sorted(map(hex, apart))


def test_timestamps_start_anywhere(answers):
    values = [timestamp(f) for _, f in answers[0]]
    assert None not in values
    assert len(set(values)) > len(values) * 0.98
    balanced(values, range(12, 32))


def test_ip_identifiers_tell_nothing(answers):
    """0 in what cannot be fragmented, or no counter that others could read."""
    ids = [f[IP].id for _, f in answers[0]]
    if any(ids):
        balanced(ids, range(16))
        steps = sum(b - a & 0xffff in (1, 2) for a, b in zip(ids, ids[1:]))
        assert steps < 5
    else:
        assert all(f[IP].flags.DF for _, f in answers[0])


def test_ip_identifiers_of_datagrams_are_drawn():
    """What may be fragmented has one, and it is no counter."""
    image = initramfs({"udpecho": "build/tests/udpecho"})
    try:
        with WireGuest("udpecho", initrd=image) as guest:
            ids = []
            for port in range(20000, 20000 + CALLS):
                guest.wire.send(IP(src=HOST_IP, dst=GUEST_IP) /
                                UDP(sport=port, dport=7) / b"?")
                frame = guest.wire.recv(
                    lambda f, port=port: UDP in f and f[UDP].dport == port, 2)
                if frame:
                    ids.append(frame[IP].id)
    finally:
        os.remove(image)
    assert len(ids) > CALLS / 2
    assert len(set(ids)) > len(ids) * 0.95
    balanced(ids, range(16))


def test_ports_are_drawn(calls):
    """For each destination from elsewhere (RFC 6056 section 3.3.4)."""
    ports = [f[TCP].sport for f in calls]
    low, high = 32768, 60999
    assert all(low <= p <= high for p in ports)
    balanced(ports, range(12))
    third = (high - low) / 3
    for part in range(3):
        inside = sum(low + part * third <= p < low + (part + 1) * third
                     for p in ports)
        n = len(ports)
        assert abs(inside - n / 3) < SIGMAS * math.sqrt(n * 2 / 9), part
    near = sum(abs(b - a) < 10 for a, b in zip(ports, ports[1:]))
    assert near < 8
    # Offsets by destination: were there but the 256 counters, those calls
    # that share one would get a run of ports (some 90; by chance, 2).
    ordered = sorted(set(ports))
    assert sum(b - a == 1 for a, b in zip(ordered, ordered[1:])) < 20


def test_ports_by_another_key_at_each_boot(calls):
    """With the same key those destinations that share one of the 256 counters
    would all have ports as far from the other boot's as that counter (of
    250 there are some 120 such pairs; by chance 8 that are as far)."""
    again = {f[TCP].dport: f[TCP].sport for f in call_out()}
    apart = [(again[f[TCP].dport] - f[TCP].sport) % (60999 - 32768 + 1)
             for f in calls if f[TCP].dport in again]
    alike = sum(abs(a - b) <= 3 for n, a in enumerate(apart)
                for b in apart[:n])
    assert alike < len(apart) ** 2 / 1500, (alike, len(apart))


def test_isn_of_calls(calls):
    balanced([f[TCP].seq for f in calls], range(32))
    balanced([timestamp(f) for f in calls], range(12, 32))
