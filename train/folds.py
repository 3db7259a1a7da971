"""`python -m train folds`: ears trained without those they are then measured on, fold by fold.

`emobox`: RAVDESS in EmoBox's six folds of actors. `corpus`, `language`: every corpus of `emotion.jsonl`, or
all corpora of a language, left out in turn (reading in that language still teaches words). Each fold trains
ears from the encoder, fits their calibration and voice baseline, and measures. A stopped run goes on where it
was; ears that are there are only measured again. Hours for each fold on two cores.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.ears.relative import RelativeHead
from engine.errors import BadInput
from engine.ser import Fusion
from train import baseline, ears, fusion, recipe
from train.baseline_fit import BaselineRecipe
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import baselines, select, speakers
from train.evaluation.emotion_report import head_report
from train.evaluation.protocols import PROTOCOLS
from train.evaluation.recogniser import Recogniser
from train.leave_out import LeaveOut

EMOBOX_ACTORS = ("01 11 20", "04 10 12 14", "08 09 19", "03 05 07", "02 15 16 18", "06 13 17")
"""EmoBox's RAVDESS folds (Ma et al. 2024), as far as the actors are at hand."""

PUBLISHED_WA = {
    ("emobox", "emobox-ravdess"): "frozen Whisper-large-v3 75.9 %",
    ("ravdess", "paper-5"): "BLSP-Emo 72.0 %",
}


@dataclass(frozen=True)
class Fold:
    """`folder` says what is left out: folds of two kinds that leave out the same share their ears."""

    name: str
    folder: str
    leave_out: LeaveOut
    protocols: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=("emobox", "corpus", "language"), required=True)
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/ears.yaml"))
    parser.add_argument("--baseline-recipe", type=Path, default=Path("train/recipes/baseline.yaml"))
    parser.add_argument("--from", dest="start", type=Path, required=True, help="Whisper encoder folder")
    parser.add_argument("--out", type=Path, default=Path("runs/folds"))
    parser.add_argument("--only", nargs="*", default=[], metavar="FOLD", help="these folds and no others")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, ears.EarsRecipe)
    baseline_settings = recipe.load(args.baseline_recipe, BaselineRecipe)
    clips = read_manifest(data_folder() / "emotion.jsonl")
    folds = list(folds_of(args.kind, clips))
    names = [fold.name for fold in folds]
    if unknown := sorted(set(args.only) - set(names)):
        raise BadInput(f"There is no fold {unknown[0]!r}; there are {', '.join(names)}.")
    rows = []
    for fold in folds:
        if not args.only or fold.name in args.only:
            folder = args.out / fold.folder
            train_fold(replace(settings, leave_out=asdict(fold.leave_out)), args.start, folder)
            rows += measured(fold, folder / "final", args.start, clips, baseline_settings)
    figures = {"kind": args.kind, "rows": rows + _means(args.kind, rows)}
    (args.out / f"{args.kind}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _show(args.kind, figures["rows"])


def folds_of(kind: str, clips: Sequence[Clip]) -> Iterator[Fold]:
    """The folds of a kind over the clips of `emotion.jsonl`."""
    if kind == "emobox":
        for number, actors in enumerate(EMOBOX_ACTORS, start=1):
            left_out = tuple(f"ravdess_{actor}" for actor in actors.split())
            yield Fold(
                f"emobox-{number}",
                "without-" + "-".join(left_out),
                LeaveOut(speakers=left_out, instead_of_split=("ravdess",)),
                ("emobox-ravdess",),
            )
        return
    languages = {clip.corpus: clip.language for clip in clips}
    for name in sorted(set(languages if kind == "corpus" else languages.values())):
        corpora = tuple(sorted(corpus for corpus in languages if name in (corpus, languages[corpus])))
        protocols = ("7", "paper-5") if "ravdess" in corpora else ("7",)
        yield Fold(name, "without-" + "-".join(corpora), LeaveOut(corpora=corpora), protocols)


def train_fold(settings: ears.EarsRecipe, start: Path, folder: Path) -> None:
    """Ears in `folder / "final"`, unless they are there.

    Raises `BadInput` when they are there, but of another recipe.
    """
    final = folder / "final"
    if (final / f"{store.NAME}.json").is_file():
        trained_by = store.read_record(final)["made_from"]["recipe"]
        if trained_by != json.loads(json.dumps(asdict(settings))):
            raise BadInput(f"{final}: these ears were trained by another recipe; choose another --out.")
        return
    sys.stderr.write(f"training {folder}\n")
    ears.train(settings, start, folder)


def measured(
    fold: Fold, final: Path, start: Path, clips: Sequence[Clip], settings: BaselineRecipe
) -> list[dict]:
    """One row per protocol: UA and WA for each kind of baseline, and of the frozen encoder's probe."""
    known = [clip for clip in clips if not fold.leave_out.covers(clip)]
    _, temperature, _, _ = fusion.calibrate(final, [clip for clip in known if clip.split == "validation"])
    baseline.prepare(final, settings)
    recogniser = Recogniser(temperature, Fusion(), RelativeHead.load(final))
    held_out = [clip for clip in clips if fold.leave_out.covers(clip)]
    heard = select.voices(final).of_all(held_out)
    training = [clip for clip in clips if fold.leave_out.trains_on(clip)]
    probe = baselines.frozen_probe(training, held_out, start)
    rows = []
    for name in fold.protocols:
        protocol = PROTOCOLS[name]
        scored = [index for index, clip in enumerate(held_out) if protocol.label(clip)]
        chosen = [heard[index] for index in scored]
        figures = {kind: recogniser.measure(chosen, protocol, kind) for kind in speakers.KINDS}
        figures["after 5"] = recogniser.report_after(5, chosen, protocol)
        figures["frozen probe"] = head_report([held_out[index] for index in scored], probe[scored], protocol)
        rows.append(
            {
                "held_out": fold.name,
                "protocol": name,
                "n": len(scored),
                "ua": {column: row["ua"] for column, row in figures.items()},
                "wa": {column: row["wa"] for column, row in figures.items()},
            }
        )
    return rows


def _means(kind: str, rows: Sequence[dict]) -> list[dict]:
    """EmoBox's figure is the mean over its folds."""
    if kind != "emobox" or not rows:
        return []
    means = {
        figure: {
            column: round(float(np.mean([row[figure][column] for row in rows])), 4)
            for column in rows[0][figure]
        }
        for figure in ("ua", "wa")
    }
    total = sum(row["n"] for row in rows)
    return [{"held_out": kind, "protocol": rows[0]["protocol"], "n": total, **means}]


def _show(kind: str, rows: Sequence[dict]) -> None:
    write = sys.stdout.write
    for figure in ("ua", "wa"):
        columns = list(rows[0][figure])
        write(f"{figure.upper() + ', left out':<18}{'protocol':>16}{'clips':>7}")
        write("".join(f"{column:>14}" for column in columns) + "\n")
        for row in rows:
            write(f"{row['held_out']:<18}{row['protocol']:>16}{row['n']:>7}")
            write("".join(f"{row[figure][column]:>14.1%}" for column in columns))
            published = PUBLISHED_WA.get((row["held_out"], row["protocol"])) if figure == "wa" else None
            write(f"  published: {published}\n" if published else "\n")
        write("\n")
