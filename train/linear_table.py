"""Fits the tables of `engine.ears.linear_table`: logistic regression over sums of hashed rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from train.progress import ProgressLine


@dataclass(frozen=True)
class TableOptions:
    """How a table is fitted: AdamW, its rate rising to `learning_rate` and falling again."""

    seed: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True, eq=False)
class Bags:
    """Examples: the rows of all of them end to end, how many each has, and the classes."""

    features: np.ndarray  # (sum of lengths,) int32
    lengths: np.ndarray  # (N,)
    labels: np.ndarray  # (N,)

    @classmethod
    def of(cls, bags: Sequence[np.ndarray], labels: Sequence[int]) -> "Bags":
        lengths = np.fromiter(map(len, bags), dtype=np.int64)
        return cls(np.concatenate(bags).astype(np.int32), lengths, np.array(labels, dtype=np.int64))


def fit(name: str, bags: Bags, buckets: int, classes: int, options: TableOptions) -> dict[str, np.ndarray]:
    """The tensors of the `LinearTable` called `name`."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    table = torch.nn.EmbeddingBag(buckets, classes, mode="sum")
    torch.nn.init.zeros_(table.weight)
    bias = torch.nn.Parameter(torch.zeros(classes))
    optimiser = torch.optim.AdamW(
        [table.weight, bias], options.learning_rate, weight_decay=options.weight_decay
    )
    starts = bags.lengths.cumsum() - bags.lengths
    a_pass = len(bags.labels) // options.batch
    steps = options.epochs * a_pass
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, steps)
    with ProgressLine(name) as line:
        for step in range(steps):
            place = step % a_pass
            if place == 0:
                order = rng.permutation(len(bags.labels))
            chosen = order[place * options.batch : (place + 1) * options.batch]
            sizes = bags.lengths[chosen]
            # Row numbers of the chosen examples, without a loop over them.
            places = np.repeat(starts[chosen] - (sizes.cumsum() - sizes), sizes) + np.arange(sizes.sum())
            offsets = torch.from_numpy(sizes.cumsum() - sizes)
            logits = bias + table(torch.from_numpy(bags.features[places].astype(np.int64)), offsets)
            loss = F.cross_entropy(logits, torch.from_numpy(bags.labels[chosen]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            line.update(step + 1, steps, loss=loss.item())
    weights = table.weight.detach().numpy()
    scale = np.abs(weights).max() / 127
    return {
        f"{name}_weights": np.round(weights / scale).astype(np.int8),
        f"{name}_scale": np.array(scale, dtype=np.float32),
        f"{name}_bias": bias.detach().numpy(),
    }
