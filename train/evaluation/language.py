"""`evaluate language`: what share of the clips is taken for another language than English.

That is right of every clip that is not English, and a false alarm of every other, which loses its words.
"""

import argparse
import json
import sys

from engine.ears.language import LanguageDetector
from train import conditions
from train.evaluation import select
from train.language import Listener, rates


def add_arguments(parser: argparse.ArgumentParser) -> None:
    select.add_arguments(parser, "emotion.jsonl")
    conditions.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    problems = select.Problems(as_json=args.json)
    heard = Listener(args.ears).hear(select.clips(args, problems), [conditions.chosen(args)])
    shares = rates(LanguageDetector.load(args.ears), heard)
    if args.json:
        sys.stdout.write(json.dumps(shares) + "\n")
    else:
        for name, share in shares.items():
            sys.stdout.write(f"{name:<40}{share['n']:>6}{share['foreign']:>9.1%}\n")
    problems.raise_if_any()
