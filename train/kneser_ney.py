"""Interpolated modified Kneser–Ney: sentences → a back-off trigram.

Chen and Goodman 1999. Called by `train.ngram` on the dialogues.
"""

from collections.abc import Sequence

import numpy as np

from train.backoff import Backoff, context_of, find, last_word, pack, suffix_of


def estimate(sentences: Sequence[Sequence[int]], vocabulary: int, start: int) -> Backoff:
    """From word numbers < `vocabulary`; every sentence begins with `start` and ends with its end marker."""
    tokens = np.concatenate([np.asarray(sentence, dtype=np.int64) for sentence in sentences])
    is_start = tokens == start
    pairs, pair_counts = np.unique(pack(tokens[:-1], tokens[1:])[~is_start[1:]], return_counts=True)
    within = ~(is_start[1:-1] | is_start[2:])
    triples, triple_counts = np.unique(
        pack(tokens[:-2], tokens[1:-1], tokens[2:])[within], return_counts=True
    )

    # Below the highest order a word counts once per different word before it. Nothing stands before a
    # sentence's start, so there the plain count remains.
    before_pairs = np.bincount(find(pairs, suffix_of(triples, 2)), minlength=len(pairs))
    pair_counts = np.where(context_of(pairs) == start, pair_counts, before_pairs)
    word_counts = np.bincount(last_word(pairs), minlength=vocabulary)

    shares, left_over = _discounted(word_counts, np.zeros(vocabulary, dtype=np.int64), 1)
    word_p = shares + left_over[0] / vocabulary
    shares, word_left_over = _discounted(pair_counts, context_of(pairs), vocabulary)
    pair_p = shares + word_left_over[context_of(pairs)] * word_p[last_word(pairs)]
    owner = find(pairs, context_of(triples))
    shares, pair_left_over = _discounted(triple_counts, owner, len(pairs))
    triple_p = shares + pair_left_over[owner] * pair_p[find(pairs, suffix_of(triples, 2))]
    return Backoff(
        word_ln=np.log(word_p),
        word_backoff=np.log(word_left_over),
        pairs=pairs,
        pair_ln=np.log(pair_p),
        pair_backoff=np.log(pair_left_over),
        triples=triples,
        triple_ln=np.log(triple_p),
    )


def _discounted(counts: np.ndarray, owner: np.ndarray, owners: int) -> tuple[np.ndarray, np.ndarray]:
    """Each count's share of its owner's total after the discount, and what is left over per owner.

    An owner without any count leaves everything over.
    """
    n1, n2, n3, n4 = np.bincount(counts.clip(max=5), minlength=6)[1:5].clip(min=1)
    y = n1 / (n1 + 2 * n2)
    discounts = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    # Tiny texts have odd counts of counts; something must be left over for words not seen.
    discount = np.concatenate([[0.0], discounts.clip(0.1, [1, 2, 3])])[counts.clip(max=3)]
    totals = np.bincount(owner, counts, owners)
    safe_totals = totals.clip(min=1.0)
    left_over = np.where(totals > 0, np.bincount(owner, discount, owners) / safe_totals, 1.0)
    return (counts - discount) / safe_totals[owner], left_over
