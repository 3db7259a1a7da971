"""`evaluate robustness`: words and feeling in noise and over the telephone, and false alarms on reading.

On the data folder's test speakers: UA on `emotion.jsonl` (protocol 7), word error rate on LibriSpeech, and
how often natural reading of `speech.jsonl` is called emotional. `ser` and `captions` take `--noise-db` and
`--phone` for any other manifest.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from train.conditions import CURVE, Condition
from train.corpus import data_folder, read_manifest
from train.evaluation import captions, select, speakers
from train.evaluation.false_alarms import SEVEN, false_alarms
from train.evaluation.recogniser import Recogniser

READ_CLIPS = 300
"""Enough reading to tell 10 % of false alarms from 15."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_ears_argument(parser)
    parser.add_argument("--baseline", choices=speakers.KINDS, default="none", help="of the UA in noise")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> None:
    problems = select.Problems(as_json=args.json)
    report = measure(args.ears, args.baseline, problems)
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _show(report)
    problems.raise_if_any()


def measure(
    ears_folder: Path, kind: str, problems: select.Problems, curve: Sequence[Condition] = CURVE
) -> dict:
    """`{conditions: {name: {ua, coverage, wer}}, false_alarms: {baseline: …}, n, n_words}`."""
    manifest = read_manifest(data_folder() / "emotion.jsonl")
    felt = [clip for clip in manifest if clip.split == "test"]
    read = [clip for clip in read_manifest(data_folder() / "speech.jsonl") if clip.split == "test"]
    spoken = [clip for clip in read if clip.corpus.startswith("librispeech")]
    recogniser = Recogniser.load(ears_folder)
    voices, ears = select.voices(ears_folder), select.ears(ears_folder)
    figures = {}
    for condition in curve:
        heard = voices.of_all(felt, condition, problems.add)
        feeling = recogniser.measure(heard, SEVEN, kind)
        words = captions.measure(ears, spoken, {"beam": captions.beam(ears)}, condition, problems)["beam"]
        figures[condition.name] = {key: feeling[key] for key in ("ua", "coverage")} | {"wer": words["wer"]}
    heard = voices.of_all(read[:READ_CLIPS], on_bad=problems.add)
    kinds = dict.fromkeys(("none", kind))
    return {
        "conditions": figures,
        "false_alarms": {name: false_alarms(recogniser, heard, name) for name in kinds},
        "n": len(felt),
        "n_words": len(spoken),
    }


def _show(report: dict) -> None:
    write = sys.stdout.write
    write(f"{'':<12}{'UA':>8}{'coverage':>10}{'WER':>8}\n")
    for name, row in report["conditions"].items():
        write(f"{name:<12}{row['ua']:>8.1%}{row['coverage']:>10.1%}{row['wer']:>8.1%}\n")
    for name, row in report["false_alarms"].items():
        write(
            f"reading not heard as neutral, baseline {name}: {row['non_neutral']:.1%} "
            f"({row['sure']:.1%} surely) of {row['n']}\n"
        )
