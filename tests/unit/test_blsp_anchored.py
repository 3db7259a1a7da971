"""The anchored adapter: recognised words, and the voice beside them."""

import pytest
import torch
from tiny_blsp import WIDTH, tiny_model

from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.anchored import Anchored
from engine.blsp_emo.prompts import Segment
from engine.ears.network import EarsConfig

EARS = EarsConfig(width=24, layers=2)
RMS = 0.1
STATES, WORDS = 10, 6


@pytest.fixture
def adapter() -> Anchored:
    torch.manual_seed(0)
    return Anchored(EARS, WIDTH, RMS).eval()


def heard(lengths: list[int]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The ears' states of utterances, with rubbish behind the shorter ones."""
    generator = torch.Generator().manual_seed(1)
    states = [
        torch.randn(len(lengths), STATES, EARS.width, generator=generator) for _ in range(EARS.layers + 1)
    ]
    return states, torch.arange(STATES) < torch.tensor(lengths)[:, None]


def words(lengths: list[int]) -> Segment:
    generator = torch.Generator().manual_seed(2)
    embeds = RMS * torch.randn(len(lengths), WORDS, WIDTH, generator=generator)
    return Segment(embeds, torch.arange(WORDS) < torch.tensor(lengths)[:, None])


def opened(adapter: Anchored) -> Anchored:
    torch.nn.init.normal_(adapter.gate)
    return adapter


def test_untrained_it_leaves_the_words_as_they_are(adapter):
    output = adapter(*heard([STATES]), words([WORDS]))
    assert torch.equal(output.embeds[:, 1:], words([WORDS]).embeds)


def test_what_stands_in_front_is_as_long_as_a_word(adapter):
    states, valid = heard([4, STATES])
    loud = [100 * state for state in states]
    for output in (adapter(states, valid, words([2, 3])), adapter(loud, valid, words([2, 3]))):
        rms = output.embeds[:, 0].square().mean(-1).sqrt()
        torch.testing.assert_close(rms, torch.full((2,), RMS), atol=1e-4, rtol=0)


def test_it_tells_voices_apart_not_words(adapter):
    states, valid = heard([STATES, STATES])
    same_words = words([WORDS]).embeds.expand(2, -1, -1)
    front = adapter(states, valid, Segment(same_words, torch.ones(2, WORDS, dtype=torch.bool))).embeds[:, 0]
    assert not torch.allclose(front[0], front[1], atol=1e-3)
    assert torch.equal(adapter(states, valid, words([0, 0])).embeds[:, 0], front)


@torch.no_grad()
def test_a_batch_is_its_utterances(adapter):
    opened(adapter)
    state_lengths, word_lengths = [3, STATES, 7], [WORDS, 0, 2]
    states, valid = heard(state_lengths)
    said = words(word_lengths)
    batch = adapter(states, valid, said)
    assert batch.mask.sum(1).tolist() == [WORDS + 1, 1, 3]
    for row, (frames, count) in enumerate(zip(state_lengths, word_lengths, strict=True)):
        alone = adapter(
            [state[row : row + 1, :frames] for state in states],
            None,
            Segment(said.embeds[row : row + 1, :count], said.real[row : row + 1, :count]),
        )
        torch.testing.assert_close(batch.embeds[row][batch.mask[row]], alone.embeds[0])
        assert alone.mask.all()


def test_the_first_step_opens_the_gate_and_moves_the_voice(adapter):
    output = adapter(*heard([STATES, 4]), words([WORDS, 3]))
    (output.embeds * torch.randn_like(output.embeds)).sum().backward()
    for name, weight in adapter.named_parameters():
        assert weight.grad is not None and weight.grad.any(), name


def test_the_emotion_head_reads_the_voice_alone(adapter):
    model, (states, valid) = tiny_model(), heard([STATES])
    output = adapter(states, valid, words([WORDS]))
    other_words = adapter(states, valid, words([2]))
    assert isinstance(output, AdapterOutput)
    torch.testing.assert_close(model.emotion_logits(output), model.emotion(output.embeds[:, 0]))
    torch.testing.assert_close(model.emotion_logits(output), model.emotion_logits(other_words))
