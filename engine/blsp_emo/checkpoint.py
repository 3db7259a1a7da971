"""Checkpoints: the published layout and ours, checked against the configuration, loaded, converted.

Called when a BLSP-Emo is loaded, and once by whoever turns the published pickles into safetensors.
Ours is the published folder with our names for the weights, in shards that are safe and quick to
read; both load alike. Besides the model itself, never more than one shard is held in memory.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from engine.blsp_emo import shards
from engine.blsp_emo.config import BlspEmoConfig, LoraScope
from engine.blsp_emo.model import BlspEmo
from engine.errors import AttuneError, BadInput, reason
from engine.weights import OnProgress, Progress, unwatched

SHARD_BYTES = 2_000_000_000

_OUR_PREFIXES = {
    "whisper_model.": "encoder.",
    "qwen_model.model.": "llm.",  # with LoRA
    "qwen_model.": "llm.",
    "hidden2emotion.": "emotion.",
}
_BUFFER = re.compile(r"(^|\.)(inv_freq|logn_tensor|masked_bias|attn\.bias)$")
"""What some versions of the libraries stored besides weights; made here when it is needed."""

_INDEX = f"model.safetensors{shards.INDEX_SUFFIX}"
_COPIED = (
    *("config.json", "generation_config.json", "preprocessor_config.json"),
    *("qwen.tiktoken", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("*LICEN[CS]E*", "NOTICE*"),
)


def load(
    folder: Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    lora_scope: LoraScope | None = None,
) -> BlspEmo:
    """The model in `folder`, published or converted, on `device` and ready to answer.

    `dtype` is by default the widest type stored, `lora_scope` what the configuration says. Raises
    `BadInput` or `PartMissing` before memory is taken, naming every tensor that does not fit.
    """
    model, stored = _outline(folder)
    if lora_scope and model.config.lora:
        model.lora_scope = lora_scope
    types = {tensor.dtype for tensor in stored.values()}
    model.to(dtype or reduce(torch.promote_types, types)).to_empty(device=device)
    weights = model.state_dict()
    for shard in shards.walk(folder):
        for stored_name in list(shard):
            if (name := _our_name(stored_name)) in weights:
                weights[name].copy_(shard.pop(stored_name))
    return model.eval()


def convert(
    source: Path,
    target: Path,
    *,
    dtype: torch.dtype | None = None,
    on_progress: OnProgress = unwatched,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write the checkpoint `source` to the new folder `target` in our layout, as `dtype` (None: as stored).

    `target` appears when all of it is written; what a killed conversion leaves is called `….part` and
    thrown away by the next. A conversion that is there already is left as it is. Raises `BadInput`,
    `PartMissing`, or `AttuneError` when the disk is full.
    """
    record = {"files": {path.name: path.stat().st_size for path in shards.files(source)}, "dtype": str(dtype)}
    if target.exists():
        if _record(target) != record:
            raise BadInput(f"{target} is there already and is something else; give the name of a new folder.")
        return
    _, stored = _outline(source)
    sizes = {name: tensor.numel() * (dtype or tensor.dtype).itemsize for name, tensor in stored.items()}
    total_bytes = sum(sizes.values())
    part = target.with_name(f"{target.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        if shutil.disk_usage(part).free < total_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        weight_map: dict[str, str] = {}
        for number, shard in enumerate(_regrouped(source, sizes, dtype, shard_bytes), start=1):
            name = f"model-{number:05d}.safetensors"
            save_file(shard, part / name, metadata={"format": "pt"})
            weight_map |= dict.fromkeys(shard, name)
            done_bytes = sum(sizes[written] for written in weight_map)
            on_progress(Progress(target.name, done_bytes, total_bytes, "published files"))
        for path in source.iterdir():
            if path.is_file() and any(path.match(pattern) for pattern in _COPIED):
                shutil.copyfile(path, part / path.name)
        index = {"metadata": {"total_size": total_bytes, "made_from": record}, "weight_map": weight_map}
        (part / _INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")
        part.rename(target)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise AttuneError(
            f"{target} cannot be written ({reason(error)}); it takes {total_bytes / 1e9:.1f} GB: free that "
            "much there, or give a folder on another disk."
        ) from error


def _record(folder: Path) -> Any:
    """What `convert` noted in `folder`; None if it is not from there."""
    try:
        return json.loads((folder / _INDEX).read_text(encoding="utf-8"))["metadata"]["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _regrouped(
    source: Path, sizes: Mapping[str, int], dtype: torch.dtype | None, shard_bytes: int
) -> Iterator[dict[str, torch.Tensor]]:
    """The weights by our names, in copies, in shards of our size. A shard is emptied after its turn."""
    shard: dict[str, torch.Tensor] = {}
    for stored in shards.walk(source):
        for stored_name in list(stored):
            if (name := _our_name(stored_name)) not in sizes:
                continue
            if shard and sum(sizes[held] for held in shard) + sizes[name] > shard_bytes:
                yield shard
                shard.clear()
            shard[name] = stored.pop(stored_name).to(dtype, copy=True, memory_format=torch.contiguous_format)
    yield shard


def _outline(source: Path) -> tuple[BlspEmo, dict[str, torch.Tensor]]:
    """The model that `source` configures and the weights it stores, by our names, all without memory.

    Raises `BadInput` if the weights are not exactly those of the model.
    """
    config = BlspEmoConfig.read(source)
    stored = {
        _our_name(name): tensor
        for name, tensor in shards.describe(source).items()
        if not _BUFFER.search(name)
    }
    if (layer := stored.get("adapter.hidden_layers.0.fc1.weight")) is not None:
        # No key of config.json says how wide a subsampler's own transformer layers are.
        config = replace(config, adapter_feedforward=layer.shape[0])
    try:
        model = BlspEmo.outline(config)
    except BadInput as error:
        raise BadInput(f"{source}: {error}") from error
    _check(source, stored, model)
    return model, stored


def _check(source: Path, stored: Mapping[str, torch.Tensor], model: BlspEmo) -> None:
    expected = model.state_dict()
    known = [name for name in expected if name in stored]
    problems = {
        "missing": [name for name in expected if name not in stored],
        "unknown": [name for name in stored if name not in expected],
        "of another shape": [
            f"{name}: {_shape(stored[name])} instead of {_shape(expected[name])}"
            for name in known
            if stored[name].shape != expected[name].shape
        ],
        "no floating-point numbers": [name for name in known if not stored[name].is_floating_point()],
    }
    found = [f"{len(names)} {what} ({shards.shortened(names)})" for what, names in problems.items() if names]
    if found:
        raise BadInput(
            f"{source}: the weights are not those of its config.json: {'; '.join(found)}; take both from the "
            "same checkpoint."
        )


def _our_name(stored_name: str) -> str:
    for theirs, ours in _OUR_PREFIXES.items():
        if stored_name.startswith(theirs):
            return ours + stored_name.removeprefix(theirs)
    return stored_name


def _shape(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"
