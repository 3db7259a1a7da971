"""Choosing tokens: the published order of rules, and what each of them does."""

import json
from dataclasses import replace

import pytest
import torch

from engine.blsp_emo.sampling import Sampler, Sampling
from engine.errors import BadInput
from tests.unit.blsp_conversations import TOKENS, build_tokenizer

PLAIN = Sampling(temperature=0.0, repetition_penalty=1.0, min_new_tokens=0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def choose(tokenizer, how, logits, answers=((10,),)):
    scores = torch.zeros(len(answers), TOKENS)
    for token, value in logits.items():
        scores[:, token] = value
    return Sampler(how, tokenizer, CPU).choose(scores, torch.tensor(answers)).tolist()


def test_the_likeliest_token(tokenizer):
    assert choose(tokenizer, PLAIN, {7: 1.0, 8: 2.0}) == [8]


def test_repetition_costs_also_without_sampling(tokenizer):
    how = replace(PLAIN, repetition_penalty=2.0)
    assert choose(tokenizer, how, {7: 3.0, 8: 2.0}, [[10, 7], [10, 9]]) == [8, 7]
    assert choose(tokenizer, how, {10: 3.0, 8: 2.0}) == [8], "the artificial newline counts"


def test_no_answer_is_empty(tokenizer):
    how = replace(PLAIN, min_new_tokens=1)
    assert choose(tokenizer, how, {tokenizer.endoftext: 3.0, 8: 2.0}) == [8]
    assert choose(tokenizer, how, {tokenizer.endoftext: 3.0, 8: 2.0}, [[10, 5]]) == [tokenizer.endoftext]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_end_follows_a_stop_word(tokenizer, temperature):
    how = replace(PLAIN, temperature=temperature, repetition_penalty=1.5)
    logits = {tokenizer.endoftext: -50.0, 8: 60.0}
    answers = [[10, tokenizer.im_end], [10, tokenizer.im_start], [10, 7]]
    assert choose(tokenizer, how, logits, answers) == [tokenizer.endoftext, tokenizer.endoftext, 8]
    assert choose(tokenizer, replace(how, stop_words=(7,)), logits, answers) == [8, 8, tokenizer.endoftext]


def test_sampling_keeps_to_the_likely(tokenizer):
    logits = {5: 10.0, 6: 9.5, 7: 9.0, 8: 2.0}
    cases = {
        "top_p": Sampling(top_p=0.8),
        "top_k": Sampling(top_p=1.0, top_k=1),
        "cold": Sampling(top_p=0.8, temperature=0.05),
    }
    seen = {
        name: {choose(tokenizer, replace(how, seed=seed), logits)[0] for seed in range(200)}
        for name, how in cases.items()
    }
    assert seen == {"top_p": {5, 6}, "top_k": {5}, "cold": {5}}


def test_a_seed_repeats_the_choice(tokenizer):
    how, flat = replace(PLAIN, temperature=1.0, top_p=1.0), [[10]] * 50
    first, again, other = (choose(tokenizer, replace(how, seed=n), {}, flat) for n in (1, 1, 2))
    assert first == again != other
    assert choose(tokenizer, how, {}, flat) != choose(tokenizer, how, {}, flat), "without a seed, by chance"


def test_the_model_s_scores_are_left_as_they_were(tokenizer):
    scores = torch.randn(1, TOKENS)
    before = scores.clone()
    Sampler(Sampling(seed=0), tokenizer, CPU).choose(scores, torch.tensor([[10, tokenizer.im_end]]))
    assert torch.equal(scores, before)


def test_the_published_configuration(tmp_path):
    assert Sampling.from_generation_config(tmp_path) == Sampling()
    path = tmp_path / "generation_config.json"
    path.write_text(
        json.dumps({"do_sample": True, "top_p": 0.7, "repetition_penalty": 1.2, "eos_token_id": 3})
    )
    assert Sampling.from_generation_config(tmp_path) == Sampling(top_p=0.7, repetition_penalty=1.2)
    path.write_text(json.dumps({"do_sample": False, "temperature": 0.7, "max_new_tokens": 9}))
    assert Sampling.from_generation_config(tmp_path) == Sampling(temperature=0.0, max_new_tokens=9)
    for text in ("{", "[]"):
        path.write_text(text)
        with pytest.raises(BadInput, match="not JSON"):
            Sampling.from_generation_config(tmp_path)
    for settings in ({"top_p": "much"}, {"temperature": -1}, {"repetition_penalty": 0}):
        path.write_text(json.dumps(settings))
        with pytest.raises(BadInput, match="cannot be"):
            Sampling.from_generation_config(tmp_path)
