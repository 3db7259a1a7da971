"""Written dialogues as the ears would hear them, with the marks and capitals that were lost.

Read by `train.punctuation`. Only carefully written texts teach marks: one that does not end with a mark, or
says "i", is left out, and so is one with digits, since nobody knows how they would be said.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.ears.alphabet import normalise
from engine.ears.punctuation import COMMA, LOWER, NOTHING, STOP, TITLE, UPPER
from train import texts

UNKNOWN_SPELLING = -1
"""Of a sentence's first word, which would have a capital anyway."""

_CARELESS = re.compile(r"\d|[\[\]_<>{}@#/\\]|\bi\b|https?:")
_PIECE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]+")
_TITLES = frozenset(["mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs"])


@dataclass(frozen=True)
class MarkedText:
    """The words of one turn; what follows each, whether that stop asks, and how each is spelled."""

    words: tuple[str, ...]
    marks: tuple[int, ...]
    asks: tuple[bool, ...]
    spellings: tuple[int, ...]

    @property
    def signs(self) -> list[str]:
        """What follows each word: "", ",", "." or "?"."""
        pairs = zip(self.marks, self.asks, strict=True)
        return [("", ",", ".?"[asks])[mark] for mark, asks in pairs]

    def misheard(self, share: float, others: Sequence[str], rng: np.random.Generator) -> "MarkedText":
        """With a share of its words replaced by `others`."""
        chosen = rng.random(len(self.words)) < share
        words = [
            others[rng.integers(len(others))] if is_wrong else word
            for word, is_wrong in zip(self.words, chosen, strict=True)
        ]
        spellings = [
            UNKNOWN_SPELLING if is_wrong else spelling
            for spelling, is_wrong in zip(self.spellings, chosen, strict=True)
        ]
        return MarkedText(tuple(words), self.marks, self.asks, tuple(spellings))


def read(corpora: Iterable[str], split: texts.TextSplit) -> list[MarkedText]:
    """The carefully written turns of some corpora."""
    return [
        marked
        for corpus in corpora
        for text in texts.turns(corpus, split)
        if not _CARELESS.search(text) and (marked := parse(text))
    ]


def parse(text: str) -> MarkedText | None:
    """None where the text does not end with a mark, or holds words outside the alphabet."""
    words, between = [], []
    for piece in _PIECE.findall(text):
        if piece[0].isalpha():
            words.append(piece)
            between.append("")
        elif words:
            between[-1] += piece
    plain = [normalise(word) for word in words]
    is_spelled = all(word and " " not in word for word in plain)
    if not words or not is_spelled or not re.search(r"[.!?…]", between[-1]):
        return None
    marks = [
        _mark(word, marks, following)
        for word, marks, following in zip(plain, between, [*words[1:], "I"], strict=True)
    ]
    asks = ["?" in marks for marks in between]
    return MarkedText(tuple(plain), tuple(marks), tuple(asks), tuple(_spellings(words, marks)))


def _mark(word: str, written: str, following: str) -> int:
    if re.search(r"[.!?…]", written) and word not in _TITLES:
        # "..." inside a sentence is a pause, and so is a stop before a small letter.
        return STOP if "?" in written or following[0].isupper() else COMMA
    return COMMA if re.search(r"[,;:–—]|--", written) else NOTHING


def _spellings(words: Sequence[str], marks: Sequence[int]) -> Iterator[int]:
    is_first = True
    for word, mark in zip(words, marks, strict=True):
        if is_first:
            yield UNKNOWN_SPELLING
        elif len(word) > 1 and word.isupper():
            yield UPPER
        else:
            yield TITLE if word[0].isupper() else LOWER
        is_first = mark == STOP
