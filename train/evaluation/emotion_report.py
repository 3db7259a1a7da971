"""From a table of guesses to the figures of `evaluate ser`: the whole, and every group of clips.

Several tables of the same clips (the random orders of a causal baseline) are scored one by one and their
figures averaged: averaging the guesses themselves would flatter, as an ensemble does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from train.corpus import Clip
from train.evaluation import select
from train.evaluation.protocols import Protocol
from train.scores import emotion_calibration, emotion_scores

GROUPS: dict[str, Callable[[Clip], str]] = {
    "by_corpus": lambda clip: clip.corpus,
    "by_language": lambda clip: clip.language,
    "by_speaker": lambda clip: clip.speaker,
    "by_gender": lambda clip: clip.gender,
    "by_intensity": lambda clip: clip.intensity,
}


@dataclass(frozen=True, eq=False)
class Guesses:
    """What was made of clips that all have a label in `protocol`."""

    protocol: Protocol
    clips: Sequence[Clip]
    probabilities: np.ndarray  # (orders, n, labels)
    abstained: np.ndarray  # (orders, n) bool

    @classmethod
    def of(
        cls,
        orders: Iterable[tuple[np.ndarray, np.ndarray]],
        heard: Sequence[tuple[Clip, object]],
        protocol: Protocol,
    ) -> "Guesses":
        """`orders` are pairs of (n, labels) probabilities and (n,) abstentions."""
        probabilities, abstained = (np.array(parts) for parts in zip(*orders, strict=True))
        return cls(protocol, [clip for clip, _ in heard], probabilities, abstained)


def report(guesses: Guesses) -> dict:
    """The keys of `evaluate ser`; every group has those of the whole, up to `confusion`."""
    truth = [guesses.protocol.label(clip) for clip in guesses.clips]
    labels = guesses.protocol.labels

    def score(indices: Sequence[int]) -> dict:
        wanted = [truth[index] for index in indices]
        return _mean(
            [
                emotion_scores(labels, table[indices], wanted)
                | {"coverage": float(1 - unsure[indices].mean())}
                for table, unsure in zip(guesses.probabilities, guesses.abstained, strict=True)
            ]
        )

    every_order = np.concatenate(guesses.probabilities)
    return {
        **score(range(len(truth))),
        **{name: select.by(key, guesses.clips, score) for name, key in GROUPS.items()},
        "calibration": emotion_calibration(labels, every_order, truth * len(guesses.probabilities)),
    }


def head_report(clips: Sequence[Clip], head: np.ndarray, protocol: Protocol) -> dict:
    """The figures of a recogniser that gives (n, 8) probabilities and never abstains."""
    never = np.zeros((1, len(clips)), dtype=bool)
    return report(Guesses(protocol, clips, protocol.columns(head)[None], never))


def _mean(orders: Sequence[dict]) -> dict:
    """Of figures and of confusion counts; what does not depend on the order stays as it is."""
    mean = dict(orders[0])
    for key, value in mean.items():
        if isinstance(value, float):
            mean[key] = round(float(np.mean([order[key] for order in orders])), 4)
    if len(orders) > 1:
        mean["confusion"] = np.mean([order["confusion"] for order in orders], axis=0).tolist()
    return mean
