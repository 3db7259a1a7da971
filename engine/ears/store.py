"""Ears on disk: `ears.json` (shapes and scores) and `ears-N.safetensors` (int8 weights).

Read at start by the mini ears; written and read by `train`, which may also start
from a published Whisper encoder folder.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from engine import quantised
from engine.ears.network import EarsConfig, EarsNetwork
from engine.errors import BadInput

NAME = "ears"
WHISPER_PREFIX = "model.encoder."
LESSON_HEAD = "emotion."
"""Ears of the first two recipes carry the head of their lesson in feeling, which nothing listens to."""


def save(network: EarsNetwork, folder: Path, *, made_from: Mapping[str, Any]) -> None:
    """Write `network` quantised; `made_from` goes into `ears.json` as the record of its making."""
    quantised.save(folder, NAME, network.state_dict(), half=lambda key: "conv" in key or "embed" in key)
    shapes = dataclasses.asdict(network.config)
    record = {"config": shapes, "sha256": quantised.digest(folder, NAME), "made_from": dict(made_from)}
    write_record(folder, record)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    (folder / f"{NAME}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> EarsNetwork:
    """The network saved in `folder`, in eval mode. Raises `BadInput` when it is missing or does not fit."""
    shapes = {field.name for field in dataclasses.fields(EarsConfig)}
    config = read_record(folder)["config"]
    network = EarsNetwork(EarsConfig(**{name: config[name] for name in shapes & config.keys()}))
    tensors = quantised.load(folder, NAME).items()
    _fill(network, {key: tensor for key, tensor in tensors if not key.startswith(LESSON_HEAD)}, folder)
    return network.eval()


def read_record(folder: Path) -> dict[str, Any]:
    path = folder / f"{NAME}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: the ears' description is missing or broken; restore the folder.") from error


def network_from(folder: Path) -> EarsNetwork:
    """Where training starts: earlier ears, or a Whisper encoder with a fresh words head."""
    if (folder / f"{NAME}.json").is_file():
        return load(folder).train()
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise BadInput(f"{folder}: neither ears ({NAME}.json) nor a Whisper encoder (model.safetensors).")
    shapes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = EarsConfig(
        width=shapes["d_model"],
        layers=shapes["encoder_layers"],
        attention_heads=shapes["encoder_attention_heads"],
        feedforward=shapes["encoder_ffn_dim"],
        max_states=shapes["max_source_positions"],
    )
    network = EarsNetwork(config)
    tensors = {
        key.removeprefix(WHISPER_PREFIX): tensor.float()
        for key, tensor in load_file(weights).items()
        if key.startswith(WHISPER_PREFIX)
    }
    _fill(network.encoder, tensors, folder)
    return network


def _fill(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{folder}: the weights do not fit the network ({reason}).") from error
