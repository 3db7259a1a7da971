"""How often ordinary reading is called emotional: the mistake that people notice first."""

from collections.abc import Sequence

import numpy as np

from engine.emotion import EMOTIONS
from train.evaluation import select
from train.evaluation.protocols import PROTOCOLS
from train.evaluation.recogniser import Heard, Recogniser

SEVEN = PROTOCOLS["7"]


def false_alarms(recogniser: Recogniser, read: Heard, kind: str) -> dict:
    """`{non_neutral, sure, n, by_corpus}` of natural reading, heard with that kind of baseline.

    `non_neutral` is the share whose best label is not neutral, `sure` that of those which are shown as heard.
    """
    guesses = list(recogniser.guess_all(read, SEVEN, kind))
    wrong = np.array([table.argmax(axis=1) != EMOTIONS.index("neutral") for table, _ in guesses])
    sure = wrong & ~np.array([abstained for _, abstained in guesses])

    def rates(indices: Sequence[int]) -> dict:
        return {
            "non_neutral": round(float(wrong[:, indices].mean()), 4),
            "sure": round(float(sure[:, indices].mean()), 4),
            "n": len(indices),
        }

    clips = [clip for clip, _ in read]
    return {**rates(range(len(clips))), "by_corpus": select.by(lambda clip: clip.corpus, clips, rates)}
