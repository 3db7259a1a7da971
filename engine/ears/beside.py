"""Small models that read the states of one pair of ears, and lie beside them: how they are kept.

Each names the ears it was made for by their sha256, and is refused beside any other.
"""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.ears import store
from engine.errors import PartMissing


def load(path: Path, version: int, *, made_by: str) -> dict[str, np.ndarray]:
    """The arrays of `path`, in a folder of ears. `made_by` is the command that makes them.

    Raises `PartMissing` when the file is missing, damaged, of another version or of other ears.
    """
    advice = f"make it with `{made_by} --from {path.parent}`."
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
            found, ears = int(arrays.pop("format")), str(arrays.pop("ears"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise PartMissing(f"{path}: it is missing or cannot be read; {advice}") from error
    if found != version:
        raise PartMissing(f"{path}: written by another version of Attune; {advice}")
    if ears != store.read_record(path.parent)["sha256"]:
        raise PartMissing(f"{path}: it belongs to other ears than those beside it; {advice}")
    return arrays


def save(path: Path, version: int, arrays: Mapping[str, np.ndarray | float]) -> None:
    """Into a folder of ears, which alone it fits."""
    np.savez(path, format=version, ears=store.read_record(path.parent)["sha256"], **arrays)
