"""A back-off trigram as sorted arrays: evaluated, mixed, pruned and normalised in bulk.

Used only while an n-gram is made; at run time `engine.ears.ngram` reads the result. An n-gram's key is
its word numbers packed into one integer, oldest word first, so that sorting groups by context.
"""

from dataclasses import dataclass, replace

import numpy as np

WORD_BITS = 17
_MASK = (1 << WORD_BITS) - 1


def pack(*words: np.ndarray) -> np.ndarray:
    """Equally long arrays of word numbers → keys."""
    key = np.zeros_like(words[0], dtype=np.int64)
    for word in words:
        key = (key << WORD_BITS) | word
    return key


def last_word(keys: np.ndarray) -> np.ndarray:
    return keys & _MASK


def context_of(keys: np.ndarray) -> np.ndarray:
    """Keys without their last word."""
    return keys >> WORD_BITS


def suffix_of(keys: np.ndarray, words: int) -> np.ndarray:
    """The last `words` words of keys."""
    return keys & ((1 << WORD_BITS * words) - 1)


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Places of `wanted` in the sorted `keys`, -1 where absent."""
    if not len(keys):
        return np.full(len(wanted), -1)
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


@dataclass(frozen=True)
class Backoff:
    """ln P of all words, of some pairs and some triples; every triple's context is among the pairs."""

    word_ln: np.ndarray  # (V,)
    word_backoff: np.ndarray  # (V,)
    pairs: np.ndarray  # (P,) sorted keys
    pair_ln: np.ndarray
    pair_backoff: np.ndarray
    triples: np.ndarray  # (T,) sorted keys
    triple_ln: np.ndarray

    def ln_of_pairs(self, keys: np.ndarray) -> np.ndarray:
        """ln P(last word | the one before), backing off where the pair is not stored."""
        ln = self.word_backoff[context_of(keys)] + self.word_ln[last_word(keys)]
        return _where_found(self.pairs, self.pair_ln, keys, ln)

    def ln_of_triples(self, keys: np.ndarray) -> np.ndarray:
        return _where_found(self.triples, self.triple_ln, keys, self._backed_off_triples(keys))

    def _backed_off_triples(self, keys: np.ndarray) -> np.ndarray:
        backoff = _where_found(self.pairs, self.pair_backoff, context_of(keys), np.zeros(len(keys)))
        return backoff + self.ln_of_pairs(suffix_of(keys, 2))

    def normalised(self) -> "Backoff":
        """The same stored probabilities with back-off weights that make every context sum to 1."""
        word_backoff = _backoff_ln(
            context_of(self.pairs), len(self.word_ln), self.pair_ln, self.word_ln[last_word(self.pairs)]
        )
        model = replace(self, word_backoff=word_backoff)
        pair_backoff = _backoff_ln(
            find(self.pairs, context_of(self.triples)),
            len(self.pairs),
            self.triple_ln,
            model.ln_of_pairs(suffix_of(self.triples, 2)),
        )
        return replace(model, pair_backoff=pair_backoff)

    def pruned(self, max_pairs: int, max_triples: int) -> "Backoff":
        """Keep the n-grams whose loss would change the model most (Seymore and Rosenfeld 1996).

        The change is P(n-gram) · |ln P − ln P backed off|. Pairs that are the context of a kept triple
        stay as well, so there may be more than `max_pairs`.
        """
        history_ln = self.word_ln[context_of(context_of(self.triples))]
        weight = np.exp(history_ln + self.ln_of_pairs(context_of(self.triples)) + self.triple_ln)
        change = weight * np.abs(self.triple_ln - self._backed_off_triples(self.triples))
        triples_kept = _largest(change, max_triples)

        word, context = last_word(self.pairs), context_of(self.pairs)
        weight = np.exp(self.word_ln[context] + self.pair_ln)
        change = weight * np.abs(self.pair_ln - self.word_backoff[context] - self.word_ln[word])
        pairs_kept = _largest(change, max_pairs)
        pairs_kept |= np.isin(self.pairs, context_of(self.triples[triples_kept]))
        return replace(
            self,
            pairs=self.pairs[pairs_kept],
            pair_ln=self.pair_ln[pairs_kept],
            pair_backoff=self.pair_backoff[pairs_kept],
            triples=self.triples[triples_kept],
            triple_ln=self.triple_ln[triples_kept],
        ).normalised()


def mixed(first: Backoff, second: Backoff, first_share: float) -> Backoff:
    """first_share · P_first + (1 − first_share) · P_second, on every n-gram that either stores."""

    def mix(a_ln: np.ndarray, b_ln: np.ndarray) -> np.ndarray:
        return np.logaddexp(np.log(first_share) + a_ln, np.log1p(-first_share) + b_ln)

    pairs = np.union1d(first.pairs, second.pairs)
    triples = np.union1d(first.triples, second.triples)
    return Backoff(
        word_ln=mix(first.word_ln, second.word_ln),
        word_backoff=np.zeros_like(first.word_ln),
        pairs=pairs,
        pair_ln=mix(first.ln_of_pairs(pairs), second.ln_of_pairs(pairs)),
        pair_backoff=np.zeros(len(pairs)),
        triples=triples,
        triple_ln=mix(first.ln_of_triples(triples), second.ln_of_triples(triples)),
    ).normalised()


def _where_found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, default: np.ndarray) -> np.ndarray:
    """The value of every wanted key, its default where the key is not stored."""
    place = find(keys, wanted)
    found = place >= 0
    result = default.astype(float)
    result[found] = values[place[found]]
    return result


def _backoff_ln(owner: np.ndarray, owners: int, higher_ln: np.ndarray, lower_ln: np.ndarray) -> np.ndarray:
    """Per owner: ln of the probability its n-grams leave over, against what they had one order lower."""
    left = 1.0 - np.bincount(owner, np.exp(higher_ln), owners)
    left_lower = 1.0 - np.bincount(owner, np.exp(lower_ln), owners)
    return np.log(left.clip(min=1e-4)) - np.log(left_lower.clip(min=1e-4))


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    kept = np.zeros(len(values), dtype=bool)
    kept[np.argsort(-values, kind="stable")[:count]] = True
    return kept
