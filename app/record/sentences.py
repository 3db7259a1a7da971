"""What a person said, sentence by sentence, each with the words by which it can be compared.

Used by `app.record.telling` for every turn of a conversation.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.conversation import Heard
from engine.ears.alphabet import normalise

DOUBTED_BELOW = 0.5
"""Of a word's confidence, as on the page: it is more likely wrong than right."""

LONGEST_WORDS = 36
"""A sentence that runs on is cut: speech may come without a full stop."""

_END = re.compile(r"[.!?…][\"'”’)\]]*$")
_TITLE = re.compile(r"(mr|mrs|ms|dr|st|vs)\.", re.IGNORECASE)
_JOINTS = frozenset(["and", "but", "because", "so", "then", "or", "although", "while"])
"""Words before which a long sentence may be cut."""


@dataclass(frozen=True)
class Sentence:
    """As it was said, of `length` words; `words` are those that were heard well, each with its key."""

    text: str
    length: int
    heard_well: float
    """The share of words that are not doubted."""
    words: tuple[tuple[str, str], ...]

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.words]


def sentences(heard: Heard) -> list[Sentence]:
    """Of one turn, spoken or typed; none of silence, or of words that were not understood."""
    written = heard.text.split()
    is_sure = [True] * len(written)
    if len(heard.words) == len(written):
        is_sure = [word.confidence >= DOUBTED_BELOW for word in heard.words]
    return [_sentence(written, is_sure, part) for part in _parts(written)]


def key(word: str) -> str:
    """By what two forms of a word count as the same: "Mothers," and "mother's" as "mother"."""
    plain = normalise(word).replace(" ", "").removesuffix("'s")
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") and not plain.endswith("ss") else plain


def _parts(written: Sequence[str]) -> Iterator[range]:
    start = 0
    for place, word in enumerate(written):
        ends = _END.search(word) and not _TITLE.fullmatch(word)
        if ends or place == len(written) - 1:
            yield from _cut(written, range(start, place + 1))
            start = place + 1


def _cut(written: Sequence[str], sentence: range) -> Iterator[range]:
    """At the last joint within what may be said at once; where there is none, anywhere."""
    while len(sentence) > LONGEST_WORDS:
        latest = sentence.start + LONGEST_WORDS
        joints = (at for at in range(latest, latest - LONGEST_WORDS // 2, -1) if _is_joint(written, at))
        at = next(joints, latest)
        yield range(sentence.start, at)
        sentence = range(at, sentence.stop)
    yield sentence


def _is_joint(written: Sequence[str], at: int) -> bool:
    return written[at - 1].endswith((",", ";", ":")) or written[at].lower() in _JOINTS


def _sentence(written: Sequence[str], is_sure: Sequence[bool], part: range) -> Sentence:
    text = " ".join(written[part.start : part.stop])
    goes_on = part.stop < len(written) and not _END.search(text)
    went_on = part.start > 0 and not _END.search(written[part.start - 1])
    return Sentence(
        text=f"{'… ' * went_on}{text}{' …' * goes_on}",
        length=len(part),
        heard_well=sum(is_sure[part.start : part.stop]) / len(part),
        words=tuple((key(written[at]), written[at]) for at in part if is_sure[at] and key(written[at])),
    )
