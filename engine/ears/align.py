"""When each recognised word was said, and how well it fits the sounds.

Called after the beam search, for captions that follow the voice and for the words' confidence. The most
probable alignment of a known text (Viterbi over the CTC states, Graves et al. 2006); about 5 ms for 5 s of
speech.
"""

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from engine.ears.alphabet import BLANK, CHARACTERS, SPACE

FRAME_S = 0.02


@dataclass(frozen=True)
class PlacedWord:
    """`sounds_ln` is ln of the geometric mean of the probabilities of its characters, and of the spaces
    around it, at the frames where each peaks.
    """

    text: str
    start_s: float
    end_s: float
    sounds_ln: float


def align(log_probs: np.ndarray, text: str) -> list[PlacedWord]:
    """The words of `text`, which must be one that [frames, 29] log-probabilities can spell.

    Times count from the first frame.
    """
    # As it was found: `encode` would drop a lone apostrophe.
    ids = [1 + CHARACTERS.index(character) for character in text]
    if not ids:
        return []
    state_of_frame = _best_path(log_probs, ids)
    peaks: dict[int, float] = {}
    frames: dict[int, list[int]] = {}
    for frame, state in enumerate(state_of_frame):
        if state % 2:
            place = state // 2
            frames.setdefault(place, []).append(frame)
            peaks[place] = max(peaks.get(place, -math.inf), float(log_probs[frame, ids[place]]))
    words = []
    for is_gap, run in groupby(range(len(ids)), key=lambda place: ids[place] == SPACE):
        if not is_gap:
            places = list(run)
            around = [p for p in range(places[0] - 1, places[-1] + 2) if p in peaks]
            sounds_ln = sum(peaks[place] for place in around) / len(around)
            start, end = frames[places[0]][0], frames[places[-1]][-1] + 1
            words.append((start * FRAME_S, end * FRAME_S, sounds_ln))
    return [PlacedWord(said, *rest) for said, rest in zip(text.split(), words, strict=True)]


def _best_path(log_probs: np.ndarray, ids: list[int]) -> list[int]:
    """For every frame the CTC state it is in: 0 = blank before the first character, 1 = that character, …"""
    labels = np.full(2 * len(ids) + 1, BLANK)
    labels[1::2] = ids
    # From a character to the next without blank between, unless the two are the same.
    may_skip = np.zeros(len(labels), dtype=bool)
    may_skip[3::2] = labels[3::2] != labels[1:-2:2]

    score = np.full(len(labels), -np.inf)
    score[:2] = log_probs[0, labels[:2]]
    steps = np.zeros((len(log_probs), len(labels)), dtype=np.int8)
    for frame in range(1, len(log_probs)):
        from_previous = np.concatenate([[-np.inf], score[:-1]])
        from_before = np.where(may_skip, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        arrivals = np.stack([score, from_previous, from_before])
        steps[frame] = arrivals.argmax(axis=0)
        score = arrivals.max(axis=0) + log_probs[frame, labels]
    state = len(labels) - 1 if score[-1] >= score[-2] else len(labels) - 2
    path = [state]
    for frame in range(len(log_probs) - 1, 0, -1):
        state -= int(steps[frame, state])
        path.append(state)
    return path[::-1]
