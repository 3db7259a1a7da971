"""Small models that read the states of one pair of ears: how they are kept, beside these or elsewhere.

Each names the ears it was made for by their sha256, and is refused with any other.
"""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.errors import PartMissing


def load(path: Path, version: int, *, made_by: str, ears: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays of `path`; `ears` is the folder of these (None: its own). `made_by` is the command that
    makes them.

    Raises `PartMissing` when the file is missing, damaged, of another version or of other ears.
    """
    ears = ears or path.parent
    advice = f"make it with `{made_by} --from {ears}`."
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
            found, made_for = int(arrays.pop("format")), str(arrays.pop("ears"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise PartMissing(f"{path}: it is missing or cannot be read; {advice}") from error
    if found != version:
        raise PartMissing(f"{path}: written by another version of Attune; {advice}")
    if made_for != store.read_record(ears)["sha256"]:
        raise PartMissing(f"{path}: it belongs to other ears than those in {ears}; {advice}")
    return arrays


def save(
    path: Path, version: int, arrays: Mapping[str, np.ndarray | float], ears: Path | None = None
) -> None:
    """For the ears in the folder `ears` (None: that of `path`), which alone it fits."""
    np.savez(path, format=version, ears=store.read_record(ears or path.parent)["sha256"], **arrays)
