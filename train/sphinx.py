"""The general-English trigram and word list inside the pocketsphinx wheel (Alpha Cephei, BSD licence).

Read by `train.ngram`, because the dialogues alone are too few words to know English. The wheel's own
writer to ARPA crashes on trigrams, so its binary is read here. Layout, all little-endian: header, tables
of the 16-bit quantisation, unigrams, and bit-packed bigrams and trigrams as a trie over the *reversed*
n-gram (last word first); probabilities are logarithms to base 1.0001.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import PartMissing
from train.backoff import Backoff, pack

SOURCE = "pocketsphinx 5.1.1, en-us.lm.bin (Alpha Cephei, BSD-2-Clause)"

_MAGIC = b"Trie Language Model\x03"
_LOG_BASE = math.log(1.0001)
_TABLE = 1 << 16
_UNIGRAM = np.dtype([("ln", "<f4"), ("backoff", "<f4"), ("children", "<u4")])


@dataclass(frozen=True)
class SphinxModel:
    """As it stands in the file: n-grams as word numbers, oldest word first, unsorted."""

    words: list[str]
    word_ln: np.ndarray
    pairs: np.ndarray  # (P, 2)
    pair_ln: np.ndarray
    triples: np.ndarray  # (T, 3)
    triple_ln: np.ndarray

    def over(self, words: list[str]) -> Backoff:
        """The same model over another sorted vocabulary; words it lacks share the smallest probability."""
        number = {word: place for place, word in enumerate(words)}
        to_new = np.array([number.get(word, -1) for word in self.words])
        word_ln = np.full(len(words), self.word_ln[self.word_ln > -30].min())
        word_ln[to_new[to_new >= 0]] = self.word_ln[to_new >= 0]
        pairs, pair_ln = _renumbered(self.pairs, self.pair_ln, to_new)
        triples, triple_ln = _renumbered(self.triples, self.triple_ln, to_new)
        return Backoff(
            word_ln=word_ln - np.logaddexp.reduce(word_ln),
            word_backoff=np.zeros(len(words)),
            pairs=pairs,
            pair_ln=pair_ln,
            pair_backoff=np.zeros(len(pairs)),
            triples=triples,
            triple_ln=triple_ln,
        ).normalised()


def word_list() -> frozenset[str]:
    """Every spelling in the pronunciation lexicon."""
    lines = (_folder() / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0].split("(")[0] for line in lines if line)


def read() -> SphinxModel:
    """Raises `PartMissing` when the wheel is not installed or holds another kind of model."""
    data = np.fromfile(_folder() / "en-us.lm.bin", dtype=np.uint8)
    if data[: len(_MAGIC)].tobytes() != _MAGIC:
        raise PartMissing("The language model of this pocketsphinx is of another kind; install 5.1.1.")
    at = len(_MAGIC)
    words, pairs, triples = (int(n) for n in data[at : at + 12].view("<u4"))
    at += 12 + 4  # the counts and the kind of quantisation
    pair_table, _, triple_table = data[at : at + 12 * _TABLE].view("<f4").reshape(3, _TABLE)
    at += 12 * _TABLE
    unigrams = data[at : at + (words + 1) * _UNIGRAM.itemsize].view(_UNIGRAM)
    at += unigrams.nbytes

    word_bits, pointer_bits = words.bit_length(), triples.bit_length()
    pair_bits, triple_bits = word_bits + 32 + pointer_bits, word_bits + 16
    pairs_used = int(unigrams["children"][-1])  # a few less than the header counts
    start = 8 * at + pair_bits * np.arange(pairs_used + 1)
    pair_previous = _bits(data, start[:-1], word_bits)
    pair_code = _bits(data, start[:-1] + word_bits + 16, 16)
    pair_children = _bits(data, start + word_bits + 32, pointer_bits)
    at += ((pairs + 1) * pair_bits + 7) // 8 + 8
    start = 8 * at + triple_bits * np.arange(pair_children[-1])
    triple_oldest = _bits(data, start, word_bits)
    triple_code = _bits(data, start + word_bits, 16)
    at += ((triples + 1) * triple_bits + 7) // 8 + 8

    pair_last = np.repeat(np.arange(words), np.diff(unigrams["children"].astype(np.int64)))
    owner = np.repeat(np.arange(pairs_used), np.diff(pair_children))
    return SphinxModel(
        words=data[at + 4 :].tobytes().decode("ascii").split("\0")[:words],
        word_ln=unigrams["ln"][:-1] * _LOG_BASE,
        pairs=np.stack([pair_previous, pair_last], axis=1),
        pair_ln=pair_table[pair_code] * _LOG_BASE,
        triples=np.stack([triple_oldest, pair_previous[owner], pair_last[owner]], axis=1),
        triple_ln=triple_table[triple_code] * _LOG_BASE,
    )


def _folder() -> Path:
    try:
        from pocketsphinx import get_model_path
    except ImportError as error:
        raise PartMissing("Install pocketsphinx (requirements-train.txt) for its word list.") from error
    return Path(get_model_path("en-us"))


def _bits(data: np.ndarray, start: np.ndarray, count: int) -> np.ndarray:
    """Integers of `count` ≤ 57 bits that begin at bit `start`, lowest bit first."""
    value = np.zeros(len(start), dtype=np.uint64)
    for byte in range(8):
        value |= data[(start >> 3) + byte].astype(np.uint64) << np.uint64(8 * byte)
    return ((value >> (start & 7).astype(np.uint64)) & np.uint64((1 << count) - 1)).astype(np.int64)


def _renumbered(ngrams: np.ndarray, ln: np.ndarray, to_new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys in the new numbers; n-grams with a word that is not there any more are left out."""
    renumbered = to_new[ngrams]
    known = (renumbered >= 0).all(axis=1)
    keys = pack(*renumbered[known].T)
    order = np.argsort(keys)
    return keys[order], ln[known][order]
