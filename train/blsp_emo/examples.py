"""A manifest row becomes a training example: five groups of tokens around an utterance.

`prepare` is called once per row, `collate` once per batch. The groups stay apart until the losses
join them twice, around the speech and around its transcript (Wang et al. 2024, section 3).
Framing, padding and limits are those of the published training script.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from engine.blsp_emo import chatml
from engine.blsp_emo.paper_emotion import PAPER_LABELS
from engine.blsp_emo.tokenizer import Tokenizer
from engine.errors import BadInput

IGNORED = -100
"""The label of what is not to be learned."""
MIN_DURATION_S, MAX_DURATION_S = 1.0, 30.0
MAX_LENGTH = 384
"""In tokens, of the text that the teacher reads."""


@dataclass(frozen=True)
class Framing:
    """What a stage sets its recordings in."""

    system: str
    audio_instruction: str | None = None
    """Said before the speech; None: what the row says before its transcript."""


SEMANTIC = Framing(chatml.SYSTEM)
"""Stage 1."""
EMOTION = Framing(chatml.EMPATHETIC_SYSTEM, chatml.CONTINUE_HEARD)
"""Stage 2."""


@dataclass(frozen=True)
class Tokens:
    ids: list[int]
    labels: list[int]
    """As long as `ids`."""


@dataclass(frozen=True)
class Example:
    """Read as text it is [start | instruction | input | suffix], with the answer at the end of the
    suffix; by ear, [start | audio_instruction | speech | suffix]."""

    start: Tokens
    instruction: Tokens
    audio_instruction: Tokens
    input: Tokens
    suffix: Tokens
    emotion: int
    """Index in the paper's labels, or `IGNORED`."""


def prepare(row: Mapping[str, Any], tokenizer: Tokenizer, framing: Framing) -> Example:
    """A row with `text` and `output`, and with `instruction`, `early_stop`, `emotion` if it has them.

    An answer that was cut by its length (`early_stop`) does not teach where to end. Raises
    `BadInput` for a row without text or output.
    """
    for key in ("text", "output"):
        if not isinstance(row.get(key), str):
            raise BadInput(f"The row has no {key!r}; `python -m train continuations` writes the outputs.")
    instruction = row.get("instruction") or ""
    heard = instruction if framing.audio_instruction is None else framing.audio_instruction
    before = [*chatml.answer_start_ids(tokenizer), tokenizer.newline]
    end = [] if row.get("early_stop") else [tokenizer.im_end, tokenizer.newline, tokenizer.endoftext]
    answer = [*tokenizer.encode(row["output"]), *end]
    emotion = row.get("emotion")
    return Example(
        start=_given(chatml.user_start_ids(tokenizer, framing.system)),
        instruction=_given(tokenizer.encode(instruction)),
        audio_instruction=_given(tokenizer.encode(heard)),
        input=_given(tokenizer.encode(row["text"])),
        suffix=Tokens([*before, *answer], [IGNORED] * len(before) + answer),
        emotion=PAPER_LABELS.index(emotion) if emotion in PAPER_LABELS else IGNORED,
    )


def _given(ids: list[int]) -> Tokens:
    return Tokens(ids, [IGNORED] * len(ids))


def why_dropped(example: Example, duration_s: float, max_length: int = MAX_LENGTH) -> str | None:
    """Why an example is not trained on, to be said after its name; None when it is."""
    if not MIN_DURATION_S <= duration_s <= MAX_DURATION_S:
        return f"it lasts {duration_s:.1f} s, outside {MIN_DURATION_S:.0f} to {MAX_DURATION_S:.0f} s"
    read = (example.start, example.instruction, example.input, example.suffix)
    length = sum(len(tokens.ids) for tokens in read)
    if length > max_length:
        return f"its text has {length} tokens, more than {max_length}"
    if set(example.suffix.labels) == {IGNORED}:
        return "its answer is empty"
    return None


@dataclass(frozen=True, eq=False)
class Group:
    """The same tokens of every row, padded on the right."""

    ids: torch.Tensor  # (B, L)
    real: torch.Tensor  # (B, L) bool, False on padding
    labels: torch.Tensor  # (B, L)


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples side by side; each group is as long as its own longest."""

    start: Group
    instruction: Group
    audio_instruction: Group
    input: Group
    suffix: Group
    emotions: torch.Tensor  # (B,)

    @property
    def transcript_lengths(self) -> torch.Tensor:
        """(B,) tokens: how many a CFormer in training is told to make of the speech."""
        return self.input.real.sum(1)


def collate(examples: Sequence[Example], pad_id: int) -> Batch:
    return Batch(
        start=_padded([example.start for example in examples], pad_id),
        instruction=_padded([example.instruction for example in examples], pad_id),
        audio_instruction=_padded([example.audio_instruction for example in examples], pad_id),
        input=_padded([example.input for example in examples], pad_id),
        suffix=_padded([example.suffix for example in examples], pad_id),
        emotions=torch.tensor([example.emotion for example in examples]),
    )


def _padded(rows: list[Tokens], pad_id: int) -> Group:
    ids = [torch.tensor(row.ids, dtype=torch.long) for row in rows]
    labels = [torch.tensor(row.labels, dtype=torch.long) for row in rows]
    return Group(
        pad_sequence(ids, batch_first=True, padding_value=pad_id),
        pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in ids], batch_first=True),
        pad_sequence(labels, batch_first=True, padding_value=IGNORED),
    )
