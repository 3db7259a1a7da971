"""How English words are spelled: a character n-gram over the lexicon, for words that are not in it.

Witten–Bell interpolation (Witten and Bell 1991), called by `train.ngram`.
"""

from collections.abc import Mapping

import numpy as np

from engine.ears.alphabet import CHARACTERS
from engine.ears.ngram import SYMBOLS


def estimate(weight_of: Mapping[str, float], order: int) -> np.ndarray:
    """ln P(character | the `order` − 1 before it), (SYMBOLS ** (order − 1), SYMBOLS).

    A row's number is its characters in base SYMBOLS, oldest first; the space (0) stands before and after
    a word. `weight_of`: how much each word counts.
    """
    index = {character: place for place, character in enumerate(CHARACTERS)}
    spelled = [[index[c] for c in f"{' ' * (order - 1)}{word} "] for word in weight_of]
    weights = np.concatenate(
        [np.full(len(s) - order + 1, w) for s, w in zip(spelled, weight_of.values(), strict=True)]
    )
    grams = np.concatenate([np.lib.stride_tricks.sliding_window_view(s, order) for s in spelled])

    p = np.full((1, SYMBOLS), 1 / SYMBOLS)
    for length in range(1, order + 1):
        places = np.ravel_multi_index(grams[:, order - length :].T, (SYMBOLS,) * length)
        counts = np.bincount(places, weights, SYMBOLS**length).reshape(-1, SYMBOLS)
        total = counts.sum(axis=1, keepdims=True)
        # Counts are weights here: the mean weight of what was seen is what one "time" is.
        kinds = (counts > 0).sum(axis=1, keepdims=True) * weights.mean()
        lower = np.tile(p, (SYMBOLS, 1)) if length > 1 else p
        p = np.where(total > 0, (counts + kinds * lower) / (total + kinds).clip(min=1e-12), lower)
    return np.log(p)
