"""8 and 4 bits: real quantisation, near the model it was made from, and much smaller."""

import copy
import sys

import pytest
import torch

from engine.blsp_emo.generate import generate
from engine.blsp_emo.lora import PartialLoraLinear
from engine.blsp_emo.prompts import join
from engine.blsp_emo.quantise import quantise
from engine.blsp_emo.sampling import Sampling
from engine.errors import PartMissing
from tests.unit.blsp_conversations import build_tokenizer, hear, prompt_of
from tests.unit.tiny_blsp import tiny_model

WIDTH = 128
QWEN = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 384}
CONVERSATION = [[1, 2, 3, 4], 80, [5, 6]]
ERROR = {"int8": 0.03, "int4": 0.4}
"""Of the logits, relative. Random weights suffer most: nothing of what they do is redundant."""


@pytest.fixture(scope="module")
def model():
    return tiny_model(qwen_config=QWEN | {"vocab_size": 480, "seq_length": 512})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_answers_stay_near(model, precision, dtype, tmp_path):
    small = quantise(copy.deepcopy(model).to(dtype), precision, "cpu")
    exact, rough = (logits(one) for one in (model, small))
    assert 1e-4 < (rough - exact).norm() / exact.norm() < ERROR[precision]
    tokenizer = build_tokenizer(tmp_path)
    answers = generate(small, tokenizer, prompt_of(small, CONVERSATION), Sampling(seed=0, max_new_tokens=5))
    assert len(answers[0]) == 6


@pytest.mark.parametrize(("precision", "share"), [("int8", 0.27), ("int4", 0.14)])
def test_matrices_shrink(model, precision, share):
    small = quantise(copy.deepcopy(model), precision, "cpu")
    for layer, before in zip(layers(small), layers(model), strict=True):
        assert layer.weight is None
        stored = layer.quantised.weight
        assert stored.numel() * stored.element_size() <= share * before.weight.numel() * 4
    assert small.llm.transformer.wte.weight.dtype == torch.int8
    assert small.llm.lm_head.weight.dtype == torch.float32


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_lora_acts_where_it_did(model, precision):
    small = quantise(copy.deepcopy(model), precision, "cpu")
    by_scope = {}
    for scope in ("none", "audio", "text", "global"):
        small.lora_scope = scope
        by_scope[scope] = logits(small)
    assert len({scores.sum().item() for scores in by_scope.values()}) == 4


def test_what_does_not_divide_stays_as_it_is():
    narrow = quantise(tiny_model(), "int4", "cpu")
    assert all(layer.quantised is None for layer in layers(narrow))


def test_without_the_library_a_sentence_says_what_to_do(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(PartMissing, match="pip install bitsandbytes"):
        quantise(model, "int8", "cpu")


@torch.inference_mode()
def logits(model):
    return model.llm.lm_head(model(join(hear(model, CONVERSATION)))).float()


def layers(model):
    return [layer for layer in model.llm.modules() if isinstance(layer, PartialLoraLinear)]
