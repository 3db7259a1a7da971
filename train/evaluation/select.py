"""Which clips a measurement is taken on, and with which ears: what all measurements share."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from engine import parts
from engine.ears.mini import MiniEars
from engine.errors import BadInput, PartMissing
from engine.profiles import load_profile
from engine.vad import Detector
from engine.weights import Sources
from train.corpus import Clip, data_folder, read_manifest
from train.voices import Voices


class Problems:
    """What could not be measured: told as it comes up; at the end, the reason for exit code 2."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._count = 0

    def add(self, audio: Path, error: BadInput) -> None:
        """One line `{audio, error}` on stdout, or the sentence on stderr."""
        self._count += 1
        if self._as_json:
            sys.stdout.write(json.dumps({"audio": str(audio), "error": str(error)}) + "\n")
        else:
            sys.stderr.write(f"{error}\n")

    def raise_if_any(self) -> None:
        """Raises `BadInput` when anything was left out; call it after the figures are shown."""
        if self._count:
            lines = "1 line" if self._count == 1 else f"{self._count} lines"
            raise BadInput(f"{lines} of the manifest could not be measured; the figures are of the rest.")


def add_arguments(parser: argparse.ArgumentParser, manifest: str) -> None:
    """`--manifest` (default: that file of the data folder), `--split`, `--corpus`, `--ears`, `--json`."""
    parser.add_argument("--manifest", type=Path, help=f"default: {manifest} of the data folder, test split")
    parser.add_argument("--split", choices=("train", "validation", "test", "all"))
    parser.add_argument("--corpus", default="", help="only corpora whose name starts so")
    add_ears_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(default_manifest=manifest)


def add_ears_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ears", type=Path, default=Path("assets/mini"), help="folder of the ears to measure"
    )


def clips(args: argparse.Namespace, problems: Problems | None = None) -> list[Clip]:
    """A manifest that was named is measured whole; the data folder's own, on its test speakers.

    Raises `BadInput` when there is nothing to measure, or a bad line that no `problems` take.
    """
    manifest = args.manifest or data_folder() / args.default_manifest
    split = args.split or ("all" if args.manifest else "test")
    chosen = [
        clip
        for clip in read_manifest(manifest, partial(problems.add, manifest) if problems else None)
        if split in ("all", clip.split) and clip.corpus.startswith(args.corpus)
    ]
    if not chosen:
        raise BadInput(f"{manifest}: no clip of split {split!r} and corpus {args.corpus!r}* to measure.")
    return chosen


def ears(folder: Path) -> MiniEars:
    """The ears as the program would load them on this machine, its voice activity detector included."""
    return MiniEars.load(folder, _detector())


def voices(folder: Path) -> Voices:
    """Those ears for feeling alone, remembering what they heard."""
    return Voices(folder, _detector())


def _detector() -> Detector:
    profile = load_profile("mini")
    site = parts.Site(profile, Sources.from_environment(os.environ))
    detector, notices = parts.climb("speech detector", profile.turns.activity, parts.ACTIVITY, site)
    if detector is None:
        raise PartMissing(notices[-1].message)
    return detector


def by(key: Callable[[Clip], str], clips: Sequence[Clip], score: Callable[[list[int]], dict]) -> dict:
    """{group: score(indices of its clips)}, groups in alphabetical order; clips without a key in none."""
    indices = sorted((index for index, clip in enumerate(clips) if key(clip)), key=lambda i: key(clips[i]))
    return {name: score(list(group)) for name, group in groupby(indices, key=lambda i: key(clips[i]))}
