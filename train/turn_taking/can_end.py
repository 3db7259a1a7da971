"""Written conversations → which words can end a sentence (`engine.turns.words`).

Every word of a text is an example: it ends a sentence there, or something follows. A minute on one core.
"""

from collections.abc import Sequence

import numpy as np

from engine.ears.linear_table import rows
from engine.ears.punctuation import sentences
from engine.turns.words import CAN_END, GOES_ON, TABLE, tail_features
from train.linear_table import Bags, TableOptions, fit
from train.marked_texts import MarkedText


def examples(texts: Sequence[MarkedText], buckets: int) -> Bags:
    """The beginnings of all sentences, of every length."""
    bags, labels = [], []
    for text in texts:
        for start, end in sentences(text.marks):
            for place in range(start + 1, end + 1):
                bags.append(rows(tail_features(text.words[start:place]), buckets))
                labels.append(CAN_END if place == end else GOES_ON)
    return Bags.of(bags, labels)


def fit_can_end(texts: Sequence[MarkedText], buckets: int, options: TableOptions) -> dict[str, np.ndarray]:
    """The tensors of `CanEnd`."""
    return fit(TABLE, examples(texts, buckets), buckets, 2, options)
