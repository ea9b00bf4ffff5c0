"""The graph of stages as an SVG drawing, coloured by the state of their files."""

from collections import Counter
from html import escape
from statistics import mean

COLOURS = {
    "fresh": "#009E73",
    "stale": "#E69F00",
    "missing": "#8a949e",
    "incomplete": "#D55E00",
    "gone": "#56B4E9",
    "suspect": "#CC79A7",
    "altered": "#CC79A7",
}
WIDE, HIGH, GAP, ROW = 132, 42, 16, 84  # pixels
NARROW = 14  # the lane of an edge that passes a row


def svg(jobs, edges):
    """The drawing of the stages of `jobs` with `edges` [(stage, stage that needs it)]."""
    counts = {}
    for job in jobs:
        counts.setdefault(job["stage"], Counter())[job["state"]] += 1
    pairs = [(a, b) for a, b in edges if a in counts and b in counts and a != b]
    rows, chains = lanes(levels(list(counts), pairs), pairs)
    places, width = spread(ordered(rows, chains))
    lines = [
        curve([places[item] for item in chain], counts[chain[0]], counts[chain[-1]])
        for chain in chains
    ]
    boxes = [box(name, *places[name], counts[name]) for name in counts]
    height = len(rows) * ROW - ROW + HIGH + 4
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="stages and the state of their files">{"".join(lines + boxes)}</svg>'
    )


def levels(names, pairs):
    """{stage: row}: below everything that it needs."""
    found = dict.fromkeys(names, 0)
    for _ in names:
        for a, b in pairs:
            found[b] = max(found[b], found[a] + 1)
    return found


def lanes(level, pairs):
    """Rows of items, and per edge the chain of items it runs through; (a, b, row) is a lane."""
    rows = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name, row in level.items():
        rows[row].append(name)
    chains = []
    for a, b in pairs:
        passed = [(a, b, row) for row in range(level[a] + 1, level[b])]
        for item in passed:
            rows[item[2]].append(item)
        chains.append([a, *passed, b])
    return rows, chains


def ordered(rows, chains):
    """Rows sorted so that edges cross little: items stand at the mean place of what they touch."""
    near = {}
    for chain in chains:
        for a, b in zip(chain, chain[1:], strict=False):
            near.setdefault(a, []).append(b)
            near.setdefault(b, []).append(a)
    for sweep in range(12):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {
                item: number / len(other) for other in rows for number, item in enumerate(other)
            }
            row.sort(key=lambda item: mean([place[other] for other in near.get(item, [item])]))
    return rows


def spread(rows):
    """{item: (x of its middle, y of its top)} with each row centred, and the width of all."""
    sizes = [[NARROW if isinstance(item, tuple) else WIDE for item in row] for row in rows]
    total = [sum(size) + GAP * (len(size) - 1) for size in sizes]
    width, places = max(total) + 4, {}
    for number, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        left = (width - total[number]) / 2
        for item, wide in zip(row, size, strict=True):
            places[item] = (left + wide / 2, number * ROW + 2)
            left += wide + GAP
    return places, width


def curve(points, above, below):
    """A smooth line through the points, downwards; dark where neither end is fresh."""
    (x, y), *rest = points
    path = f"M{x:.0f} {y + HIGH:.0f}"
    y += HIGH
    for number, (right, low) in enumerate(rest):
        half = (low - y) / 2
        path += f"C{x:.0f} {y + half:.0f} {right:.0f} {low - half:.0f} {right:.0f} {low:.0f}"
        if number < len(rest) - 1:
            path += f"v{HIGH}"
            low += HIGH
        x, y = right, low
    colour = "#c9d0d6" if {"fresh"} in (set(above), set(below)) else "#9a7b2f"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>'


def box(name, middle, top, counts):
    """A stage: its name, how many jobs are in which state, and a bar of these shares."""
    left, jobs = middle - WIDE / 2, sum(counts.values())
    worst = min(counts, key=list(reversed(COLOURS)).index)
    words = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    bar, x = "", left
    for state in COLOURS:
        wide = WIDE * counts[state] / jobs
        if wide:
            bar += f'<rect x="{x:.1f}" y="{top + HIGH - 5}" width="{wide:.1f}" height="5" '
            bar += f'fill="{COLOURS[state]}"/>'
        x += wide
    dash = ' stroke-dasharray="4 3"' if worst == "missing" else ""
    return (
        f"<g><title>{escape(name)}: {escape(words)}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{WIDE}" height="{HIGH}" fill="#fff"/>'
        f'<rect x="{left:.1f}" y="{top}" width="{WIDE}" height="{HIGH}" fill="{COLOURS[worst]}" '
        f'fill-opacity=".14" stroke="{COLOURS[worst]}"{dash}/>{bar}'
        f'<text x="{middle:.0f}" y="{top + 16}" class="name">{escape(name)}</text>'
        f'<text x="{middle:.0f}" y="{top + 30}">{escape(words)}</text></g>'
    )
