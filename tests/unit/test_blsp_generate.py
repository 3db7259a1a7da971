"""Generation: however an answer is computed, alone or with others, at once or streamed, it is the same."""

from dataclasses import replace
from itertools import count

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blsp_emo.decoder import causal
from engine.blsp_emo.generate import decoded, generate, steps, stream
from engine.blsp_emo.prompts import Segment, join, stack
from engine.blsp_emo.reading import Reading
from engine.blsp_emo.sampling import Sampling
from engine.errors import BadInput
from tests.bench.qwen2 import as_qwen2
from tests.unit.blsp_conversations import (
    build_model,
    build_tokenizer,
    conversations,
    hear_together,
    models,
    prompt_of,
)
from tests.unit.tiny_blsp import VOCABULARY, tiny_model

GREEDY = Sampling(temperature=0.0, max_new_tokens=8)
properties = settings(max_examples=15, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@properties
@given(model=models(), several=st.lists(conversations, min_size=1, max_size=3))
def test_cached_steps_equal_reading_everything_again(tokenizer, model, several):
    prompt = stack([prompt_of(model, one) for one in several])
    written = torch.empty(len(several), 0, dtype=torch.long)
    for step in steps(model, tokenizer, prompt, GREEDY):
        torch.testing.assert_close(step.logits, read_again(model, prompt, written), atol=1e-4, rtol=0)
        written = torch.cat([written, step.tokens[:, None]], dim=1)


@torch.inference_mode()
def read_again(model, prompt, written):
    """Logits of the next token, by one pass over the prompt and all that was written."""
    after = torch.arange(1, written.shape[1] + 1)
    real = torch.cat([prompt.real, torch.ones_like(written, dtype=torch.bool)], dim=1)
    is_speech = torch.cat([prompt.is_speech, torch.zeros_like(written, dtype=torch.bool)], dim=1)
    lora = model.lora_masks(is_speech)
    if model.lora_scope != "global":  # the published adapter is off while the model writes
        lora = {
            name: mask & (torch.arange(real.shape[1]) < prompt.real.shape[1])[:, None]
            for name, mask in lora.items()
        }
    place = model.place_at(
        torch.cat([prompt.positions, prompt.positions[:, -1:] + after], dim=1),
        causal(real),
        model.frequencies(prompt),  # of the prompt's length, however long the answer gets
        lora,
    )
    hidden = model.llm(torch.cat([prompt.embeds, model.llm.embed(written)], dim=1), place)
    return model.llm.lm_head(hidden[:, -1])


@properties
@given(model=models(), several=st.lists(conversations, min_size=2, max_size=4))
def test_a_batch_gives_what_each_conversation_gives_alone(tokenizer, model, several):
    together = stack([join(segments) for segments in hear_together(model, several)])
    answers = generate(model, tokenizer, together, GREEDY)
    for conversation, answer in zip(several, answers, strict=True):
        [alone] = generate(model, tokenizer, prompt_of(model, conversation), GREEDY)
        padding = [tokenizer.endoftext] * (len(answer) - len(alone))
        assert answer == alone + padding


@properties
@given(model=models(), conversation=conversations, seed=st.integers(0, 99))
def test_streaming_gives_the_whole_text(tokenizer, model, conversation, seed):
    how = Sampling(seed=seed, max_new_tokens=24)
    prompt = prompt_of(model, conversation)
    [answer] = generate(model, tokenizer, prompt, how)
    pieces = list(stream(model, tokenizer, prompt, how))
    assert "".join(pieces) == decoded(tokenizer, answer)
    assert all(pieces)


def test_the_decoder_is_a_qwen2_as_long_as_nothing_is_stretched():
    model = tiny_model(lora_config={})
    ids = torch.randint(0, VOCABULARY, (2, 40))
    with torch.inference_mode():
        prompt = join([Segment(model.llm.embed(ids), torch.ones_like(ids, dtype=torch.bool))])
        expected = as_qwen2(model.llm)(ids).logits
        torch.testing.assert_close(model.llm.lm_head(model(prompt)), expected, atol=1e-5, rtol=0)


class Scripted(Reading):
    """The model would write `ids`, whatever it reads."""

    def __init__(self, ids):
        super().__init__(build_model(), 1, 1 + len(ids))
        self._scores = iter(F.one_hot(torch.tensor(ids), build_model().config.decoder.vocabulary).float())

    def start(self, prompt):
        return super().start(prompt) * 0 + next(self._scores)

    def step(self, tokens):
        return super().step(tokens) * 0 + next(self._scores)


def streamed(tokenizer, ids):
    prompt, how = prompt_of(build_model(), [[1]]), replace(GREEDY, max_new_tokens=len(ids))
    return list(stream(build_model(), tokenizer, prompt, how, reading=Scripted(ids)))


def test_half_a_character_and_white_space_wait(tokenizer):
    ids = [tokenizer.newline, *"Né € ".encode(), *b" ja\n", tokenizer.im_end, *b"never said"]
    assert streamed(tokenizer, ids) == ["N", "é", " €", "  j", "a"]


def test_text_that_ends_inside_a_character(tokenizer):
    assert streamed(tokenizer, [*"a€".encode()[:-1]]) == ["a", "\ufffd"]


def test_decoding_as_published_and_repaired(tokenizer):
    newline, end, over = tokenizer.newline, tokenizer.im_end, tokenizer.endoftext
    cut_short = [newline, *b"Hello"]
    assert decoded(tokenizer, cut_short) == "Hello"
    assert decoded(tokenizer, cut_short, published=True) == "Hell"
    whole = [newline, *b"Hi", end, over, over]
    assert decoded(tokenizer, whole) == decoded(tokenizer, whole, published=True) == "Hi"
    no_end = [newline, *b"Hi", over, over]
    assert decoded(tokenizer, no_end) == "Hi"
    assert decoded(tokenizer, no_end, published=True) == "Hi<|endoftext|>"
    beyond = [*b"Hi", tokenizer.size, end]
    assert decoded(tokenizer, beyond) == decoded(tokenizer, beyond, published=True) == "Hi"


def test_an_answer_can_be_cancelled_between_any_two_tokens(tokenizer):
    model = build_model()
    prompt = prompt_of(model, [[1, 2], 50])
    whole = [int(step.tokens[0]) for step in steps(model, tokenizer, prompt, GREEDY)]
    for wanted in range(4):
        asked = count()
        some = steps(model, tokenizer, prompt, GREEDY, stale=lambda asked=asked, n=wanted: next(asked) >= n)
        assert [int(step.tokens[0]) for step in some] == whole[:wanted]


def test_memory_is_used_again_and_its_end_is_the_answers_end(tokenizer):
    model = build_model(seq_length=16)
    first, second = prompt_of(model, [[1, 2, 3], 120, [4]]), prompt_of(model, [90])
    reading = Reading(model, 1, first.real.shape[1] + 3)
    fresh = [
        generate(model, tokenizer, prompt, replace(GREEDY, max_new_tokens=4)) for prompt in (first, second)
    ]
    again = [generate(model, tokenizer, prompt, GREEDY, reading=reading) for prompt in (first, second, first)]
    assert again[0] == again[2] == fresh[0]
    assert again[1][0][:5] == fresh[1][0]
    with pytest.raises(BadInput, match="begin a new one"):
        generate(model, tokenizer, prompt_of(model, [list(range(40))]), GREEDY, reading=Reading(model, 1, 39))


def test_going_back_forgets(tokenizer):
    model = build_model(seq_length=16)
    prompt = prompt_of(model, [[1, 2, 3], 50])
    reading = Reading(model, 1, prompt.real.shape[1] + 4)
    reading.start(prompt)
    length = reading.filled
    expected = [reading.step(torch.tensor([token])) for token in (7, 8)]
    reading.rewind(length)
    reading.step(torch.tensor([9]))
    reading.rewind(length)
    for token, logits in zip((7, 8), expected, strict=True):
        torch.testing.assert_close(reading.step(torch.tensor([token])), logits)
