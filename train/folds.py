"""`python -m train folds`: the feeling head fitted without those it is then measured on, fold by fold.

`emobox`: RAVDESS in EmoBox's six folds of actors. `corpus`, `language`: every corpus of `emotion.jsonl`, or
all corpora of a language, left out in turn. The layers that feeling is heard in are Whisper's own, so only
the head is fitted again: minutes, once the voices are cached. Each fold learns from all other speakers of
`emotion.jsonl` alone; natural reading teaches the shipped head alone, to leave ordinary talk in peace.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.ears.voice import depths
from engine.errors import BadInput
from engine.ser import Fusion
from train import recipe
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import baselines, select, speakers
from train.evaluation.emotion_report import head_report
from train.evaluation.protocols import PROTOCOLS
from train.evaluation.recogniser import Recogniser
from train.feeling import lesson_turns
from train.feeling_fit import FeelingRecipe, fit
from train.voices import Voices

EMOBOX_ACTORS = ("01 11 20", "04 10 12 14", "08 09 19", "03 05 07", "02 15 16 18", "06 13 17")
"""EmoBox's RAVDESS folds (Ma et al. 2024), as far as the actors are at hand."""

PUBLISHED_WA = {
    ("emobox", "emobox-ravdess"): "frozen Whisper-large-v3 75.9 %",
    ("ravdess", "paper-5"): "BLSP-Emo 72.0 %",
}
EIGHT_BIT_ERROR = 0.01
"""How far weights that went through eight bits are from what they were, as a share of the largest."""


@dataclass(frozen=True)
class Fold:
    name: str
    protocols: tuple[str, ...]
    corpora: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()

    def leaves_out(self, clip: Clip) -> bool:
        return clip.corpus in self.corpora or clip.speaker in self.speakers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=("emobox", "corpus", "language"), required=True)
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/feeling.yaml"))
    parser.add_argument("--from", dest="ears", type=Path, default=Path("assets/mini"), help="ears folder")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of Whisper's encoder as it is")
    parser.add_argument("--out", type=Path, default=Path("runs/folds"))
    parser.add_argument("--only", nargs="*", default=[], metavar="FOLD", help="these folds and no others")


def run(args: argparse.Namespace) -> None:
    settings = replace(recipe.load(args.recipe, FeelingRecipe), neutral_clips=0)
    clips = read_manifest(data_folder() / "emotion.jsonl")
    folds = list(folds_of(args.kind, clips))
    names = [fold.name for fold in folds]
    if unknown := sorted(set(args.only) - set(names)):
        raise BadInput(f"There is no fold {unknown[0]!r}; there are {', '.join(names)}.")
    check_untrained(args.ears, args.encoder)
    voices = select.voices(args.ears)
    rows = []
    for fold in folds:
        if not args.only or fold.name in args.only:
            rows += measured(fold, voices, args.encoder, clips, settings)
    figures = {"kind": args.kind, "rows": rows + _means(args.kind, rows)}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{args.kind}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _show(args.kind, figures["rows"])


def folds_of(kind: str, clips: Sequence[Clip]) -> Iterator[Fold]:
    """The folds of a kind over the clips of `emotion.jsonl`."""
    if kind == "emobox":
        for number, actors in enumerate(EMOBOX_ACTORS, start=1):
            left_out = tuple(f"ravdess_{actor}" for actor in actors.split())
            yield Fold(f"emobox-{number}", ("emobox-ravdess",), speakers=left_out)
        return
    languages = {clip.corpus: clip.language for clip in clips}
    for name in sorted(set(languages if kind == "corpus" else languages.values())):
        corpora = tuple(sorted(corpus for corpus in languages if name in (corpus, languages[corpus])))
        yield Fold(name, ("7", "paper-5") if "ravdess" in corpora else ("7",), corpora=corpora)


def check_untrained(ears: Path, encoder: Path) -> None:
    """Raises `BadInput` when the layers that feeling is heard in were trained: they know who is left out."""
    ours, published = store.load(ears).encoder, store.network_from(encoder).encoder.state_dict()
    upper = tuple(f"layers.{layer}." for layer in range(max(depths(len(ours.layers))), len(ours.layers)))
    for key, tensor in ours.state_dict().items():
        if key.startswith((*upper, "layer_norm.")):
            continue
        original = published.get(key)
        if original is None or original.shape != tensor.shape:
            raise BadInput(f"{ears}: these ears were not made from the encoder in {encoder}.")
        if (tensor - original).abs().max() > EIGHT_BIT_ERROR * original.abs().max():
            raise BadInput(
                f"{ears}: the lower layers of these ears were trained, so nobody can be left out of them; "
                "take ears that were made with `frozen_layers`."
            )


def measured(
    fold: Fold, voices: Voices, encoder: Path, clips: Sequence[Clip], settings: FeelingRecipe
) -> list[dict]:
    """One row per protocol: UA, WA and ECE for each kind of baseline, and of the frozen encoder's probe."""
    sys.stderr.write(f"{fold.name}\n")
    head = fit(lesson_turns(voices, settings, lambda clip: not fold.leaves_out(clip)), settings)
    recogniser = Recogniser(head, Fusion())
    held_out = [clip for clip in clips if fold.leaves_out(clip)]
    heard = voices.of_all(held_out)
    probe = baselines.frozen_probe([clip for clip in clips if not fold.leaves_out(clip)], held_out, encoder)
    rows = []
    for name in fold.protocols:
        protocol = PROTOCOLS[name]
        scored = [index for index, clip in enumerate(held_out) if protocol.label(clip)]
        chosen = [heard[index] for index in scored]
        figures = {kind: recogniser.measure(chosen, protocol, kind) for kind in speakers.KINDS}
        figures["after 5"] = recogniser.report_after(5, chosen, protocol)
        figures["frozen probe"] = head_report([held_out[index] for index in scored], probe[scored], protocol)
        by_figure = {
            figure: {column: row[figure] for column, row in figures.items()} for figure in ("ua", "wa", "ece")
        }
        rows.append({"held_out": fold.name, "protocol": name, "n": len(scored), **by_figure})
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
        for figure in ("ua", "wa", "ece")
    }
    total = sum(row["n"] for row in rows)
    return [{"held_out": kind, "protocol": rows[0]["protocol"], "n": total, **means}]


def _show(kind: str, rows: Sequence[dict]) -> None:
    write = sys.stdout.write
    for figure in ("ua", "wa", "ece"):
        columns = list(rows[0][figure])
        write(f"{figure.upper() + ', left out':<18}{'protocol':>16}{'clips':>7}")
        write("".join(f"{column:>14}" for column in columns) + "\n")
        for row in rows:
            write(f"{row['held_out']:<18}{row['protocol']:>16}{row['n']:>7}")
            write("".join(f"{row[figure][column]:>14.1%}" for column in columns))
            published = PUBLISHED_WA.get((row["held_out"], row["protocol"])) if figure == "wa" else None
            write(f"  published: {published}\n" if published else "\n")
        write("\n")
