"""The losses of BLSP-Emo's two stages.

Called for every batch. Speech is to do what its transcript does: one pass of the language model
hears the utterance and is trained, another reads the transcript and is its teacher (Wang et al.
2024, section 3; the distillation is Hinton et al. 2015 without its factor t²).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F

from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Segment, join
from engine.errors import BadInput
from train.blsp_emo.examples import IGNORED, Batch, Group


@dataclass(frozen=True, eq=False)
class Pass:
    """What the language model made of a batch."""

    hidden: torch.Tensor  # (B, L, H)
    labels: torch.Tensor  # (B, L)
    is_input: torch.Tensor  # (B, L) bool: the speech, or its transcript

    @property
    def is_answer(self) -> torch.Tensor:
        return self.labels != IGNORED


class Lesson:
    """What the losses of one batch are computed from. A pass runs when the first loss asks for it."""

    def __init__(self, model: BlspEmo, batch: Batch, speech: AdapterOutput) -> None:
        self.model = model
        self.batch = batch
        self.speech = speech

    @cached_property
    def heard(self) -> Pass:
        """The student's."""
        speech = Segment(self.speech.embeds, self.speech.mask, is_speech=True)
        return self._pass(self.batch.audio_instruction, speech)

    @cached_property
    def read(self) -> Pass:
        """The teacher's, without gradient."""
        with torch.no_grad():
            return self._pass(self.batch.instruction, self._segment(self.batch.input))

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(P, H) → (P, V) float32, for chosen positions only: 150,000 words a position are much memory."""
        return self.model.llm.lm_head(hidden).float()

    def _pass(self, instruction: Group, heard: Segment) -> Pass:
        start, instruction, suffix = map(self._segment, (self.batch.start, instruction, self.batch.suffix))
        prompt = join([start, instruction, heard, suffix], published=self.model.published_padding)
        before = start.real.shape[1] + instruction.real.shape[1]
        length = prompt.real.shape[1]
        after = suffix.real.shape[1]
        labels = F.pad(self.batch.suffix.labels, (length - after, 0), value=IGNORED)
        is_input = F.pad(heard.real, (before, after))
        return Pass(self.model(prompt), prompt.follow(labels), prompt.follow(is_input))

    def _segment(self, group: Group) -> Segment:
        return Segment(self.model.llm.embed(group.ids), group.real)


def response_ce(lesson: Lesson) -> torch.Tensor:
    """Cross-entropy of the answer's tokens, per token."""
    targets = lesson.heard.labels[:, 1:]
    learned = targets != IGNORED
    logits = lesson.logits(lesson.heard.hidden[:, :-1][learned])
    return F.cross_entropy(logits, targets[learned])


def response_kl(lesson: Lesson) -> torch.Tensor:
    """Divergence from the teacher at the answer's tokens.

    As published at the tokens themselves, not one before: what is compared are the predictions of
    the tokens that follow, so the prediction of the answer's first token is left out.
    """
    return _divergence(lesson, lesson.heard.is_answer, lesson.read.is_answer)


def input_kl(lesson: Lesson) -> torch.Tensor:
    """Divergence from the teacher at the transcript's tokens, which need one speech embedding each."""
    if lesson.speech.alphas is None or not lesson.model.training:
        raise BadInput("The loss input_kl needs a cformer adapter in training; leave it out here.")
    return _divergence(lesson, lesson.heard.is_input, lesson.read.is_input)


def cif(lesson: Lesson) -> torch.Tensor:
    """How far the CFormer's own token count is off, relative to the transcript's."""
    if lesson.speech.alphas_sum is None:
        raise BadInput("The loss cif needs a cformer adapter; leave it out for another one.")
    return (lesson.speech.alphas_sum / lesson.batch.transcript_lengths - 1).abs().mean()


def input_er(lesson: Lesson) -> torch.Tensor:
    """Cross-entropy of the utterance's emotion, over the rows that have one."""
    emotions = lesson.batch.emotions
    logits = lesson.model.emotion_logits(lesson.speech).float()
    summed = F.cross_entropy(logits, emotions, ignore_index=IGNORED, reduction="sum")
    return summed / (emotions != IGNORED).sum().clamp(min=1)


def _divergence(lesson: Lesson, heard_at: torch.Tensor, read_at: torch.Tensor) -> torch.Tensor:
    """KL(teacher ‖ student) of the softened predictions, per position; both (B, L) choose the same ones."""
    temperature = lesson.model.config.kd_temperature
    with torch.no_grad():
        teacher = (lesson.logits(lesson.read.hidden[read_at]) / temperature).softmax(-1)
    student = (lesson.logits(lesson.heard.hidden[heard_at]) / temperature).log_softmax(-1)
    return F.kl_div(student, teacher, reduction="batchmean")


LOSSES: dict[str, Callable[[Lesson], torch.Tensor]] = {
    loss.__name__: loss for loss in (response_ce, response_kl, input_kl, cif, input_er)
}


def losses(
    model: BlspEmo, batch: Batch, speech: AdapterOutput, names: Collection[str]
) -> dict[str, torch.Tensor]:
    """The named losses of a batch; what is trained on is their sum.

    `speech` is the adapter's output for the batch's utterances. Raises `BadInput` for a name that
    is none, or for a loss that this adapter cannot have.
    """
    if unknown := [name for name in names if name not in LOSSES]:
        raise BadInput(f"There is no loss {unknown[0]!r}; choose from {', '.join(LOSSES)}.")
    if not any("response" in name for name in names):
        batch = _without_answers(batch)
    lesson = Lesson(model, batch, speech)
    return {name: LOSSES[name](lesson) for name in names}


def _without_answers(batch: Batch) -> Batch:
    """As published, the instructions are left out with the answers."""

    def emptied(group: Group) -> Group:
        return Group(group.ids[:, :0], group.real[:, :0], group.labels[:, :0])

    return replace(
        batch,
        instruction=emptied(batch.instruction),
        audio_instruction=emptied(batch.audio_instruction),
        suffix=emptied(batch.suffix),
    )
