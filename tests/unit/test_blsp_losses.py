"""The losses: a batch teaches what its rows teach alone, by no more passes than are needed.

That their values and gradients equal the published ones is a golden test.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny_blsp import PAD_ID, example, tiny_model, utterances

from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.model import BlspEmo
from engine.errors import BadInput
from train.blsp_emo.examples import IGNORED, Batch, collate
from train.blsp_emo.freezing import freeze
from train.blsp_emo.losses import LOSSES, Lesson, losses

EXAMPLES = [
    example(1, instruction=0, transcript=6, answer=5, emotion=2),
    example(2, instruction=7, transcript=2, answer=9, emotion=IGNORED),
    example(3, instruction=3, transcript=9, answer=1, emotion=4),
]
MEL, LENGTHS = utterances(37, 120, 74)
WEIGHTS = {
    "response_ce": [5, 9, 1],
    "response_kl": [5, 9, 1],
    "input_kl": [6, 2, 9],
    "cif": [1, 1, 1],
    "input_er": [1, 0, 1],
}
"""What each row counts for in the mean of a loss."""


def lesson_of(model: BlspEmo, rows: slice = slice(None)) -> tuple[Batch, AdapterOutput]:
    batch = collate(EXAMPLES[rows], PAD_ID)
    return batch, model.hear(MEL[rows], LENGTHS[rows], batch.transcript_lengths)


def losses_of(model: BlspEmo, names: list[str], rows: slice = slice(None)) -> dict[str, torch.Tensor]:
    return losses(model, *lesson_of(model, rows), names)


def test_the_named_losses_are_those_of_the_paper():
    assert set(LOSSES) == set(WEIGHTS)


@torch.no_grad()
@pytest.mark.parametrize("scope", ["audio", "text", "global"])
@pytest.mark.parametrize("is_training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("adapter", ["subsampler", "cformer"])
def test_a_batch_is_the_mean_of_its_rows(adapter, is_training, scope):
    model = tiny_model(adapter_type=adapter, lora_scope=scope).train(is_training)
    names = ["response_ce", "response_kl", "input_er"]
    if adapter == "cformer":
        names += ["cif", "input_kl"] if is_training else ["cif"]
    batch = losses_of(model, names)
    alone = [losses_of(model, names, slice(row, row + 1)) for row in range(len(EXAMPLES))]
    for name in names:
        weights = torch.tensor(WEIGHTS[name], dtype=torch.float32)
        mean = (torch.stack([row[name] for row in alone]) * weights).sum() / weights.sum()
        torch.testing.assert_close(batch[name], mean, msg=lambda report, name=name: f"{name}: {report}")


@torch.no_grad()
def test_as_published_padding_shifts_what_follows_it():
    model = tiny_model(published_padding=True)
    shortest_alone = losses_of(model, ["response_ce"], slice(0, 1))["response_ce"]
    lesson = Lesson(model, *lesson_of(model))
    at = lesson.heard.is_answer[0]
    in_batch = lesson.logits(lesson.heard.hidden[0, at.roll(-1)])
    assert not torch.isclose(F.cross_entropy(in_batch, lesson.heard.labels[0, at]), shortest_alone, atol=1e-3)


@pytest.mark.parametrize(
    ("names", "passes"),
    [(["input_er"], 0), (["cif"], 0), (["response_ce"], 1), (["response_kl", "input_kl", "cif"], 2)],
)
def test_runs_the_language_model_only_as_often_as_needed(names, passes):
    model = tiny_model(adapter_type="cformer").train()
    runs = []
    model.llm.register_forward_hook(lambda *_: runs.append(1))
    losses_of(model, names)
    assert len(runs) == passes


def as_speech(model: BlspEmo, batch: Batch) -> AdapterOutput:
    """An adapter that has learned everything: it gives the transcript's own embeddings."""
    lengths = batch.transcript_lengths.float()
    return AdapterOutput(model.llm.embed(batch.input.ids), batch.input.real, lengths, lengths)


