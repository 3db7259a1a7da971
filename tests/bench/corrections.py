"""What a person gains who corrects what was heard: right labels in talks of forty turns, with and without.

    python tests/bench/corrections.py [--ears assets/mini] [--json]

Validation speakers of the data folder's emotion.jsonl, voice only, heard with what was known of them at each
turn. In one kind of talk the feeling changes at random, in the other it lasts (four of five turns keep it).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.ears.feeling import fold_calm
from train.corpus import data_folder, read_manifest
from train.evaluation import select
from train.evaluation.recogniser import Heard, Recogniser
from train.evaluation.speakers import who

TURNS = 40
TALKS = 16
STAYS = 0.8
SHARES = (0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Way:
    """What is made of corrections."""

    name: str
    is_taught: bool
    is_carried: bool

    def calibration(self, taught: Calibration, just_corrected: str) -> Calibration:
        taught = taught if self.is_taught else Calibration()
        return taught.carrying(just_corrected) if self.is_carried and just_corrected else taught


WAYS = (
    Way("nothing is made of it", False, False),
    Way("bias", True, False),
    Way("bias, and the next turn", True, True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ears", type=Path, default=Path("assets/mini"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    recogniser = Recogniser.load(args.ears)
    clips = [clip for clip in read_manifest(data_folder() / "emotion.jsonl") if clip.split == "validation"]
    heard = [
        (clip, voice) for clip, voice in select.voices(args.ears).of_all(clips) if voice.vector is not None
    ]
    rows = [
        {
            "feeling": kind,
            "corrected": share,
            "way": way.name,
            "right": right(recogniser, heard, kind, share, way),
        }
        for kind in ("changes", "lasts")
        for share in SHARES
        for way in WAYS
    ]
    if args.json:
        print("\n".join(map(json.dumps, rows)))
        return
    print(f"{'feeling':<10}{'corrected':>10}  {'':<26}{'right':>6}")
    for row in rows:
        print(f"{row['feeling']:<10}{row['corrected']:>10.0%}  {row['way']:<26}{row['right']:>6.1%}")


def right(recogniser: Recogniser, heard: Heard, kind: str, share: float, way: Way) -> float:
    """The mean over speakers and talks of the turns whose label is right as heard."""
    speakers = sorted({who(clip) for clip, _ in heard})
    shares = [
        np.mean(list(talk(recogniser, turns, share, way, rng)))
        for speaker in speakers
        for seed in range(TALKS)
        for rng in [np.random.default_rng(seed)]
        for turns in [ordered([each for each in heard if who(each[0]) == speaker], kind, rng)]
    ]
    return float(np.mean(shares))


def talk(
    recogniser: Recogniser, turns: Heard, share: float, way: Way, rng: np.random.Generator
) -> Iterator[bool]:
    """Whether each turn is heard right; the wrong ones are corrected with that probability."""
    baseline, taught, just_corrected = VoiceBaseline(), Calibration(), ""
    for clip, voice in turns:
        scores = fold_calm(recogniser.hear(voice, baseline))
        emotion = recogniser.fusion.fuse(
            scores, None, speech_s=voice.speech_s, calibration=way.calibration(taught, just_corrected)
        )
        is_right = emotion.label == felt(clip)
        yield is_right
        just_corrected = "" if is_right or rng.random() > share else felt(clip)
        if just_corrected:
            taught = taught.after(emotion.scores, just_corrected)
        baseline = baseline.updated(recogniser.head.own_voice(voice.vector))


def felt(clip) -> str:
    return "neutral" if clip.emotion == "calm" else clip.emotion


def ordered(turns: Heard, kind: str, rng: np.random.Generator) -> Heard:
    """A talk of one speaker."""
    mixed = [turns[place] for place in rng.permutation(len(turns))]
    if kind == "changes":
        return mixed[:TURNS]
    made, left = [], mixed
    while left and len(made) < TURNS:
        same = [each for each in left if made and felt(each[0]) == felt(made[-1][0])]
        other = [each for each in left if not made or felt(each[0]) != felt(made[-1][0])]
        next_turn = (same if same and (not other or rng.random() < STAYS) else other)[0]
        made.append(next_turn)
        left = [each for each in left if each is not next_turn]
    return made


if __name__ == "__main__":
    main()
