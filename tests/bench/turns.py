"""Who answers too early, and who keeps one waiting: strategies for the end of a turn, side by side.

    python tests/bench/turns.py [--manifest M] [--turns 300] [--json]

Every turn is a recorded sentence with a pause between two of its words, and room tone after it; every
strategy hears the same turns, clean, in noise and among other people, both at 15 dB. Without `--manifest` the
sentences are of speakers that no training heard. `cut_short` is the share of turns with a pause of 0.5 or
1.0 s, clean and in noise, that a strategy ended before they were over; waits are from the true end of the
others to the answer. In virtual time: the 60 ms that a model computes do not count.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PAUSES_S = (0.5, 1.0, 1.5)
SETTINGS = ("clean", "noise", "babble")
SNR_DB = 15.0
COUNTED = {(setting, pause_s) for setting in ("clean", "noise") for pause_s in (0.5, 1.0)}
RULES = ("silence", "webrtcvad", "smart-turn", "ours")
SILENCE_S = 0.7

OWN = ("speech.jsonl", "voice.jsonl")
SENTENCES = ("speechocean762", "kathleen-arctic", "ljspeech")
"""Corpora whose recordings end where a sentence does."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, help="JSON lines with `audio`, each one sentence")
    parser.add_argument("--turns", type=int, default=300, help="sentences, each in every setting")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    outcomes = defaultdict(lambda: defaultdict(list))
    for rule, place, outcome in measured(args.manifest, args.turns):
        outcomes[rule][place].append(outcome)
    reports = [report(rule, outcomes[rule]) for rule in RULES]
    for each in reports:
        print(json.dumps(each)) if args.json else show(each)
    return 0


def measured(manifest: Path | None, turns: int) -> Iterator[tuple]:
    """(rule, (setting, pause), outcome) of every strategy on every turn."""
    from engine.facade import Engine
    from engine.turns.silence import Silence
    from engine.vad.webrtc import WebrtcDetector
    from train.progress import ProgressLine
    from train.turn_taking.rehearsal import rehearsed
    from train.turn_taking.simulate import by_ear, silences, simulate
    from train.turn_taking.stage import Stage

    engine = Engine.load("mini", with_mind=False)
    missing = {"silence", "smart-turn", "ours"} - engine.ends.keys()
    if missing:
        raise SystemExit(f"Not here: {', '.join(missing)}; `python -m engine weights --fetch` may help.")
    rng = np.random.default_rng(0)
    clips = chosen(manifest, rng)
    stage = Stage("test", clips)
    ends = {rule: engine.ends[rule] for rule in ("silence", "smart-turn", "ours")}
    webrtc = WebrtcDetector()
    with ProgressLine("turns") as line:
        for number, sentence in zip(range(turns), rehearsed(clips, engine.ears), strict=False):
            pause_s = PAUSES_S[number % len(PAUSES_S)]
            for setting in SETTINGS:
                scene = stage.under(setting, sentence.scene(pause_s, rng), SNR_DB, rng)
                place = setting, pause_s
                heard = list(silences(scene.samples, engine.detector, by_ear(engine.hear)))
                for rule, make in ends.items():
                    yield rule, place, simulate(scene, heard, engine.detector.frame_s, make())
                by_webrtc = list(silences(scene.samples, webrtc, lambda pause, _: pause))
                yield "webrtcvad", place, simulate(scene, by_webrtc, webrtc.frame_s, Silence(SILENCE_S))
            line.update(number + 1, turns)


def chosen(manifest: Path | None, rng: np.random.Generator) -> list:
    """The clips of a manifest, or whole sentences of speakers that no training heard; in random order."""
    from train.corpus import data_folder, read_manifest

    if manifest:
        clips = read_manifest(manifest)
    else:
        spoken = [
            clip for name in OWN for clip in read_manifest(data_folder() / name) if clip.split == "test"
        ]
        # Several takes of a sentence by one speaker are one sentence.
        clips = list(
            {(clip.speaker, clip.text): clip for clip in spoken if clip.corpus in SENTENCES}.values()
        )
    return [clips[place] for place in rng.permutation(len(clips))]


def report(rule: str, outcomes: dict[tuple[str, float], list]) -> dict:
    """The figures of one strategy, all together and by setting and pause."""
    counted = [outcome for place in COUNTED for outcome in outcomes[place]]
    return {"rule": rule, **figures(counted), "by": {name: figures(some) for name, some in groups(outcomes)}}


def groups(outcomes: dict[tuple[str, float], list]) -> Iterator[tuple[str, list]]:
    for setting in SETTINGS:
        for pause_s in PAUSES_S:
            yield f"{setting} {pause_s:g} s", outcomes[setting, pause_s]
    for setting in SETTINGS:
        yield setting, [outcome for pause_s in PAUSES_S for outcome in outcomes[setting, pause_s]]


def figures(outcomes: Sequence) -> dict[str, float | None]:
    """Waits are of the turns that were not cut short, None where all were."""
    waits_ms = [1e3 * outcome.wait_s for outcome in outcomes if not outcome.is_cut]
    p50, p95 = (
        (round(float(each)) for each in np.quantile(waits_ms, (0.5, 0.95))) if waits_ms else (None, None)
    )
    return {
        "cut_short": round(float(np.mean([outcome.is_cut for outcome in outcomes])), 4) if outcomes else None,
        "wait_p50_ms": p50,
        "wait_p95_ms": p95,
        "n": len(outcomes),
    }


def show(each: dict) -> None:
    """One strategy: its own line, and one for every setting."""
    print(f"{each['rule']:<12}{line_of(each)}")
    for name, some in each["by"].items():
        print(f"  {name:<14}{line_of(some)}")


def line_of(some: dict) -> str:
    cut, p50, p95 = (some[key] for key in ("cut_short", "wait_p50_ms", "wait_p95_ms"))
    share = "–" if cut is None else f"{cut:.1%}"
    return f"cut {share:>6}   wait {p50 or '–':>5} / {p95 or '–':>5} ms   n {some['n']}"


if __name__ == "__main__":
    sys.exit(main())
