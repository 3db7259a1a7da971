"""A training run's state on disk: written whole or not at all, loaded without pickle."""

from pathlib import Path
from typing import Any

import torch

from engine.errors import AttuneError


def save(path: Path, state: dict[str, Any]) -> None:
    """Replace `path` by `state` (tensors, numbers, strings, dicts and lists of them) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        torch.save(state, part)
    except (OSError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise AttuneError(
            f"The checkpoint could not be written to {path.parent} ({error}); the last good one is kept."
        ) from error
    part.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The state saved at `path`, or None where nothing was saved yet."""
    return torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None
