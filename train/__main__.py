"""`python -m train COMMAND …`: every way of making weights and measuring them.

Each command is a module with `add_arguments(parser)` and `run(args)`, imported
only when it is called.
"""

import argparse
import importlib
import logging
import sys

from engine.errors import AttuneError, BadInput

COMMANDS = {
    "ears": "fine-tune the encoder for words and feeling",
    "words": "train the classifier of feeling in words",
    "fusion": "weigh voice against words, and calibrate",
    "punctuation": "learn marks and capitals for recognised words",
    "language": "learn to tell when speech is not English",
    "feeling": "learn to hear feeling against a speaker's own voice",
    "finetune": "hear feeling as one person says they felt it, from their recordings",
    "turns": "learn to tell the end of a turn from a pause",
    "ngram": "estimate the word lexicon and n-gram of the ears",
    "beam": "choose the beam's weights on validation speakers",
    "confidence": "make the confidence of every word a probability",
    "folds": "train and measure with corpora, languages or actors left out",
    "evaluate": "measure captions (WER), emotion (UA), the language detector",
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {}
    for name, purpose in COMMANDS.items():
        if name in argv[:1]:
            modules[name] = importlib.import_module(f"train.{name}")
            modules[name].add_arguments(
                commands.add_parser(name, help=purpose, description=modules[name].__doc__)
            )
        else:
            commands.add_parser(name, help=purpose)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        modules[args.command].run(args)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except AttuneError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
