"""`evaluate report`: every figure of the ears in one HTML page, with plots.

Measures the data folder's test speakers without, with a causal and with a full voice baseline, words and
feeling in noise, and false alarms; adds the tables of `python -m train folds` where they are given. The
figures behind the page are written beside it as JSON.
"""

import argparse
import json
import os
import platform
import sys
from datetime import datetime, timezone
from html import escape
from pathlib import Path

from engine.ears import store
from engine.errors import AttuneError, BadInput
from train.conditions import CLEAN
from train.corpus import data_folder, read_manifest
from train.evaluation import captions, robustness, select, speakers
from train.evaluation.plots import confusion, line_chart, table
from train.evaluation.protocols import PROTOCOLS
from train.evaluation.recogniser import Recogniser

FIGURES = ("ua", "wa", "macro_f1", "ece", "coverage")
STYLE = """
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem }
th, td { padding: 0.2rem 0.7rem; text-align: right }
th:first-child { text-align: left }
thead { border-bottom: 1px solid #999 }
figure { margin: 0.5rem 0 1.5rem }
svg { width: 34rem; max-width: 100% }
svg text { font: 11px system-ui, sans-serif; fill: #444 }
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_ears_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="HTML")
    parser.add_argument("--folds", type=Path, nargs="*", default=[], metavar="JSON", help="of `train folds`")


def run(args: argparse.Namespace) -> None:
    problems = select.Problems(as_json=False)
    folds = {path.stem: _read(path) for path in args.folds}
    figures = measure(args.ears, problems) | {"folds": folds}
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        args.out.write_text(page(figures), encoding="utf-8")
    except OSError as error:
        raise AttuneError(f"{args.out} could not be written ({error.strerror}).") from error
    sys.stderr.write(f"{args.out}\n")
    problems.raise_if_any()


def measure(ears_folder: Path, problems: select.Problems) -> dict:
    """Everything the page shows but the folds."""
    emotion = [c for c in read_manifest(data_folder() / "emotion.jsonl") if c.split == "test"]
    speech = [c for c in read_manifest(data_folder() / "speech.jsonl") if c.split == "test"]
    heard = select.voices(ears_folder).of_all(emotion, on_bad=problems.add)
    recogniser = Recogniser.load(ears_folder)
    feeling: dict[str, dict] = {}
    for name, protocol in PROTOCOLS.items():
        scored = [
            (clip, voice)
            for clip, voice in heard
            if protocol.label(clip) and clip.corpus.startswith(protocol.corpus)
        ]
        feeling[name] = {kind: recogniser.measure(scored, protocol, kind) for kind in speakers.KINDS}
    ears = select.ears(ears_folder)
    words = captions.measure(ears, speech, {"beam": captions.beam(ears)}, CLEAN, problems)["beam"]
    return {
        "made": {
            "ears": store.read_record(ears_folder)["sha256"],
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        },
        "feeling": feeling,
        "words": words,
        "robustness": robustness.measure(ears_folder, "causal", problems),
    }


def page(figures: dict) -> str:
    """The HTML of what `measure` gives, with `folds` {name: the JSON of `train folds`}."""
    seven = figures["feeling"]["7"]
    parts = [
        "<h1>What the ears hear</h1>",
        f"<p>{escape(', '.join(f'{key} {value}' for key, value in figures['made'].items()))}. "
        "All speakers are unseen by the ears.</p>",
        "<h2>Feeling</h2>",
        *(_protocol(name, kinds) for name, kinds in figures["feeling"].items()),
        *(
            f"<h3>By {key.removeprefix('by_')}, protocol 7</h3>{_groups(seven, key)}"
            for key in ("by_corpus", "by_language", "by_gender", "by_intensity", "by_speaker")
        ),
        "<h2>Getting to know a voice</h2>",
        _turns_plot(seven["causal"]["ua_after_turns"]),
        "<h2>Confusions, protocol 7, causal baseline</h2>",
        confusion(seven["causal"]["labels"], seven["causal"]["confusion"]),
        "<h2>Is it as sure as it should be?</h2>",
        _calibration_plot(seven),
        "<h2>Words</h2>",
        table(
            ("corpus", "clips", "WER"),
            [(name, row["n"], row["wer"]) for name, row in figures["words"]["by_corpus"].items()],
        ),
        "<h2>Noise and telephone</h2>",
        _robustness(figures["robustness"]),
        *(_folds(name, folds) for name, folds in figures["folds"].items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What the ears hear</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _protocol(name: str, kinds: dict[str, dict]) -> str:
    rows = [(kind, row["n"], *(row[key] for key in FIGURES)) for kind, row in kinds.items()]
    return f"<h3>Protocol {escape(name)}</h3>" + table(("voice baseline", "clips", *FIGURES), rows)


def _groups(kinds: dict[str, dict], key: str) -> str:
    names = kinds["none"][key]
    if not names:
        return "<p>The manifest does not say.</p>"
    rows = [(name, names[name]["n"], *(kinds[kind][key][name]["ua"] for kind in kinds)) for name in names]
    return table((key.removeprefix("by_"), "clips", *(f"UA {kind}" for kind in kinds)), rows)


def _turns_plot(ua_after_turns: dict[str, float]) -> str:
    places = list(enumerate(ua_after_turns))
    return line_chart(
        {"UA": [(place, ua_after_turns[turns]) for place, turns in places]},
        x_ticks=places,
        x_label="earlier turns of the speaker",
        y_label="UA, protocol 7",
    )


def _calibration_plot(kinds: dict[str, dict]) -> str:
    return line_chart(
        {
            f"{kind} (ECE {row['ece']:.3f})": [(b["confidence"], b["accuracy"]) for b in row["calibration"]]
            for kind, row in kinds.items()
        },
        x_ticks=[(step / 5, f"{step / 5:.0%}") for step in range(6)],
        x_label="confidence",
        y_label="how often it is right",
        diagonal=True,
    )


def _robustness(robustness: dict) -> str:
    conditions = robustness["conditions"]
    places = list(enumerate(conditions))
    alarms = robustness["false_alarms"]
    return (
        line_chart(
            {
                figure.upper(): [(place, conditions[name][figure]) for place, name in places]
                for figure in ("ua", "wer")
            },
            x_ticks=places,
            x_label="signal-to-noise ratio, and the telephone's band",
            y_label="UA (causal baseline) and word error rate",
        )
        + table(
            ("condition", "UA", "coverage", "WER"),
            [(name, *row.values()) for name, row in conditions.items()],
        )
        + "<h2>Reading that is called emotional</h2>"
        + table(
            ("voice baseline", "clips", "not neutral", "and sure"),
            [(kind, row["n"], row["non_neutral"], row["sure"]) for kind, row in alarms.items()],
        )
    )


def _folds(name: str, folds: dict) -> str:
    parts = [f"<h2>Folds: {escape(name)}</h2>"]
    for figure in ("ua", "wa", "ece"):
        columns = list(folds["rows"][0][figure])
        rows = [(row["held_out"], row["protocol"], row["n"], *row[figure].values()) for row in folds["rows"]]
        parts.append(table((f"{figure.upper()}, held out", "protocol", "clips", *columns), rows))
    return "".join(parts)


def _read(path: Path) -> dict:
    try:
        folds = json.loads(path.read_text(encoding="utf-8"))
        _folds(path.stem, folds)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BadInput(f"{path}: these are not the figures of `python -m train folds`.") from error
    return folds
