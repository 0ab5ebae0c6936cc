# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bars and lines as SVG, without a library: what docs/benchmarks.md shows."""

import math
from html import escape

COLOURS = {"bare": "#5b6575", "heapflow": "#157347", "dmabuf-import": "#2f6fb3", "replace-heapflow": "#49a078",
           "dmabuf": "#d9822b", "dmabuf-vsync": "#8a5a2b", "mmap": "#b3001b"}
# Colours alone do not tell lines apart that lie on each other.
STYLES = {"bare": ("7 5", "square"), "heapflow": ("", "circle"), "replace-heapflow": ("2 4", "diamond"),
          "dmabuf-import": ("10 4 2 4", "down"), "dmabuf": ("", "up"), "dmabuf-vsync": ("12 4", "square"), "mmap": ("", "diamond")}
OTHERS = ["#157347", "#d9822b", "#2f6fb3", "#8a5a2b"]
WIDTH = 860
STYLE = """<style>
text { font: 13px sans-serif; fill: #1c2330; }
.title { font-size: 17px; font-weight: bold; }
.dim { fill: #5b6575; }
.grid { stroke: #dfe3ea; stroke-width: 1; }
.axis { stroke: #5b6575; stroke-width: 1; }
</style>"""


def colour(key, number=0):
    return COLOURS.get(key, OTHERS[number % len(OTHERS)])


def marker(key, x, y, fill, hollow=False):
    """A small sign of the line's own; hollow where its figure is not told."""
    style = f'fill="#ffffff" stroke="{fill}" stroke-width="2"' if hollow else f'fill="{fill}"'
    shape = STYLES.get(key, ("", "circle"))[1]
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {style}/>'
    corners = {"square": "-3.5,-3.5 3.5,-3.5 3.5,3.5 -3.5,3.5", "diamond": "0,-5 5,0 0,5 -5,0", "up": "0,-5 4.5,4 -4.5,4",
               "down": "0,5 4.5,-4 -4.5,-4"}[shape]
    return f'<polygon points="{corners}" transform="translate({x:.1f} {y:.1f})" {style}/>'


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def drawing(height, title, below, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        STYLE, f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(20, 30, title, "title"), text(20, 51, below, "dim"), *parts, "</svg>\n"])


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def nice_step(span, wanted=6):
    """1, 2 or 5 times a power of ten, so that the axis has about so many marks."""
    raw = span / wanted
    power = 10 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw)


