"""A BLSP-Emo with random weights, written as the published one is: any sizes, shards and types.

The names and shapes are the published ones, written down here once more, so that a test that loads
such a checkpoint also checks those of the model.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

LORA = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "target_modules": ["c_attn", "c_proj", "w1", "w2"]}
CONFIG = {
    "adapter_type": "subsampler",
    "adapter_inner_dim": 16,
    "adapter_hidden_layers": 0,
    "conv_kernel_sizes": "5,5,5",
    "num_pre_cif_layers": 1,
    "num_post_cif_layers": 1,
    "lora_config": LORA,
    "lora_scope": "audio",
    "num_emotions": 5,
    "whisper_config": {
        "d_model": 32,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "max_source_positions": 400,
        "num_mel_bins": 80,
    },
    "qwen_config": {
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "kv_channels": 12,
        "intermediate_size": 128,
        "vocab_size": 480,
        "seq_length": 2048,
        "layer_norm_epsilon": 1e-6,
        "use_dynamic_ntk": True,
        "use_logn_attn": True,
        "no_bias": True,
    },
}
ENDOFTEXT = 256
"""The vocabulary is the 256 bytes and Qwen's 208 control tokens, padded."""


def write_checkpoint(
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    shards: int = 1,
    dtype: torch.dtype = torch.float32,
    safetensors: bool = False,
    seed: int = 0,
) -> None:
    """`config` overrides keys of `CONFIG`, also nested ones; `lora_config={}` is a model without LoRA."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = published_config(config or {})
    _write_json(folder / "config.json", keys)
    _write_tokenizer_and_defaults(folder, keys)
    stem, suffix = ("model", ".safetensors") if safetensors else ("pytorch_model", ".bin")
    names = [f"{stem}-{n:05d}-of-{shards:05d}{suffix}" for n in range(1, shards + 1)]
    names = names if shards > 1 else [f"{stem}{suffix}"]
    weight_map = {}
    random = torch.Generator().manual_seed(seed)
    for name, shapes in zip(names, _grouped(published_shapes(keys), shards), strict=True):
        tensors = {key: _random(key, shape, random).to(dtype) for key, shape in shapes.items()}
        save_file(tensors, folder / name) if safetensors else torch.save(tensors, folder / name)
        weight_map |= dict.fromkeys(tensors, name)
    if shards > 1:
        _write_json(folder / f"{stem}{suffix}.index.json", {"metadata": {}, "weight_map": weight_map})


def published_config(overrides: Mapping[str, Any]) -> dict[str, Any]:
    nested = {key: {**CONFIG[key], **overrides.get(key, {})} for key in ("whisper_config", "qwen_config")}
    return {**CONFIG, **overrides, **nested}


def published_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Every tensor of a checkpoint with this configuration, in the published order."""
    shapes = {"hidden2emotion.weight": (config["num_emotions"], config["qwen_config"]["hidden_size"])}
    return {**dict(_whisper(config)), **dict(_qwen(config)), **dict(_adapter(config)), **shapes}


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _whisper(config: Mapping[str, Any]) -> Shapes:
    whisper = config["whisper_config"]
    width, root = whisper["d_model"], "whisper_model."
    yield from _affine(f"{root}conv1", width, whisper["num_mel_bins"], 3)
    yield from _affine(f"{root}conv2", width, width, 3)
    yield f"{root}embed_positions.weight", (whisper["max_source_positions"], width)
    for n in range(whisper["encoder_layers"]):
        yield from _whisper_layer(f"{root}layers.{n}.", width, whisper["encoder_ffn_dim"])
    yield from _affine(f"{root}layer_norm", width)


def _whisper_layer(root: str, width: int, feedforward: int) -> Shapes:
    yield f"{root}self_attn.k_proj.weight", (width, width)
    for name in ("q_proj", "v_proj", "out_proj"):
        yield from _affine(f"{root}self_attn.{name}", width, width)
    yield from _affine(f"{root}self_attn_layer_norm", width)
    yield from _affine(f"{root}fc1", feedforward, width)
    yield from _affine(f"{root}fc2", width, feedforward)
    yield from _affine(f"{root}final_layer_norm", width)


