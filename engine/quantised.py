"""Weights small enough to ship: int8 matrices on disk, float32 in memory.

Our own weights are committed, each file at most 15 MB. Matrices become int8 with
one scale a row; what int8 hurts (convolutions, position tables) becomes float16;
small tensors stay float32. Safetensors, sharded by size, sha256 over all shards.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.errors import BadInput

SHARD_BYTES = 14_000_000
SMALL = 4096
SCALE = ".scale"


def save(
    folder: Path, name: str, tensors: Mapping[str, torch.Tensor], *, half: Callable[[str], bool]
) -> list[Path]:
    """Write `tensors` as `name-1.safetensors`, … and return the paths. `half(key)` names the float16 ones."""
    folder.mkdir(parents=True, exist_ok=True)
    packed: dict[str, torch.Tensor] = {}
    for key, tensor in tensors.items():
        packed |= _pack(key, tensor.detach().float(), keep_half=half(key))
    paths = []
    for number, shard in enumerate(_shards(packed), start=1):
        path = folder / f"{name}-{number}.safetensors"
        save_file(shard, path)
        paths.append(path)
    for stale in set(folder.glob(f"{name}-*.safetensors")) - set(paths):
        stale.unlink()
    return paths


def load(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """The float32 tensors that `save` packed. Raises `BadInput` when a file is missing or broken."""
    packed: dict[str, torch.Tensor] = {}
    for path in files(folder, name):
        try:
            packed |= load_file(path)
        except SafetensorError as error:
            raise BadInput(f"{path}: the weights are damaged ({error}); fetch the file again.") from error
    return {
        key: tensor.float() * packed[key + SCALE][:, None] if key + SCALE in packed else tensor.float()
        for key, tensor in packed.items()
        if not key.endswith(SCALE)
    }


def digest(folder: Path, name: str) -> str:
    """sha256 over the shards: what an artefact that reads these states stores, to refuse others."""
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files(folder, name)]
    return hashlib.sha256(json.dumps(sums).encode()).hexdigest()


def files(folder: Path, name: str) -> list[Path]:
    """The shards in order. Raises `BadInput` when there is none."""
    paths = sorted(folder.glob(f"{name}-*.safetensors"))
    if not paths:
        raise BadInput(f"{folder}: there are no weights named {name}-1.safetensors here.")
    return paths


def _pack(key: str, tensor: torch.Tensor, *, keep_half: bool) -> dict[str, torch.Tensor]:
    if tensor.numel() <= SMALL:
        return {key: tensor.contiguous()}
    if keep_half or tensor.dim() != 2:
        return {key: tensor.half().contiguous()}
    scale = tensor.abs().amax(dim=1).clamp(min=1e-12) / 127.0
    return {key: (tensor / scale[:, None]).round().to(torch.int8).contiguous(), key + SCALE: scale}


def _shards(packed: Mapping[str, torch.Tensor]) -> Iterator[dict[str, torch.Tensor]]:
    shard: dict[str, torch.Tensor] = {}
    size = 0
    for key, tensor in packed.items():
        if shard and size + tensor.nbytes > SHARD_BYTES:
            yield shard
            shard, size = {}, 0
        shard[key] = tensor
        size += tensor.nbytes
    yield shard
