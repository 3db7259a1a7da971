"""A stream of text → phrases to speak, each as soon as it is certain.

Called between the mind, which writes a few letters at a time, and the voice, which
needs whole phrases to sound right. Sentences are the rule; the first phrase ends
at a clause, because until it is there the person waits in silence.
"""

import re
from collections.abc import Iterable, Iterator

from engine.tts.abbreviations import BEFORE_A_NAME, INSIDE_A_SENTENCE, LAST_OR_NOT

_MAX_CHARS = 240
"""About 15 s of speech, and well below the 510 phonemes that Kokoro takes at once."""

_WORDS_BEFORE_A_MARK = 3
_WORDS_BEFORE_A_CONJUNCTION = 4

_CLOSERS = r"""["'”’)\]*_]*"""
_BREAK = re.compile(
    rf"(?P<stop>[.!?…]+){_CLOSERS}\s+|(?P<line>\s*\n\s*)"
    rf"|(?P<mark>[,;:]){_CLOSERS}\s+|(?P<dash>\s+[-–—]+\s+|\s*—\s*)|\s+(?=(?:and|but|because|or)\s)"
)
_TEN_WORDS = re.compile(r"\s*(?:\S+\s+){9,}?\S*[^\s.]\s+(?=\S)")
"""Ten words, the last of them not an abbreviation: no first phrase is longer."""
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_WORD_END = re.compile(r"[^\s.]\s+")


def phrases(pieces: Iterable[str]) -> Iterator[str]:
    """Split the concatenation of `pieces` into phrases, without white space around them.

    Nothing but white space is lost, and how the text was cut into pieces does not
    matter. No phrase is longer than `_MAX_CHARS`.
    """
    pending = ""
    is_first = True
    for piece in pieces:
        pending += piece
        while (end := _phrase_end(pending[: _MAX_CHARS + 1], is_first)) is not None:
            phrase, pending = pending[:end].strip(), pending[end:]
            if phrase:
                yield phrase
                is_first = False
    if phrase := pending.strip():
        yield phrase


def _phrase_end(text: str, is_first: bool) -> int | None:
    """Where the first phrase of `text` ends; None while text still to come could change that.

    `text` of more than `_MAX_CHARS` has an end in any case.
    """
    ten_words = _TEN_WORDS.match(text) if is_first else None
    limit = ten_words.end() if ten_words else len(text) - 1
    # A stop is judged by what follows, for which only the first phrase, since somebody waits for it, cannot.
    breaks = [
        match
        for match in _BREAK.finditer(text)
        if match.end() <= limit + bool(is_first and (match["mark"] or match["stop"]))
    ]
    for match in breaks:
        before, following = text[: match.start()], text[match.end() : match.end() + 1]
        if is_first and following.isdigit():
            following = ""  # as if it were still to come
        if match["line"] or (match["stop"] and _ends_sentence(before, match["stop"], following)):
            return match.end()
        if is_first and not match["stop"]:
            is_conjunction = not (match["mark"] or match["dash"])
            enough = _WORDS_BEFORE_A_CONJUNCTION if is_conjunction else _WORDS_BEFORE_A_MARK
            if len(before.split()) >= enough:
                return match.end()
    if ten_words:
        return limit
    if len(text) <= _MAX_CHARS:
        return None
    clauses = [match.end() for match in breaks if match["mark"] or match["dash"]]
    words = [match.end() for match in _WORD_END.finditer(text, 0, limit)]
    return (clauses or words or [_MAX_CHARS])[-1]


def _ends_sentence(before: str, stop: str, following: str) -> bool:
    """Whether `stop` (a run of . ! ? …) after `before` ends a sentence that goes on with `following`."""
    if "!" in stop or "?" in stop:
        return True
    if stop != ".":
        return False
    word = re.search(r"[\w.]*$", before)[0]
    key = word.lower()
    if key in LAST_OR_NOT:
        return following.isupper()
    is_title = key in BEFORE_A_NAME and word[0].isupper()
    is_initials = word != "I" and _INITIALS.fullmatch(word)
    is_list_number = before.strip().isdigit()
    return not (is_title or key in INSIDE_A_SENTENCE or is_initials or is_list_number or following.isdigit())
