"""What hearing a turn costs: given at once, and what is left to do at the end of a streamed one.

    python tests/bench/ears.py [--manifest M] [--turns 10] [--seconds 5] [--json]

The baseline in the same run is the same network in float32, asked when the turn is over. Turns are stretches
of real speech of equal length, streamed in pieces of 20 ms, after one uncounted turn that warms the kernels.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PIECE_S = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--manifest", type=Path, help="JSON lines with `audio`; default: the clips of the tests"
    )
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of every turn")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    import torch

    from engine import audio
    from engine.ears import int8, store
    from engine.ears.mini import MiniEars
    from engine.ears.ngram import NGRAM_FILE, NGram
    from engine.facade import MINI, Engine
    from tests.bench.turn import paths, show

    ears = Engine.load("mini", with_mind=False).ears
    slow = MiniEars(store.load(MINI), NGram.load(MINI / NGRAM_FILE), ears.detector)
    recordings = [audio.read(path) for path in paths(args.manifest, args.turns)]
    turns = [of_length(recordings, first, args.seconds) for first in range(len(recordings))]
    measure(ears, slow, turns[0])
    rows = [measure(ears, slow, turn) for turn in turns]
    report = {
        "turns": rows,
        "median": {key: round(statistics.median(row[key] for row in rows), 1) for key in rows[0]},
        "is_int8": int8.is_fast(),
        "threads": torch.get_num_threads(),
    }
    note = f"in ms; int8: {report['is_int8']}; {report['threads']} threads"
    show(report, note, as_json=args.json)
    return 0


def of_length(recordings, first: int, seconds: float):
    """So many seconds of speech: the recordings from the first on, one after the other."""
    import numpy as np

    from engine.audio import SPEECH_RATE_HZ, Audio

    length = round(seconds * SPEECH_RATE_HZ)
    samples = np.concatenate([each.samples for each in (*recordings[first:], *recordings[:first])])
    return Audio(np.resize(samples, length), SPEECH_RATE_HZ)


def measure(ears, slow, turn) -> dict[str, float]:
    """Milliseconds of work on one turn, all three ways, and how busy streaming kept one core."""
    _, float32_ms = timed(lambda: slow.listen(turn))
    _, at_once_ms = timed(lambda: ears.listen(turn))
    stream, piece = ears.stream(), round(PIECE_S * turn.sample_rate_hz)
    pieces = [turn.samples[start : start + piece] for start in range(0, len(turn.samples), piece)]
    feeds_ms = [timed(lambda piece=piece: stream.feed(piece))[1] for piece in pieces]
    _, left_ms = timed(stream.finish)
    figures = {
        "float32_at_once": float32_ms,
        "at_once": at_once_ms,
        "left_after_stream": left_ms,
        "longest_feed": max(feeds_ms),
        "stream_percent_of_core": 0.1 * sum(feeds_ms) / turn.duration_s,
    }
    return {name: round(figure, 1) for name, figure in figures.items()}


def timed(work):
    started = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - started) * 1e3


if __name__ == "__main__":
    sys.exit(main())
