"""`python -m engine COMMAND`: each part alone: transcribe, emotion, say, weights, convert."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np

from engine import audio, cli, prepare
from engine.audio import Audio
from engine.errors import AttuneError, BadInput
from engine.facade import Engine
from engine.profiles import select_profile
from engine.tts import SAMPLE_RATE_HZ, STYLES, Style

MAX_TEXT = 5_000
NOT_ENGLISH = "(Somebody speaks, but the words do not seem to be English.)"
EMOTION_KEYS = ("label", "scores", "confidence", "abstained")


def _transcribe(args: argparse.Namespace) -> int:
    engine = _without_mind(args)

    def work(path: str) -> dict:
        recording = audio.read(path)
        listened = engine.ears.listen(recording)
        return {
            "audio": path,
            "text": listened.text,
            "is_foreign": listened.is_foreign,
            "duration_s": round(recording.duration_s, 3),
            "inference_ms": round(listened.inference_ms, 1),
        }

    def show(row: dict) -> None:
        _show({**row, "text": NOT_ENGLISH} if row.get("is_foreign") else row, "text")

    return cli.each(args.files, work, cli.show_json if args.json else show)


def _emotion(args: argparse.Namespace) -> int:
    engine = _without_mind(args)

    def work(path: str) -> dict:
        emotion = engine.hear(audio.read(path)).emotion.to_dict()
        return {
            "audio": path,
            **{key: emotion[key] for key in ("label", "scores", "confidence", "abstained")},
        }

    return cli.each(args.files, work, cli.show_json if args.json else lambda row: _show(row, "label"))


def _say(args: argparse.Namespace) -> int:
    text = args.text.strip()
    if not text:
        raise BadInput("There is nothing to say: the text is empty.")
    if len(text) > MAX_TEXT:
        raise BadInput(f"The text has {len(text):,} characters; at most {MAX_TEXT:,} can be said at once.")
    engine = _without_mind(args)
    chunks = [chunk.audio.samples for chunk in engine.speak(text, Style(args.style))]
    if not chunks:
        raise AttuneError("No voice can speak on this machine; the lines above say why.")
    cli.write_wav(args.out, Audio(np.concatenate(chunks), SAMPLE_RATE_HZ))
    return 0


def _weights(args: argparse.Namespace) -> int:
    sources = cli.sources(args)
    at_hand = partial(prepare.is_at_hand, sources=sources)
    profile = select_profile(args.profile, os.environ, at_hand).profile
    cli.tell(f"Profile {profile.name} needs {profile.needs}.")
    if not args.fetch:
        for part, is_required in profile.parts():
            state = "here" if prepare.is_at_hand(part, sources) else "not here"
            if part.artifacts or part.repository:
                cli.tell(f"{part.kind}: {state}{' (required)' if is_required else ''}")
        return 0
    results = prepare.fetch_all(profile, sources, prepare.ProgressLine(sys.stderr))
    for result in results:
        cli.tell(f"{result.name}: {result.path or result.problem}")
    return 1 if any(result.is_required and result.problem for result in results) else 0


def _convert(args: argparse.Namespace) -> int:
    import torch

    from engine.blsp_emo import checkpoint

    if not (args.source / "config.json").is_file():
        raise BadInput(f"{args.source}: no config.json, so this is not a BLSP-Emo checkpoint.")
    dtype = getattr(torch, args.dtype) if args.dtype else None
    checkpoint.convert(args.source, args.target, dtype=dtype, on_progress=prepare.ProgressLine(sys.stderr))
    cli.tell(f"{args.target} is complete.")
    return 0


def _without_mind(args: argparse.Namespace) -> Engine:
    """These commands never ask the mind, so it is neither fetched nor loaded."""
    return cli.load_engine(args, with_mind=False)


def _show(row: dict, key: str) -> None:
    cli.show(f"{row['audio']}: {row.get('error') or row[key]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description="Attune's parts, one at a time.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, purpose: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=purpose, description=purpose)
        added.set_defaults(run=run)
        cli.add_engine_flags(added)
        return added

    for name, run, purpose in (
        ("transcribe", _transcribe, "the words of recordings"),
        ("emotion", _emotion, "the feeling of recordings"),
    ):
        listener = command(name, run, purpose)
        listener.add_argument("files", nargs="+", metavar="FILE")
        listener.add_argument("--json", action="store_true", help="one JSON object a line")
    say = command("say", _say, "speak a text into a WAV file")
    say.add_argument("text")
    say.add_argument("--style", choices=STYLES, default="neutral")
    say.add_argument("--out", type=Path, required=True, metavar="WAV")
    fetch = command("weights", _weights, "what a profile needs, and whether it is here")
    fetch.add_argument("--fetch", action="store_true", help="fetch what is missing")
    convert = command("convert", _convert, "a published BLSP-Emo checkpoint to safetensors, shard by shard")
    convert.add_argument("source", type=Path, help="the published folder")
    convert.add_argument("target", type=Path, help="a new folder")
    convert.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), help="default: as stored")
    return parser


if __name__ == "__main__":
    sys.exit(cli.main(_parser()))
