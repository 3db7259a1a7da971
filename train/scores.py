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
    present, kept, wanted = _masked(labels, probabilities, truth)
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


def emotion_calibration(
    labels: Sequence[str], probabilities: np.ndarray, truth: Sequence[str]
) -> list[dict[str, float]]:
    """The calibration curve of the same table, see `calibration_curve`."""
    _, kept, wanted = _masked(labels, probabilities, truth)
    return calibration_curve(kept.max(axis=1), kept.argmax(axis=1) == wanted)


def calibration_curve(confidence: np.ndarray, is_right: np.ndarray) -> list[dict[str, float]]:
    """`{confidence, accuracy, n}` of each of ten equal bins of confidence that holds anything."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == b].mean()),
            "accuracy": float(is_right[bins == b].mean()),
            "n": int((bins == b).sum()),
        }
        for b in np.unique(bins)
    ]


def calibration_error(confidence: np.ndarray, is_right: np.ndarray) -> float:
    """Expected calibration error over those bins (Guo et al. 2017)."""
    curve = calibration_curve(confidence, is_right)
    return sum(b["n"] * abs(b["confidence"] - b["accuracy"]) for b in curve) / len(confidence)


def _masked(
    labels: Sequence[str], probabilities: np.ndarray, truth: Sequence[str]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The labels that occur, (n, present) probabilities of these alone, and the (n,) indices of the truth."""
    present = [label for label in labels if label in set(truth)]
    kept = probabilities[:, [labels.index(label) for label in present]]
    kept = kept / kept.sum(axis=1, keepdims=True).clip(min=1e-12)
    return present, kept, np.array([present.index(label) for label in truth])
