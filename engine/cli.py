"""What the command lines of Attune share: flags, exit codes, one JSON object a line.

stdout carries results only; progress, notices and messages go to stderr.
Exit codes: 0 good, 1 failed, 2 wrong use or bad input, 130 interrupted.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.audio import Audio
from engine.errors import AttuneError, BadInput
from engine.facade import Engine, Server
from engine.licences import LICENCES
from engine.prepare import ProgressLine
from engine.weights import Sources


def add_engine_flags(parser: argparse.ArgumentParser) -> None:
    """`--profile`, `--weights`, `--accept-licence` and `--llm`, for every command that loads an engine."""
    parser.add_argument("--profile", help="mini, standard, blsp-emo-7b, a path, or auto (default)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="a folder with weights already fetched")
    parser.add_argument(
        "--accept-licence",
        action="append",
        default=[],
        choices=sorted(LICENCES),
        help="agree to the terms of a model that Attune would fetch; it says which when they are needed",
    )
    parser.add_argument(
        "--llm", nargs=2, metavar=("URL", "MODEL"), help="answer with an OpenAI-compatible server"
    )


def sources(args: argparse.Namespace) -> Sources:
    """Where weights may come from, by the flags and the environment; says which licences are accepted."""
    found = Sources.from_environment(os.environ, folder=args.weights, accepted_licences=args.accept_licence)
    for name in sorted(found.accepted_licences & LICENCES.keys()):
        tell(f"You accept the {LICENCES[name].terms}")
    return found


def load_engine(args: argparse.Namespace, *, with_mind: bool = True) -> Engine:
    """The engine of those flags; says on stderr what it stands on and what is missing."""
    engine = Engine.load(
        args.profile,
        server=Server(*args.llm, api_key=os.environ.get("OPENAI_API_KEY")) if args.llm else None,
        sources=sources(args),
        on_progress=ProgressLine(sys.stderr),
        with_mind=with_mind,
    )
    tell(engine.reason)
    for notice in engine.notices:
        tell(f"{notice.part}: {notice.message}")
    return engine


def each(paths: Iterable[str], work: Callable[[str], dict], show: Callable[[dict], None]) -> int:
    """Do `work` for every file; a bad one becomes `{audio, error}` and the exit code 2."""
    code = 0
    for path in paths:
        try:
            show(work(path))
        except BadInput as error:
            show({"audio": path, "error": str(error)})
            code = 2
    return code


def show_json(row: dict) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def show(text: str) -> None:
    sys.stdout.write(text + "\n")


def write_wav(path: Path, speech: Audio) -> None:
    try:
        path.write_bytes(speech.wav_bytes())
    except OSError as error:
        raise AttuneError(f"{path} could not be written ({error.strerror}).") from error


def tell(message: str) -> None:
    sys.stderr.write(message + "\n")


def main(parser: argparse.ArgumentParser, argv: list[str] | None = None) -> int:
    """Parse, run the chosen command's `run(args) -> int`, and turn errors into a sentence and a code."""
    # Windows consoles default to a code page that cannot say what people say.
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stderr.reconfigure(encoding="utf-8")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except BadInput as error:
        tell(str(error))
        return 2
    except AttuneError as error:
        tell(str(error))
        return 1
    except KeyboardInterrupt:
        tell("Stopped.")
        return 130
