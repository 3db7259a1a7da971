"""Matrices in int8 compute what they compute in float32, nearly; without the instructions nothing changes."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.audio import read
from engine.ears import int8, store
from engine.ears.mini import MiniEars
from engine.facade import MINI
from engine.vad.webrtc import WebrtcDetector


@pytest.mark.parametrize("has_bias", [True, False])
def test_a_matrix_is_nearly_itself(has_bias):
    torch.manual_seed(0)
    linear = nn.Linear(64, 48, bias=has_bias)
    x = torch.randn(2, 30, 64) * torch.logspace(-3, 3, 30)[:, None]
    with torch.inference_mode():
        exact, quick = linear(x), int8.Int8Linear(linear)(x)
    assert quick.shape == exact.shape
    scale = exact.abs().amax(dim=-1, keepdim=True)
    assert float(((quick - exact) / scale).abs().max()) < 0.03
    assert torch.isfinite(int8.Int8Linear(linear)(torch.zeros(1, 5, 64))).all()


def test_words_and_feeling_hardly_move(clip):
    network = store.load(MINI)
    slow = MiniEars(network, None, WebrtcDetector())
    sound = read(clip("statement.wav"))
    [exact], _ = slow.encode(sound)
    int8.quicken(network.encoder)
    assert not any(type(module) is nn.Linear for module in network.encoder.modules())
    [quick], _ = slow.encode(sound)
    assert np.mean(quick.log_probs.argmax(axis=1) == exact.log_probs.argmax(axis=1)) > 0.97
    assert np.linalg.norm(quick.voice - exact.voice) < 0.02 * np.linalg.norm(exact.voice)


@pytest.mark.parametrize("instructions", [{}, {"avx512_vnni": True}])
def test_it_is_used_where_the_processor_gains(monkeypatch, instructions):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    ears = MiniEars.load(MINI, WebrtcDetector())
    is_quick = any(isinstance(module, int8.Int8Linear) for module in ears._network.modules())
    assert is_quick == bool(instructions)
