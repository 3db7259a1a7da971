"""`python -m train baseline`: how much to trust a speaker's own voice, and the head that hears against it.

Runs on finished ears, and again whenever they change; minutes, once their voices are cached. Fits one head
per shrinkage on the training speakers and keeps the one, with the share of the say, that hears the validation
speakers best after a few turns. Writes `baseline.npz` and its record `baseline.json` beside the ears.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.ears.network import HEAD_EMOTIONS
from engine.ears.relative import RelativeHead
from engine.errors import BadInput
from engine.ser import Fusion
from train import recipe
from train.baseline_fit import BaselineRecipe, Histories, fit
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import select, speakers
from train.evaluation.false_alarms import SEVEN, false_alarms
from train.evaluation.recogniser import Heard, Recogniser
from train.fusion import fit_temperature
from train.leave_out import LeaveOut
from train.progress import ProgressLine

TURNS = (1, 3, 5, 10, 20)
"""What is chosen for: so many turns of a talk."""
KNOWN_TURNS = 10
"""After which the relative head's own confidence is calibrated."""


@dataclass(frozen=True)
class Candidate:
    """A head with a share of the say (None: no baseline), and its worth on the validation speakers."""

    head: RelativeHead | None
    ua: dict[str, dict[str, float]]
    """{turns: {corpus: UA}}"""
    false_alarms: float

    @property
    def mean_ua(self) -> float:
        return float(np.mean([ua for by_corpus in self.ua.values() for ua in by_corpus.values()]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/baseline.yaml"))
    parser.add_argument("--from", dest="start", type=Path, required=True, help="folder of the ears")


def run(args: argparse.Namespace) -> None:
    prepare(args.start, recipe.load(args.recipe, BaselineRecipe))


def prepare(folder: Path, settings: BaselineRecipe) -> None:
    """Fit, choose and write the voice baseline of the ears in `folder`."""
    voices, left_out = select.voices(folder), LeaveOut.of_ears(folder)
    training, validation, read = (voices.of_all(clips) for clips in _clips(left_out, settings))
    plain = Recogniser(float(store.read_record(folder).get("temperature", 1.0)), Fusion())
    histories = Histories(training, plain, settings.feeling_removed)
    without = measure(plain, validation, read)
    tried = []
    with ProgressLine("shrinkages") as line:
        for done, prior_turns in enumerate(settings.prior_turns, start=1):
            head = _calibrated(fit(histories, prior_turns, settings), plain, validation)
            shared = (replace(plain, relative=replace(head, share=share)) for share in settings.shares)
            tried += [measure(recogniser, validation, read) for recogniser in shared]
            line.update(done, len(settings.prior_turns))
    best = choose(tried, settings.most_false_alarms)
    best.head.save(folder)
    record = {
        "ears": store.read_record(folder)["sha256"],
        "recipe": asdict(settings),
        "without": _row(without),
        "chosen": _row(best),
        "tried": [_row(candidate) for candidate in tried],
    }
    (folder / "baseline.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(json.dumps({"without": record["without"], "chosen": record["chosen"]}) + "\n")


def choose(tried: list[Candidate], most_false_alarms: float) -> Candidate:
    """The best UA among those that leave ordinary reading alone; if none does, the least disturbing."""
    quiet = [candidate for candidate in tried if candidate.false_alarms <= most_false_alarms]
    if not quiet:
        return min(tried, key=lambda candidate: candidate.false_alarms)
    return max(quiet, key=lambda candidate: candidate.mean_ua)


def _clips(left_out: LeaveOut, settings: BaselineRecipe) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """To fit on, to choose on, and natural reading to choose on."""
    emotion = read_manifest(data_folder() / "emotion.jsonl")
    speech = [clip for clip in read_manifest(data_folder() / "speech.jsonl") if not left_out.covers(clip)]
    short = [clip for clip in speech if clip.split == "train" and clip.duration_s <= settings.neutral_clip_s]
    drawn = np.random.default_rng(settings.seed).permutation(len(short))[: settings.neutral_clips]
    training = [clip for clip in emotion if left_out.trains_on(clip)] + [short[index] for index in drawn]
    validation = [clip for clip in emotion if clip.split == "validation" and not left_out.covers(clip)]
    read = [clip for clip in speech if clip.split == "validation"]
    if not (training and validation and read):
        raise BadInput("The data folder has no speakers left to fit the voice baseline and to choose it on.")
    return training, validation, read


def measure(recogniser: Recogniser, heard: Heard, read: Heard) -> Candidate:
    """What the head is worth on labelled clips `heard` and on natural reading."""
    head = recogniser.relative
    by_turns = {
        str(turns): recogniser.report_after(turns, heard, SEVEN)["by_corpus"]
        for turns in (TURNS if head else (0,))
    }
    ua = {turns: {name: row["ua"] for name, row in groups.items()} for turns, groups in by_turns.items()}
    alarms = false_alarms(recogniser, read, "causal" if head else "none")
    return Candidate(head, ua, alarms["non_neutral"])


def _calibrated(head: RelativeHead, plain: Recogniser, heard: Heard) -> RelativeHead:
    """With the temperature that suits validation speakers who are known well, inside its weights."""
    spoken = [(clip, voice) for clip, voice in heard if voice.vector is not None]
    own = [head.own_voice(voice.vector, plain.calibrated(voice)) for _, voice in spoken]
    known = speakers.after([clip for clip, _ in spoken], own, KNOWN_TURNS)
    log_probs = [head.relative(voice.vector, b) for (_, voice), b in zip(spoken, known, strict=True)]
    truth = [HEAD_EMOTIONS.index(clip.emotion) for clip, _ in spoken]
    temperature, _, _ = fit_temperature(np.array(log_probs), np.array(truth))
    return replace(head, weights=head.weights / temperature, bias=head.bias / temperature)


def _row(candidate: Candidate) -> dict:
    chosen = (
        {"prior_turns": candidate.head.prior_turns, "share": candidate.head.share} if candidate.head else {}
    )
    return {
        **chosen,
        "mean_ua": round(candidate.mean_ua, 4),
        "false_alarms": candidate.false_alarms,
        "ua_after_turns": candidate.ua,
    }
