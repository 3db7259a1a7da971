"""Arrays that cost a pass of a network, kept on disk between commands."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np


def remembered(entry: Path, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays in `entry`, or those of `make`, which are then kept there.

    `entry` must name whatever they depend on; it is written whole or not at all.
    """
    if entry.is_file():
        with np.load(entry, allow_pickle=False) as kept:
            return dict(kept)
    arrays = dict(make())
    # A disk that is full or read-only costs time, never the result.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        part = entry.with_suffix(f".{os.getpid()}.part.npz")
        np.savez(part, **arrays)
        part.replace(entry)
    return arrays


def key_of(*parts: str | Path) -> str:
    """A name for whatever depends on these texts and on the content of these files."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]
