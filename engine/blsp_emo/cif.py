"""Continuous integrate-and-fire: a weight per frame becomes a whole number of tokens.

Dong and Xu 2020. Frames pour their weight into a token until it holds 1, then the next begins;
a frame on the border is shared. Called by the CFormer, once per utterance.
"""

import torch


def fire_weights(alphas: torch.Tensor, counts: torch.Tensor, *, published: bool = False) -> torch.Tensor:
    """Frame weights (B, T) that sum to the token counts (B,) → share of each frame in each token (B, N, T).

    With c_t the weight up to frame t, token k gets the part of [c_{t-1}, c_t] that lies in
    [k, k + 1], and a row's last token all that is above its beginning. `published` runs the
    published loop instead, whose rows damage each other where one fires twice in a frame.
    """
    if published:
        return _published_loop(alphas, counts)
    after = alphas.cumsum(1)[:, None]  # (B, 1, T)
    before = after - alphas[:, None]
    tokens = torch.arange(int(counts.max()), device=alphas.device)
    begins = tokens[None, :, None].to(alphas.dtype)  # (1, N, 1)
    last = (counts - 1)[:, None, None]
    ends = torch.where(tokens[None, :, None] < last, begins + 1, torch.inf)
    shares = (torch.minimum(after, ends) - torch.maximum(before, begins)).clamp(min=0)
    return shares.masked_fill(tokens[None, :, None] > last, 0.0)


def _published_loop(alphas: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    batch, frames = alphas.shape
    rows = torch.arange(batch, device=alphas.device)
    shares = alphas.new_zeros(batch, int(counts.max()), frames)
    token = torch.zeros_like(counts)
    held, left = alphas.new_zeros(batch), alphas.new_zeros(batch)
    for t in range(frames):
        if t:
            shares[rows, token, t - 1] += left
        left, needed = alphas[:, t], 1 - held
        held = held + left
        while True:
            fires = held >= 1
            held = held - fires.to(held.dtype)
            poured = torch.where(fires, needed, left)
            shares[rows, token, t] = poured
            left, needed = left - poured, torch.ones_like(needed)
            token = torch.minimum(token + fires, counts - 1)
            if not (held >= 1).any():
                break
    return shares