def _qwen(config: Mapping[str, Any]) -> Shapes:
    qwen, lora = config["qwen_config"], config["lora_config"]
    root = "qwen_model.model." if lora else "qwen_model."
    width, feedforward, vocabulary = qwen["hidden_size"], qwen["intermediate_size"] // 2, qwen["vocab_size"]
    linear = {
        "attn.c_attn": (3 * width, width),
        "attn.c_proj": (width, width),
        "mlp.w1": (feedforward, width),
        "mlp.w2": (feedforward, width),
        "mlp.c_proj": (width, feedforward),
    }
    yield f"{root}transformer.wte.weight", (vocabulary, width)
    for n in range(qwen["num_hidden_layers"]):
        layer = f"{root}transformer.h.{n}."
        yield f"{layer}ln_1.weight", (width,)
        yield f"{layer}ln_2.weight", (width,)
        yield f"{layer}attn.c_attn.bias", (3 * width,)
        for name, (rows, columns) in linear.items():
            yield f"{layer}{name}.weight", (rows, columns)
            if lora and name.endswith(tuple(lora["target_modules"])):
                yield f"{layer}{name}.lora_A.default.weight", (lora["r"], columns)
                yield f"{layer}{name}.lora_B.default.weight", (rows, lora["r"])
    yield f"{root}transformer.ln_f.weight", (width,)
    yield f"{root}lm_head.weight", (vocabulary, width)


def _adapter(config: Mapping[str, Any]) -> Shapes:
    width, out = config["whisper_config"]["d_model"], config["qwen_config"]["hidden_size"]
    feedforward = config["whisper_config"]["encoder_ffn_dim"]
    if config["adapter_type"] == "subsampler":
        kernels = [int(size) for size in config["conv_kernel_sizes"].split(",")]
        for n, size in enumerate(kernels):
            channels = 2 * (out if n == len(kernels) - 1 else width)
            yield from _affine(f"adapter.subsampler.conv_layers.{n}", channels, width, size)
        inner = config["adapter_inner_dim"]
        yield "adapter.fc1.weight", (inner, out)
        yield "adapter.fc2.weight", (out, inner)
        yield from _affine("adapter.speech_ln", out)
        for n in range(config["adapter_hidden_layers"]):
            yield from _whisper_layer(f"adapter.hidden_layers.{n}.", inner, feedforward)
        return
    if not config["num_pre_cif_layers"]:
        yield from _affine("adapter.pre_cif_layer", width, width)
    for place in ("pre", "post"):
        for n in range(config[f"num_{place}_cif_layers"]):
            yield from _whisper_layer(f"adapter.{place}_cif_layers.{n}.", width, feedforward)
    yield from _affine("adapter.cif_proj", width, width - 1)
    yield from _affine("adapter.token_embed_proj", out, width)
    yield "adapter.lm_head.weight", (config["qwen_config"]["vocab_size"], width)


def _affine(name: str, rows: int, *rest: int) -> Shapes:
    yield f"{name}.weight", (rows, *rest)
    yield f"{name}.bias", (rows,)


def _grouped(shapes: Mapping[str, tuple[int, ...]], groups: int) -> list[dict[str, tuple[int, ...]]]:
    """Consecutive tensors in `groups` of about the same size."""
    total, done = sum(map(prod, shapes.values())), 0
    grouped: list[dict[str, tuple[int, ...]]] = [{} for _ in range(groups)]
    for name, shape in shapes.items():
        grouped[min(done * groups // total, groups - 1)][name] = shape
        done += prod(shape)
    return grouped


def _random(name: str, shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    """Values of the size that keeps activations near 1."""
    values = torch.randn(shape, generator=random)
    if len(shape) > 1:
        return values if "wte" in name else values.div_(prod(shape[1:]) ** 0.5)
    return values.mul_(0.1).add_(0.0 if name.endswith("bias") else 1.0)


def _write_tokenizer_and_defaults(folder: Path, config: Mapping[str, Any]) -> None:
    ranks = (f"{base64.b64encode(bytes([byte])).decode()} {byte}\n" for byte in range(256))
    (folder / "qwen.tiktoken").write_text("".join(ranks), encoding="ascii")
    seconds = config["whisper_config"]["max_source_positions"] // 50
    extractor = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "hop_length": 160}
    extractor |= {"n_fft": 400, "sampling_rate": 16000, "chunk_length": seconds, "padding_value": 0.0}
    extractor |= {"n_samples": 16000 * seconds, "nb_max_frames": 100 * seconds}
    _write_json(folder / "preprocessor_config.json", extractor)
    defaults = {"chat_format": "chatml", "eos_token_id": ENDOFTEXT, "pad_token_id": ENDOFTEXT}
    defaults |= {"max_window_size": 6144, "max_new_tokens": 512, "do_sample": True, "top_k": 0, "top_p": 0.8}
    _write_json(folder / "generation_config.json", defaults | {"repetition_penalty": 1.1})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
