"""Feeling in the voice as the paper recognises it: the language model is asked, or the head is read.

Called where an utterance's emotion is shown or evaluated. The paper has five labels, the rest of
Attune seven; only here is the fifth called `surprise`.
"""

from collections.abc import Mapping, Sequence

import torch

from engine.blsp_emo import chatml
from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Prompt, Segment, join
from engine.blsp_emo.reading import Reading
from engine.blsp_emo.tokenizer import Tokenizer
from engine.emotion import EMOTIONS

PAPER_LABELS = ("neutral", "happy", "angry", "sad", "surprise")
"""In the order of the head's outputs."""

_IN_SEVEN = {"surprise": "surprised"}


@torch.inference_mode()
def asked(model: BlspEmo, tokenizer: Tokenizer, speech: AdapterOutput) -> list[dict[str, float]]:
    """Probability of each of `PAPER_LABELS` for every utterance, by the paper's question to the model.

    A label's score is the summed log-likelihood of its tokens after the newline that begins every
    answer. It is not divided by their number: once a long label has begun its rest is all but
    certain, and an average would only make it look likelier. Nor does the end of the turn count,
    since an answer that goes on (`surprised`) means the same.
    """
    pieces = (
        chatml.user_start_ids(tokenizer, chatml.SYSTEM) + tokenizer.encode(chatml.NAME_EMOTION),
        chatml.answer_start_ids(tokenizer),
    )
    before, after = (torch.tensor([ids], device=model.device).expand(len(speech.mask), -1) for ids in pieces)
    prompt = join(
        [
            Segment(model.llm.embed(before), torch.ones_like(before, dtype=torch.bool)),
            Segment(speech.embeds, speech.mask, is_speech=True),
            Segment(model.llm.embed(after), torch.ones_like(after, dtype=torch.bool)),
        ],
        published=model.published_padding,
    )
    answers = [[tokenizer.newline, *tokenizer.encode(label)] for label in PAPER_LABELS]
    return _by_label(_log_likelihoods(model, prompt, answers).softmax(-1))


@torch.inference_mode()
def pooled(model: BlspEmo, speech: AdapterOutput) -> list[dict[str, float]]:
    """Probability of each of `PAPER_LABELS` for every utterance, by the emotion head."""
    return _by_label(model.emotion_logits(speech).float().softmax(-1))


def in_seven(scores: Mapping[str, float]) -> dict[str, float]:
    """The five labels' scores among `EMOTIONS`; those that the paper does not know get 0."""
    renamed = {_IN_SEVEN.get(label, label): score for label, score in scores.items()}
    return {label: renamed.get(label, 0.0) for label in EMOTIONS}


def _log_likelihoods(model: BlspEmo, prompt: Prompt, answers: Sequence[Sequence[int]]) -> torch.Tensor:
    """Of every answer to every row of `prompt`, which is read once → (B, answers)."""
    batch, length = prompt.real.shape
    reading = Reading(model, batch, length + max(map(len, answers)))
    first = reading.start(prompt)
    columns = []
    for answer in answers:
        reading.rewind(length)
        tokens = torch.tensor(answer, device=model.device).expand(batch, -1)
        logits = torch.stack([first, *map(reading.step, tokens[:, :-1].unbind(1))], dim=1)  # (B, n, V)
        columns.append(logits.log_softmax(-1).gather(2, tokens[..., None]).sum((1, 2)))
    return torch.stack(columns, dim=1)


def _by_label(probabilities: torch.Tensor) -> list[dict[str, float]]:
    return [dict(zip(PAPER_LABELS, row, strict=True)) for row in probabilities.tolist()]
