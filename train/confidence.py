"""`python -m train confidence`: make the confidence of every word the probability that it is right.

Logistic regression on validation speakers, after `ears`, `ngram` and `beam`; the weights go into `ears.json`,
the figures of the test speakers to stdout.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from difflib import SequenceMatcher

import numpy as np

from engine import audio
from engine.ears import store
from engine.ears.align import align
from engine.ears.alphabet import normalise
from engine.ears.confidence import WordConfidence, evidence
from engine.ears.mini import MiniEars
from engine.ears.ngram import NGRAM_FILE, NGram
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import select
from train.progress import ProgressLine
from train.scores import calibration_error

NEWTON_STEPS = 25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_ears_argument(parser)


def run(args: argparse.Namespace) -> None:
    clips = [clip for clip in read_manifest(data_folder() / "speech.jsonl") if clip.text]
    ears, ngram = select.ears(args.ears), NGram.load(args.ears / NGRAM_FILE)
    judged = {
        split: judge(ears, ngram, [clip for clip in clips if clip.split == split])
        for split in ("validation", "test")
    }
    confidence = fit(*judged["validation"])
    record = store.read_record(args.ears)
    store.write_record(args.ears, record | {"word_confidence": asdict(confidence)})
    report = {split: measure(confidence, *known) for split, known in judged.items()}
    sys.stdout.write(json.dumps({"word_confidence": asdict(confidence), **report}) + "\n")


def judge(ears: MiniEars, ngram: NGram, clips: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    """(words, 4) evidence of every word that was heard, and (words,) whether it was said."""
    known, rights = [], []
    with ProgressLine("listening") as line:
        for done, clip in enumerate(clips, start=1):
            encoded, _ = ears.encode(audio.read(clip.path))
            windows = [align(each.log_probs, ears.words(each)) for each in encoded]
            known += [evidence(words, ngram) for words in windows]
            heard = [word.text for words in windows for word in words]
            rights += are_right(heard, normalise(clip.text).split())
            line.update(done, len(clips))
    return np.concatenate(known), np.array(rights)


def fit(known: np.ndarray, rights: np.ndarray) -> WordConfidence:
    """Maximum likelihood, by Newton's method."""
    inputs = np.column_stack([known, np.ones(len(known))])
    weights = np.zeros(inputs.shape[1])
    for _ in range(NEWTON_STEPS):
        probabilities = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (rights - probabilities)
        curvature = (inputs * (probabilities * (1 - probabilities))[:, None]).T @ inputs
        weights += np.linalg.solve(curvature, gradient)
    return WordConfidence(*weights.round(4).tolist())


def measure(confidence: WordConfidence, known: np.ndarray, rights: np.ndarray) -> dict[str, float]:
    """How well confidence tells right words from wrong ones (AUC), and how true it is (ECE)."""
    probabilities = confidence.of(known)
    ranks = np.argsort(np.argsort(probabilities)) + 1
    right, wrong = int(rights.sum()), int((~rights).sum())
    auc = (ranks[rights].sum() - right * (right + 1) / 2) / max(right * wrong, 1)
    return {
        "words": len(rights),
        "right": round(right / len(rights), 4),
        "auc": round(float(auc), 4),
        "ece": round(calibration_error(probabilities, rights), 4),
    }


def are_right(heard: Sequence[str], said: Sequence[str]) -> list[bool]:
    """Whether each heard word has its place in what was said."""
    right = [False] * len(heard)
    for match in SequenceMatcher(None, heard, said, autojunk=False).get_matching_blocks():
        right[match.a : match.a + match.size] = [True] * match.size
    return right
