"""px-log: the kernel log, from the ring, whatever reached the console."""
from px_lib import command, variable

LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


def lines(log):
    """(level, text) of all that is in the ring, oldest first."""
    size = len(log.text)
    at = log.tail % size
    text = (log.text[at:] + log.text[:at])[:log.head - log.tail]
    for record in text.split(b"\n"):
        if record:
            yield record[0], record[1:].decode(errors="replace")


@command("px-log", "[LINES]")
def log_command(words):
    """The kernel log, of every level; the last LINES of it."""
    log = variable("log", "kernel/printk.c")
    records = list(lines(log))
    if words:
        records = records[-int(words[0], 0):]
    for level, text in records:
        name = LEVELS[level] if level < len(LEVELS) else str(level)
        print(f"{name:6} {text}")
