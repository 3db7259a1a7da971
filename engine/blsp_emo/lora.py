"""Partial LoRA: low-rank adapters that act on chosen positions of a sequence only.

y = W x + b + m · (α / r) · B A x, with m ∈ {0, 1} per position (BLSP-Emo, section 3.2; LoRA is
Hu et al. 2021). One wrapper serves training, prefill and cached generation: which positions are
meant is an argument, never a state of the layer.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from engine.blsp_emo.config import LoraConfig, LoraScope

LoraMasks = Mapping[str, torch.Tensor]
"""Adapter name → (B, L, 1) mask of the positions it acts on. An adapter without a mask is off."""


class PartialLoraLinear(nn.Linear):
    """A linear layer with any number of named low-rank adapters, none to begin with."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self.lora_A = nn.ModuleDict()
        self.lora_B = nn.ModuleDict()
        self.lora_dropout = nn.ModuleDict()
        self.scaling: dict[str, float] = {}
        self.quantised: nn.Module | None = None
        """What `quantise` put in the place of weight and bias."""

    def add_lora(self, config: LoraConfig) -> None:
        """Add an adapter that changes nothing yet: A is random, B is zero."""
        like = {"device": self.weight.device, "dtype": self.weight.dtype}
        self.lora_A[config.name] = nn.Linear(self.in_features, config.r, bias=False, **like)
        self.lora_B[config.name] = nn.Linear(config.r, self.out_features, bias=False, **like)
        self.lora_dropout[config.name] = nn.Dropout(config.dropout)
        self.scaling[config.name] = config.scaling
        nn.init.zeros_(self.lora_B[config.name].weight)

    def forward(self, x: torch.Tensor, masks: LoraMasks) -> torch.Tensor:
        """x (B, L, in) → (B, L, out)."""
        y = F.linear(x, self.weight, self.bias) if self.quantised is None else self.quantised(x)
        for name, mask in masks.items():
            if name in self.lora_A:
                low_rank = self.lora_B[name](self.lora_A[name](self.lora_dropout[name](x)))
                y = y + mask.to(y.dtype) * self.scaling[name] * low_rank
        return y


def add_lora(module: nn.Module, config: LoraConfig) -> None:
    """Add the adapter to every layer of `module` whose name ends in one of the targets, as peft does."""
    for name, layer in module.named_modules():
        if isinstance(layer, PartialLoraLinear) and name.endswith(config.targets):
            layer.add_lora(config)


def positions_in_scope(scope: LoraScope, is_speech: torch.Tensor) -> torch.Tensor | None:
    """Which positions of what is read the adapter acts on: (B, L) bool → (B, L, 1), None for nowhere."""
    match scope:
        case "audio":
            return is_speech[..., None]
        case "text":
            return ~is_speech[..., None]
        case "global":
            return torch.ones_like(is_speech[..., None])
        case "none":
            return None


def acts_on_written(scope: LoraScope) -> bool:
    """Whether the adapter acts on the tokens that the model writes itself.

    Only in scope `global`: the published code applies its mask to the first forward of a
    generation and nothing after it, also in scope `text`.
    """
    return scope == "global"
