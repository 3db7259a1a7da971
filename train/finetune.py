"""`python -m train finetune`: a profile that hears feeling as one person says they felt it.

Reads recordings with labels, as the page keeps corrections or as anybody writes them, and makes a folder
that `python app.py --profile FOLDER` talks with. Seconds on any machine; always from the shipped weights, so
that the same recordings make the same folder and a growing collection does not drift.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.ears import store
from engine.ears.feeling import FEELING_FILE, FeelingHead
from engine.emotion import EMOTIONS
from engine.facade import MINI
from engine.ser import Fusion
from engine.words import WordsEmotion
from train import feeling_spread, recipe, result_folder
from train.agreement import Agreement, Listener
from train.corpus import Clip
from train.evaluation import select
from train.evaluation.recogniser import FUSION_FILE
from train.feeling_fit import Turn
from train.finetune_feeling import FeelingOptions, tuned
from train.own_recordings import Manifest, Recording

REPORT = "report.json"
FILES = ("profile.yaml", FEELING_FILE, REPORT, "README.md")

PROFILE = """\
# Attune's profile `mini` with a head of your own that hears feeling, made by `python -m train finetune`.
# To have it in another profile, write that one's name (standard, blsp-emo-7b) after `extends`.
extends: mini
feeling: .
"""
"""Without any path that leads out of its folder: that may be moved, and so may Attune."""

CARD = """\
# Hears feeling as one person felt it

`{file}` was made by `python -m train finetune` from {n} recordings of a person's own ({labels}), starting
from the head that Attune ships and drawn back to it. It fits the ears with the sha256 `{ears}` alone.

Of these recordings {before} were heard as they are labelled before, and {after} by heads that learned from
the others alone (`{report}`). Where they were chosen because they had been heard wrongly, the first figure
is low for that reason.

- No sound and no word of the recordings is in this folder, but its weights were made from a person's voice
  and feelings: treat them as that person's own.
- The shipped weights are for non-commercial use, because of the recordings they were trained on
  (`assets/LICENSE` and MODEL_CARD.md of Attune), and so are these.
- It is meant for this person. How it hears others was measured in simulation alone, see MODEL_CARD.md.
"""


@dataclass(frozen=True)
class FinetuneRecipe:
    """The keys of `train/recipes/tiny.yaml`, where each is explained."""

    seed: int
    longest_s: float
    feeling: Mapping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("tiny"))
    parser.add_argument(
        "--manifest", type=Path, required=True, help="JSON lines {audio, text, emotion, …}, or their folder"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, default=Path("assets/mini"), help="folder of the ears"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the profile it makes")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, FinetuneRecipe)
    options = recipe.build(dict(settings.feeling), FeelingOptions, where="feeling")
    result_folder.check(args.out, FILES, REPORT)
    head, spread = FeelingHead.load(args.start), feeling_spread.load(args.start)
    listener = Listener(Fusion.load(args.start / FUSION_FILE), WordsEmotion.load(args.start))
    recordings = Manifest(args.manifest, select.ears(args.start), settings.longest_s).recordings()

    def learned(taught: Sequence[Recording]) -> FeelingHead:
        return tuned(head, [_turn(each) for each in taught], spread, options, settings.seed)

    before = listener.labels(head, recordings)
    after = listener.held_out_labels(learned, recordings)
    report = _report(recordings, before, after)
    ears = store.read_record(args.start)["sha256"]
    with result_folder.replacing(args.out) as folder:
        learned(recordings).save(folder, ears=args.start)
        (folder / "profile.yaml").write_text(_profile(args.start.resolve()), encoding="utf-8")
        (folder / "README.md").write_text(_card(ears, report["agreement"]), encoding="utf-8")
        made = {"recipe": asdict(settings), "ears": ears, **report}
        (folder / REPORT).write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stderr.write(_closing(args.out, report["agreement"]) + "\n")


def _profile(ears: Path) -> str:
    """Ears other than those of `mini` are named in it."""
    named = "" if ears == MINI.resolve() else f"ears: {json.dumps({'kind': 'mini', 'folder': str(ears)})}\n"
    return PROFILE + named


def _turn(recording: Recording) -> Turn:
    """A person's recordings are a corpus of their own: what it has no label for, it says nothing about."""
    clip = Clip(
        path=recording.path,
        speaker=recording.speaker,
        corpus="own",
        language="en",
        text=recording.text,
        emotion=recording.emotion,
        split="train",
        duration_s=recording.speech_s,
        line=recording.line,
    )
    return Turn(clip, recording.voice)


def _report(recordings: Sequence[Recording], before: Sequence[str], after: Sequence[str]) -> dict:
    wanted = [each.emotion for each in recordings]
    rows = list(zip(wanted, before, after, strict=True))
    return {
        "agreement": {
            **asdict(Agreement.of(rows)),
            "by_label": {
                label: asdict(Agreement.of([row for row in rows if row[0] == label]))
                for label in EMOTIONS
                if label in wanted
            },
        },
        "recordings": [
            {"line": each.line, "audio": each.path.name, "emotion": label, "before": was, "after": now}
            for each, (label, was, now) in zip(recordings, rows, strict=True)
        ],
    }


def _card(ears: str, agreement: Mapping) -> str:
    labels = ", ".join(f"{each['n']} {label}" for label, each in agreement["by_label"].items())
    return CARD.format(file=FEELING_FILE, report=REPORT, ears=ears, labels=labels, **agreement)


def _closing(out: Path, agreement: Mapping) -> str:
    """What it was worth, to the person."""
    sentences = [
        "of {n} recordings, {before} were heard as they are labelled before, and {after} are now, each by a "
        "head that learned from the others alone.".format(**agreement)
    ]
    if agreement["after"] <= agreement["before"]:
        sentences[0] = f"With these recordings it does not get better: {sentences[0]}"
        sentences.append("Add some of several feelings that were heard wrongly.")
    [only, *more] = agreement["by_label"]
    if not more:
        sentences.append(f"All are labelled {only}: what sets it apart is learned from other feelings too.")
    return f"{out}: {' '.join(sentences)}\nTalk with it: python app.py --profile {out}"
