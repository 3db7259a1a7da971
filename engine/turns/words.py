"""Whether the words so far can be all that somebody wanted to say: "I went to the" cannot.

A linear model over the last words, asked once in every pause. Part of the end-of-turn model; made from the
texts of conversations by `python -m train turns`.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.ears.alphabet import normalise
from engine.ears.linear_table import LinearTable

TABLE = "can_end"
GOES_ON, CAN_END = range(2)
"""Its classes."""

_LONGEST_TAIL = 4


class CanEnd:
    """Texts in any spelling; only their words count."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        self._table = LinearTable(tensors, TABLE)

    def log_odds(self, text: str) -> float:
        """ln of how much likelier an end is than that something follows; 0 where there are no words."""
        if not (words := normalise(text).split()):
            return 0.0
        logits = self._table.logits(tail_features(words))
        return float(logits[CAN_END] - logits[GOES_ON])


def tail_features(words: Sequence[str]) -> Iterator[str]:
    """What bears on whether something follows: the last words, how they end, how it began, and how many."""
    for count in range(1, min(_LONGEST_TAIL, len(words)) + 1):
        yield f"${' '.join(words[-count:])}"
    last = words[-1]
    yield from (f"s{last[-2:]}", f"s{last[-3:]}", f"n{min(len(words), 12)}")
    yield from (f"^{words[0]}", f"^${words[0]} {last}", f"^^{' '.join(words[:2])}")
    yield f"n${min(len(words), 4)} {last}"
