"""`python -m train beam`: choose the beam's weights on validation speakers, and show what each part is worth.

The ears are asked once; the search then runs again and again over their log-probabilities. What it finds
becomes the defaults of `engine.ears.beam.BeamOptions`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from engine import audio
from engine.ears.beam import BeamOptions, greedy, search
from engine.ears.ngram import NGRAM_FILE, NGram
from train.evaluation import select
from train.progress import ProgressLine
from train.scores import word_errors

GRID = {
    "alpha": (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0),
    "beta": (-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0),
    "unknown_ln": (-8.0, -5.0, -3.0, -1.5, 0.0, 1.5),
}
ROUNDS = 2

WITHOUT_NGRAM = BeamOptions(alpha=0.0, beta=0.0, unknown_ln=-12.0)
"""Spellings of the lexicon, all equally likely."""


@dataclass(frozen=True, eq=False)
class Utterance:
    """What the network said of one recording, window by window, and what was really said."""

    log_probs: Sequence[np.ndarray]  # each (T, 29)
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "speech.jsonl")
    parser.set_defaults(split="validation")


def run(args: argparse.Namespace) -> None:
    clips = [clip for clip in select.clips(args) if clip.text]
    ears = select.ears(args.ears)
    utterances = []
    with ProgressLine("listening") as line:
        for done, clip in enumerate(clips, start=1):
            encoded, _ = ears.encode(audio.read(clip.path))
            utterances.append(Utterance([window.log_probs for window in encoded], clip.text))
            line.update(done, len(clips))
    ngram = NGram.load(args.ears / NGRAM_FILE)
    for report in compare(utterances, ngram):
        sys.stdout.write(json.dumps(report) + "\n")


def compare(utterances: Sequence[Utterance], ngram: NGram) -> Iterator[dict]:
    """Word error rate of greedy decoding, of the lexicon alone, and of every step towards better options."""
    yield {"decoder": "greedy", "wer": error_rate(utterances, greedy)}
    yield {"decoder": "lexicon", "wer": error_rate(utterances, _decoder(ngram, WITHOUT_NGRAM))}
    for options, wer in tune(utterances, ngram, BeamOptions()):
        yield {"decoder": "n-gram", "wer": wer, "options": asdict(options)}


def tune(
    utterances: Sequence[Utterance], ngram: NGram, options: BeamOptions
) -> Iterator[tuple[BeamOptions, float]]:
    """Improve one weight after the other over `GRID`; yields `options` and then each better choice."""
    best = error_rate(utterances, _decoder(ngram, options))
    yield options, best
    for name, value in [(name, value) for name, values in GRID.items() for value in values] * ROUNDS:
        candidate = replace(options, **{name: value})
        if (wer := error_rate(utterances, _decoder(ngram, candidate))) < best:
            options, best = candidate, wer
            yield options, best


def error_rate(utterances: Sequence[Utterance], decode: Callable[[np.ndarray], str]) -> float:
    """Words wrong, missing or too many, over words said."""
    counts = [
        word_errors(utterance.text, " ".join(map(decode, utterance.log_probs))) for utterance in utterances
    ]
    wrong, words = np.sum(counts, axis=0)
    return round(float(wrong / words), 4)


def _decoder(ngram: NGram, options: BeamOptions) -> Callable[[np.ndarray], str]:
    return lambda log_probs: search(log_probs, ngram, options).text
