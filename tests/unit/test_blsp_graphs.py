"""Replayed steps: a few fixed lengths give what exact lengths give, captured or not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blsp_emo.generate import generate
from engine.blsp_emo.graphs import ReplayedReading, open_reading
from engine.blsp_emo.prompts import stack
from engine.blsp_emo.reading import Reading
from engine.blsp_emo.sampling import Sampling
from tests.unit.blsp_conversations import build_model, build_tokenizer, conversations, models, prompt_of

BUCKETS = (8, 32, 128)
SLOTS = 512
GREEDY = Sampling(temperature=0.0, max_new_tokens=12)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(model=models(), several=st.lists(conversations, min_size=1, max_size=2))
def test_fixed_lengths_change_nothing(model, several):
    prompt = stack([prompt_of(model, one) for one in several])
    replayed = ReplayedReading(model, len(several), SLOTS, BUCKETS)
    plain = Reading(model, len(several), SLOTS)
    logits = plain.start(prompt)
    torch.testing.assert_close(replayed.start(prompt), logits)
    for _ in range(12):
        tokens = logits.argmax(-1)
        logits = plain.step(tokens)
        torch.testing.assert_close(replayed.step(tokens), logits, atol=1e-5, rtol=0)


def test_a_cpu_reads_plainly():
    assert type(open_reading(build_model(), SLOTS)) is Reading


@pytest.mark.skipif(not torch.cuda.is_available(), reason="graphs are captured on a GPU")
@pytest.mark.parametrize("scope", ["audio", "global"])
def test_captured_steps_change_nothing(tokenizer, scope):
    model = build_model(seq_length=16)
    model.lora_scope = scope
    prompt = prompt_of(model, [[1, 2, 3], 80, [4]])
    plain = generate(model, tokenizer, prompt, GREEDY)
    model.cuda()
    try:
        reading = ReplayedReading(model, 1, SLOTS, BUCKETS)
        reading.capture()
        assert len(reading._graphs) == len(BUCKETS) + 1
        for _ in range(2):
            prompt = prompt_of(model, [[1, 2, 3], 80, [4]])
            assert generate(model, tokenizer, prompt, GREEDY, reading=reading) == plain
    finally:
        model.cpu()
