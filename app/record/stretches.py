"""Where the feeling of a conversation turns: its stretches of one feeling.

Asked by `app.record.reflection` when a person looks back.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.emotion import EMOTIONS, Emotion

SWITCH = 2.5
"""What a change of feeling costs, as ln of a probability."""

FLOOR = math.exp(-2 * SWITCH)
"""No single turn between two of the same feeling outweighs two changes: a blip joins its neighbours."""

MOST = 12
"""Stretches that somebody still likes to read."""

LONGEST = 12
"""Turns of a stretch before it is cut, where there is room for more stretches."""


def stretches(emotions: Sequence[Emotion]) -> list[range]:
    """The turns of each stretch, in order; a turn whose feeling is not sure joins its neighbours."""
    found, switch = changes(emotions, SWITCH), SWITCH
    while len(found) > MOST:
        switch *= 1.5
        found = changes(emotions, switch)
    longest = max(LONGEST, math.ceil(len(emotions) / MOST))
    return [part for stretch in found for part in _cut(stretch, longest)]


def changes(emotions: Sequence[Emotion], switch: float) -> list[range]:
    """The most likely sequence of feelings when a change costs `switch` (Viterbi 1967), as runs."""
    if not emotions:
        return []
    evidence = np.array([_evidence(emotion) for emotion in emotions])
    best, came_from = evidence[0], []
    for row in evidence[1:]:
        came_from.append(np.where(best > best.max() - switch, np.arange(len(EMOTIONS)), best.argmax()))
        best = np.maximum(best, best.max() - switch) + row
    path = [int(best.argmax())]
    for before in reversed(came_from):
        path.append(int(before[path[-1]]))
    path.reverse()
    starts = [place for place in range(len(path)) if place == 0 or path[place] != path[place - 1]]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(path)], strict=True)]


def _evidence(emotion: Emotion) -> list[float]:
    if emotion.abstained:
        return [0.0] * len(EMOTIONS)
    return [math.log(max(emotion.scores[label], FLOOR)) for label in EMOTIONS]


def _cut(stretch: range, longest: int) -> list[range]:
    """In equal parts of at most `longest` turns."""
    parts = math.ceil(len(stretch) / longest)
    edges = [stretch.start + len(stretch) * part // parts for part in range(parts + 1)]
    return [range(start, stop) for start, stop in pairwise(edges)]
