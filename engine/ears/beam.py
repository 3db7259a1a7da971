"""CTC prefix beam search: the ears' character probabilities → the likeliest words.

Called by the transcriber for every turn (and, piece by piece, for captions while someone speaks). Where
greedy decoding writes "mision erpret", the beam weighs every spelling by the lexicon and the word n-gram.

The search is that of Hannun et al. (arXiv 1408.2873): each prefix carries the probability of all its
alignments, apart for those that end in blank. Probabilities are kept as plain numbers, scaled to the best
prefix at every frame; the language model enters as a factor where a prefix is extended. A word is judged
from its first letter by all words that begin so, and a beginning that no word has is dear at once, so that
a word's end brings no surprise: that alone took the word error rate from 29.8 to 25.7 % at equal width.
"""

import math
import os.path
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from engine.ears.alphabet import BLANK, CHARACTERS, SPACE, decode
from engine.ears.ngram import NGram

AFTER_Z = "{"
"""Sorts behind every letter: a word's continuations end before the word with this appended."""


@dataclass(frozen=True)
class BeamOptions:
    """How wide to search and how far to trust the language model.

    The weights were chosen on validation speakers by `python -m train beam`.
    """

    width: int = 64
    """Prefixes kept after each frame; 24, 48 and 96 gave 22.0, 21.0 and 20.6 % WER on the same speech."""

    prune_ln: float = 8.0
    """A prefix this far below the best is dropped."""

    character_floor_ln: float = 6.0
    """A character this far below the frame's best is not tried."""

    alpha: float = 0.85
    """Weight of the language model's ln P."""

    beta: float = -0.5
    """Added to ln P for every word, against the language model's love of few words."""

    unknown_ln: float = -3.0
    """Added to ln P for a word outside the lexicon, on top of what its spelling costs."""


@dataclass(frozen=True)
class Hypothesis:
    """`score_ln` = ln P of the sounds + alpha · ln P of the words + bonuses."""

    text: str
    score_ln: float


class _Prefix:
    """One beginning of the transcript. Children are kept, so that each is scored by the lexicon only once."""

    __slots__ = (
        "blank", "character", "children", "context", "expected_ln", "factor", "high", "low", "next_blank",
        "next_nonblank", "nonblank", "parent", "seen_at", "spelling_ln", "spelling_state", "total", "word",
    )  # fmt: skip

    def __init__(self, parent: "_Prefix | None", character: int, word: str, context: tuple[int, ...]) -> None:
        self.parent = parent
        self.character = character
        self.word = word
        self.context = context
        self.children: dict[int, _Prefix] = {}
        self.low = self.high = 0
        self.expected_ln = 0.0
        self.spelling_ln = 0.0
        self.spelling_state = 0
        self.factor = 1.0
        self.blank = self.nonblank = self.total = 0.0
        self.next_blank = self.next_nonblank = 0.0
        self.seen_at = -1

    def text(self) -> str:
        ids = []
        prefix = self
        while prefix.parent is not None:
            ids.append(prefix.character)
            prefix = prefix.parent
        return decode(ids[::-1]).strip()


@dataclass(frozen=True, eq=False)
class Mark:
    """A moment of a search."""

    standing: tuple[tuple[_Prefix, float, float, float], ...]  # prefix, blank, nonblank, total
    scale_ln: float


