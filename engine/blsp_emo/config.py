"""What a published `config.json` says: the shapes and switches of one BLSP-Emo.

Read first when a checkpoint is loaded. Keys and defaults are the published ones; whatever
this implementation does not cover is refused here, in one sentence, before any weight is read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import BadInput

LoraScope = Literal["audio", "text", "global", "none"]
AdapterType = Literal["subsampler", "cformer"]

_QWEN_LORA_TARGETS = ("c_attn", "c_proj", "w1", "w2")


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters (Hu et al. 2021) on every linear layer whose name ends in a target."""

    r: int
    alpha: float
    dropout: float = 0.0
    targets: tuple[str, ...] = _QWEN_LORA_TARGETS
    name: str = "default"

    @property
    def scaling(self) -> float:
        return self.alpha / self.r


@dataclass(frozen=True)
class DecoderConfig:
    """The language model. The defaults of the switches are a plain Llama; Qwen-7B sets them all."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    feedforward: int
    norm_eps: float = 1e-6
    rotary_base: float = 10_000.0
    qkv_bias: bool = False
    bias: bool = False
    """Biases on all other linear layers."""
    tied_embeddings: bool = False
    trained_length: int | None = None
    """The context length of its training, to which the next two refer (`seq_length`)."""
    dynamic_ntk: bool = False
    log_n_attention: bool = False

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @classmethod
    def from_qwen(cls, keys: Mapping[str, Any]) -> "DecoderConfig":
        """From the nested `qwen_config`. Raises `BadInput` for what the published model does not use."""
        width, heads = keys["hidden_size"], keys["num_attention_heads"]
        if keys.get("kv_channels", width // heads) * heads != width:
            raise BadInput(f"kv_channels times num_attention_heads must give hidden_size ({width}).")
        if width // heads % 2 or width // heads < 4:
            raise BadInput(f"heads of {width // heads} channels cannot be rotated; it takes 4, 6, 8 …")
        if keys.get("rotary_pct", 1.0) != 1.0:
            raise BadInput(f"rotary_pct is {keys['rotary_pct']}; only full rotary embeddings are known here.")
        return cls(
            vocabulary=keys["vocab_size"],
            width=width,
            layers=keys["num_hidden_layers"],
            heads=heads,
            kv_heads=heads,
            feedforward=keys["intermediate_size"] // 2,  # the published key counts both halves of the gate
            norm_eps=_positive(keys, "layer_norm_epsilon", 1e-6),
            rotary_base=_positive(keys, "rotary_emb_base", 10_000),
            qkv_bias=True,
            bias=not keys.get("no_bias", True),
            trained_length=_positive(keys, "seq_length"),
            dynamic_ntk=keys.get("use_dynamic_ntk", True),
            log_n_attention=keys.get("use_logn_attn", True),
        )


@dataclass(frozen=True)
class BlspEmoConfig:
    """One BLSP-Emo: encoder, adapter, language model, emotion head."""

    whisper: Mapping[str, Any]
    """Keyword arguments of transformers' `WhisperConfig`."""
    decoder: DecoderConfig
    adapter_type: AdapterType = "subsampler"
    conv_kernel_sizes: tuple[int, ...] = (5, 5, 5)
    adapter_width: int = 512
    adapter_hidden_layers: int = 0
    adapter_feedforward: int = 2048
    """Width of the feed-forward in the transformer layers of an adapter."""
    pre_cif_layers: int = 4
    post_cif_layers: int = 4
    kd_temperature: float = 2.0
    lora: LoraConfig | None = None
    lora_scope: LoraScope = "audio"
    num_emotions: int = 5

    @property
    def encoder_width(self) -> int:
        return self.whisper["d_model"]

    @property
    def mel_bins(self) -> int:
        return self.whisper.get("num_mel_bins", 80)

    @property
    def mel_frames(self) -> int:
        """Mel frames that the encoder takes, always: Whisper's window, 3000 at 30 s."""
        return 2 * self.whisper["max_source_positions"]

    @classmethod
    def read(cls, folder: Path) -> "BlspEmoConfig":
        """From `folder/config.json`. Raises `BadInput` when it is missing or not a BLSP-Emo's."""
        path = folder / "config.json"
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise BadInput(f"{folder}: no config.json, so this is not a BLSP-Emo checkpoint.") from error
        except (ValueError, OSError) as error:
            raise BadInput(f"{path}: this is not JSON ({error}).") from error
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise BadInput(f"{path}: this is not a BLSP-Emo configuration ({error!r}).") from error
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, keys: Mapping[str, Any]) -> "BlspEmoConfig":
        """Raises `KeyError` or `TypeError` for another kind of model, `BadInput` for unknown choices."""
        adapter = keys.get("adapter_type", "subsampler")
        scope = keys.get("lora_scope", "audio")
        if adapter not in {"subsampler", "cformer"}:
            raise BadInput(f"the adapter_type {adapter!r} is neither subsampler nor cformer.")
        if scope not in {"audio", "text", "global"}:
            raise BadInput(f"the lora_scope {scope!r} is none of audio, text, global.")
        return cls(
            whisper=dict(keys["whisper_config"]),
            decoder=DecoderConfig.from_qwen(keys["qwen_config"]),
            adapter_type=adapter,
            conv_kernel_sizes=tuple(int(size) for size in keys.get("conv_kernel_sizes", "5,5,5").split(",")),
            adapter_width=keys.get("adapter_inner_dim", 512),
            adapter_hidden_layers=keys.get("adapter_hidden_layers", 0),
            adapter_feedforward=keys["whisper_config"]["encoder_ffn_dim"],
            pre_cif_layers=keys.get("num_pre_cif_layers", 4),
            post_cif_layers=keys.get("num_post_cif_layers", 4),
            kd_temperature=_positive(keys, "kd_temperature", 2),
            lora=_lora(keys.get("lora_config") or {}),
            lora_scope=scope,
            num_emotions=keys.get("num_emotions", 5),
        )


def _positive(keys: Mapping[str, Any], name: str, default: float | None = None) -> Any:
    """A number that is used only when the model runs, where a wrong one would be found too late."""
    value = keys[name] if default is None else keys.get(name, default)
    if not isinstance(value, int | float) or value <= 0:
        raise BadInput(f"{name} is {value!r}; it must be a number above 0.")
    return value


def _lora(keys: Mapping[str, Any]) -> LoraConfig | None:
    if not keys:
        return None
    if keys.get("bias", "none") != "none" or keys.get("fan_in_fan_out") or keys.get("modules_to_save"):
        raise BadInput("the lora_config asks for biases, transposed weights or extra modules.")
    if keys.get("layers_to_transform") is not None:
        raise BadInput("the lora_config is for some of the layers only (layers_to_transform).")
    targets = keys.get("target_modules") or _QWEN_LORA_TARGETS
    if isinstance(targets, str):
        raise BadInput(f"the lora_config names its target_modules by a pattern ({targets}), not in a list.")
    return LoraConfig(
        r=keys.get("r", 8),
        alpha=keys.get("lora_alpha", 8),
        dropout=keys.get("lora_dropout", 0.0),
        targets=tuple(targets),
    )
