"""`evaluate corrections`: what a few corrections are worth to who makes them, and cost everybody else.

Simulated with people whom the head does not know, never test speakers: the shipped head with validation
speakers, or (`--left-out CORPUS`) one fitted without a corpus with its speakers. Half of a person's clips is
talked through, and what the head hears wrongly is corrected (`wrong`), or the label that is most often among
these alone (`one label`), or everything is labelled (`all`). The head is tuned as by `train finetune`, and
measured on the other half, on the other people, and on natural reading of validation speakers. Recall is the
mean over a person's labels, where all seven compete.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.ears.feeling import FeelingHead
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.ser import Fusion
from train import feeling_spread, recipe
from train.corpus import Clip, data_folder, read_manifest
from train.evaluation import select
from train.evaluation.false_alarms import SEVEN, false_alarms
from train.evaluation.recogniser import Heard, Recogniser
from train.evaluation.speakers import who
from train.feeling import lesson_turns
from train.feeling_fit import FeelingRecipe, Turn, fit
from train.finetune import FinetuneRecipe
from train.finetune_feeling import FeelingOptions, tuned
from train.progress import ProgressLine
from train.voices import Voices

KINDS = ("wrong", "one label", "all")
FEWEST = 3
"""Corrections that are worth learning from."""
FEWEST_CLIPS = 20
"""Of a person, to be split in two."""
OTHERS_CLIPS = 30
"""Of each other person: enough, and nobody counts for having said more."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A head and those who are strangers to it."""

    head: FeelingHead
    spread: np.ndarray
    strangers: Heard
    read: Heard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_ears_argument(parser)
    parser.add_argument("--left-out", metavar="CORPUS", help="fit a head without it, and take its speakers")
    parser.add_argument("--recipe", type=Path, default=Path("tiny"), help="of train finetune")
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 10, 20], help="corrections")
    parser.add_argument("--draws", type=int, default=2, help="random halves of each person's clips")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, FinetuneRecipe)
    options = recipe.build(dict(settings.feeling), FeelingOptions, where="feeling")
    setting = _setting(args.ears, args.left_out)
    rows = measure(setting, options, settings.seed, args.counts, args.draws, args.left_out or "")
    if args.json:
        sys.stdout.write(json.dumps({"rows": rows}) + "\n")
    else:
        _show(rows)


def _setting(ears: Path, left_out: str | None) -> Setting:
    voices = select.voices(ears)
    clips = [clip for clip in read_manifest(data_folder() / "emotion.jsonl") if clip.split != "test"]
    if left_out and left_out not in {clip.corpus for clip in clips}:
        raise BadInput(f"There is no corpus {left_out!r} in emotion.jsonl.")
    strangers = [clip for clip in clips if clip.split == "validation" or clip.corpus == left_out]
    read = [clip for clip in read_manifest(data_folder() / "speech.jsonl") if clip.split == "validation"]
    if left_out:
        settings = recipe.load(Path("feeling"), FeelingRecipe)
        turns = lesson_turns(voices, settings, lambda c: c.split == "train" and c.corpus != left_out)
        head = fit(turns, settings)
        spread = feeling_spread.spread(head, turns, settings)
    else:
        head, spread = FeelingHead.load(ears), feeling_spread.load(ears)
    return Setting(head, spread, _spoken(voices, strangers), _spoken(voices, read))


def _spoken(voices: Voices, clips: Sequence[Clip]) -> Heard:
    return [(clip, voice) for clip, voice in voices.of_all(clips) if voice.vector is not None]


