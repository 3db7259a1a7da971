"""Adapters: a batch gives what each utterance gives alone, in every configuration of both kinds."""

import pytest
import torch
from tiny_blsp import WIDTH, tiny_model, utterances

from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.model import BlspEmo

LENGTHS = (37, 120, 74)
"""In mel frames."""
SUBSAMPLER = {"adapter_type": "subsampler"}
CFORMER = {"adapter_type": "cformer"}
CONFIGURATIONS = [
    SUBSAMPLER,
    SUBSAMPLER | {"adapter_hidden_layers": 2},
    SUBSAMPLER | {"conv_kernel_sizes": "3,7"},
    SUBSAMPLER | {"conv_kernel_sizes": "4,5,2"},
    CFORMER,
    CFORMER | {"num_pre_cif_layers": 0},
    CFORMER | {"num_post_cif_layers": 0},
]
ids = [",".join(map(str, keys.values())) for keys in CONFIGURATIONS]


@torch.no_grad()
def hear(model: BlspEmo, rows: slice, counts: torch.Tensor | None = None) -> AdapterOutput:
    mel, lengths = utterances(*LENGTHS)
    return model.hear(mel[rows], lengths[rows], None if counts is None else counts[rows])


def rows() -> list[slice]:
    return [slice(row, row + 1) for row in range(len(LENGTHS))]


def assert_batch_is_single(model: BlspEmo, counts: torch.Tensor | None = None) -> None:
    batch = hear(model, slice(None), counts)
    for row in rows():
        alone = hear(model, row, counts)
        count = int(batch.mask[row].sum())
        assert torch.equal(batch.mask[row][:, :count], alone.mask)
        torch.testing.assert_close(batch.embeds[row][:, :count], alone.embeds, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            model.emotion_logits(batch)[row], model.emotion_logits(alone), atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("keys", CONFIGURATIONS, ids=ids)
def test_a_batch_is_its_utterances(keys):
    assert_batch_is_single(tiny_model(**keys))


@pytest.mark.parametrize("keys", [SUBSAMPLER, CFORMER], ids=lambda keys: keys["adapter_type"])
def test_as_published_the_longest_leaks_into_the_others(keys):
    model = tiny_model(published_padding=True, **keys)
    batch = hear(model, slice(None))
    changed = [
        batch.embeds[row][batch.mask[row]].shape != (alone := hear(model, row)).embeds[0].shape
        or not torch.allclose(batch.embeds[row][batch.mask[row]], alone.embeds[0], atol=1e-5)
        for row in rows()
    ]
    assert changed == [True, False, True]


@pytest.mark.parametrize(
    ("kernels", "counts"), [("5,5,5", [3, 8, 5]), ("3", [10, 30, 19]), ("4,4", [6, 16, 10])]
)
def test_convolutions_halve(kernels, counts):
    """Of 19, 60 and 37 states an odd kernel leaves half, rounded up; an even one half of them and one."""
    assert hear(tiny_model(conv_kernel_sizes=kernels), slice(None)).mask.sum(1).tolist() == counts


def test_cformer_counts_for_itself_and_is_told_in_training():
    model = tiny_model(**CFORMER)
    counts = torch.tensor([3, 40, 7])
    alone = hear(model, slice(None), counts)
    assert torch.equal(alone.mask.sum(1), alone.alphas_sum.round().long().clamp(min=1))
    torch.testing.assert_close(alone.alphas.sum(1), alone.mask.sum(1).float())
    model.train()
    told = hear(model, slice(None), counts)
    assert torch.equal(told.mask.sum(1), counts)
    torch.testing.assert_close(told.alphas.sum(1), counts.float())
    torch.testing.assert_close(told.alphas_sum, alone.alphas_sum)


def test_cformer_is_exact_in_training_with_more_tokens_than_frames():
    assert_batch_is_single(tiny_model(**CFORMER).train(), counts=torch.tensor([30, 80, 5]))


def test_cformer_counts_long_speech_in_half_precision():
    """bfloat16 has no 257: weights, sums and counts are kept in float32."""
    cformer = tiny_model(**CFORMER).adapter.bfloat16().eval()
    states, mask = torch.randn(1, 600, WIDTH).bfloat16(), torch.ones(1, 600, dtype=torch.bool)
    with torch.no_grad():
        output = cformer(states, mask)
    assert output.embeds.dtype == torch.bfloat16
    count = int(output.mask.sum())
    assert count > 256
    assert output.alphas.double().sum().item() == pytest.approx(count, abs=1e-3)


@pytest.mark.parametrize("keys", CONFIGURATIONS, ids=ids)
def test_every_weight_is_reached(keys):
    model = tiny_model(**keys).train()
    mel, lengths = utterances(*LENGTHS)
    output = model.hear(mel, lengths, torch.tensor([3, 9, 4]))
    model.emotion_logits(output).square().sum().backward()
    unreached = {name for name, weight in model.adapter.named_parameters() if weight.grad is None}
    assert unreached == ({"lm_head.weight"} if keys["adapter_type"] == "cformer" else set())
