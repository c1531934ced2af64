"""px-drops: packets thrown away, by reason, and protocol counters."""
from px_lib import command, enum_names, percpu


@command("px-drops", "[all]")
def drops(words):
    """Packets thrown away, by reason; with `all` also TCP/IP's counters."""
    total = 0
    names = enum_names("drop_reason", "DROP_")
    for number, count in enumerate(percpu("drop_counts")):
        if count:
            print(f"{count:10} {names[number]}")
        total += count
    print(f"{total:10} in all")
    if "all" in words:
        names = enum_names("snmp_counter", "SNMP_")
        for number, count in enumerate(percpu("snmp_counts")):
            if count:
                print(f"{count:10} {names[number].replace('_', '')}")
