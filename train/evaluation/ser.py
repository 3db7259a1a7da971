"""`evaluate ser`: emotion recognition of the ears, voice only unless `--with-words`.

UA counts an abstention by its best label; coverage says how many there were. `--baseline causal` hears every
clip with what the speaker's earlier turns of the manifest gave (several random orders, figures averaged),
`full` with all of them. `--compare` adds chance, a log-mel baseline and the probe of a frozen encoder, both
trained on the training speakers of the data folder.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.words import WordsEmotion
from train import conditions
from train.conditions import Condition
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import baselines, select, speakers
from train.evaluation.emotion_report import head_report
from train.evaluation.protocols import PROTOCOLS, Protocol
from train.evaluation.recogniser import Recogniser, Said
from train.progress import ProgressLine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "emotion.jsonl")
    conditions.add_arguments(parser)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="7")
    parser.add_argument(
        "--baseline", choices=speakers.KINDS, default="none", help="what is known of the speaker's voice"
    )
    parser.add_argument("--with-words", action="store_true", help="fuse with the recognised words")
    parser.add_argument(
        "--compare", action="store_true", help="also chance, log-mel and frozen-encoder probe"
    )
    parser.add_argument("--encoder", type=Path, help="folder of the encoder that --compare probes frozen")


def run(args: argparse.Namespace) -> None:
    protocol, problems = PROTOCOLS[args.protocol], select.Problems(as_json=args.json)
    if args.compare and not args.encoder:
        raise BadInput("Name the encoder to probe with --encoder, a folder with model.safetensors.")
    if args.with_words and not set(protocol.labels) <= set(EMOTIONS):
        raise BadInput("Words do not tell calm from neutral: take --with-words with protocol 7 or paper-5.")
    recogniser = Recogniser.load(args.ears)
    clips = labelled_clips(args, protocol, problems)
    condition = conditions.chosen(args)
    heard = select.voices(args.ears).of_all(clips, condition, problems.add)
    if not heard:
        raise BadInput("None of the chosen clips can be heard.")
    clips = [clip for clip, _ in heard]
    said = _said(args.ears, clips, condition) if args.with_words else None
    figures = recogniser.measure(heard, protocol, args.baseline, said)
    if args.compare:
        training = [c for c in read_manifest(data_folder() / "emotion.jsonl") if c.split == "train"]
        tables = baselines.probabilities(training, clips, args.encoder)
        figures["compared"] = {name: head_report(clips, table, protocol) for name, table in tables.items()}
    _show(figures, as_json=args.json)
    problems.raise_if_any()


def labelled_clips(args: argparse.Namespace, protocol: Protocol, problems: select.Problems) -> list[Clip]:
    """The chosen clips that have a label of the protocol. Raises `BadInput` when there are none."""
    chosen = []
    for clip in select.clips(args, problems):
        try:
            if protocol.label(clip) and (args.manifest or clip.corpus.startswith(protocol.corpus)):
                chosen.append(clip)
        except BadInput as error:
            problems.add(clip.path, error)
    if not chosen:
        raise BadInput(f"None of the chosen clips has a label of protocol {args.protocol}.")
    return chosen


def _said(ears_folder: Path, clips: Sequence[Clip], condition: Condition) -> Said:
    """What the recognised words of each clip feel like."""
    ears, words = select.ears(ears_folder), WordsEmotion.load(ears_folder)
    said = []
    with ProgressLine("words") as line:
        for done, clip in enumerate(clips, start=1):
            said.append(words.recognize(ears.transcribe(condition.read(clip.path)).text))
            line.update(done, len(clips))
    return said


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
    for turns, ua in report.get("ua_after_turns", {}).items():
        write(f"{f'ears · after {turns} earlier turns':<40}{ua:>10.3f}\n")
    write("\nconfusion (rows: truth): " + " ".join(report["labels"]) + "\n")
    for label, row in zip(report["labels"], report["confusion"], strict=True):
        write(f"{label:<12}" + "".join(f"{count:>8.6g}" for count in row) + "\n")
