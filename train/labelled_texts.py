"""Written texts with the feeling they were said in, and the errors of the ears put into them.

Read by `train.words`. Each corpus is split by conversation: `train`, `calibration` (for the temperature)
and `test` (for the figures); the last two are halves of what its makers held out.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.ears.alphabet import normalise
from engine.emotion import EMOTIONS
from train import texts

Part = Literal["train", "calibration", "test"]


@dataclass(frozen=True)
class LabelledText:
    """`kind` is a key of the recipe's `trust`; `is_loose` marks labels that were mapped from afar."""

    words: tuple[str, ...]
    label: int  # place in EMOTIONS
    corpus: str
    kind: str
    is_loose: bool = False

    def weight(self, trust: Mapping[str, float]) -> float:
        return trust[self.kind] * (trust["loose"] if self.is_loose else 1.0)


def read(part: Part) -> list[LabelledText]:
    """Every labelled text of one part; texts without any word of the alphabet are left out."""
    return [text for text in _all(part) if text.words]


def corrupted(
    words: tuple[str, ...], dropped: float, misspelt: float, rng: np.random.Generator
) -> tuple[str, ...]:
    """`words` with some lost and some misspelt; at least one is left."""
    kept = [word for word, chance in zip(words, rng.random(len(words)), strict=True) if chance >= dropped]
    chances = rng.random(len(kept))
    return (
        tuple(
            _misspelt(word, rng) if chance < misspelt else word
            for word, chance in zip(kept, chances, strict=True)
        )
        or words[:1]
    )


def _misspelt(word: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(len(word)))
    middle = rng.choice(["", word[place] * 2, "etaoinshrdlu"[int(rng.integers(12))]])
    return f"{word[:place]}{middle}{word[place + 1 :]}" or word


def _all(part: Part) -> Iterator[LabelledText]:
    for corpus in texts.CORPORA:
        # Topical-Chat comes as one split.
        splits = ("train",) if part == "train" or corpus == "topical_chat" else ("valid",)
        for split in splits:
            for row in texts.rows(corpus, split):
                if _part_of(corpus, row) == part:
                    yield from _texts_of(corpus, row)


def _part_of(corpus: str, row: dict) -> Part:
    if corpus == "topical_chat":
        bucket = zlib.crc32(row["id"].rsplit("-", 1)[0].encode()) % 10
        return {0: "calibration", 1: "test"}.get(bucket, "train")
    if row["split"] == "train":
        return "train"
    return "test" if zlib.crc32(row["id"].encode()) % 2 else "calibration"


def _texts_of(corpus: str, row: dict) -> Iterator[LabelledText]:
    if corpus != "empathetic_dialogues":
        for turn in row.get("turns", [row]):
            yield _labelled(turn["text"], turn["emotion7"], corpus, "single")
        return
    is_loose = row["map"] != "direct"
    yield _labelled(row["situation"], row["emotion7"], corpus, "situation", is_loose)
    said = [turn["text"] for turn in row["turns"] if turn["role"] == "user"]
    for place, text in enumerate(said):
        kind = "later_turn" if place else "first_turn"
        yield _labelled(text, row["emotion7"], corpus, kind, is_loose)


def _labelled(text: str, emotion: str, corpus: str, kind: str, is_loose: bool = False) -> LabelledText:
    return LabelledText(tuple(normalise(text).split()), EMOTIONS.index(emotion), corpus, kind, is_loose)
