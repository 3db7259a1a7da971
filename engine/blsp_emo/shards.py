"""Weights on disk, whatever wrote them: `.bin` or safetensors, one file or many, any float type.

Read when a checkpoint is loaded, checked or converted. One shard is in memory at a time, and of
the usual formats only the pages that are looked at. Pickles are read as plain tensors or not at
all: nothing in them is ever run.
"""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

from engine.errors import BadInput, PartMissing, reason

INDEX_SUFFIX = ".index.json"
_WHOLE = ("model.safetensors", "pytorch_model.bin")
"""A checkpoint in one file; followed by `INDEX_SUFFIX`, the list of its shards. The better comes first."""

_ZIP = b"PK\x03\x04"
_WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")
_LFS_POINTER = b"version https://git-lfs"


def walk(source: Path) -> Iterator[dict[str, torch.Tensor]]:
    """The shards of `source`, a folder or a single file, each as name → CPU tensor.

    A shard is emptied when the next is asked for. Raises what `files` and `read` raise.
    """
    for path in files(source):
        shard = read(path)
        yield shard
        shard.clear()  # the caller's variable would keep it while the next is read


def describe(source: Path) -> dict[str, torch.Tensor]:
    """Shape and type of every tensor, as meta tensors. Reads the data of unmappable files only."""
    return {
        name: torch.empty_like(tensor, device="meta")
        for shard in walk(source)
        for name, tensor in shard.items()
    }


def files(source: Path) -> list[Path]:
    """The files that hold the weights. Raises `PartMissing` when there are none or not all."""
    if source.is_file():
        return [source]
    for name in _WHOLE:
        index = source / f"{name}{INDEX_SUFFIX}"
        if index.is_file():
            return _indexed(index)
        if (source / name).is_file():
            return [source / name]
    raise PartMissing(
        f"{source}: no weights here ({' or '.join(_WHOLE)}, or shards and their index); "
        "copy the whole checkpoint into this folder."
    )


def _indexed(index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        if not names or any(Path(name).name != name for name in names):
            raise ValueError("it names no files of this folder")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{index}: this is no list of shards ({reason(error)}); fetch it again.") from error
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        raise PartMissing(
            f"{index.parent}: {len(missing)} of {len(names)} shards are missing ({shortened(missing)}); "
            "copy them there."
        )
    return [index.parent / name for name in names]


def read(path: Path) -> dict[str, torch.Tensor]:
    """One file. Raises `BadInput` for anything but a whole checkpoint, and runs nothing that is in it."""
    try:
        return _parsed(path)
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path}: this is no checkpoint, or it holds more than tensors, which could be a program and was "
            "not run; get the weights from who made them."
        ) from error
    except Exception as error:  # of a broken file, torch raises all kinds
        raise BadInput(
            f"{path}: no weights can be read here ({reason(error)}); fetch the file again."
        ) from error


def _parsed(path: Path) -> dict[str, torch.Tensor]:
    with path.open("rb") as file:
        start = file.read(64)
    if start.strip().lower().startswith(_WEB_PAGE):
        raise ValueError("it is a web page")
    if start.startswith(_LFS_POINTER):
        raise ValueError("it is a Git LFS pointer")
    if path.suffix == ".safetensors":
        return load_file(path)
    is_mappable = start.startswith(_ZIP)  # what torch wrote before 1.6 is not
    tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=is_mappable)
    if not isinstance(tensors, dict) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
        raise ValueError("it is no list of named tensors")
    return tensors


def shortened(names: list[str], shown: int = 5) -> str:
    """`a, b, c and 7 more`."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")
