"""`python -m train punctuation`: written dialogues → marks and capitals for recognised words.

Writes `punctuation.npz` (read by `engine.ears.punctuation`) and `punctuation.json` with the recipe and its
figures on texts that were held out. Takes about two minutes on one core.
"""

import argparse
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.ears import punctuation as runtime
from engine.ears.linear_table import rows
from engine.ears.punctuation import (
    LOWER,
    Punctuation,
    gap_features,
    sentence_features,
    sentences,
    spelling_features,
)
from train import marked_texts, recipe
from train.linear_table import Bags, TableOptions, fit
from train.marked_texts import UNKNOWN_SPELLING, MarkedText

log = logging.getLogger(__name__)

CLASSES = {"follows": 3, "asks": 2, "spelled": 3}


@dataclass(frozen=True)
class PunctuationRecipe:
    """The keys of `train/recipes/punctuation.yaml`, where each is explained."""

    seed: int
    corpora: tuple[str, ...]
    buckets: Mapping[str, int]
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    misheard_share: float
    misheard_words: float

    @property
    def table(self) -> TableOptions:
        return TableOptions(self.seed, self.epochs, self.batch, self.learning_rate, self.weight_decay)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/punctuation.yaml"))
    parser.add_argument("--out", type=Path, required=True, help="folder for punctuation.npz and .json")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, PunctuationRecipe)
    training = _with_misheard(marked_texts.read(settings.corpora, "train"), settings)
    tensors = {"format": np.array(runtime.FORMAT)}
    for name, examples in EXAMPLES.items():
        buckets = settings.buckets[name]
        tensors |= fit(name, examples(training, buckets), buckets, CLASSES[name], settings.table)
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out / runtime.PUNCTUATION_FILE, **tensors)
    model = Punctuation.load(args.out)
    scores = {
        corpus: measure(model, marked_texts.read([corpus], "valid"))
        for corpus in ("empathetic_dialogues", "dailydialog", "meld")
    }
    report = {"recipe": asdict(settings), "scores": scores}
    (args.out / "punctuation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for corpus, figures in scores.items():
        log.info("%s %s", corpus, figures)


def _gaps(texts: Sequence[MarkedText], buckets: int) -> Bags:
    bags = [rows(bag, buckets) for text in texts for bag in gap_features(text.words)]
    return Bags.of(bags, [mark for text in texts for mark in text.marks])


def _sentences(texts: Sequence[MarkedText], buckets: int) -> Bags:
    bags, labels = [], []
    for text in texts:
        for start, end in sentences(text.marks):
            bags.append(rows(sentence_features(text.words[start:end]), buckets))
            labels.append(text.asks[end - 1])
    return Bags.of(bags, labels)


def _spellings(texts: Sequence[MarkedText], buckets: int) -> Bags:
    bags, labels = [], []
    for text in texts:
        for bag, spelling in zip(spelling_features(text.words), text.spellings, strict=True):
            if spelling != UNKNOWN_SPELLING:
                bags.append(rows(bag, buckets))
                labels.append(spelling)
    return Bags.of(bags, labels)


EXAMPLES: Mapping[str, Callable[[Sequence[MarkedText], int], Bags]] = {
    "follows": _gaps,
    "asks": _sentences,
    "spelled": _spellings,
}


def measure(model: Punctuation, held_out: Sequence[MarkedText]) -> dict[str, float]:
    """F1 of each mark at its place, and how often words inside sentences are spelled right.

    `names_recall` is of the words that have capitals, "I" apart.
    """
    signs, spellings, names = [], [], []
    for truth in held_out:
        found = marked_texts.parse(model.written(" ".join(truth.words)))
        signs += zip(found.signs, truth.signs, strict=True)
        for word, *pair in zip(truth.words, found.spellings, truth.spellings, strict=True):
            if UNKNOWN_SPELLING not in pair:
                spellings.append(pair[0] == pair[1])
                if pair[1] != LOWER and word not in runtime.ALWAYS_CAPITAL:
                    names.append(pair[0] == pair[1])
    return {
        **{f"f1 {sign}": round(_f1(signs, sign), 4) for sign in ".?,"},
        "spelling_accuracy": round(float(np.mean(spellings)), 4),
        "names_recall": round(float(np.mean(names)), 4),
        "n": len(held_out),
    }


def _f1(pairs: Sequence[tuple[str, str]], sign: str) -> float:
    """Of (found, true) pairs: twice the hits over all that were found and all that there are."""
    hits = sum(found == true == sign for found, true in pairs)
    return 2 * hits / max(sum((found == sign) + (true == sign) for found, true in pairs), 1)


def _with_misheard(texts: list[MarkedText], settings: PunctuationRecipe) -> list[MarkedText]:
    rng = np.random.default_rng(settings.seed)
    others = [word for text in texts for word in text.words]
    chosen = rng.random(len(texts)) < settings.misheard_share
    return [
        text.misheard(settings.misheard_words, others, rng) if is_chosen else text
        for text, is_chosen in zip(texts, chosen, strict=True)
    ]
