"""Names and rare words of the talk so far, which the ears then expect to hear again.

Called once per spoken turn, before the search. What a person typed or the mind said is spelled right, so
that the ears may learn "Kathleen" or "Attune" from it; common words need no help and would only be heard
where they were not said.
"""

from collections.abc import Iterable, Mapping

from engine.ears.alphabet import normalise
from engine.ears.ngram import NGram

MOST_WORDS = 100
"""The newest; 50 to 400 cost nothing that could be measured."""
SHORTEST = 4
"""Letters. Shorter rare words sound like too many others."""
RARE_LN = -10.0
"""ln P, by itself, below which a word is rare: one word in 22,000."""
AGAIN_LN = -5.5
"""ln P that the next word is a given one of them."""


def hot_words(messages: Iterable[str], language: NGram) -> Mapping[str, float]:
    """ln P to hear each rare word of `messages` (oldest first) again, for `beam.search`."""
    newest = (word for message in reversed(list(messages)) for word in reversed(normalise(message).split()))
    chosen: dict[str, float] = {}
    for word in newest:
        if len(chosen) == MOST_WORDS:
            break
        if len(word) >= SHORTEST and _is_rare(word, language):
            chosen[word] = AGAIN_LN
    return chosen


def _is_rare(word: str, language: NGram) -> bool:
    number = language.find(word)
    return number < 0 or language.score((), number) < RARE_LN
