"""What a BLSP-Emo asks of a machine, and in which precision this one can run it.

Asked by the builder of the mind before anything is downloaded or loaded. Of a checkpoint that is
here already its own size counts, so that small ones run anywhere.
"""

from pathlib import Path
from typing import Literal, get_args

from engine.blsp_emo.config import BlspEmoConfig
from engine.blsp_emo.model import BlspEmo
from engine.errors import BadInput, PartMissing
from engine.profiles import Machine

Precision = Literal["float32", "bfloat16", "int8", "int4"]

PUBLISHED_PARAMETERS = 8_483_324_928

GB_PER_BILLION: dict[Precision, float] = {"float32": 4.4, "bfloat16": 2.2, "int8": 1.4, "int4": 0.97}
"""Memory of the device for a billion parameters: the weights, the conversation, and room to work."""

_PASSING_GB_PER_BILLION = 2.1
"""Main memory for a billion parameters on their way to 8 or 4 bits on a GPU."""

_ON_A_GPU: tuple[Precision, ...] = ("bfloat16", "int8", "int4")
"""Best first."""

_MOST_ON_A_CPU = 1_500_000_000
"""A CPU reads some 20 GB/s, and an answer at less than three tokens a second is no talk."""


def parameters(folder: Path) -> int:
    """Of the checkpoint in `folder`, by its `config.json`. Raises `BadInput`."""
    return sum(weights.numel() for weights in BlspEmo.outline(BlspEmoConfig.read(folder)).parameters())


def choose_precision(size: int, machine: Machine, asked: str = "auto") -> Precision:
    """How a model of `size` parameters runs on `machine`: as `asked`, or the best that fits.

    Raises `PartMissing` saying what it needs and what to use instead.
    """
    if asked not in {"auto", *get_args(Precision)}:
        raise BadInput(f"The precision {asked!r} is none of auto, {', '.join(get_args(Precision))}.")
    if asked == "auto" and not machine.gpu_memory_gb and size > _MOST_ON_A_CPU:
        raise _too_small(size, "this machine has no GPU")
    best = _ON_A_GPU if machine.gpu_memory_gb else ("float32",)
    for precision in best if asked == "auto" else (asked,):
        obstacle = _obstacle(size, precision, machine)
        if not obstacle:
            return precision
    raise _too_small(size, obstacle)


def _obstacle(size: int, precision: Precision, machine: Machine) -> str:
    """Why `machine` cannot hold a model of `size` in this precision; empty if it can."""
    needed_gb = size / 1e9 * GB_PER_BILLION[precision]
    if not machine.gpu_memory_gb:
        is_enough = needed_gb <= machine.memory_gb
        return "" if is_enough else f"there are {machine.memory_gb:.0f} GB of main memory and no GPU"
    if needed_gb > machine.gpu_memory_gb:
        return f"{machine.gpu_name} has {machine.gpu_memory_gb:.0f} GB"
    if precision in ("int8", "int4") and size / 1e9 * _PASSING_GB_PER_BILLION > machine.memory_gb:
        return f"there are {machine.memory_gb:.0f} GB of main memory"
    return ""


def describe(size: int) -> str:
    """What a model of `size` parameters needs, without a full stop."""
    billions = size / 1e9
    whole, int8, int4 = (f"{billions * GB_PER_BILLION[precision]:.0f} GB" for precision in _ON_A_GPU)
    return (
        f"BLSP-Emo with {billions:.1f} billion parameters takes {2 * billions:.0f} GB of disk and a GPU with "
        f"{whole} of memory, or {int8} in 8 bits, {int4} in 4 bits, for which "
        f"{billions * _PASSING_GB_PER_BILLION:.0f} GB of main memory are needed while it loads"
    )


def _too_small(size: int, obstacle: str) -> PartMissing:
    instead = "use --profile standard (8 GB of memory) or --profile mini instead"
    return PartMissing(f"{describe(size)}; {obstacle}: {instead}.")
