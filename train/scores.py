"""The figures: word error rate, and what a table of emotion guesses is worth.

Pure functions over plain values, used by `train evaluate` and by tests.
"""

from collections.abc import Sequence

import numpy as np

from engine.ears.alphabet import normalise

CALIBRATION_BINS = 10


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """(edit distance in words, words in the reference), after lower-casing and removing punctuation."""
    wanted, given = normalise(reference).split(), normalise(hypothesis).split()
    previous = np.arange(len(given) + 1)
    for row, word in enumerate(wanted, start=1):
        substituted = previous[:-1] + np.array([word != other for other in given], dtype=int)
        current = np.empty_like(previous)
        current[0] = row
        np.minimum(previous[1:] + 1, substituted, out=current[1:])
        # An insertion costs one more than the cell to its left: a running minimum over the slope.
        steps = np.arange(len(given) + 1)
        previous = np.minimum.accumulate(current - steps) + steps
    return int(previous[-1]), len(wanted)


def emotion_scores(labels: Sequence[str], probabilities: np.ndarray, truth: Sequence[str]) -> dict:
    """UA, WA, macro-F1, expected calibration error and the confusion counts.

    probabilities: (n, len(labels)). Labels that never occur in `truth` are masked
    out and the rest renormalised, so a corpus is not punished for what it lacks.
    """
    present = [label for label in labels if label in set(truth)]
    kept = probabilities[:, [labels.index(label) for label in present]]
    kept = kept / kept.sum(axis=1, keepdims=True).clip(min=1e-12)
    wanted = np.array([present.index(label) for label in truth])
    guessed = kept.argmax(axis=1)
    confusion = np.zeros((len(present), len(present)), dtype=int)
    np.add.at(confusion, (wanted, guessed), 1)
    hits = confusion.diagonal()
    recall = hits / confusion.sum(axis=1)
    f1 = 2 * hits / (confusion.sum(axis=1) + confusion.sum(axis=0)).clip(min=1)
    return {
        "ua": float(recall.mean()),
        "wa": float(hits.sum() / len(wanted)),
        "macro_f1": float(f1.mean()),
        "ece": calibration_error(kept.max(axis=1), guessed == wanted),
        "n": len(wanted),
        "labels": present,
        "confusion": confusion.tolist(),
    }


def calibration_error(confidence: np.ndarray, is_right: np.ndarray) -> float:
    """Expected calibration error over ten equal bins of confidence (Guo et al. 2017)."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - is_right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))
