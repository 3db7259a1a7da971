"""The ears' alphabet: the 29 classes of the CTC head, and text folded onto them.

Used by the training targets, the beam search and every text part that reads the ears' words (n-gram,
words-to-emotion), so that all of them agree on what a character is.
"""

import re
import unicodedata

BLANK = 0
SPACE = 1
APOSTROPHE = 2
CHARACTERS = " 'abcdefghijklmnopqrstuvwxyz"
NUM_CLASSES = 1 + len(CHARACTERS)

_ID_OF = {character: index for index, character in enumerate(CHARACTERS, start=1)}
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_OUTSIDE = re.compile(r"[^a-z']+")
# Letters that Unicode does not decompose into a base letter and an accent.
_UNDECOMPOSED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


def normalise(text: str) -> str:
    """Lower-case `text` onto a–z, apostrophe and single spaces; accents folded, other characters dropped.

    A dropped character ends a word ("well-known" → "well known"); an apostrophe stays only inside a word
    ("don't"), so that single quotation marks go.
    """
    folded = text.translate(_APOSTROPHES).casefold().translate(_UNDECOMPOSED)
    base = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    words = (word.strip("'") for word in _OUTSIDE.sub(" ", base).split())
    return " ".join(word for word in words if word)


def encode(text: str) -> list[int]:
    """Class ids of `normalise(text)`; blank never occurs."""
    return [_ID_OF[character] for character in normalise(text)]


def decode(ids: list[int]) -> str:
    """Text of class ids as `encode` gives them (no blanks, no repeats to collapse)."""
    return "".join(CHARACTERS[index - 1] for index in ids)
