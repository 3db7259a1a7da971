"""Fits the end-of-turn network: features of pauses → P(the turn is over). A minute on one core."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from train.progress import ProgressLine


@dataclass(frozen=True)
class FitOptions:
    """How the network is fitted: AdamW with a falling rate."""

    seed: int
    hidden: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    dropout: float
    """The share of features that is hidden from it at a time: no single one is to be relied on."""


def fit(
    features: np.ndarray, labels: np.ndarray, weights: np.ndarray, options: FitOptions
) -> Mapping[str, np.ndarray]:
    """(N, D), (N,) 0 or 1, (N,) how much each counts → the network's part of an `EndModel`."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    x = torch.from_numpy((features - mean) / scale).float()
    y, w = torch.from_numpy(labels).float(), torch.from_numpy(weights / weights.mean()).float()
    network = torch.nn.Sequential(
        torch.nn.Dropout(options.dropout),
        torch.nn.Linear(x.shape[1], options.hidden),
        torch.nn.Tanh(),
        torch.nn.Dropout(options.dropout),
        torch.nn.Linear(options.hidden, 1),
    )
    optimiser = torch.optim.AdamW(
        network.parameters(), options.learning_rate, weight_decay=options.weight_decay
    )
    a_pass = -(-len(x) // options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.epochs * a_pass)
    with ProgressLine("fitting") as line:
        for epoch in range(options.epochs):
            for chosen in np.array_split(rng.permutation(len(x)), a_pass):
                logits = network(x[chosen])[:, 0]
                loss = (
                    w[chosen] * F.binary_cross_entropy_with_logits(logits, y[chosen], reduction="none")
                ).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
            line.update(epoch + 1, options.epochs, loss=loss.item())
    _, hidden, _, _, out = network
    return {
        "mean": mean,
        "scale": scale,
        "hidden": hidden.weight.detach().numpy().astype(np.float16),
        "hidden_bias": hidden.bias.detach().numpy(),
        "out": out.weight[0].detach().numpy(),
        "out_bias": out.bias[0].detach().numpy(),
    }
