"""Answers: token after token, as ids for evaluation or as text while it is written.

Called by the mind for every turn and by evaluations in batches. What the published code does
around its model is kept here: an answer's ids begin with a newline that the model was never
shown, and its decoder loses the last token of an answer that was cut short.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch

from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Prompt
from engine.blsp_emo.reading import Reading
from engine.blsp_emo.sampling import Sampler, Sampling
from engine.blsp_emo.tokenizer import Tokenizer
from engine.conversation import Stale, never

_BROKEN = "\ufffd"


@dataclass(frozen=True, eq=False)
class Step:
    """One new token in every row. A row that has ended is padded with `<|endoftext|>`."""

    tokens: torch.Tensor  # (B,)
    logits: torch.Tensor  # (B, V) float32, what they were chosen from; valid until the next step


def steps(
    model: BlspEmo,
    tokenizer: Tokenizer,
    prompt: Prompt,
    sampling: Sampling,
    stale: Stale = never,
    reading: Reading | None = None,
) -> Iterator[Step]:
    """The answers to a batch of prompts, until all have ended, are long enough or `stale`.

    With a `reading`, made for as many rows, its memory is used again and the answers end where it
    is full; raises `BadInput` when not even the prompt fits.
    """
    if stale():
        return
    batch, length = prompt.real.shape
    reading = reading or Reading(model, batch, length + sampling.max_new_tokens)
    logits = reading.start(prompt)
    sampler = Sampler(sampling, tokenizer, model.device)
    answers = torch.full((batch, 1), tokenizer.newline, device=model.device)
    has_ended = torch.zeros(batch, dtype=torch.bool, device=model.device)
    while True:
        tokens = sampler.choose(logits, answers).masked_fill(has_ended, tokenizer.endoftext)
        yield Step(tokens, logits)
        has_ended = has_ended | (tokens == tokenizer.endoftext)
        answers = torch.cat([answers, tokens[:, None]], dim=1)
        is_long = answers.shape[1] > sampling.max_new_tokens or reading.filled == reading.slots
        if is_long or bool(has_ended.all()) or stale():
            return
        logits = reading.step(tokens)


def generate(
    model: BlspEmo,
    tokenizer: Tokenizer,
    prompt: Prompt,
    sampling: Sampling,
    stale: Stale = never,
    reading: Reading | None = None,
) -> list[list[int]]:
    """The ids of every row's answer as the published code returns them: the artificial newline, the
    answer, and `<|endoftext|>` up to the length of the longest."""
    columns = [step.tokens for step in steps(model, tokenizer, prompt, sampling, stale, reading)]
    newlines = torch.full_like(prompt.real[:, :1], tokenizer.newline, dtype=torch.long)
    return torch.cat([newlines, *(column[:, None] for column in columns)], dim=1).tolist()


def stream(
    model: BlspEmo,
    tokenizer: Tokenizer,
    prompt: Prompt,
    sampling: Sampling,
    stale: Stale = never,
    reading: Reading | None = None,
) -> Iterator[str]:
    """The text of one answer in pieces, as soon as each is certain; together they are `decoded`.

    Half a character waits for its other half, white space for what follows it.
    """
    ids: list[int] = []
    said = ""
    with closing(steps(model, tokenizer, prompt, sampling, stale, reading)) as written:
        for step in written:
            ids.append(int(step.tokens[0]))
            if ids[-1] in _control_tokens(tokenizer):
                break
            text = decoded(tokenizer, ids)
            if len(text) > len(said) and not text.endswith(_BROKEN):
                yield text[len(said) :]
                said = text
    if not stale() and (rest := decoded(tokenizer, ids)[len(said) :]):
        yield rest


def decoded(tokenizer: Tokenizer, ids: Sequence[int], *, published: bool = False) -> str:
    """The text of an answer, up to its first control token.

    `published` repeats the published decoder, which looks for `<|im_start|>` and `<|im_end|>` only
    and drops the last token where neither occurs.
    """
    if published:
        ends = {tokenizer.im_start, tokenizer.im_end}
        text = ids[: next((i for i, id_ in enumerate(ids) if id_ in ends), len(ids) - 1)]
    else:
        text = itertools.takewhile(lambda id_: id_ not in _control_tokens(tokenizer), ids)
    # Rows of the matrices beyond the vocabulary have no text, and no reason to be chosen.
    return tokenizer.decode(id_ for id_ in text if id_ < tokenizer.size).strip()


def _control_tokens(tokenizer: Tokenizer) -> tuple[int, ...]:
    return tokenizer.im_start, tokenizer.im_end, tokenizer.endoftext
