"""Which token comes next: the published rules, made of transformers' logits processors.

Used by `generate` at every step. Their order matters and is that of the published code: penalty
for repetition, no early end, end after a stop word, then temperature, top-k, top-p.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinNewTokensLengthLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from engine.blsp_emo.tokenizer import Tokenizer
from engine.errors import BadInput

_CERTAIN = 2.0**15
"""The published score of the end after a stop word; the highest power of two that float16 holds."""

_READ = ("temperature", "top_p", "top_k", "repetition_penalty", "max_new_tokens", "min_new_tokens")
"""Keys of a generation_config.json."""


@dataclass(frozen=True)
class Sampling:
    """How an answer is written. The defaults are Qwen-7B-Chat's, which the published model answers with."""

    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_p: float = 0.8
    top_k: int = 0
    """0 considers every token."""
    repetition_penalty: float = 1.1
    """Of what the answer itself contains so far, also where the likeliest token is taken."""
    max_new_tokens: int = 512
    min_new_tokens: int = 1
    stop_words: tuple[int, ...] | None = None
    """Ids after which the answer ends; None: `<|im_start|>` and `<|im_end|>`."""
    seed: int | None = None
    """Makes answers repeatable."""

    @classmethod
    def from_generation_config(cls, folder: Path) -> "Sampling":
        """From `folder/generation_config.json`, the defaults where it is silent. Raises `BadInput`."""
        path = folder / "generation_config.json"
        try:
            keys = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            known = {key: keys[key] for key in _READ if keys.get(key) is not None}
        except (OSError, ValueError, AttributeError) as error:
            raise BadInput(f"{path}: this is not JSON ({error}); fetch it again or delete it.") from error
        for key, value in known.items():
            if not isinstance(value, int | float) or value < 0 or (key == "repetition_penalty" and not value):
                raise BadInput(f"{path}: {key} cannot be {value!r}; fetch the file again or delete it.")
        return cls(**known) if keys.get("do_sample", True) else cls(**known | {"temperature": 0.0})


class Sampler:
    """Chooses the tokens of one batch of answers."""

    def __init__(self, sampling: Sampling, tokenizer: Tokenizer, device: torch.device) -> None:
        stop_words = sampling.stop_words
        if stop_words is None:
            stop_words = (tokenizer.im_start, tokenizer.im_end)
        self._is_greedy = not sampling.temperature
        self._processors = LogitsProcessorList()
        if sampling.repetition_penalty != 1:
            self._processors.append(RepetitionPenaltyLogitsProcessor(float(sampling.repetition_penalty)))
        if sampling.min_new_tokens:
            at_least = MinNewTokensLengthLogitsProcessor(
                1, sampling.min_new_tokens, tokenizer.endoftext, device=device
            )
            self._processors.append(at_least)
        self._processors.append(_EndAfter(stop_words, tokenizer.endoftext, device))
        if not self._is_greedy:
            self._processors.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_k:
                self._processors.append(TopKLogitsWarper(sampling.top_k))
            if sampling.top_p < 1:
                self._processors.append(TopPLogitsWarper(sampling.top_p))
        self._generator = torch.Generator(device)
        self._generator.seed() if sampling.seed is None else self._generator.manual_seed(sampling.seed)

    @torch.inference_mode()
    def choose(self, logits: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        """logits (B, V), answers so far (B, n) with the artificial newline in front → tokens (B,)."""
        scores = self._processors(answers, logits)
        if self._is_greedy:
            return scores.argmax(-1)
        return torch.multinomial(scores.softmax(-1), 1, generator=self._generator)[:, 0]


class _EndAfter(LogitsProcessor):
    """Nothing but the end follows a stop word."""

    def __init__(self, stop_words: tuple[int, ...], end: int, device: torch.device) -> None:
        self._stop_words = torch.tensor(stop_words, dtype=torch.long, device=device)
        self._end = torch.tensor([[end]], device=device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        end = self._end.expand(len(scores), 1)
        stopped = torch.isin(input_ids[:, -1:], self._stop_words)
        return scores.scatter(1, end, torch.where(stopped, _CERTAIN, scores.gather(1, end)))
