"""The head that hears feeling, drawn towards one person's own labels.

Called by `train.finetune`. What there is to learn from is a handful of recordings, most of them of the turns
that were heard wrongly. So only the weights move, by logistic regression that starts at the shipped ones and
is drawn back to them; each recording chooses only among the feelings that the person has named and what it
was heard as, for of the others the recordings say nothing; and what is common to people in general is held
(`feeling_spread`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.ears.feeling import FeelingHead
from train.feeling_fit import CALM, NEUTRAL, Lesson, Turn, relative
from train.regression import regression


@dataclass(frozen=True)
class FeelingOptions:
    """The recipe's `feeling`, explained in `train/recipes/tiny.yaml`."""

    pull: float
    others: float
    turns: tuple[int, ...]
    histories: int
    steps: int


def tuned(
    head: FeelingHead, turns: Sequence[Turn], spread: np.ndarray, options: FeelingOptions, seed: int
) -> FeelingHead:
    """`head` for the person who labelled `turns`; with none of them, as it is.

    `spread` is (rank, 4 * width + 1), see `train.feeling_spread`.
    """
    if not turns:
        return head
    lesson, rng = Lesson(turns, {}), np.random.default_rng(seed)
    own_voices = np.array([head.own_voice(turn.voice) for turn in turns], dtype=np.float32)
    histories = [lesson.draw(options.turns, rng) for _ in range(options.histories)]
    rows = np.tile(np.arange(len(turns)), len(histories))
    x = np.concatenate([relative(lesson, each, own_voices, head, rows[: len(turns)]) for each in histories])
    known = np.array([len(history) for each in histories for history in each])
    doubt = 1 + head.stranger_doubt * (1 - known / (known + head.prior_turns))[:, None]
    given = x @ head.weights.T + head.bias
    common = torch.as_tensor(spread, dtype=torch.float32)

    def penalty(weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        change = torch.hstack([weights, bias[:, None]])  # (8, 4 * width + 1)
        moved = options.pull * (change**2).sum() + options.others * ((change @ common.T) ** 2).sum()
        return moved / (2 * len(turns))

    weights, bias = regression(
        x.astype(np.float32),
        _possible(lesson.right[rows], given),
        lesson.right[rows],
        lesson.weights[rows],
        penalty,
        steps=options.steps,
        given=given,
        doubt=doubt,
    )
    return replace(head, weights=head.weights + weights, bias=head.bias + bias)


def _possible(right: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """(n, 8): what the person has named anywhere, and what each was heard as; neutral and calm are one."""
    possible = np.tile(right.any(axis=0), (len(right), 1))
    possible[np.arange(len(heard)), heard.argmax(axis=1)] = True
    either = possible[:, [NEUTRAL, CALM]].any(axis=1)
    possible[:, [NEUTRAL, CALM]] = either[:, None]
    return possible
