"""How surely each recognised word was heard, as a probability.

Called after the beam search with the words where they were said. Logistic regression on what tells right
words from wrong ones: the sounds, the language model, the length, and whether it is a word at all. The sounds
alone had an AUC of 0.71 on speakers never heard, together it is 0.81. Fitted by `python -m train confidence`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.asr import Word
from engine.ears.align import PlacedWord
from engine.ears.ngram import NGram

CONTEXT_WORDS = 2


@dataclass(frozen=True)
class WordConfidence:
    """The weights, in the order of `evidence`; the defaults are for ears that keep none of their own."""

    sounds: float = 2.6
    language: float = 0.4
    letters: float = 0.6
    unknown: float = -8.0
    offset: float = 2.2

    def of(self, evidence: np.ndarray) -> np.ndarray:
        """(words, 4) → (words,) probabilities that they are right."""
        weights = (self.sounds, self.language, self.letters, self.unknown)
        return 1.0 / (1.0 + np.exp(-(evidence @ weights + self.offset)))


def weigh(
    placed: Sequence[PlacedWord], language: NGram | None, confidence: WordConfidence, *, later_s: float = 0.0
) -> tuple[Word, ...]:
    """The words with their confidence, moved by `later_s`."""
    probabilities = confidence.of(evidence(placed, language))
    return tuple(
        Word(word.text, later_s + word.start_s, later_s + word.end_s, float(probability))
        for word, probability in zip(placed, probabilities, strict=True)
    )


def evidence(placed: Sequence[PlacedWord], language: NGram | None) -> np.ndarray:
    """(words, 4): `sounds_ln`; ln P after the words before; letters; 1 where the lexicon lacks it.

    Without `language` there are but the sounds and the letters.
    """
    rows = np.zeros((len(placed), 4))
    context = [language.start] if language else []
    for row, word in zip(rows, placed, strict=True):
        row[0], row[2] = word.sounds_ln, len(word.text)
        if language:
            number = language.find(word.text)
            row[3] = number < 0
            number = language.unknown if number < 0 else number
            row[1] = language.score(tuple(context[-CONTEXT_WORDS:]), number)
            context.append(number)
    return rows
