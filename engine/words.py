"""What words alone say about feeling: a light classifier over the text the ears wrote.

Called once per turn, spoken or typed; its scores are fused with the voice's in `engine.ser`. A linear
model over hashed words, word pairs and character n-grams (as in fastText, Joulin et al. 2016): it bears
the ears' misspellings, and an answer takes well under a millisecond. Made by `python -m train words`.
"""

import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.ears.alphabet import normalise
from engine.emotion import EMOTIONS
from engine.errors import PartMissing

WORDS_FILE = "words.npz"
FORMAT = 1

MAX_WORDS = 200
"""Feelings are told within that; a pasted novel must not take seconds."""

SHORT_WORDS = 3
MIN_KNOWN_SHARE = 0.5

_NEGATIONS = frozenset(["not", "no", "never", "nothing", "nobody", "neither", "nor", "without", "hardly"])
_NEGATION_REACH = 3
_CHARACTER_NGRAMS = (3, 4, 5)


class WordsEmotion:
    """Text → probability per label, or None where the words do not tell."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._weights: np.ndarray = tensors["weights"]  # (buckets, 7) int8
        self._scale: np.ndarray = tensors["scale"]  # (7,) of the weights, temperature included
        self._bias: np.ndarray = tensors["bias"]  # (7,)
        self._known = frozenset(tensors["known"].tobytes().decode("ascii").split("\n"))

    @classmethod
    def load(cls, folder: str | Path) -> "WordsEmotion":
        """From a folder of ours. Raises `PartMissing` when the file is missing or not one of ours."""
        path = Path(folder) / WORDS_FILE
        advice = "restore the file or make it with `python -m train words`."
        try:
            with np.load(path, allow_pickle=False) as file:
                tensors = dict(file)
        except (OSError, ValueError, EOFError) as error:
            raise PartMissing(f"{path}: the weights for feeling in words cannot be read; {advice}") from error
        if tensors.get("format") != FORMAT:
            raise PartMissing(f"{path}: written by another version of Attune; {advice}")
        return cls(tensors)

    def recognize(self, text: str) -> dict[str, float] | None:
        """Calibrated probabilities over `EMOTIONS`.

        None when there is nothing to tell from: no words, not English, or so few words that "neutral"
        would only mean "no idea" ("yes", "okay then").
        """
        words = normalise(text).split()[:MAX_WORDS]
        if not words or not self._is_english(words):
            return None
        probabilities = softmax(self.logits(words))
        if len(words) < SHORT_WORDS and EMOTIONS[int(probabilities.argmax())] == "neutral":
            return None
        return dict(zip(EMOTIONS, probabilities.tolist(), strict=True))

    def logits(self, words: list[str]) -> np.ndarray:
        """(7,) for normalised words."""
        rows = features(words, len(self._weights))
        summed = self._weights[rows].sum(axis=0, dtype=np.int32)
        return self._bias + self._scale * summed / np.sqrt(len(rows))

    def _is_english(self, words: list[str]) -> bool:
        return sum(word in self._known for word in words) >= MIN_KNOWN_SHARE * len(words)


def features(words: list[str], buckets: int) -> np.ndarray:
    """The rows of the weights that normalised words stand for, repeats included."""
    return np.fromiter((zlib.crc32(name.encode()) % buckets for name in _names(words)), dtype=np.int64)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _names(words: list[str]) -> Iterator[str]:
    """Every word with its character n-grams, or marked where a negation stands before it; every pair."""
    negated_until = 0
    for place, word in enumerate(words):
        if place < negated_until:
            yield f"!{word}"
        else:
            yield word
            framed = f"<{word}>"
            for length in _CHARACTER_NGRAMS:
                for start in range(len(framed) - length + 1):
                    yield f"#{framed[start : start + length]}"
        if word in _NEGATIONS or word.endswith("n't"):
            negated_until = place + 1 + _NEGATION_REACH
    for first, second in pairwise(words):
        yield f"{first} {second}"
