"""`python app.py`: flags → the page. Called by `app.py` alone."""

import argparse
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.page import blocks
from app.page.host import Choice, Host, Load
from app.page.local import LOOPBACK
from app.page.routes import Routes
from app.record.stored import Places
from app.sessions import Sessions
from engine import cli, profiles
from engine.errors import BadInput
from engine.facade import Engine, Server
from engine.weights import OnProgress, Sources

UNTIL_LOADED_S = 10.0
"""Who ends the program while its engine is loading waits so long at most: an interpreter that is taken down
around libraries at work aborts. A longer download is Python's own work, and ends without harm."""


def main(argv: list[str] | None = None) -> int:
    return cli.main(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Attune in the browser.")
    cli.add_engine_flags(parser)
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument(
        "--root-path", default="", metavar="/x", help="the path under which a proxy serves it, / for its own"
    )
    parser.add_argument("--share", action="store_true", help="a public address through Gradio's tunnel")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--mcp", action="store_true", help="offer the functions as MCP tools too")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    _check(args)
    sources = cli.sources(args)
    with _uploads() as uploads:
        return _serve(args, sources, Places(sources.cache, uploads))


def _serve(args: argparse.Namespace, sources: Sources, places: Places) -> int:
    host, is_private = Host(loader(sources)), _is_private(args)
    routes = Routes(host, Sessions(), may_choose=is_private, places=places if is_private else None)
    page = blocks.build(host)
    try:
        address = blocks.launch(
            page,
            routes,
            port=args.port,
            root_path=args.root_path,
            share=args.share,
            open_browser=not args.no_browser,
            mcp=args.mcp,
        )
    except OSError as error:
        raise BadInput(f"Port {args.port} is taken; choose another with --port.") from error
    cli.tell(f"Attune is at {address} (Ctrl-C ends it).")
    loading = host.start(Choice(args.profile or "", *(args.llm or ())))
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
        loading.join(UNTIL_LOADED_S)
    return 0


def loader(sources: Sources) -> Load:
    """How a `Host` gets its engines."""

    def load(choice: Choice, on_progress: OnProgress) -> Engine:
        server = None
        if choice.llm_url:
            server = Server(choice.llm_url, choice.llm_model, api_key=os.environ.get("OPENAI_API_KEY"))
        engine = Engine.load(
            choice.profile or None,
            server=server,
            chat_model=choice.llm_model or None,
            sources=sources,
            on_progress=on_progress,
        )
        cli.tell(engine.reason)
        for notice in engine.notices:
            cli.tell(f"{notice.part}: {notice.message}")
        return engine

    return load


@contextmanager
def _uploads() -> Iterator[Path]:
    """Where Gradio puts the files of the named endpoints: a folder that ends with the program, and that no
    other Gradio on this machine uses."""
    wished = os.environ.get("GRADIO_TEMP_DIR")
    if wished:
        Path(wished).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="attune-", dir=wished, ignore_cleanup_errors=True) as name:
        os.environ["GRADIO_TEMP_DIR"] = name
        yield Path(name)


def _check(args: argparse.Namespace) -> None:
    """What can be seen to be wrong before anything is opened."""
    asked = args.profile or os.environ.get("PROFILE")
    if asked and asked != profiles.AUTO:
        profiles.load_profile(asked)
    if not 0 < args.port < 65_536:
        raise BadInput(f"{args.port} is not a port; choose one from 1024 to 65535.")


def _is_private(args: argparse.Namespace) -> bool:
    """Whether only people at this machine reach the page."""
    names = ("SPACE_ID", "GRADIO_ROOT_PATH")
    is_published = args.share or args.root_path or any(map(os.environ.get, names))
    return not is_published and os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1") in LOOPBACK
