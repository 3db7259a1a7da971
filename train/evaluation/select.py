"""Which clips a measurement is taken on, and with which ears: what all measurements share."""

import argparse
import os
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from engine import parts
from engine.ears.mini import MiniEars
from engine.errors import BadInput
from engine.profiles import load_profile
from engine.weights import Sources
from train.corpus import Clip, data_folder, read_manifest


def add_arguments(parser: argparse.ArgumentParser, manifest: str) -> None:
    """`--manifest` (default: that file of the data folder), `--split`, `--corpus`, `--ears`, `--json`."""
    parser.add_argument("--manifest", type=Path, help=f"default: {manifest} of the data folder, test split")
    parser.add_argument("--split", choices=("train", "validation", "test", "all"))
    parser.add_argument("--corpus", default="", help="only corpora whose name starts so")
    parser.add_argument("--ears", type=Path, default=Path("assets/mini"))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(default_manifest=manifest)


def clips(args: argparse.Namespace) -> list[Clip]:
    """A manifest that was named is measured whole; the data folder's own, on its test speakers."""
    manifest = args.manifest or data_folder() / args.default_manifest
    split = args.split or ("all" if args.manifest else "test")
    chosen = [
        clip
        for clip in read_manifest(manifest)
        if split in ("all", clip.split) and clip.corpus.startswith(args.corpus)
    ]
    if not chosen:
        raise BadInput(f"{manifest}: no clip of split {split!r} and corpus {args.corpus!r}* to measure.")
    return chosen


def ears(args: argparse.Namespace) -> MiniEars:
    """The ears as the program would load them on this machine, its voice activity detector included."""
    profile = load_profile("mini")
    site = parts.Site(profile, Sources.from_environment(os.environ))
    detector, _ = parts.climb("speech detector", profile.turns.activity, parts.ACTIVITY, site)
    return MiniEars.load(args.ears, detector)


def by(key: Callable[[Clip], str], clips: Sequence[Clip], score: Callable[[list[int]], dict]) -> dict:
    """{group: score(indices of its clips)}, groups in alphabetical order."""
    indices = sorted(range(len(clips)), key=lambda index: key(clips[index]))
    return {name: score(list(group)) for name, group in groupby(indices, key=lambda i: key(clips[i]))}
