"""How long a person waits: ears, first text, first audio, whole reply, and peak memory.

    python tests/bench/turn.py [--manifest M] [--turns 10] [--json]

Every time counts from the last speech sample. The baseline in the same run is a
program that speaks only when its reply is complete. Turns are answered one by one
in one conversation, after one uncounted turn that warms the kernels.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

STARTED = time.perf_counter()
STAGES = ("ears", "first_text", "first_audio", "total")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--manifest", type=Path, help="JSON lines with `audio`; default: the clips of the tests"
    )
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--profile", default="mini")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    from app.spoken_turns import answer
    from engine import audio
    from engine.facade import Engine, remember
    from tests.bench.memory import peak_resident_mb

    engine = Engine.load(args.profile)
    start_s = time.perf_counter() - STARTED
    recordings = [audio.read(path) for path in paths(args.manifest, args.turns)]
    answer(engine, (), recordings[0])
    conversation, rows = (), []
    for recording in recordings:
        waited_ms = whole_reply_first(engine, conversation, recording)
        answered = answer(engine, conversation, recording)
        conversation = remember(conversation, answered.heard, answered.finished.text)
        timings = {**answered.heard.timings_ms, **answered.finished.timings_ms}
        rows.append(
            {"duration_s": round(recording.duration_s, 2)}
            | {stage: round(timings.get(stage, float("nan")), 1) for stage in STAGES}
            | {"baseline_first_audio": round(waited_ms, 1)}
        )
    report = {
        "turns": rows,
        "median": {key: statistics.median(row[key] for row in rows) for key in rows[0]},
        "start_s": round(start_s, 2),
        "peak_resident_mb": round(peak_resident_mb()),
    }
    note = f"start {report['start_s']} s; peak memory {report['peak_resident_mb']} MB"
    show(report, note, as_json=args.json)
    return 0


def whole_reply_first(engine, conversation, recording) -> float:
    """First audio, in ms, of a program that waits for its whole reply before it speaks."""
    started = time.perf_counter()
    heard = engine.hear(recording)
    reply = "".join(engine.reply(conversation, heard))
    next(engine.speak(reply), None)
    return (time.perf_counter() - started) * 1e3


def paths(manifest: Path | None, turns: int) -> list[Path]:
    if manifest is None:
        found = sorted((ROOT / "tests" / "audio").glob("*.wav"))
    else:
        found = [manifest.parent / json.loads(line)["audio"] for line in manifest.open(encoding="utf-8")]
    return (found * turns)[:turns]


def show(report: dict, note: str, *, as_json: bool) -> None:
    """One row a turn and their median; `note` is about the run."""
    if as_json:
        print(json.dumps(report))
        return
    columns = list(report["median"])
    print("".join(f"{column:>24}" for column in columns))
    for row in (*report["turns"], report["median"]):
        print("".join(f"{row[column]:>24}" for column in columns))
    print(f"last row: median; {note}")


if __name__ == "__main__":
    sys.exit(main())
