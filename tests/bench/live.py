"""How long a person who has stopped talking waits for the reply's first sound, in a real browser.

    python tests/bench/live.py [--manifest M] [--turns 10] [--json]

Chromium hears a file of short spoken sentences, one after the other in one hands-free talk on the real page.
Microphone and loudspeaker are measured on the page's own audio clock: the sentences are found again in what
the microphone gave, so that the last speech sample is known to some milliseconds. What the drivers of real
devices would add is not in it. In ms:

    total  from the last speech sample to the first sample of the reply that sounds; it is the sum of
    over   until the page is told that the turn is over,
    sent   until the reply's first sound has reached the page, and
    played until it sounds

What the server prepares meanwhile, counted from the last frame that its detector called speech: `text` and
`made` are when first words and first sound were ready; `ears` is how long these worked in the pause.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

GAP_S = 12.0
"""After each sentence: the longest reply fits in."""

LEAD_S = 2.0
SHORTEST_S, LONGEST_S = 1.0, 5.0

BELOW_PEAK_DB = 35.0
"""A sentence ends with its last 10 ms of speech that are louder; what comes after becomes room tone."""

GRID_S = 0.004
SOUNDING = 1e-3
COLUMNS = ("total", "over", "sent", "played", "ears", "text", "made")

MARKS = """
window.marks = [];
const { connect: plug } = AudioNode.prototype;
AudioNode.prototype.connect = function (...given) {
  if (this instanceof MediaStreamAudioSourceNode) window.clock = this.context;
  return plug.apply(this, given);
};
const Socket = WebSocket;
window.WebSocket = class extends Socket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      const event = typeof data === "string" ? JSON.parse(data) : { type: "sound" };
      window.marks.push([window.clock?.currentTime ?? 0, event]);
    });
  }
};
"""
"""What the page is told, and when on its audio clock."""


@dataclass(frozen=True, eq=False)
class Sentence:
    """(N,) samples at 48 kHz, from its first to its last speech sample."""

    name: str
    samples: np.ndarray


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--manifest", type=Path, help="JSON lines with `audio`; default: short sentences in ATTUNE_DATA"
    )
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--profile", default="mini")
    parser.add_argument("--end", default="", help="what ends a turn; default: what the page takes")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    from engine.facade import Engine

    paths = recordings(args.manifest, args.turns)
    engine = Engine.load(args.profile)
    with tempfile.TemporaryDirectory() as folder:
        # The first one warms the kernels, and does not count.
        scene, asked = written(Path(folder) / "scene.wav", [paths[0], *paths], engine.detector)
        marks, taps = talked(engine, scene, len(asked), args.end)
    rows = [row for row in measured(asked, marks, taps)[1:] if row]
    report = {
        "turns": rows,
        "median": {key: round(float(np.median([row[key] for row in rows]))) for key in COLUMNS},
        "p95": {key: round(float(np.percentile([row[key] for row in rows], 95))) for key in COLUMNS},
        "unanswered": len(paths) - len(rows),
    }
    show(report, as_json=args.json)
    return 0


def recordings(manifest: Path | None, turns: int) -> list[Path]:
    """Recordings of speakers that nothing was trained on, in turns."""
    if manifest is not None:
        found = [manifest.parent / json.loads(line)["audio"] for line in manifest.open(encoding="utf-8")]
        return (found * turns)[:turns]

    from train.corpus import data_folder, read_manifest

    by_speaker: dict[str, list[Path]] = {}
    for clip in read_manifest(data_folder() / "speech.jsonl"):
        if clip.split == "test" and SHORTEST_S <= clip.duration_s <= LONGEST_S:
            by_speaker.setdefault(clip.speaker, []).append(clip.path)
    rounds = zip_longest(*by_speaker.values())
    return [path for path in chain.from_iterable(rounds) if path][:turns]


def written(path: Path, paths: list[Path], detector) -> tuple[Path, list[Sentence]]:
    """A file in which they are said one after the other, each followed by the tone of its own room."""
    from engine import audio
    from tests.browser.live import RATE_HZ, write_scene
    from train.turn_taking.scenes import RoomTone

    asked, parts = [], [LEAD_S]
    for recording in paths:
        heard = audio.read(recording)
        begin, end = spoken(heard, detector)
        tone = RoomTone.of(heard.samples, np.random.default_rng(0)).make(GAP_S)
        speech, after = (
            audio.Audio(each, audio.SPEECH_RATE_HZ).resampled(RATE_HZ).samples
            for each in (heard.samples[begin:end], tone)
        )
        asked.append(Sentence(recording.name, speech))
        parts += [speech, after]
    return write_scene(path, *parts, 60.0), asked


def spoken(recording, detector) -> tuple[int, int]:
    """First and last sample at which `detector` finds speech in it and it is loud."""
    from engine.vad import speech_spans

    spans = speech_spans(detector, recording)
    begin, end = (round(at_s * recording.sample_rate_hz) for at_s in (spans[0].start_s, spans[-1].end_s))
    frame = recording.sample_rate_hz // 100
    end -= (end - begin) % frame
    energy = (recording.samples[begin:end].reshape(-1, frame) ** 2).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-BELOW_PEAK_DB / 10))
    return begin + int(loud[0]) * frame, begin + int(loud[-1] + 1) * frame


def talked(engine, scene: Path, turns: int, end: str) -> tuple[list, np.ndarray]:
    """The talk in the browser → what the page was told, and (rows, 3) time and levels of its sound."""
    from playwright.sync_api import sync_playwright

    from app.page.host import Host
    from tests.browser import live
    from tests.browser.conftest import await_state, launch, open_page, serve

    server, address = serve(Host(lambda choice, on_progress: engine))
    with sync_playwright() as playwright:
        browser = launch(
            playwright,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={scene}%noloop",
            "--autoplay-policy=no-user-gesture-required",
        )
        page = open_page(browser, address, "free")
        page.add_init_script(live.TAP + MARKS)
        page.evaluate("(end) => localStorage['attune.settings'] = JSON.stringify({ mode: 'free', end })", end)
        page.reload()
        await_state(page, "ready")
        live.start(page)
        page.wait_for_timeout((LEAD_S + turns * (GAP_S + LONGEST_S)) * 1000 // 1)
        marks, taps = page.evaluate("window.marks"), np.array(page.evaluate("window.taps"))
        browser.close()
    server.close(verbose=False)
    return marks, taps


def measured(asked: list[Sentence], marks: list, taps: np.ndarray) -> list[dict | None]:
    """One row for each sentence, in ms; None for one that got no answer in its gap."""
    now, microphone, loudspeaker = taps.T
    rows = []
    for sentence in asked:
        end_s = placed(sentence, now, microphone)
        told = [(at_s, event) for at_s, event in marks if end_s < at_s < end_s + GAP_S]
        over = [at_s for at_s, event in told if event["type"] == "heard"]
        finished = [event["timings_ms"] for _, event in told if event["type"] == "finished"]
        sounds = [at_s for at_s, event in told if event["type"] == "sound" and over and at_s >= over[-1]]
        sounding = now[(loudspeaker > SOUNDING) & (now >= sounds[0])] if sounds else []
        if not len(sounding) or not finished:
            rows.append(None)
            continue
        at_s = (sounding[0], over[-1], sounds[0])
        total, told_ms, sound = ((each - end_s) * 1e3 for each in at_s)
        made = finished[-1]
        values = (total, told_ms, sound - told_ms, total - sound)
        ahead = (made["ears"], made["first_text"], made["first_audio"])
        rows.append(
            {"audio": sentence.name}
            | {name: round(float(value)) for name, value in zip(COLUMNS, (*values, *ahead), strict=True)}
        )
    return rows


def placed(sentence: Sentence, now: np.ndarray, microphone: np.ndarray) -> float:
    """When, on the page's clock, its last sample came out of the microphone."""
    from tests.browser.live import RATE_HZ

    size = round(GRID_S * RATE_HZ)
    frames = sentence.samples[: len(sentence.samples) // size * size].reshape(-1, size)
    shape = np.sqrt((frames**2).mean(axis=1))
    heard = np.interp(np.arange(now[0], now[-1], GRID_S), now, microphone)
    likeness = np.correlate(heard, shape - shape.mean(), mode="valid")
    # Of two places the one with the same shape counts, not the louder one.
    windows = np.lib.stride_tricks.sliding_window_view(heard, len(shape))
    start = (likeness / (windows.std(axis=1) + SOUNDING)).argmax()
    return now[0] + start * GRID_S + len(sentence.samples) / RATE_HZ


def show(report: dict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report))
        return
    print("".join(f"{column:>13}" for column in COLUMNS) + "  ms")
    for row in (*report["turns"], report["median"], report["p95"]):
        print("".join(f"{row[column]:>13}" for column in COLUMNS), "", row.get("audio", ""))
    print(f"last rows: median and 95th percentile; {report['unanswered']} turns got no answer")


if __name__ == "__main__":
    sys.exit(main())
