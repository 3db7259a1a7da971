"""Multinomial logistic regression among what is possible: how the head that hears feeling is fitted."""

from collections.abc import Callable

import numpy as np
import torch

Penalty = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""The weights (classes, features) and the bias (classes,) → what they cost."""


def regression(
    x: np.ndarray,
    possible: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray,
    penalty: Penalty,
    *,
    steps: int,
    given: np.ndarray | float = 0.0,
    doubt: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """(classes, features) and (classes,) of least penalised negative log-likelihood, by L-BFGS from zero.

    x: (n, features); possible and right: (n, classes), what each may and should be; weights: (n,), of which
    the mean is taken. The logits are (what is fitted + `given`) / `doubt`, both (n, classes) or (n, 1).
    """
    linear = torch.nn.Linear(x.shape[1], possible.shape[1])
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    inputs, weight = torch.from_numpy(x), torch.from_numpy(weights / weights.sum())
    ruled_out, wrong = torch.from_numpy(~possible), torch.from_numpy(~right)
    start, temperature = (torch.as_tensor(each, dtype=inputs.dtype) for each in (given, doubt))
    optimiser = torch.optim.LBFGS(linear.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = (linear(inputs) + start) / temperature
        allowed = logits.masked_fill(ruled_out, -torch.inf).logsumexp(dim=1)
        wanted = logits.masked_fill(wrong, -torch.inf).logsumexp(dim=1)
        total = ((allowed - wanted) * weight).sum() + penalty(linear.weight, linear.bias)
        total.backward()
        return total

    optimiser.step(loss)
    return linear.weight.detach().numpy(), linear.bias.detach().numpy()
