"""`python -m train evaluate WHAT`: what the shipped weights are worth, on any manifest."""

import argparse
from types import ModuleType

from train.evaluation import captions, corrections, language, report, robustness, ser

MEASUREMENTS: dict[str, ModuleType] = {
    "captions": captions,
    "language": language,
    "ser": ser,
    "robustness": robustness,
    "corrections": corrections,
    "report": report,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, module in MEASUREMENTS.items():
        summary = module.__doc__.splitlines()[0]
        module.add_arguments(kinds.add_parser(name, help=summary, description=module.__doc__))


def run(args: argparse.Namespace) -> None:
    MEASUREMENTS[args.what].run(args)
