"""Integrate-and-fire: the closed form against the loop that defines it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.blsp_emo.cif import fire_weights

ATOL = 1e-4


@st.composite
def weights(draw, min_frames: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Frame weights (1, T), scaled to sum to the token count (1,), as the CFormer scales them."""
    raw = draw(st.lists(st.floats(0.01, 1.0), min_size=min_frames, max_size=30))
    count = draw(st.integers(1, 12))
    alphas = torch.tensor([raw])
    return alphas * count / alphas.sum(), torch.tensor([count])


def pour(alphas: list[float], count: int) -> torch.Tensor:
    """The definition in plain Python: each frame fills the token at hand to 1, then the next; the last one
    takes what is left."""
    shares = torch.zeros(count, len(alphas), dtype=torch.float64)
    token, held = 0, 0.0
    for frame, alpha in enumerate(alphas):
        while token < count - 1 and held + alpha >= 1:
            shares[token, frame] = 1 - held
            alpha -= 1 - held
            token, held = token + 1, 0.0
        shares[token, frame] = alpha
        held += alpha
    return shares


@settings(deadline=None)
@given(weights(), st.floats(0.7, 1.5))
def test_closed_form_is_the_definition(case, scale):
    """Also where the weights do not add up to the count: the last token takes what is over."""
    alphas, counts = case[0] * scale, case[1]
    expected = pour(alphas[0].double().tolist(), int(counts))
    torch.testing.assert_close(fire_weights(alphas, counts)[0].double(), expected, atol=ATOL, rtol=0)


@settings(deadline=None)
@given(weights(min_frames=13))
def test_published_loop_agrees_on_one_row(case):
    alphas, counts = case
    published = fire_weights(alphas, counts, published=True)
    # What the loop leaves of the very last frame it never writes; the closed form keeps it.
    torch.testing.assert_close(published[..., :-1], fire_weights(alphas, counts)[..., :-1], atol=ATOL, rtol=0)


@settings(deadline=None)
@given(weights())
def test_nothing_is_lost_and_every_token_gets_one(case):
    alphas, counts = case
    shares = fire_weights(alphas, counts)
    torch.testing.assert_close(shares.sum(1), alphas, atol=ATOL, rtol=0)
    torch.testing.assert_close(shares.sum(2), torch.ones(1, int(counts)), atol=ATOL, rtol=0)


@settings(deadline=None)
@given(weights(), weights())
def test_rows_leave_each_other_alone(one, other):
    frames = max(one[0].shape[1], other[0].shape[1])
    padded = [torch.nn.functional.pad(alphas, (0, frames - alphas.shape[1])) for alphas, _ in (one, other)]
    batch = fire_weights(torch.cat(padded), torch.cat([one[1], other[1]]))
    for row, (alphas, count) in enumerate((one, other)):
        alone = fire_weights(alphas, count)[0]
        torch.testing.assert_close(batch[row, : alone.shape[0], : alone.shape[1]], alone)
        assert batch[row, alone.shape[0] :].eq(0).all()
        assert batch[row, :, alone.shape[1] :].eq(0).all()


def test_the_published_loop_damages_the_other_rows():
    """The documented quirk that the switch is for: one row fires twice in a frame, the other loses weight."""
    alphas = torch.tensor([[2.4, 0.6], [0.4, 0.6]])
    counts = torch.tensor([3, 1])
    assert fire_weights(alphas, counts)[1].sum() == pytest.approx(1.0)
    assert fire_weights(alphas, counts, published=True)[1].sum() < 0.9


def test_gradient_reaches_every_frame():
    alphas = torch.tensor([[0.4, 0.5, 0.7, 0.4]], requires_grad=True)
    shares = fire_weights(alphas, torch.tensor([2]))
    (shares * torch.arange(8.0).view(1, 2, 4)).sum().backward()
    assert alphas.grad.ne(0).all()