class Beam:
    """One utterance being decoded: `advance` with frames as they come, `best` at any time."""

    def __init__(
        self,
        language: NGram | None = None,
        options: BeamOptions = BeamOptions(),
        hot_words: Mapping[str, float] | None = None,
    ) -> None:
        """`hot_words`: words of the talk so far, in the alphabet's spelling, and ln P of hearing each again.

        That P is added to the language model's (a cache, Kuhn & De Mori 1990); a word outside the lexicon
        that is hot need not pay for its spelling.
        """
        self._language = language
        self._options = options
        self._hot_words = hot_words or {}
        self._hot_beginnings = _beginnings_ln(self._hot_words)
        root = _Prefix(None, SPACE, "", (language.start,) if language else ())
        root.blank = root.total = 1.0
        root.high = len(language.words) if language else 0
        self._prefixes = [root]
        self._frame = 0
        self._scale_ln = 0.0

    def advance(self, log_probs: np.ndarray) -> None:
        """Take [frames, 29] natural log-probabilities, blank first."""
        probs = np.exp(log_probs.astype(np.float64))
        floor = probs.max(axis=1, keepdims=True) * math.exp(-self._options.character_floor_ln)
        tried = probs >= floor
        tried[:, BLANK] = False
        for row, wanted in zip(probs, tried, strict=True):
            characters = np.flatnonzero(wanted).tolist()
            self._step(row.tolist(), characters)

    def mark(self) -> Mark:
        """Where the search stands, to come back to with `rewind`."""
        standing = tuple((prefix, prefix.blank, prefix.nonblank, prefix.total) for prefix in self._prefixes)
        return Mark(standing, self._scale_ln)

    def rewind(self, mark: Mark) -> None:
        """Forget the frames since `mark`; what was looked up for words meanwhile is kept."""
        self._prefixes = [prefix for prefix, *_ in mark.standing]
        for prefix, blank, nonblank, total in mark.standing:
            prefix.blank, prefix.nonblank, prefix.total = blank, nonblank, total
        self._scale_ln = mark.scale_ln

    def settled(self) -> str:
        """The whole words that all that is still searched begins with: later frames cannot change them."""
        texts = [prefix.text() for prefix in self._prefixes]
        common = os.path.commonprefix(texts)  # noqa: RUF071 (character by character is what is wanted)
        return common.rpartition(" ")[0]

    def best(self) -> Hypothesis:
        """The likeliest words so far; a last word that is not finished counts as one."""
        scores: dict[str, float] = {}
        for prefix in self._prefixes:
            text = prefix.text()
            scores[text] = scores.get(text, 0.0) + prefix.total * self._word_factor(prefix)
        text = max(scores, key=scores.__getitem__)
        return Hypothesis(text, math.log(scores[text]) + self._scale_ln)

    def _step(self, probs: list[float], characters: list[int]) -> None:
        """One frame: every prefix stays (blank or its last character again) or grows by a character."""
        frame = self._frame = self._frame + 1
        p_blank, p_space = probs[BLANK], probs[SPACE]
        floor = math.exp(-self._options.prune_ln)
        touched = []
        for prefix in self._prefixes:
            total, last = prefix.total, prefix.character
            if prefix.seen_at != frame:
                prefix.seen_at = frame
                touched.append(prefix)
            if last == SPACE:
                # A second space, or one before the first word, changes nothing.
                prefix.next_blank += total * (p_blank + p_space)
            else:
                prefix.next_blank += total * p_blank
                prefix.next_nonblank += prefix.nonblank * probs[last]
            for character in characters:
                if character == last:
                    mass = prefix.blank * probs[character] if last != SPACE else 0.0
                else:
                    mass = total * probs[character]
                if mass < floor:
                    continue
                child = prefix.children.get(character)
                if child is None:
                    child = prefix.children[character] = self._grow(prefix, character)
                child.next_nonblank += mass * child.factor
                if child.seen_at != frame:
                    child.seen_at = frame
                    touched.append(child)
        self._keep_best(touched)

    def _keep_best(self, touched: list[_Prefix]) -> None:
        for prefix in touched:
            prefix.total = prefix.next_blank + prefix.next_nonblank
        touched.sort(key=attrgetter("total"), reverse=True)
        scale = 1.0 / touched[0].total
        floor = touched[0].total * math.exp(-self._options.prune_ln)
        kept = [prefix for prefix in touched[: self._options.width] if prefix.total >= floor]
        for prefix in kept:
            prefix.blank = prefix.next_blank * scale
            prefix.nonblank = prefix.next_nonblank * scale
            prefix.total *= scale
        for prefix in touched:
            prefix.next_blank = prefix.next_nonblank = 0.0
        self._prefixes = kept
        self._scale_ln -= math.log(scale)

    def _grow(self, prefix: _Prefix, character: int) -> _Prefix:
        language = self._language
        if character == SPACE:
            child = _Prefix(prefix, SPACE, "", self._context_after(prefix))
            child.high = len(language.words) if language else 0
            child.factor = self._word_factor(prefix)
            return child
        child = _Prefix(prefix, character, prefix.word + CHARACTERS[character - 1], prefix.context)
        if language:
            ln, child.spelling_state = language.spelling(prefix.spelling_state, character - 1)
            child.spelling_ln = prefix.spelling_ln + ln
            child.low = bisect_left(language.words, child.word, prefix.low, prefix.high)
            child.high = bisect_left(language.words, child.word + AFTER_Z, child.low, prefix.high)
            child.expected_ln = self._expected_ln(child)
            child.factor = math.exp(child.expected_ln - prefix.expected_ln)
        return child

    def _expected_ln(self, prefix: _Prefix) -> float:
        """What the language model will say of the unfinished word, as far as can be told by now."""
        language, options = self._language, self._options
        hot_ln = self._hot_beginnings.get(prefix.word)
        if prefix.low < prefix.high:
            begins_ln = language.begins_ln(prefix.context[-1], prefix.low, prefix.high)
            return options.alpha * (begins_ln if hot_ln is None else _sum_ln(begins_ln, hot_ln))
        unknown_ln = language.score((), language.unknown)
        ln = options.alpha * (unknown_ln + prefix.spelling_ln) + options.unknown_ln
        return ln if hot_ln is None else max(ln, options.alpha * hot_ln)

    def _word_factor(self, prefix: _Prefix) -> float:
        """What the end of the word that `prefix` is in the middle of does to its probability."""
        language, options = self._language, self._options
        if language is None or prefix.character == SPACE:
            return 1.0
        word = self._number(prefix)
        ln = language.score(prefix.context, word)
        hot_ln = self._hot_words.get(prefix.word)
        if word != language.unknown:
            ln = options.alpha * (ln if hot_ln is None else _sum_ln(ln, hot_ln))
        else:
            end_ln, _ = language.spelling(prefix.spelling_state, 0)
            ln = options.alpha * (ln + prefix.spelling_ln + end_ln) + options.unknown_ln
            ln = ln if hot_ln is None else max(ln, options.alpha * hot_ln)
        return math.exp(ln + options.beta - prefix.expected_ln)

    def _context_after(self, prefix: _Prefix) -> tuple[int, ...]:
        return (*prefix.context[-1:], self._number(prefix)) if self._language else ()

    def _number(self, prefix: _Prefix) -> int:
        is_word = prefix.low < prefix.high and self._language.words[prefix.low] == prefix.word
        return prefix.low if is_word else self._language.unknown


