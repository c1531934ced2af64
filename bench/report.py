"""One table of all that was measured, as Markdown, JSON and an SVG chart."""
import json
import statistics
from math import log

from bench import guests

NAMES = {guests.POLLUX: "Pollux", guests.TUNED: "Linux tuned",
         guests.STOCK: "Linux stock", guests.NATIVE: "this host"}


class Row:
    """One figure: what it is, its unit, whether more of it is better, and what
    each guest has in each round."""

    def __init__(self, what, unit, values, more=False):
        self.what, self.unit, self.values, self.more = what, unit, values, more

    def spread(self, guest):
        """(least, median, most) of the rounds, or None."""
        found = [v for v in self.values.get(guest, ()) if v is not None]
        return found and (min(found), statistics.median(found), max(found))

    def ratio(self, other=guests.TUNED):
        """(least, median, most) of how many times better Pollux is, round by
        round; or None."""
        pairs = zip(self.values[guests.POLLUX], self.values.get(other, ()))
        times = [a / b if self.more else b / a for a, b in pairs if a and b]
        return times and (min(times), statistics.median(times), max(times))


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(row, guest):
    found = row.spread(guest)
    if not found:
        return ""
    low, mid, high = found
    if low == high:
        return number(mid)
    return f"{number(mid)} ({number(low)} to {number(high)})"


def markdown(rows, measured, notes):
    names = [NAMES[g] for g in measured]
    lines = [f"| what | {' | '.join(names)} | times better than tuned Linux |",
             "|---" * (len(names) + 2) + "|"]
    for row in rows:
        ratio = row.ratio()
        times = "" if not ratio else (
            f"{ratio[1]:.2f}" if ratio[0] == ratio[2] else
            f"{ratio[1]:.2f} ({ratio[0]:.2f} to {ratio[2]:.2f})")
        cells = " | ".join(cell(row, g) for g in measured)
        unit = f", {row.unit}" if row.unit else ""
        lines.append(f"| {row.what}{unit} | {cells} | {times} |")
    return "\n".join(lines) + f"\n\n{notes}\n"


def as_json(rows, notes):
    return json.dumps({"notes": notes, "rows": [
        {"what": r.what, "unit": r.unit, "more_is_better": r.more,
         "values": r.values, "ratio": r.ratio() or None} for r in rows]},
        indent=1)


HEIGHT, LEFT, WIDTH, TOP = 22, 430, 560, 66
VALUES = 230	# room for what was measured, right of the bars


def beside(row):
    """Both medians and their unit."""
    pollux, tuned = (row.spread(g)[1] for g in (guests.POLLUX, guests.TUNED))
    return f"{number(pollux)} / {number(tuned)} {row.unit}".strip()


def svg(rows):
    """Bars on a logarithmic scale: how many times better than tuned Linux;
    the line is equal. A whisker goes from the least to the most. Behind it
    stand both medians."""
    rows = [r for r in rows if r.ratio()]
    most = max(max(r.ratio()[2] for r in rows), 2)
    least = min(min(r.ratio()[0] for r in rows), 0.5)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
             if least <= t <= most or t == 1]

    def x(times):
        part = log(times / least) / log(most / least)
        return LEFT + part * WIDTH

    bottom = TOP + HEIGHT * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + VALUES}"'
           f' height="{bottom + 16}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="#fff"/>',
           '<text x="10" y="24" font-size="16">Pollux beside a tuned Linux '
           'guest on the same QEMU: times better</text>',
           f'<text x="{LEFT + WIDTH + VALUES - 10}" y="{TOP - 12}" '
           'fill="#666" text-anchor="end">Pollux / tuned Linux</text>']
    for t in ticks:
        colour = "#c0392b" if t == 1 else "#ddd"
        out.append(f'<line x1="{x(t):.0f}" y1="{TOP - 8}" x2="{x(t):.0f}" '
                   f'y2="{bottom}" stroke="{colour}"/>'
                   f'<text x="{x(t):.0f}" y="{TOP - 12}" fill="#666" '
                   f'text-anchor="middle">{t:g}</text>')
    for i, row in enumerate(rows):
        y, (low, mid, high) = TOP + i * HEIGHT, row.ratio()
        begin, end = sorted((x(1), x(mid)))
        out.append(
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">'
            f'{row.what}</text>'
            f'<rect x="{begin:.0f}" y="{y + 3}" width="{end - begin:.0f}" '
            f'height="{HEIGHT - 8}" '
            f'fill="{"#2a6f97" if mid >= 1 else "#e08e45"}"/>'
            f'<line x1="{x(low):.0f}" y1="{y + 10}" x2="{x(high):.0f}" '
            f'y2="{y + 10}" stroke="#012a4a"/>'
            f'<text x="{max(end, x(high)) + 5:.0f}" y="{y + 14}">'
            f'{mid:.1f}</text>'
            f'<text x="{LEFT + WIDTH + VALUES - 10}" y="{y + 14}" '
            f'fill="#666" text-anchor="end">{beside(row)}</text>')
    return "\n".join(out) + "\n</svg>\n"