@torch.no_grad()
def test_speech_that_reads_like_its_transcript_has_nothing_to_learn():
    model = tiny_model(lora_config=None).train()
    batch = collate([replace(one, audio_instruction=one.instruction) for one in EXAMPLES], PAD_ID)
    for loss in losses(model, batch, as_speech(model, batch), ["response_kl", "input_kl", "cif"]).values():
        assert loss == pytest.approx(0, abs=1e-6)


@torch.no_grad()
def test_the_teacher_does_not_hear_the_audio_adapter():
    model = tiny_model(lora_scope="audio")
    base = tiny_model(lora_scope="audio")
    for name, weight in base.named_parameters():
        if ".lora_B." in name:
            weight.zero_()
    lesson, plain = Lesson(model, *lesson_of(model)), Lesson(base, *lesson_of(base))
    assert torch.equal(lesson.read.hidden, plain.read.hidden)
    assert not torch.allclose(lesson.heard.hidden, plain.heard.hidden, atol=1e-3)


@torch.no_grad()
def test_cross_entropy_predicts_the_next_token_and_divergence_compares_at_the_token():
    model = tiny_model()
    batch, speech = lesson_of(model, slice(0, 1))
    lesson = Lesson(model, batch, speech)
    answer = torch.tensor(EXAMPLES[0].suffix.ids[-5:])
    heard, read = (model.llm.lm_head(one.hidden[0]) for one in (lesson.heard, lesson.read))
    found = losses(model, batch, speech, ["response_ce", "response_kl"])
    torch.testing.assert_close(found["response_ce"], F.cross_entropy(heard[-6:-1], answer))
    temperature = model.config.kd_temperature
    teacher, student = ((logits[-5:] / temperature).log_softmax(-1) for logits in (read, heard))
    divergence = (teacher.exp() * (teacher - student)).sum() / 5
    torch.testing.assert_close(found["response_kl"], divergence)


def test_without_answers_instructions_are_left_out_too():
    model = tiny_model(adapter_type="cformer").train()
    batch, speech = lesson_of(model)
    other = collate([example(9 + n, instruction=2, transcript=1, answer=4) for n in range(3)], PAD_ID)
    changed = replace(
        batch,
        instruction=other.instruction,
        audio_instruction=other.audio_instruction,
        suffix=other.suffix,
    )
    assert torch.equal(*(losses(model, b, speech, ["input_kl"])["input_kl"] for b in (batch, changed)))
    both = ["input_kl", "response_kl"]
    assert not torch.isclose(*(losses(model, b, speech, both)["input_kl"] for b in (batch, changed)))


def test_rows_without_an_emotion_teach_none():
    model = tiny_model()
    batch, speech = lesson_of(model)
    unlabelled = replace(batch, emotions=torch.full_like(batch.emotions, IGNORED))
    loss = losses(model, unlabelled, speech, ["input_er"])["input_er"]
    loss.backward()
    assert loss == 0
    assert not model.emotion.weight.grad.any()


@pytest.mark.parametrize(
    ("adapter", "is_training", "name", "says"),
    [
        ("subsampler", True, "input_kl", "needs a cformer"),
        ("subsampler", True, "cif", "needs a cformer"),
        ("cformer", False, "input_kl", "in training"),
        ("cformer", True, "response_kd", "choose from"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(adapter, is_training, name, says):
    model = tiny_model(adapter_type=adapter).train(is_training)
    with pytest.raises(BadInput, match=says):
        losses_of(model, [name])


@pytest.mark.parametrize("lora", [False, True])
def test_a_step_moves_what_the_stage_trains(lora):
    model = tiny_model(adapter_type="cformer").train()
    freeze(model, lora=lora)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimiser = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.1)
    sum(losses_of(model, ["response_ce", "response_kl", "input_er"]).values()).backward()
    optimiser.step()
    moved = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert {"lora" if ".lora_" in name else name.split(".")[0] for name in moved} == {
        "adapter",
        "emotion",
    } | ({"lora"} if lora else set())
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert reached == {name for name, weight in model.named_parameters() if weight.requires_grad}
