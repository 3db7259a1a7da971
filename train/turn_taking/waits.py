"""How long to wait at which probability that a turn is over: what costs people least.

Chosen on validation speakers by trying. Being cut short is worth a wait; how long a one, the recipe says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from engine.turns import GUESS_AFTER_S
from train.turn_taking.lessons import Take


@dataclass(frozen=True)
class WaitOptions:
    """What is tried, and what a cut costs."""

    cut_costs_s: float
    """As unpleasant as waiting so much longer."""
    quick_s: tuple[float, ...]
    middling_s: tuple[float, ...]
    patient_s: tuple[float, ...]


@dataclass(frozen=True)
class Waits:
    """`log_odds` falling; at or above each the wait beside it."""

    log_odds: tuple[float, ...]
    waits_s: tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    """`cut`: the share of turns ended before their end. Waits are of the others."""

    cut: float
    wait_p50_s: float
    wait_p95_s: float
    cost_s: float


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """T takes with at most S silences, one beside the other; nan where a take has fewer."""

    start_s: np.ndarray  # (T, S)
    lasts_s: np.ndarray  # (T, S)
    log_odds: np.ndarray  # (T, S)
    end_s: np.ndarray  # (T,)

    @classmethod
    def of(cls, takes: Sequence[Take], log_odds: Sequence[np.ndarray]) -> "Rehearsal":
        """`log_odds` are those of each take's silences."""
        shape = len(takes), max(len(take.start_s) for take in takes)
        rehearsal = cls(*(np.full(shape, np.nan) for _ in range(3)), np.array([take.end_s for take in takes]))
        for row, (take, odds) in enumerate(zip(takes, log_odds, strict=True)):
            count = len(take.start_s)
            rehearsal.start_s[row, :count], rehearsal.lasts_s[row, :count] = take.start_s, take.lasts_s
            rehearsal.log_odds[row, :count] = odds
        return rehearsal

    def measure(self, waits: Waits, cut_costs_s: float) -> Measured:
        """What becomes of the turns with these waits."""
        asks_for_s = np.full(self.log_odds.shape, np.nan)
        for least, wait_s in zip(reversed(waits.log_odds), reversed(waits.waits_s), strict=True):
            asks_for_s[self.log_odds >= least] = max(wait_s, GUESS_AFTER_S)
        answers = asks_for_s <= self.lasts_s
        first = answers.argmax(axis=1)
        rows = np.flatnonzero(answers.any(axis=1))
        answered_s = (self.start_s + asks_for_s)[rows, first[rows]]
        wait_s = answered_s - self.end_s[rows]
        kept = wait_s[wait_s >= 0]
        cut = 1 - len(kept) / len(wait_s)
        return Measured(cut, *np.quantile(kept, (0.5, 0.95)).tolist(), float(kept.mean() + cut_costs_s * cut))


def choose(rehearsal: Rehearsal, options: WaitOptions) -> Waits:
    """The best of all that are tried."""
    levels = np.quantile(rehearsal.log_odds[~np.isnan(rehearsal.log_odds)], np.linspace(0.05, 0.95, 25))[::-1]
    tried = (
        Waits((high, low, -np.inf), waits)
        for high, low in combinations(levels.tolist(), 2)
        for waits in product(options.quick_s, options.middling_s, options.patient_s)
    )
    return min(tried, key=lambda waits: rehearsal.measure(waits, options.cut_costs_s).cost_s)
