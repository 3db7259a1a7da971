"""Weights in 8 or 4 bits, so that the 7B model fits a card of 16 or 8 GB.

Called once, between loading and the first answer. The matrices inside the language model's layers
shrink, and its word embeddings to 8 bits; encoder, adapter, LoRA, norms and the output matrix stay
as they are, and so does all that flows between layers. Perplexity of SmolLM2-135M: 16.2 as it is,
16.1 in 8 bits, 18.2 in 4, and 22.1 in 4 with the output matrix, which is why that stays.

The library is bitsandbytes: its 4-bit product (NF4, Dettmers et al. 2023) is one kernel on CPUs and
on CUDA cards from Turing on. For 8 bits it has none that leaves the activations alone, so a matrix
is unpacked before each use: that saves memory, not time.
"""

import logging
from types import ModuleType
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from engine.blsp_emo.lora import PartialLoraLinear
from engine.blsp_emo.model import BlspEmo
from engine.errors import PartMissing

_INT8_BLOCK = 256
_INT4_BLOCK = 64
"""Weights that share a scale, along a row."""


def quantise(model: BlspEmo, precision: Literal["int8", "int4"], device: str | torch.device) -> BlspEmo:
    """Shrink `model` in place and move it to `device`, matrix by matrix: the large one never has to fit.

    For inference only. Raises `PartMissing` without the library.
    """
    library = _library()
    make = _Int8Linear if precision == "int8" else _int4_linear
    for layer in model.llm.modules():
        if isinstance(layer, PartialLoraLinear) and (precision == "int8" or _can_be_4_bit(layer)):
            layer.quantised = make(library, layer, device).eval()
            layer.weight = layer.bias = None
    if not model.config.decoder.tied_embeddings:
        model.llm.transformer.wte = _int8_embedding(library, model.llm.transformer.wte, device)
    return model.to(device)


class _Int8Linear(nn.Module):
    """A linear layer whose weights are whole numbers from -127 to 127 times a scale for every block."""

    def __init__(self, library: ModuleType, linear: nn.Linear, device: str | torch.device) -> None:
        super().__init__()
        functional = library.functional
        weight, self._scales = functional.quantize_blockwise(
            linear.weight.detach().to(device),
            code=functional.create_linear_map().to(device),
            blocksize=_INT8_BLOCK,
        )
        self.register_buffer("weight", weight)
        self.bias = linear.bias
        self._unpacked = functional.dequantize_blockwise

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self._unpacked(self.weight, self._scales), self.bias)


def _can_be_4_bit(linear: nn.Linear) -> bool:
    """The library's kernels need whole blocks; every matrix of a published size has them."""
    return linear.in_features % _INT4_BLOCK == 0 and linear.out_features % _INT4_BLOCK == 0


def _int4_linear(library: ModuleType, linear: nn.Linear, device: str | torch.device) -> nn.Module:
    shape = (linear.in_features, linear.out_features)
    small = library.nn.Linear4bit(*shape, bias=False, compute_dtype=linear.weight.dtype, device="meta")
    weight = library.nn.Params4bit(
        linear.weight.detach(), quant_type="nf4", blocksize=_INT4_BLOCK, module=small
    )
    small.weight = weight.to(device)  # this is what quantises
    small.bias = linear.bias
    return small


def _int8_embedding(library: ModuleType, words: nn.Embedding, device: str | torch.device) -> nn.Module:
    small = library.nn.Embedding8bit(*words.weight.shape, device="meta", dtype=words.weight.dtype)
    small.weight = library.nn.Int8Params(words.weight.detach().cpu(), requires_grad=False).to(device)
    return small


def _library() -> ModuleType:
    # It says on every import which faster kernels it would like to have.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        import bitsandbytes
    except ImportError as error:
        raise PartMissing(
            "8 and 4 bits need bitsandbytes: `pip install bitsandbytes`, or choose bfloat16."
        ) from error
    return bitsandbytes
