"""`evaluate ser`: emotion recognition of the ears, voice only unless `--with-words`.

UA counts an abstention by its best label; coverage says how many there were.
`--compare` adds chance, a log-mel baseline and the probe of a frozen encoder,
both trained on the training speakers of the data folder.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import audio
from engine.ears.mini import fold_calm, pooled_feeling
from engine.ears.network import HEAD_EMOTIONS
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.ser import Fusion
from engine.words import WordsEmotion
from train.corpus import Clip
from train.evaluation import baselines, select
from train.progress import ProgressLine
from train.scores import emotion_scores

FUSION_FILE = "fusion.json"


@dataclass(frozen=True)
class Protocol:
    """The labels that are scored, and how the manifest's labels become them."""

    labels: tuple[str, ...]
    fold: Mapping[str, str]
    corpus: str = ""


PROTOCOLS = {
    "7": Protocol(EMOTIONS, {"calm": "neutral"}),
    "emobox-ravdess": Protocol(HEAD_EMOTIONS, {}, corpus="ravdess"),
    "paper-5": Protocol(("neutral", "happy", "sad", "angry", "surprised"), {}),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "emotion.jsonl")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="7")
    parser.add_argument("--baseline", choices=("none",), default="none", help="speaker baseline")
    parser.add_argument("--with-words", action="store_true", help="fuse with the recognised words")
    parser.add_argument(
        "--compare", action="store_true", help="also chance, log-mel and frozen-encoder probe"
    )
    parser.add_argument("--encoder", type=Path, help="folder of the encoder that --compare probes frozen")


def run(args: argparse.Namespace) -> None:
    protocol = PROTOCOLS[args.protocol]
    clips = [
        clip
        for clip in select.clips(args)
        if clip.corpus.startswith(protocol.corpus) and _label(clip, protocol) in protocol.labels
    ]
    if not clips:
        raise BadInput(f"None of the chosen clips has a label of protocol {args.protocol}.")
    probabilities, abstained = _recognise(args, clips, protocol)
    report = _report(clips, probabilities, abstained, protocol)
    if args.compare:
        tables = baselines.probabilities(clips, args.encoder)
        report["compared"] = {
            name: _report(clips, _columns(table, protocol), np.zeros(len(clips), bool), protocol)
            for name, table in tables.items()
        }
    _show(report, as_json=args.json)


def _recognise(
    args: argparse.Namespace, clips: Sequence[Clip], protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    """(n, labels) probabilities and (n,) abstentions; what nobody hears is an even guess."""
    ears, fusion = select.ears(args), Fusion.load(args.ears / FUSION_FILE)
    words = WordsEmotion.load(args.ears) if args.with_words else None
    rows, abstained = [], []
    with ProgressLine("emotion") as line:
        for done, clip in enumerate(clips, start=1):
            encoded, speech_s = ears.encode(audio.read(clip.path))
            head = pooled_feeling(encoded) if encoded else np.full(len(HEAD_EMOTIONS), 1 / len(HEAD_EMOTIONS))
            said = words.recognize(" ".join(map(ears.words, encoded))) if words and encoded else None
            fused = fusion.fuse(fold_calm(head) if encoded else None, said, speech_s=speech_s)
            abstained.append(fused.abstained)
            rows.append([fused.scores[label] for label in EMOTIONS] if words else head)
            line.update(done, len(clips))
    table = np.array(rows)
    if words:
        return table[:, [EMOTIONS.index(label) for label in protocol.labels]], np.array(abstained)
    return _columns(table, protocol), np.array(abstained)


def _columns(head: np.ndarray, protocol: Protocol) -> np.ndarray:
    """(n, 8) head probabilities → (n, labels) of the protocol."""
    folded = {label: head[:, index].copy() for index, label in enumerate(HEAD_EMOTIONS)}
    for source, target in protocol.fold.items():
        folded[target] += folded[source]
    return np.stack([folded[label] for label in protocol.labels], axis=1)


def _label(clip: Clip, protocol: Protocol) -> str:
    return protocol.fold.get(clip.emotion or "", clip.emotion or "")


def _report(
    clips: Sequence[Clip], probabilities: np.ndarray, abstained: np.ndarray, protocol: Protocol
) -> dict:
    def score(indices: Sequence[int]) -> dict:
        truth = [_label(clips[index], protocol) for index in indices]
        figures = emotion_scores(protocol.labels, probabilities[indices], truth)
        figures["coverage"] = float(1 - abstained[indices].mean())
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}

    return {
        **score(list(range(len(clips)))),
        "by_corpus": select.by(lambda clip: clip.corpus, clips, score),
        "by_language": select.by(lambda clip: clip.language, clips, score),
    }


def _show(report: dict, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    columns = ("ua", "wa", "macro_f1", "ece", "coverage")
    write = sys.stdout.write
    write(f"{'':<34}{'clips':>6}" + "".join(f"{column:>10}" for column in columns) + "\n")
    for recogniser, whole in {"ears": report, **report.get("compared", {})}.items():
        for corpus, row in {"all": whole, **whole["by_corpus"]}.items():
            figures = "".join(f"{row[column]:>10.3f}" for column in columns)
            write(f"{recogniser + ' · ' + corpus:<34}{row['n']:>6}{figures}\n")
    write("\nconfusion (rows: truth): " + " ".join(report["labels"]) + "\n")
    for label, row in zip(report["labels"], report["confusion"], strict=True):
        write(f"{label:<12}" + "".join(f"{count:>6}" for count in row) + "\n")
