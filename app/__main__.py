"""`python -m app COMMAND`: Attune without the page."""

import argparse
import sys

from app import defects, spoken_turns
from app.live import desktop
from engine import cli


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    turn = commands.add_parser("turn", help="answer spoken turns", description=spoken_turns.__doc__)
    spoken_turns.add_arguments(turn)
    cli.add_engine_flags(turn)
    turn.set_defaults(run=spoken_turns.run)
    talk = commands.add_parser("talk", help="talk hands-free on this machine", description=desktop.__doc__)
    desktop.add_arguments(talk)
    cli.add_engine_flags(talk)
    talk.set_defaults(run=desktop.run)
    return parser


if __name__ == "__main__":
    defects.install()
    sys.exit(cli.main(_parser()))
