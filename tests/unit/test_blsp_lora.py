"""Partial LoRA: it acts where the mask says and nowhere else."""

import pytest
import torch
from tiny_blsp import WIDTH, tiny_model
from torch import nn

from engine.blsp_emo.config import LoraConfig
from engine.blsp_emo.lora import PartialLoraLinear, add_lora, positions_in_scope
from engine.blsp_emo.prompts import Segment, join

LORA = LoraConfig(r=4, alpha=8)
SPEECH = torch.tensor([[False, True, True, False], [True, False, False, True]])


@pytest.fixture
def layer() -> PartialLoraLinear:
    torch.manual_seed(0)
    layer = PartialLoraLinear(6, 5)
    layer.add_lora(LORA)
    nn.init.normal_(layer.lora_B["default"].weight)
    return layer


def test_outside_the_mask_it_is_the_base_bit_for_bit(layer):
    x = torch.randn(2, 4, 6)
    y, base = layer(x, {"default": SPEECH[..., None]}), layer(x, {})
    assert torch.equal(y[~SPEECH], base[~SPEECH])
    change = (x[SPEECH] @ layer.lora_A["default"].weight.T) @ layer.lora_B["default"].weight.T
    torch.testing.assert_close(y[SPEECH], base[SPEECH] + LORA.alpha / LORA.r * change)


def test_an_adapter_without_a_mask_or_a_mask_without_an_adapter_is_off(layer):
    x = torch.randn(2, 4, 6)
    assert torch.equal(layer(x, {}), nn.functional.linear(x, layer.weight, layer.bias))
    assert torch.equal(layer(x, {"another": SPEECH[..., None]}), layer(x, {}))


def test_two_adapters_add_up(layer):
    everywhere = torch.ones(2, 4, 1, dtype=torch.bool)
    layer.add_lora(LoraConfig(r=2, alpha=2, name="reply"))
    nn.init.normal_(layer.lora_B["reply"].weight)
    x = torch.randn(2, 4, 6)
    speech, reply = {"default": SPEECH[..., None]}, {"reply": everywhere}
    changes = [layer(x, masks) - layer(x, {}) for masks in (speech, reply)]
    torch.testing.assert_close(layer(x, speech | reply), layer(x, {}) + sum(changes))


def test_a_new_adapter_changes_nothing():
    layer = PartialLoraLinear(6, 5)
    layer.add_lora(LORA)
    x = torch.randn(2, 4, 6)
    assert torch.equal(layer(x, {"default": SPEECH[..., None]}), layer(x, {}))


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    layer = PartialLoraLinear(64, 5)
    layer.add_lora(LoraConfig(r=4, alpha=8, dropout=0.5))
    nn.init.normal_(layer.lora_B["default"].weight)
    x, mask = torch.randn(1, 4, 64), {"default": torch.ones(1, 4, 1)}
    assert not torch.equal(layer(x, mask), layer(x, mask))
    layer.eval()
    assert torch.equal(layer(x, mask), layer(x, mask))


def test_targets_are_name_endings():
    """`c_proj` is both attention's and the MLP's."""
    model = tiny_model(lora_config=None)
    add_lora(model.llm, LoraConfig(r=4, alpha=8, targets=("c_proj", "h.1.mlp.w1")))
    adapted = {name.split(".lora_A")[0] for name in model.llm.state_dict() if ".lora_A" in name}
    both = {f"transformer.h.{n}.{layer}.c_proj" for n in (0, 1) for layer in ("attn", "mlp")}
    assert adapted == both | {"transformer.h.1.mlp.w1"}


@pytest.mark.parametrize(
    ("scope", "where"),
    [("audio", SPEECH), ("text", ~SPEECH), ("global", torch.ones_like(SPEECH)), ("none", None)],
)
def test_scopes(scope, where):
    positions = positions_in_scope(scope, SPEECH)
    assert positions is None if where is None else torch.equal(positions[..., 0], where)


@pytest.mark.parametrize("scope", ["audio", "text", "global", "none"])
def test_the_model_follows_its_scope(scope):
    model = tiny_model()
    text, speech = torch.randn(1, 5, WIDTH), torch.randn(1, 3, WIDTH)
    real = [torch.ones(1, length, dtype=torch.bool) for length in (5, 3)]
    prompt = join([Segment(text, real[0]), Segment(speech, real[1], is_speech=True)])
    with torch.no_grad():
        base, adapted = model(prompt, "none"), model(prompt, scope)
    assert torch.equal(base, adapted) == (scope == "none")
    # Nothing before the first speech embedding can know of it.
    assert torch.equal(base[:, :5], adapted[:, :5]) == (scope in ("audio", "none"))
