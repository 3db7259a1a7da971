"""`python -m train feeling`: learn to hear feeling against a speaker's own voice.

Runs on finished ears, and again whenever they change; a minute, once their voices are cached (half an hour
on two cores). Writes `feeling.npz`, its record `feeling.json`, and for `train.finetune`
`feeling_spread.npz`, beside the ears.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.errors import BadInput
from engine.ser import Fusion
from train import feeling_spread, recipe
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import select, speakers
from train.evaluation.false_alarms import SEVEN, false_alarms
from train.evaluation.recogniser import Recogniser
from train.feeling_fit import FeelingRecipe, Turn, fit
from train.sittings import SittingOptions, again
from train.voices import Voices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/feeling.yaml"))
    parser.add_argument("--from", dest="start", type=Path, required=True, help="folder of the ears")


def run(args: argparse.Namespace) -> None:
    settings, voices = recipe.load(args.recipe, FeelingRecipe), select.voices(args.start)
    turns = lesson_turns(voices, settings, lambda clip: clip.split == "train")
    if not turns:
        raise BadInput("The data folder has no training speakers to learn feeling from.")
    head = fit(turns, settings)
    head.save(args.start)
    feeling_spread.save(feeling_spread.spread(head, turns, settings), args.start)
    report = {
        "ears": store.read_record(args.start)["sha256"],
        "recipe": asdict(settings),
        "turns": len(turns),
        "validation": measured(Recogniser(head, Fusion()), voices),
    }
    (args.start / "feeling.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(json.dumps(report["validation"]) + "\n")


def lesson_turns(voices: Voices, settings: FeelingRecipe, wanted: Callable[[Clip], bool]) -> list[Turn]:
    """What to learn from, as recorded and in other sittings: labelled clips and some natural reading.

    Those that are `wanted`; speakers kept for choosing and measuring are only heard as recorded.
    """
    labelled = [clip for clip in read_manifest(data_folder() / "emotion.jsonl") if wanted(clip)]
    clips = labelled + [clip for clip in reading(settings) if wanted(clip)]
    options = recipe.build(dict(settings.sittings), SittingOptions, where="sittings")
    elsewhere = again([clip for clip in clips if clip.split == "train"], options, settings.seed)
    heard = [(clip, voice, 0) for clip, voice in voices.of_all(clips)]
    numbers = [sitting.number for _, sitting in elsewhere]
    heard += [
        (clip, voice, number)
        for (clip, voice), number in zip(voices.of_each(elsewhere, "other sittings"), numbers, strict=True)
    ]
    return [Turn(clip, voice.vector, number) for clip, voice, number in heard if voice.vector is not None]


def reading(settings: FeelingRecipe) -> Sequence[Clip]:
    """Short natural reading of training speakers, always the same."""
    short = [
        clip
        for clip in read_manifest(data_folder() / "speech.jsonl")
        if clip.split == "train" and clip.duration_s <= settings.neutral_clip_s
    ]
    drawn = np.random.default_rng(settings.seed).permutation(len(short))[: settings.neutral_clips]
    return [short[index] for index in drawn]


def measured(recogniser: Recogniser, voices: Voices) -> Mapping[str, dict]:
    """What the head is worth on validation speakers, by the baseline it hears them with."""
    heard, read = (
        voices.of_all([clip for clip in read_manifest(data_folder() / name) if clip.split == "validation"])
        for name in ("emotion.jsonl", "speech.jsonl")
    )
    figures = {}
    for kind in speakers.KINDS:
        report = recogniser.measure(heard, SEVEN, kind) if heard else {}
        figures[kind] = {name: report[name] for name in ("ua", "ece") if name in report}
        if read:
            figures[kind]["false_alarms"] = false_alarms(recogniser, read, kind)["non_neutral"]
    return figures
