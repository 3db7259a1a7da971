"""The pieces of the HTML report: line charts as inline SVG, tables, and shaded confusion matrices.

Pure functions from values to markup; whatever they are given as text is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 12, 44
PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
COLOURS = ("#1f5fa8", "#c0542b", "#2b8a57", "#7b4aa0", "#8a6d1b")
"""Dark enough to read as text on white."""

Point = tuple[float, float]


def line_chart(
    series: Mapping[str, Sequence[Point]],
    *,
    x_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
    y_max: float = 1.0,
    diagonal: bool = False,
) -> str:
    """One line per series; y is a share from 0 to `y_max`. `diagonal` adds the line y = x."""
    low, high = x_ticks[0][0], x_ticks[-1][0]

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - low) / ((high - low) or 1.0), min(y / y_max, 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * PLOT_HEIGHT

    parts = [_grid(y_max), *(_text(place(x, 0.0)[0], HEIGHT - BOTTOM + 16, label) for x, label in x_ticks)]
    if diagonal:
        parts.append(_line([place(low, low), place(high, high)], "#999", dashes="4"))
    colours = [COLOURS[index % len(COLOURS)] for index in range(len(series))]
    for colour, points in zip(colours, series.values(), strict=True):
        places = [place(x, y) for x, y in points]
        parts.append(_line(places, colour))
        parts += [
            f'<circle r="3" fill="{colour}" cx="{x:.1f}" cy="{y:.1f}"><title>{share:.1%}</title></circle>'
            for (x, y), (_, share) in zip(places, points, strict=True)
        ]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label))
    legend = " ".join(
        f'<span style="color:{colour}">● {escape(name)}</span>'
        for colour, name in zip(colours, series, strict=True)
    )
    return (
        f"<figure><figcaption>{escape(y_label)} {legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(y_label)}">'
        f"{''.join(parts)}</svg>"
        "</figure>"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The first column names the row; a float is shown as a share in per cent, None as a dash."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr><th>{escape(str(row[0]))}</th>{''.join(f'<td>{_cell(value)}</td>' for value in row[1:])}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def confusion(labels: Sequence[str], counts: Sequence[Sequence[float]]) -> str:
    """Rows are the truth; shading is the share of the row."""
    head = "".join(f"<th>{escape(label)}</th>" for label in ("truth ↓ heard →", *labels))
    rows = []
    for label, row in zip(labels, counts, strict=True):
        total = sum(row) or 1
        cells = "".join(
            f'<td style="background:rgba(31,95,168,{0.6 * count / total:.2f})">{round(count, 1):g}</td>'
            for count in row
        )
        rows.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if isinstance(value, float) else escape(str(value))


def _grid(y_max: float) -> str:
    parts = []
    for step in range(6):
        y = HEIGHT - BOTTOM - step / 5 * PLOT_HEIGHT
        parts.append(_line([(LEFT, y), (WIDTH - RIGHT, y)], "#ddd", width=1))
        parts.append(_text(LEFT - 6, y + 4, f"{step / 5 * y_max:.0%}", anchor="end"))
    return "".join(parts)


def _line(places: Sequence[Point], colour: str, *, width: int = 2, dashes: str = "none") -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}" '
        f'points="{points}"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
