"""The word n-gram and lexicon: how likely a word is after the two before it, and how likely a spelling is.

Loaded once with the ears and asked by the beam search at every word boundary. Written by
`python -m train ngram` into one file, so that word numbers and probabilities cannot disagree.

Words are sorted, so that a word's number is its place and every prefix is a range: the lexicon needs no
tree. N-grams are stored as ranges too: the continuations of a word are a sorted run in `pair_word`, those
of a pair a sorted run in `triple_word`. Lookups are bisections in plain arrays: about 1 µs.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.ears.alphabet import CHARACTERS
from engine.errors import PartMissing

NGRAM_FILE = "ngram.npz"

SENTENCE_START, SENTENCE_END, UNKNOWN = "<s>", "</s>", "<unk>"

SYMBOLS = len(CHARACTERS)
"""Of the spelling model: the alphabet, with the space standing for both ends of a word."""

FORMAT = 1


class NGram:
    """A back-off trigram over `words`, and a character n-gram that knows how words are spelled.

    `words` is sorted and holds the three markers `<s>`, `</s>`, `<unk>`, which no spelling can reach.
    """

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self.words: list[str] = tensors["words"].tobytes().decode("ascii").split("\n")
        self.start = self.find(SENTENCE_START)
        self.end = self.find(SENTENCE_END)
        self.unknown = self.find(UNKNOWN)
        self._word_ln = _floats(tensors["word_ln"])
        probability = np.exp(tensors["word_ln"].astype(np.float64))
        self._word_mass = _running(probability)
        self._pair_mass = _running(np.exp(tensors["pair_ln"].astype(np.float64)))
        self._pair_word_mass = _running(probability[tensors["pair_word"]])
        self._word_backoff = _floats(tensors["word_backoff"])
        self._pairs_of = _starts(tensors["pairs_of_word"])
        self._pair_word = array("H", tensors["pair_word"].tobytes())
        self._pair_ln = _floats(tensors["pair_ln"])
        self._pair_backoff = _floats(tensors["pair_backoff"])
        self._triples_of = _starts(tensors["triples_of_pair"])
        self._triple_word = array("H", tensors["triple_word"].tobytes())
        self._triple_ln = _floats(tensors["triple_ln"])
        self._spelling_ln = _floats(tensors["spelling_ln"].ravel())
        self._spelling_states = len(tensors["spelling_ln"])

    @classmethod
    def load(cls, path: str | Path) -> "NGram":
        """Raises `PartMissing` when the file is not there or is not one of ours."""
        try:
            with np.load(path, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise PartMissing(
                        f"{path}: written by another version of Attune; make it again with "
                        "`python -m train ngram`."
                    )
                return cls(dict(file))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise PartMissing(
                f"{path}: the word n-gram cannot be read; fetch the file again or make it with "
                "`python -m train ngram`."
            ) from error

    def find(self, word: str) -> int:
        """The number of `word`, -1 when it is not in the lexicon."""
        place = bisect_left(self.words, word)
        return place if place < len(self.words) and self.words[place] == word else -1

    def score(self, context: Sequence[int], word: int) -> float:
        """ln P(word | context); only the last two words of `context` count."""
        backoff = 0.0
        last = -1
        if context:
            last = context[-1]
            if len(context) > 1:
                pair = _place(self._pair_word, last, self._pairs_of, context[-2])
                if pair >= 0:
                    triple = _place(self._triple_word, word, self._triples_of, pair)
                    if triple >= 0:
                        return self._triple_ln[triple]
                    backoff = self._pair_backoff[pair]
            pair = _place(self._pair_word, word, self._pairs_of, last)
            if pair >= 0:
                return backoff + self._pair_ln[pair]
            backoff += self._word_backoff[last]
        return backoff + self._word_ln[word]

    def begins_ln(self, last: int, low: int, high: int) -> float:
        """ln P that after the word `last` comes one of those from `low` to before `high`: of a prefix."""
        first = bisect_left(self._pair_word, low, self._pairs_of[last], self._pairs_of[last + 1])
        stop = bisect_left(self._pair_word, high, first, self._pairs_of[last + 1])
        seen = self._pair_mass[stop] - self._pair_mass[first]
        unseen = self._word_mass[high] - self._word_mass[low]
        unseen -= self._pair_word_mass[stop] - self._pair_word_mass[first]
        return math.log(seen + math.exp(self._word_backoff[last]) * max(unseen, 0.0) + 1e-12)

    def perplexity(self, sentences: Sequence[str]) -> float:
        """Per word and sentence end, of normalised `sentences`; an unknown word costs its spelling too."""
        total_ln, count = 0.0, 0
        for sentence in sentences:
            context = [self.start]
            for text in sentence.split():
                word = self.find(text)
                if word < 0:
                    word = self.unknown
                    total_ln += self.spelling_of(text)
                total_ln += self.score(context[-2:], word)
                context.append(word)
            total_ln += self.score(context[-2:], self.end)
            count += len(context)
        return math.exp(-total_ln / count)

    def spelling(self, state: int, symbol: int) -> tuple[float, int]:
        """ln P(symbol | the symbols before it in this word), and the state after it.

        `symbol` is a CTC class less one, 0 = the word's end; the state at a word's start is 0.
        """
        place = state * SYMBOLS + symbol
        return self._spelling_ln[place], place % self._spelling_states

    def spelling_of(self, word: str) -> float:
        """ln P of the whole spelling, its end included."""
        total_ln, state = 0.0, 0
        for character in f"{word} ":
            ln, state = self.spelling(state, CHARACTERS.index(character))
            total_ln += ln
        return total_ln


def _place(words: array, word: int, starts: array, owner: int) -> int:
    """Where `word` stands in the sorted run that belongs to `owner`; -1 when it is not there."""
    stop = starts[owner + 1]
    place = bisect_left(words, word, starts[owner], stop)
    return place if place < stop and words[place] == word else -1


def _floats(values: np.ndarray) -> array:
    return array("f", values.astype(np.float32).tobytes())


def _running(probability: np.ndarray) -> array:
    """Sums of the first 0, 1, 2 … values, from which that of any run is a difference."""
    return array("d", np.concatenate([[0.0], probability.cumsum()]).tobytes())


def _starts(counts: np.ndarray) -> array:
    """Run lengths → where each run begins, with the end of the last."""
    return array("q", np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).tobytes())
