"""Every tensor that a golden directory expects of the forward passes."""

from collections.abc import Iterator

import torch

from engine.blsp_emo.cif import fire_weights
from engine.blsp_emo.lora import LoraScope
from engine.blsp_emo.prompts import Prompt, Segment, join
from tests.golden.case import Case

NamedTensors = Iterator[tuple[str, torch.Tensor]]
SCOPES: tuple[LoraScope, ...] = ("none", "audio", "text", "global")
UTTERANCE_OF = {"a": 0, "b": 1}
"""Which utterance follows which prompt in the golden prompts."""


@torch.no_grad()
def forward_tensors(case: Case) -> NamedTensors:
    yield from _features(case)
    yield from _adapter(case)
    yield from _prompts(case)
    yield from _long_prompts(case)
    if "cif.plain.alphas" in case.given:
        yield from _cif(case)


def _features(case: Case) -> NamedTensors:
    mel = case.mel
    longest = int(mel.lengths.max())
    # The golden frames go a little further than the longest utterance, to where every row is its fill.
    shown = min(longest + 8, mel.frames.shape[2])
    states, mask = case.model.encode(mel.frames, mel.lengths)
    yield "mel.frames", mel.frames[:, :, :shown]
    yield "mel.fill", mel.frames[:, 0, -1]
    yield "mel.lengths", mel.lengths
    yield "encoder.states", states
    yield "encoder.lengths", mask.sum(1)


def _adapter(case: Case) -> NamedTensors:
    batch = case.hear(0, 1, 2)
    yield "adapter.batch3.embeds", batch.embeds
    yield "adapter.batch3.mask", batch.mask
    yield "emotion_logits.eval", case.model.emotion_logits(batch)
    outputs = {"batch3": batch} | {f"single{index}": case.hear(index) for index in range(3)}
    for name, output in outputs.items():
        yield f"adapter.{name}.embeds", output.embeds
        if output.alphas is not None:
            yield f"adapter.{name}.alphas", output.alphas
            yield f"adapter.{name}.alphas_sum", output.alphas_sum
    if batch.tokens is not None:
        yield "adapter.batch3.vocab_logits_row0", case.model.adapter.lm_head(batch.tokens[0])


def _prompts(case: Case) -> NamedTensors:
    answered = case.inputs["prompts"]["suffix_with_answer"]
    for scope in SCOPES:
        for prompt, utterance in UTTERANCE_OF.items():
            logits = _logits(case, case.prompt([prompt], [utterance], answered), scope)[0]
            yield f"prompt.scope_{scope}.utt{utterance}.last12_logits", logits[-12:]
        batch = case.prompt(list(UTTERANCE_OF), list(UTTERANCE_OF.values()), answered)
        yield f"prompt.scope_{scope}.batch2.last12_logits", _logits(case, batch, scope)[:, -12:]
        yield "prompt.batch2.attention_mask", batch.real
    own = _logits(case, case.prompt(["a"], [0], answered), case.model.lora_scope)
    yield "prompt.own_scope.utt0.logits", own[0]


def _long_prompts(case: Case) -> NamedTensors:
    for name in ("single", "batch2"):
        ids = case.given[f"long.{name}.ids"]
        real = case.given.get(f"long.{name}.attention_mask", torch.ones_like(ids)).bool()
        prompt = join([Segment(case.model.llm.embed(ids), real)], published=True)
        yield f"long.{name}.last4_logits", case.model.llm.lm_head(case.model(prompt)[:, -4:])


def _cif(case: Case) -> NamedTensors:
    for name in ("plain", "given", "repeat_fire"):
        alphas, hidden = case.given[f"cif.{name}.alphas"], case.given[f"cif.{name}.hidden"]
        counts = case.given.get(f"cif.{name}.num_tokens", alphas.sum(1).round().long().clamp(min=1))
        yield f"cif.{name}.num_tokens", counts
        yield f"cif.{name}.mask", torch.arange(int(counts.max())) < counts[:, None]
        yield f"cif.{name}.out", fire_weights(alphas, counts, published=True) @ hidden
        for row in range(len(counts)):
            one = slice(row, row + 1)
            # The loop here too: by rounding it may lose a token that lies within the last frame.
            shares = fire_weights(alphas[one], counts[one], published=True)
            yield f"cif.{name}.out_alone{row}", shares @ hidden[one]


def _logits(case: Case, prompt: Prompt, scope: LoraScope) -> torch.Tensor:
    return case.model.llm.lm_head(case.model(prompt, scope))
