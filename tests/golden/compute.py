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
    """Raises `BadInput` when `folder` is no golden directory, `AttuneError` when nothing can be written."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    from engine.errors import AttuneError, BadInput, reason
    from tests.golden import answers, lessons, tensors
    from tests.golden.case import Case

    case = Case(folder)
    try:
        generated = answers.generation(case)
        named = dict(tensors.forward_tensors(case)) | lessons.tensors(case) | generated.step_logits
        record = answers.record(case, generated) | lessons.record(case)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        # Inputs that do not fit each other or the model fail wherever they are used first.
        raise BadInput(
            f"{folder}: inputs.*, manifest.jsonl or audio are not a golden directory's "
            f"({type(error).__name__}: {reason(error)}); copy them again."
        ) from error
    try:
        if out:
            save_file({**case.given, **{name: _storable(value) for name, value in named.items()}}, out)
        if out_json:
            out_json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise AttuneError(f"The values cannot be written ({reason(error)}); give another path.") from error


def _storable(value):
    """Memory of its own, and masks as integers, as the golden files have them."""
    value = value if value.is_floating_point() else value.long()
    return value.contiguous().clone()


if __name__ == "__main__":
    sys.exit(main())
