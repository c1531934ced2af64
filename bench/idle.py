"""What an idle connection costs: memory of the guest for each of so many."""
from bench import guests, measure, million

FIRST = 256


def bytes_each(guest, lab, conns, mem="2048"):
    """Bytes for each of @conns, everything counted, and connections opened in
    a second."""
    with guests.Running(guest, lab, mem=mem,
                        kernel="build/pollux.elf") as running:
        with million.Client(lab) as client:
            # Caches and routes come with the first connections.
            client.do("open", FIRST)
            client.do("close")
            measure.time.sleep(1)
            before = running.free_bytes()
            opened = client.do("open", conns)
            measure.time.sleep(1)
            after = running.free_bytes()
    return (before - after) / conns, opened["rate"]
