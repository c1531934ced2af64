"""A capture of QEMU's filter-dump (make run PCAP=F) together with the trace
ring: pcapng, in which each TCP packet that the ring knows carries what the
kernel did with it as a comment.
"""
import collections
import struct

SECTION, INTERFACE, PACKET = 0x0a0d0d0a, 1, 6
OPT_COMMENT = 1
ETHERNET = 1
SNAPLEN = 65536


def read_pcap(path):
    """[(us, frame)] of a classic capture file."""
    with open(path, "rb") as f:
        data = f.read()
    magic, = struct.unpack_from("<I", data)
    if magic != 0xa1b2c3d4:
        raise ValueError(f"{path} is not a capture of filter-dump")
    frames = []
    at = 24
    while at + 16 <= len(data):
        sec, usec, size, _ = struct.unpack_from("<IIII", data, at)
        frames.append((sec * 10**6 + usec, data[at + 16:at + 16 + size]))
        at += 16 + size
    return frames


def tcp_of(frame):
    """(source port, sequence number, header and payload length, payload
    length) of TCP over IPv4, else None."""
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    start = 14 + 4 * (frame[14] & 15)
    length = int.from_bytes(frame[16:18], "big") - (start - 14)
    port, _, seq = struct.unpack_from(">HHI", frame, start)
    return port, seq, length, length - 4 * (frame[start + 12] >> 4)


def comments(records, echoes):
    """{(received?, seq, length): deque of comments}, in order of time. A
    segment received counts with its header, one sent without."""
    said = collections.defaultdict(collections.deque)
    story = {}
    for echo in echoes:
        line = ", ".join(f"{name} {ns / 1000:.1f} us"
                         for name, ns in echo.spent())
        story[dict(echo.hops).get("tcp_v4_rcv")] = \
            f"answered after {echo.total / 1000:.1f} us: {line}"
    for r in records:
        if r.name not in ("tcp_v4_rcv", "tcp_transmit", "tcp_retransmit"):
            continue
        text = f"{r.time / 1e9:.9f} {r.name} sock {r.a:#x} pid {r.pid}"
        if r.time in story and r.name == "tcp_v4_rcv":
            text += f"; {story[r.time]}"
        key = (r.name == "tcp_v4_rcv", r.b >> 32, r.b & 0xffffffff)
        said[key].append(text)
    return said


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def option(code, text):
    raw = text.encode()
    return struct.pack("<HH", code, len(raw)) + raw + bytes(-len(raw) % 4)


def packet(us, frame, comment):
    body = struct.pack("<IIIII", 0, us >> 32, us & 0xffffffff, len(frame),
                       len(frame)) + frame + bytes(-len(frame) % 4)
    if comment:
        # Some readers want a whole line.
        body += option(OPT_COMMENT, comment + "\n") + bytes(4)
    return block(PACKET, body)


def merge(pcap, out, records, echoes, guest_port):
    """Writes @out; returns how many packets carry a comment."""
    said = comments(records, echoes)
    told = 0
    with open(out, "wb") as f:
        f.write(block(SECTION, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
        f.write(block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, SNAPLEN)))
        for us, frame in read_pcap(pcap):
            tcp = tcp_of(frame)
            text = None
            if tcp:
                received = tcp[0] != guest_port
                key = (received, tcp[1], tcp[2] if received else tcp[3])
                if said.get(key):
                    text = said[key].popleft()
                    told += 1
            f.write(packet(us, frame, text))
    return told
