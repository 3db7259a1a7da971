#!/usr/bin/env python3
"""Everything that a golden directory expects, from our implementation.

    python tests/golden/compute.py DIR --out out.safetensors --out-json out.json

Reads the checkpoint, the audio and `inputs.*` of DIR and never opens `expected.*`.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from engine.errors import AttuneError, BadInput

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, help="tensors, as safetensors")
    parser.add_argument("--out-json", type=Path, help="ids, lengths, losses, texts")
    args = parser.parse_args()
    try:
        compute(args.folder, args.out, args.out_json)
    except AttuneError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, BadInput) else 1
    return 0


def compute(folder: Path, out: Path | None, out_json: Path | None) -> None:
    """Raises `BadInput` when `folder` is not a golden directory."""
    from safetensors.torch import save_file

    from tests.golden import answers, lessons, tensors
    from tests.golden.case import Case

    case = Case(folder)
    generated = answers.generation(case)
    if out:
        named = dict(tensors.forward_tensors(case)) | lessons.tensors(case) | generated.step_logits
        own = {name: _storable(value) for name, value in named.items()}
        save_file({**case.given, **own}, out)
    if out_json:
        record = answers.record(case, generated) | lessons.record(case)
        out_json.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _storable(value):
    """Memory of its own, and masks as integers, as the golden files have them."""
    value = value if value.is_floating_point() else value.long()
    return value.contiguous().clone()


if __name__ == "__main__":
    sys.exit(main())