def measure(
    setting: Setting,
    options: FeelingOptions,
    seed: int,
    counts: Sequence[int],
    draws: int,
    corpus: str = "",
) -> list[dict]:
    """Of each way to correct, and count, the means over the people (of `corpus`, if one is named) who had
    enough to correct: `{kind, count, corrections, people, own, others, read}`, the last three as
    [before, after]."""
    of_person: dict[tuple[str, str], Heard] = defaultdict(list)
    for clip, voice in setting.strangers:
        if clip.speaker:
            of_person[who(clip)].append((clip, voice))
    people = [
        person
        for person, heard in of_person.items()
        if len(heard) >= FEWEST_CLIPS and corpus in ("", person[0])
    ]
    found = defaultdict(list)
    with ProgressLine("correcting") as line:
        for done, person in enumerate(people, start=1):
            everybody_else = [heard[:OTHERS_CLIPS] for other, heard in of_person.items() if other != person]
            others = [each for heard in everybody_else for each in heard]
            for draw in range(draws):
                rng = np.random.default_rng([draw, done])
                heard = [of_person[person][index] for index in rng.permutation(len(of_person[person]))]
                talk, own = heard[: len(heard) // 2], heard[len(heard) // 2 :]
                before = _judged(setting.head, own, others, setting.read)
                for kind, count, turns in _corrected(setting.head, talk, counts):
                    head = tuned(setting.head, turns, setting.spread, options, seed)
                    after = _judged(head, own, others, setting.read)
                    found[kind, count].append((person, len(turns), before, after))
            line.update(done, len(people))
    return [_row(*key, found[key]) for key in sorted(found)]


def recall(recogniser: Recogniser, heard: Heard) -> float:
    """The mean over the labels there are, after the speaker's earlier turns in a random order."""
    probabilities, _ = next(iter(recogniser.guess_all(heard, SEVEN, "causal")))
    guessed = [EMOTIONS[index] for index in probabilities.argmax(axis=1)]
    hits = defaultdict(list)
    for (clip, _), label in zip(heard, guessed, strict=True):
        wanted = SEVEN.label(clip)
        hits[wanted].append(label == wanted)
    return float(np.mean([np.mean(each) for each in hits.values()]))


def _judged(head: FeelingHead, own: Heard, others: Heard, read: Heard) -> tuple[float, float, float]:
    recogniser = Recogniser(head, Fusion())
    alarms = false_alarms(recogniser, read, "causal")["non_neutral"]
    return recall(recogniser, own), recall(recogniser, others), alarms


def _corrected(
    head: FeelingHead, talk: Heard, counts: Sequence[int]
) -> Iterator[tuple[str, int, list[Turn]]]:
    """Each way to correct a talk, each count, and the turns that are then labelled."""
    probabilities, _ = next(iter(Recogniser(head, Fusion()).guess_all(talk, SEVEN, "causal")))
    turns = [
        Turn(replace(clip, corpus="own", emotion=SEVEN.label(clip)), voice.vector) for clip, voice in talk
    ]
    wrong = [
        turn
        for turn, index in zip(turns, probabilities.argmax(axis=1), strict=True)
        if turn.clip.emotion != EMOTIONS[index]
    ]
    labels = Counter(turn.clip.emotion for turn in wrong)
    commonest = [turn for turn in wrong if turn.clip.emotion == labels.most_common(1)[0][0]]
    for kind, pool in zip(KINDS, (wrong, commonest, turns), strict=True):
        for count in counts:
            if len(pool) >= FEWEST:
                yield kind, count, pool[:count]


def _row(kind: str, count: int, found: Sequence[tuple]) -> dict:
    people, sizes, *sides = zip(*found, strict=True)
    before, after = (np.mean(side, axis=0).round(4).tolist() for side in sides)
    pairs = dict(zip(("own", "others", "read"), map(list, zip(before, after, strict=True)), strict=True))
    corrections = float(np.mean(sizes))
    return {"kind": kind, "count": count, "corrections": corrections, "people": len({*people}), **pairs}


def _show(rows: Sequence[dict]) -> None:
    sys.stdout.write(f"{'':<20}{'own recall':>18}{'others recall':>18}{'false alarms':>18}\n")
    for row in rows:
        name = f"{row['kind']}, up to {row['count']}"
        pairs = "".join(f"{was:>10.1%} →{now:>6.1%}" for was, now in (row["own"], row["others"], row["read"]))
        sys.stdout.write(f"{name:<20}{pairs}   of {row['corrections']:.0f}, {row['people']} people\n")