def bars(title, below, rows, unit):
    """rows: (key, name, [(value, opacity)], remark): stacked parts. One that is far beyond the others is cut, and says so."""
    left, right, top, each = 315, 165, 76, 34
    totals = sorted(sum(value for value, _ in parts) for _, _, parts, _ in rows if parts) or [1.0]
    limit = 1.15 * max(total for total in totals if total <= 8 * totals[len(totals) // 2])
    limit = min(limit, totals[-1])
    scale = (WIDTH - left - right) / limit
    bottom = top + each * len(rows)
    out, step = [], nice_step(limit)
    for i in range(int(limit / step) + 1):
        x = left + i * step * scale
        out += [f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{bottom}" class="grid"/>',
                text(x, bottom + 18, number(i * step), "dim", "middle")]
    out.append(text(WIDTH - 20, bottom + 18, unit, "dim", "end"))
    for i, (key, name, parts, remark) in enumerate(rows):
        y, x, total = top + i * each, left, sum(value for value, _ in parts)
        out.append(text(left - 12, y + 18, name, "", "end"))
        for value, opacity in parts:
            length = min(value, max(0, limit - (x - left) / scale)) * scale
            out.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{max(length, 1):.1f}" height="{each - 12}" '
                       f'fill="{colour(key, i)}" fill-opacity="{opacity}"/>')
            x += length
        if total > limit * 1.0001:
            out.append(f'<path d="M{x - 26:.1f} {y - 1}l-8 30m8 0l8 -30" stroke="#ffffff" stroke-width="4" fill="none"/>')
        out.append(text(x + 7, y + 18, (number(total) if parts else "") + remark, "" if parts else "dim"))
    return drawing(bottom + 32, title, below, out)


def lines(title, below, series, x_name, y_name, ticks=None, log="", hollow=()):
    """series: (key, name, [(x, y)]). `log`: which axes are logarithmic, "xy" or "y". `hollow`: (key, x) of what is not told."""
    left, right, top, high = 76, 335, 98, 330
    points = [point for _, _, values in series for point in values]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    grow = math.log10 if "y" in log else float
    grow_x = math.log10 if "x" in log else float
    low_x, high_x = grow_x(min(xs)), grow_x(max(xs))
    low_y = math.floor(math.log10(min(ys))) if log else 0.0
    high_y = math.ceil(math.log10(max(ys))) if log else max(ys) * 1.08
    place_x = lambda x: left + (grow_x(x) - low_x) / ((high_x - low_x) or 1) * (WIDTH - left - right)  # noqa: E731
    place_y = lambda y: top + high - (grow(y) - low_y) / ((high_y - low_y) or 1) * high  # noqa: E731
    if log:
        marks = [10 ** n for n in range(int(low_y), int(high_y) + 1)]
    else:
        step = nice_step(high_y)
        marks = [i * step for i in range(int(high_y / step) + 1)]
    out = []
    for mark in marks:
        out += [f'<line x1="{left}" y1="{place_y(mark):.1f}" x2="{WIDTH - right}" y2="{place_y(mark):.1f}" class="grid"/>',
                text(left - 8, place_y(mark) + 4, number(mark), "dim", "end")]
    for x, name in ticks or [(x, number(x)) for x in sorted(set(xs))]:
        out += [f'<line x1="{place_x(x):.1f}" y1="{top}" x2="{place_x(x):.1f}" y2="{top + high}" class="grid"/>',
                text(place_x(x), top + high + 18, name, "dim", "middle")]
    out += [f'<path d="M{left} {top}V{top + high}H{WIDTH - right}" fill="none" class="axis"/>',
            text(20, 78, y_name, "dim"),
            text((left + WIDTH - right) / 2, top + high + 40, x_name, "dim", "middle")]
    # Names stand beside the ends, moved apart where they would cover each other.
    last = top - 18.0
    for i, (key, name, values) in sorted(enumerate(series), key=lambda one: place_y(one[1][2][-1][1])):
        path = " ".join(f"{'L' if n else 'M'}{place_x(x):.1f} {place_y(y):.1f}" for n, (x, y) in enumerate(values))
        dashes = f' stroke-dasharray="{STYLES[key][0]}"' if STYLES.get(key, ("",))[0] else ""
        out.append(f'<path d="{path}" fill="none" stroke="{colour(key, i)}" stroke-width="2"{dashes}/>')
        # On a long line some of them, each line's in other places.
        marked = values if len(values) < 12 else values[1 + i::9]
        out += [marker(key, place_x(x), place_y(y), colour(key, i), (key, x) in hollow) for x, y in marked]
        end = place_y(values[-1][1])
        last = max(last + 18, end)
        out += [f'<path d="M{WIDTH - right + 4} {end:.1f}L{WIDTH - right + 16} {last:.1f}H{WIDTH - right + 22}" '
                f'fill="none" stroke="{colour(key, i)}" stroke-width="1.5"/>',
                marker(key, WIDTH - right + 29, last, colour(key, i)), text(WIDTH - right + 39, last + 4, name)]
    return drawing(top + high + 56, title, below, out)


def panels(title, below, rows, x_name):
    """rows: (name, unit, [(x, y)]), one under the other, each with a scale of its own that begins at 0."""
    left, right, top, high, each = 76, 30, 92, 84, 124
    first = min(x for _, _, values in rows for x, _ in values)
    last = max(x for _, _, values in rows for x, _ in values)
    place_x = lambda x: left + (x - first) / ((last - first) or 1) * (WIDTH - left - right)  # noqa: E731
    out = []
    for i, (name, unit, values) in enumerate(rows):
        base, limit = top + i * each + high, 1.15 * max(y for _, y in values) or 1
        step = nice_step(limit, 3)
        for n in range(int(limit / step) + 1):
            y = base - n * step / limit * high
            out += [f'<line x1="{left}" y1="{y:.1f}" x2="{WIDTH - right}" y2="{y:.1f}" class="grid"/>',
                    text(left - 8, y + 4, number(n * step), "dim", "end")]
        path = " ".join(f"{'L' if n else 'M'}{place_x(x):.1f} {base - y / limit * high:.1f}"
                        for n, (x, y) in enumerate(values))
        out += [f'<path d="M{left} {base}H{WIDTH - right}" class="axis"/>', text(left, base - high - 8, f"{name}, {unit}" if unit else name),
                f'<path d="{path}" fill="none" stroke="{OTHERS[i % len(OTHERS)]}" stroke-width="2"/>']
    bottom, step = top + len(rows) * each - 18, nice_step(last - first or 1, 8)
    out += [text(place_x(first + n * step), bottom, number(first + n * step), "dim", "middle")
            for n in range(int((last - first) / step) + 1)]
    out.append(text((left + WIDTH - right) / 2, bottom + 22, x_name, "dim", "middle"))
    return drawing(bottom + 36, title, below, out)
