"""`python -m train fusion`: how far to trust the voice and how far the words.

Runs on the validation speakers and texts, after `feeling` and `words`; the weights of the log-linear fusion
go into `fusion.json`.

No corpus at hand has feeling in voice and words at once, so pairs are drawn: a
voice with feeling over neutral words, a neutral voice over words with feeling, both
agreeing, and neither with any. What carries the feeling must win.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine import quantised
from engine.ears import store
from engine.ears.feeling import FeelingHead, fold_calm
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.ser import Fusion
from engine.words import WordsEmotion
from train import recipe, texts
from train.evaluation import select
from train.evaluation.recogniser import Recogniser

Pair = tuple[dict[str, float], dict[str, float] | None, str]


@dataclass(frozen=True)
class FusionRecipe:
    """The keys of `train/recipes/fusion.yaml`, where each is explained."""

    seed: int
    pairs: int
    voice_weights: tuple[float, ...]
    words_weights: tuple[float, ...]
    neutral_doubts: tuple[float, ...]
    abstain_below: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/fusion.yaml"))
    parser.add_argument("--out", type=Path, default=Path("assets/mini"), help="folder with ears and words")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, FusionRecipe)
    chosen = argparse.Namespace(
        manifest=None, default_manifest="emotion.jsonl", split="validation", corpus="", ears=args.out
    )
    clips = select.clips(chosen)
    recogniser = Recogniser(FeelingHead.load(args.out), Fusion())
    heard = [(clip, recogniser.hear(voice)) for clip, voice in select.voices(args.out).of_all(clips)]
    voices = [(fold_calm(head), clip.emotion or "") for clip, head in heard if head is not None]
    pairs = draw_pairs(voices, _said(WordsEmotion.load(args.out)), settings)
    fusion, accuracy = best_fusion(pairs, settings)
    report = {
        "made_from": {
            "ears": quantised.digest(args.out, store.NAME),
            "recipe": asdict(settings),
            "accuracy": accuracy,
        }
    }
    (args.out / "fusion.json").write_text(
        json.dumps(asdict(fusion) | report, indent=2) + "\n", encoding="utf-8"
    )
    sys.stderr.write(json.dumps(asdict(fusion) | report) + "\n")


def draw_pairs(
    voices: Sequence[tuple[dict[str, float], str]],
    said: Sequence[tuple[dict[str, float] | None, str]],
    settings: FusionRecipe,
) -> dict[str, list[Pair]]:
    """{case: [(voice scores, words scores, what should be heard)]}."""
    rng = np.random.default_rng(settings.seed)

    def draw(pool: Sequence[tuple], label: str) -> dict[str, float] | None:
        matching = [scores for scores, own in pool if own == label]
        if not matching:
            raise BadInput(f"The validation data holds nothing that is {label}; it cannot set the fusion.")
        return matching[rng.integers(len(matching))]

    shared = [label for label in EMOTIONS[1:] if any(own == label for _, own in voices)]
    cases: dict[str, list[Pair]] = {"voice only": [], "words only": [], "both": [], "neither": []}
    for _ in range(settings.pairs):
        label = shared[rng.integers(len(shared))]
        cases["voice only"].append((draw(voices, label), draw(said, "neutral"), label))
        cases["words only"].append((draw(voices, "neutral"), draw(said, label), label))
        cases["both"].append((draw(voices, label), draw(said, label), label))
        cases["neither"].append((draw(voices, "neutral"), draw(said, "neutral"), "neutral"))
    return cases


def best_fusion(pairs: dict[str, list[Pair]], settings: FusionRecipe) -> tuple[Fusion, dict[str, float]]:
    """The weights of highest mean accuracy over the four cases, and the accuracy in each."""

    def accuracy(fusion: Fusion) -> dict[str, float]:
        return {
            case: float(np.mean([fusion.fuse(voice, words).label == label for voice, words, label in rows]))
            for case, rows in pairs.items()
        }

    grid = [
        Fusion(*weights, abstain_below=settings.abstain_below)
        for weights in itertools.product(
            settings.voice_weights, settings.words_weights, settings.neutral_doubts
        )
    ]
    best = max(grid, key=lambda fusion: sum(accuracy(fusion).values()))
    return best, {case: round(value, 4) for case, value in accuracy(best).items()}


def _said(words: WordsEmotion) -> list[tuple[dict[str, float] | None, str]]:
    """What the words classifier makes of held-out everyday lines, with the label people gave them."""
    lines = [
        (turn["text"], turn["emotion7"])
        for row in texts.rows("dailydialog", "valid")
        for turn in row["turns"]
    ]
    # EmpatheticDialogues labels the conversation; its first line is where the feeling is told.
    lines += [
        (row["turns"][0]["text"], row["emotion7"]) for row in texts.rows("empathetic_dialogues", "valid")
    ]
    return [(words.recognize(text), label) for text, label in lines]
