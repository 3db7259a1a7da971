"""`python -m train turns`: learn to tell the end of a turn from a pause, from the states of finished ears.

Runs whenever the ears change; half an hour, and two minutes once the sentences were heard. Writes `turns.npz`
and its record `turns.json` beside the ears. See `tests/bench/turns.py` for what it is worth.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import engine
from engine.ears import beside, store
from engine.turns.ours import FORMAT, TURNS_FILE, EndModel
from engine.turns.words import CanEnd
from train import marked_texts, recipe, turn_taking
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import select
from train.linear_table import TableOptions
from train.memo import key_of
from train.splits import Split
from train.turn_taking.can_end import fit_can_end
from train.turn_taking.fit import FitOptions, fit
from train.turn_taking.lessons import IS_END, IS_NATURAL, IS_PAUSE, LessonOptions, Lessons, Take
from train.turn_taking.waits import Rehearsal, WaitOptions, choose
from train.voices import LISTENING_CODE

LESSON_CODE = tuple(
    Path(package.__file__).parent / name
    for package, names in (
        (engine, ("ears/ending.py", "turns/prosody.py", "turns/words.py", "turns/activity.py")),
        (turn_taking, ("lessons.py", "rehearsal.py", "scenes.py", "simulate.py", "stage.py")),
    )
    for name in names
)

OTHER = "other"
"""Corpora that the recipe does not name."""


@dataclass(frozen=True)
class TurnsRecipe:
    """The keys of `train/recipes/turns.yaml`, where each is explained."""

    seed: int
    corpora: tuple[str, ...]
    buckets: int
    words: Mapping[str, float]
    clips: Mapping[str, Sequence[int]]
    takes: int
    settings: Mapping[str, float]
    snr_db: tuple[float, float]
    pause_s: tuple[float, float, float]
    natural_pause_weight: float
    unsure_ends: tuple[str, ...]
    unsure_end_weight: float
    fit: Mapping[str, float]
    waits: Mapping[str, object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/turns.yaml"))
    parser.add_argument("--from", dest="start", type=Path, required=True, help="folder of the ears")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, TurnsRecipe)
    fitting = recipe.build(dict(settings.fit), FitOptions, where="fit")
    waiting = recipe.build(dict(settings.waits), WaitOptions, where="waits")
    words = _words(settings)
    lessons = _lessons(args.start, settings, words)
    training = lessons.of(_clips("train", settings), "train")
    validation = lessons.of(_clips("validation", settings), "validation")
    tensors = {**words, **fit(*_examples(training, settings), fitting)}
    untimed = EndModel({**tensors, "levels": np.zeros(0), "waits_s": np.zeros(0)})
    whole = [take for take in validation if take.clip.corpus not in settings.unsure_ends]
    log_odds = [untimed.judge(take.features.astype(np.float32)) for take in whole]
    rehearsal = Rehearsal.of(whole, log_odds)
    waits = choose(rehearsal, waiting)
    timed = {"levels": np.array(waits.log_odds), "waits_s": np.array(waits.waits_s)}
    beside.save(args.start / TURNS_FILE, FORMAT, {**tensors, **timed})
    scores = {
        **asdict(rehearsal.measure(waits, waiting.cut_costs_s)),
        "taken_for_the_end_at_once": _quick(whole, log_odds, waits.log_odds[0]),
        "takes": len(whole),
    }
    record = {
        "ears": store.read_record(args.start)["sha256"],
        "recipe": asdict(settings),
        "takes": len(training),
        "waits": asdict(waits),
        "validation": scores,
    }
    (args.start / "turns.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(json.dumps(record["validation"]) + "\n")


def _words(settings: TurnsRecipe) -> dict[str, np.ndarray]:
    options = recipe.build(dict(settings.words), TableOptions, where="words")
    return fit_can_end(marked_texts.read(settings.corpora, "train"), settings.buckets, options)


def _lessons(folder: Path, settings: TurnsRecipe, words: Mapping[str, np.ndarray]) -> Lessons:
    options = LessonOptions(settings.takes, settings.settings, settings.snr_db, settings.pause_s)
    ears, told = select.ears(folder), f"{options} {settings.corpora} {settings.buckets} {settings.words}"
    key = key_of(store.read_record(folder)["sha256"], ears.detector.name, told, *LISTENING_CODE, *LESSON_CODE)
    return Lessons(ears, CanEnd(words), options, key)


def _clips(split: Split, settings: TurnsRecipe) -> list[Clip]:
    """Of each corpus as many as the recipe wants, always the same."""
    rng = np.random.default_rng(settings.seed)
    by_corpus: dict[str, list[Clip]] = defaultdict(list)
    for name in ("speech.jsonl", "emotion.jsonl", "voice.jsonl"):
        for clip in read_manifest(data_folder() / name):
            if clip.split == split:
                by_corpus[clip.corpus].append(clip)
    chosen = []
    for corpus, clips in sorted(by_corpus.items()):
        most = settings.clips.get(corpus, settings.clips[OTHER])[split != "train"]
        chosen += [clips[place] for place in rng.permutation(len(clips))[:most]]
    return chosen


def _examples(takes: Sequence[Take], settings: TurnsRecipe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, whether the turn is over, and how much each example counts."""
    features = np.concatenate([take.features for take in takes]).astype(np.float32)
    kinds = np.concatenate([take.kinds for take in takes])
    is_unsure = np.concatenate([np.full(len(t.kinds), t.clip.corpus in settings.unsure_ends) for t in takes])
    weights = np.where(kinds == IS_NATURAL, settings.natural_pause_weight, 1.0)
    weights[is_unsure & (kinds == IS_END)] = settings.unsure_end_weight
    return features, kinds == IS_END, weights


def _quick(takes: Sequence[Take], log_odds: Sequence[np.ndarray], level: float) -> dict[str, float]:
    """The share of ends, of pauses put in, and of pauses that speakers made, that are waited for shortest."""
    kinds, odds = np.concatenate([take.kinds for take in takes]), np.concatenate(log_odds)
    names = {IS_END: "ends", IS_PAUSE: "inserted_pauses", IS_NATURAL: "natural_pauses"}
    return {name: round(float((odds[kinds == kind] >= level).mean()), 4) for kind, name in names.items()}
