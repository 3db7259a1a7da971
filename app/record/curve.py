"""The feeling of a conversation as a picture: a curve from heavy to light, over its stretches in colour."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from app.exchange import Exchange
from app.record.feelings import lightness, name, told
from engine.emotion import Emotion

Point = tuple[float, float]

WIDTH, HEIGHT, EDGE = 640, 150, 14
MOST_POINTS = 60
"""Of a longer talk each point is the mean of some turns."""


def curve(said: Sequence[Exchange], stretches: Sequence[tuple[range, Emotion]]) -> str:
    """An `<svg>` of at least one turn: numbers and our own words; the colours are the style sheet's."""
    felt = [exchange.felt for exchange in said]
    width = WIDTH / len(felt)
    bands = (
        f'<rect class="{name(emotion)}" x="{part.start * width:.1f}" width="{len(part) * width:.1f}" '
        f'height="{HEIGHT}"/>'
        for part, emotion in stretches
    )
    size = math.ceil(len(felt) / MOST_POINTS)
    groups = [felt[start : start + size] for start in range(0, len(felt), size)]
    points = [((place + 0.5) * WIDTH / len(groups), _height(group)) for place, group in enumerate(groups)]
    marks = map(_mark, points, said) if size == 1 else ()
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{"".join(bands)}'
        f'<path class="middle" d="M0 {HEIGHT / 2}H{WIDTH}"/><path d="{_path(points)}"/>{"".join(marks)}</svg>'
    )


def _height(group: Sequence[Emotion]) -> float:
    return HEIGHT / 2 - fmean(map(lightness, group)) * (HEIGHT / 2 - EDGE)


def _path(points: Sequence[Point]) -> str:
    """Level at every point, as on the page."""
    bends = (
        f"C{(x0 + x) / 2:.1f} {y0:.1f} {(x0 + x) / 2:.1f} {y:.1f} {x:.1f} {y:.1f}"
        for (x0, y0), (x, y) in pairwise(points)
    )
    return f"M{points[0][0]:.1f} {points[0][1]:.1f}{''.join(bends)}"


def _mark(point: Point, exchange: Exchange) -> str:
    ring = " corrected" if exchange.correction else ""
    return (
        f'<circle class="{name(exchange.felt)}{ring}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="7">'
        f"<title>{told(exchange)}</title></circle>"
    )
