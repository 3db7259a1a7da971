"""Recognised words as a person would write them: full stops, question marks, commas and capitals.

Called once per turn on the text that the beam found; takes about 1 ms. The ears' alphabet has
neither case nor marks, but whoever reads (the page, the history, the mind) misses them. Three linear models
over hashed words, as in `engine.words`: what follows a word, whether a sentence asks, and how a word is
spelled. Made by `python -m train punctuation`. Nothing else changes: `normalise` gives the words back.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.ears.linear_table import LinearTable
from engine.errors import PartMissing

PUNCTUATION_FILE = "punctuation.npz"
FORMAT = 1

NOTHING, COMMA, STOP = range(3)
"""What follows a word."""
LOWER, TITLE, UPPER = range(3)
"""How a word is spelled."""

ALWAYS_CAPITAL = frozenset(["i", "i'm", "i've", "i'll", "i'd"])
_EDGE = "|"


class Punctuation:
    """Linear tables: rows of int8 weights for hashed features, one column per class."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._follows = LinearTable(tensors, "follows")
        self._asks = LinearTable(tensors, "asks")
        self._spelled = LinearTable(tensors, "spelled")

    @classmethod
    def load(cls, folder: Path) -> "Punctuation":
        """From a folder of ours. Raises `PartMissing` when the file is missing or not one of ours."""
        path = folder / PUNCTUATION_FILE
        advice = "restore the file or make it with `python -m train punctuation`."
        try:
            with np.load(path, allow_pickle=False) as file:
                tensors = dict(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise PartMissing(f"{path}: the weights for punctuation cannot be read; {advice}") from error
        if tensors.get("format") != FORMAT:
            raise PartMissing(f"{path}: written by another version of Attune; {advice}")
        return cls(tensors)

    def written(self, text: str) -> str:
        """`text` in the ears' alphabet → the same words with marks and capitals."""
        words = text.split()
        if not words:
            return ""
        marks = [self._follows.best(bag) for bag in gap_features(words)]
        marks[-1] = STOP
        spellings = [self._spelled.best(bag) for bag in spelling_features(words)]
        said = []
        for start, end in sentences(marks):
            asks = self._asks.best(sentence_features(words[start:end]))
            spellings[start] = max(spellings[start], TITLE)
            for place in range(start, end):
                mark = ("", ",", ".?"[asks])[marks[place]]
                said.append(_spelled(words[place], spellings[place]) + mark)
        return " ".join(said)


def sentences(marks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to where each sentence goes, by what follows each word; the last must be a stop."""
    start = 0
    for place, mark in enumerate(marks):
        if mark == STOP:
            yield start, place + 1
            start = place + 1


def gap_features(words: Sequence[str]) -> Iterator[Iterator[str]]:
    """For every word what bears on the mark after it: three words before, three behind."""
    framed = [_EDGE] * 3 + list(words) + [_EDGE] * 3
    for place in range(3, len(framed) - 3):
        yield _around(*framed[place - 2 : place + 4], distance=min(place - 3, 5))


def _around(c: str, b: str, a: str, x: str, y: str, z: str, *, distance: int) -> Iterator[str]:
    """… c b a | x y z …: words and pairs and triples by their place."""
    yield from (f"a{a}", f"b{b}", f"x{x}", f"y{y}", f"d{distance}")
    yield from (f"ba{b} {a}", f"ax{a} {x}", f"xy{x} {y}", f"bx{b} {x}", f"ay{a} {y}")
    yield from (f"cba{c} {b} {a}", f"bax{b} {a} {x}", f"axy{a} {x} {y}", f"xyz{x} {y} {z}")
    yield from (f"baxy{b} {a} {x} {y}", f"s{a[-3:]} {x[-3:]}", f"ad{a} {distance}")


def sentence_features(words: Sequence[str]) -> Iterator[str]:
    """What bears on whether a sentence asks: how it begins and ends, its words and pairs."""
    for count in (1, 2, 3):
        yield f"^{' '.join(words[:count])}"
        yield f"${' '.join(words[-count:])}"
    yield f"n{min(len(words), 12)}"
    for first, second in zip(words, [*words[1:], _EDGE], strict=True):
        yield first
        yield f"{first} {second}"


def spelling_features(words: Sequence[str]) -> Iterator[Iterator[str]]:
    """For every word what bears on its capitals."""
    framed = [_EDGE, *words, _EDGE]
    for place in range(1, len(framed) - 1):
        yield _beside(*framed[place - 1 : place + 2])


def _beside(before: str, word: str, after: str) -> Iterator[str]:
    yield from (f"w{word}", f"b{before}", f"a{after}", f"bw{before} {word}", f"wa{word} {after}")
    yield from (f"s{word[-4:]}", f"s{word[-3:]}", f"p{word[:3]}")


def _spelled(word: str, spelling: int) -> str:
    if word in ALWAYS_CAPITAL or spelling == TITLE:
        return word[0].upper() + word[1:]
    return word.upper() if spelling == UPPER else word