def search(
    log_probs: np.ndarray,
    language: NGram | None = None,
    options: BeamOptions = BeamOptions(),
    hot_words: Mapping[str, float] | None = None,
) -> Hypothesis:
    """Decode one whole utterance of [frames, 29] natural log-probabilities."""
    beam = Beam(language, options, hot_words)
    beam.advance(log_probs)
    return beam.best()


def greedy(log_probs: np.ndarray) -> str:
    """The likeliest character of each frame, repeats merged: no lexicon, no search."""
    ids = [character for character, _ in groupby(log_probs.argmax(axis=1).tolist()) if character != BLANK]
    return " ".join(decode(ids).split())


def _beginnings_ln(words_ln: Mapping[str, float]) -> dict[str, float]:
    """ln P of every beginning of the words, from theirs."""
    beginnings: dict[str, float] = {}
    for word, ln in words_ln.items():
        for end in range(1, len(word) + 1):
            beginning = word[:end]
            beginnings[beginning] = _sum_ln(beginnings[beginning], ln) if beginning in beginnings else ln
    return beginnings


def _sum_ln(first_ln: float, second_ln: float) -> float:
    """ln of the sum of two probabilities."""
    high, low = max(first_ln, second_ln), min(first_ln, second_ln)
    return high + math.log1p(math.exp(low - high))
