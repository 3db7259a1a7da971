"""What some turns of a conversation were about, in the person's own words.

Asked by `app.record.reflection` for every stretch. Nothing is written that was not said: sentences are
chosen by the words in them that come again in this conversation and are rare in everyday talk (Luhn 1958,
Spärck Jones 1972).
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.record.sentences import Sentence
from engine.errors import PartMissing

COMMON_LN = -7.0
"""ln P of a word that everybody says all the time, and which tells nothing: "today", "really", "thing"."""

RARE_LN = -10.0
"""What is rarer yet tells no more: it is a name, or was misheard."""

OWN = frozenset(["i", "i'm", "i've", "i'd", "i'll", "my", "me", "we", "our"])
OWN_COUNTS = 1.3
"""How much more a sentence tells in which the person speaks of themselves."""

LEANING = frozenset(
    ["it", "it's", "he", "he's", "she", "she's", "they", "they're", "that", "that's", "thi", "those", "these"]
).union(["yes", "yeah", "no", "nope", "okay", "thank", "well"])
LEANING_COUNTS = 0.75
"""How much less one tells that begins with such a word: it leans on what was said before it."""

SHORT_WORDS = 10
"""A shorter sentence has no advantage by it."""

MORE_AFTER_TURNS = (2, 6)
"""So many turns may be told in one sentence, and in two."""

WORTH_TELLING = 1.0
"""A second or third sentence has to be worth that."""

KEY_WORDS = 4
WORTH_NAMING = 1.1
"""A key word has to be worth that."""


class Everyday:
    """How common words are in everyday talk."""

    def __init__(self, ln_of: Mapping[str, float]) -> None:
        """`ln_of` is ln P of each known word."""
        self._ln_of = ln_of

    @classmethod
    def load(cls, path: Path) -> "Everyday":
        """From the ears' n-gram, in 20 ms. Raises `PartMissing` when it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as file:
                words = file["words"].tobytes().decode("ascii").split("\n")
                return cls(dict(zip(words, file["word_ln"].tolist(), strict=True)))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise PartMissing(f"{path}: the words' frequencies cannot be read; restore the file.") from error

    def rarity(self, key: str) -> float:
        """0 for what everybody says all the time, up to 1.7; `key` as in `Sentence`."""
        forms = (key, f"{key}s", f"{key[:-1]}'t")
        ln = max(self._ln_of.get(form, -math.inf) for form in forms)
        return math.sqrt(min(max(COMMON_LN - ln, 0.0), COMMON_LN - RARE_LN))


class Topics:
    """What one conversation comes back to; asked about some of its turns."""

    def __init__(self, everyday: Everyday, turns: Sequence[Sequence[Sentence]]) -> None:
        self._turns = turns
        self._said_in = Counter(key for turn in turns for key in {key for each in turn for key in each.keys})
        self._rarity = {key: everyday.rarity(key) for key in self._said_in}

    def telling(self, part: range) -> list[Sentence]:
        """One to three sentences of those turns, in the order in which they were said; none without words."""
        said = self._of(part)
        chosen: list[Sentence] = []
        for place in range(1 + sum(len(part) > turns for turns in MORE_AFTER_TURNS)):
            known = {key for sentence in chosen for key in sentence.keys}
            left = [sentence for sentence in said if sentence not in chosen]
            best = max(left, key=lambda each: self._worth(each, known), default=None)
            if best is None or (place and self._worth(best, known) < WORTH_TELLING):
                break
            chosen.append(best)
        return sorted(chosen, key=said.index)

    def key_words(self, part: range, told: Sequence[Sentence]) -> list[str]:
        """The words that set those turns apart, beside those in the sentences `told`; strongest first."""
        known = LEANING.union(key for sentence in told for key in sentence.keys)
        said = [word for sentence in self._of(part) for word in sentence.words if word[0] not in known]
        times = Counter(key for key, _ in said)
        worth = {key: self._rarity[key] * count**1.5 / self._said_in[key] for key, count in times.items()}
        ranked = sorted(worth, key=worth.__getitem__, reverse=True)
        written = dict(reversed(said))
        return [_bare(written[key]) for key in ranked[:KEY_WORDS] if worth[key] >= WORTH_NAMING]

    def _of(self, part: range) -> list[Sentence]:
        return [sentence for turn in self._turns[part.start : part.stop] for sentence in turn]

    def _worth(self, sentence: Sentence, known: Collection[str]) -> float:
        keys = sentence.keys
        new = {*keys}.difference(known)
        worth = sum(self._rarity[key] * (1 + math.log(self._said_in[key])) for key in new)
        worth *= OWN_COUNTS if OWN.intersection(keys) else 1.0
        worth *= LEANING_COUNTS if keys and keys[0] in LEANING else 1.0
        return worth * sentence.heard_well**2 / math.sqrt(max(sentence.length, SHORT_WORDS))


def _bare(written: str) -> str:
    return written.strip(".,;:!?…\"'“”‘’()[]").lower()
