"""What a chat model writes → what may be said aloud, while it is still being written.

Every mind sends its raw text through one `ReplyShaper` per reply. It removes what is
not speech (markdown, emoji, stage directions, hidden thoughts), drops sentences that
claim a human past, and ends the reply where a listener would want it to end. What
comes out depends on the raw text only, never on how that text was cut into pieces.
"""

import re

from engine.safety import claims_human_past

MAX_WORDS = 60
"""No reply is longer. Sixty words are about 25 seconds of speech."""

ENOUGH_WORDS = 30
"""The first sentence that ends after this many words ends the reply."""

_FIRST_CLAUSE_WORDS = 3
_PARAGRAPH_WORDS = 6

_STOP = re.compile(
    r"<\||</s>|<(?:start|end)_of_turn>|\[/?INST\]"
    r"|(?:^|\n)[ \t]*(?:you|me|system)[ \t]*:|\b(?:user|human|assistant|ai|attune)[ \t]*:",
    re.I,
)
_OWN_LABEL = re.compile(r"\s*\**(?:assistant|ai|attune)[ \t]*:", re.I)
_THOUGHTS = re.compile(r"(?:\s*<think>.*?</think>)+", re.S)
_OPEN_THOUGHT = re.compile(r"\s*<think>")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)*_]*(?=\s)|\n")
_NOT_AN_END = re.compile(r"\b(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e)\.$|^\s*\d\.$", re.I)
_CLAUSE_END = re.compile(r"[,;:—](?=\s)")

_LIST_MARK = re.compile(r"^\s*(?:[-*•>#]+|\d[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_DIRECTION = re.compile(
    r"\*+\s*(?:\w+\s+)?(?:smil|nod|laugh|sigh|chuckl|grin|wink|hug|gasp|paus|giggl|shrug|lean|look|wav|whisper)"
    r"\w*[^*]*\*+|\([^)]*\)|\[[^\]]*\]",
    re.I,
)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3]+|[:;]-?[()DP](?!\\w)"
)
_MARKUP = re.compile(r"[*_`#~|<>\\()\[\]]+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_GAP = " "
"""Behind what may be said, not in front of what follows: the voice need not wait to know that it is whole."""


class ReplyShaper:
    """One reply on its way from the model to the voice.

    `feed` takes the raw text as it comes and returns what may be said now: the
    first clause as soon as it stands (so that the voice can start), after that
    whole sentences. `is_done` turns true where the reply ends; the model can stop.
    `close` returns what is left when the model has come to an end by itself.
    """

    def __init__(self, enough_words: int = ENOUGH_WORDS) -> None:
        self.is_done = False
        self._enough_words = enough_words
        self._pending = ""
        self._has_begun = False
        self._newlines = 0
        self._clause = ""
        self._sentences: list[list[str]] = []
        self._word_count = 0

    def feed(self, raw: str) -> str:
        """Take the next piece of the model's text; returns what may be said now, often nothing."""
        self._pending += raw
        if not self._has_begun and not self._begin():
            return ""
        said = ""
        while not self.is_done and (step := self._step()) is not None:
            said += step
        return said

    def close(self, *, is_complete: bool = True) -> str:
        """What is left when the model has stopped. `is_complete` is False when a token limit cut it off:
        then an unfinished sentence is said only if nothing else was."""
        if self.is_done or (self._word_count and not is_complete):
            return ""
        return self.feed("\n")

    def _begin(self) -> bool:
        """Strip hidden thoughts and the model's own name from the start; False while it may go on."""
        # A line's end would count as one of the reply's.
        self._pending = self._pending.lstrip()
        if thoughts := _THOUGHTS.match(self._pending):
            self._pending = self._pending[thoughts.end() :]
        if _OPEN_THOUGHT.match(self._pending):
            return False
        if label := _OWN_LABEL.match(self._pending):
            self._pending = self._pending[label.end() :]
            self._has_begun = True
        return True

    def _step(self) -> str | None:
        """Take one clause or sentence off `_pending` and return its spoken form; None: more is needed."""
        stop = _STOP.search(self._pending)
        sentence_end = self._sentence_end()
        clause_end = self._clause_end() if not self._word_count else None
        ends = [end for end in (stop and stop.start(), sentence_end, clause_end) if end is not None]
        end = min(ends, default=len(self._pending))

        room = MAX_WORDS - self._word_count
        words = list(_WORD.finditer(self._pending[:end]))
        if len(words) > room:
            self.is_done = True
            return self._say(self._pending[: words[room - 1].end()]) if not self._word_count else ""
        if not ends:
            return None
        self._has_begun = True
        text, self._pending = self._pending[:end], self._pending[end:]
        if stop and end == stop.start():
            self.is_done = True
        return self._say_clause(text) if end == clause_end else self._say(text)

    def _sentence_end(self) -> int | None:
        for match in _SENTENCE_END.finditer(self._pending):
            if not _NOT_AN_END.search(self._pending[: match.end()]):
                return match.end()
        return None

    def _clause_end(self) -> int | None:
        """The end of the reply's first clause, unless only the whole sentence shows if it may be said."""
        for match in _CLAUSE_END.finditer(self._pending):
            clause = self._pending[: match.end()]
            if any(mark in clause for mark in "*([") or claims_human_past(clause):
                return None
            if len(_WORD.findall(clause)) >= _FIRST_CLAUSE_WORDS:
                return match.end()
        return None

    def _say_clause(self, text: str) -> str:
        spoken = spoken_form(text)
        self._clause = spoken
        self._word_count = len(_words(spoken))
        return f"{spoken}{_GAP}"

    def _say(self, text: str) -> str:
        """The spoken form of a sentence, or of what follows its first clause where that has been said."""
        spoken = spoken_form(text)
        clause, self._clause = self._clause, ""
        if not _words(spoken):
            self._count_newlines(text)
            return ""
        self._newlines = text.count("\n")
        already_said = len(_words(clause))
        words = _words(clause) + _words(spoken)
        if claims_human_past(f"{clause} {spoken}"):
            return ""
        repeated_at = _repeated_at(words)
        if words in self._sentences or repeated_at <= already_said:
            self.is_done = True
            return ""
        if repeated_at < len(words):
            self.is_done = True
            last = list(_WORD.finditer(spoken))[repeated_at - already_said - 1]
            spoken = spoken[: last.end()] + "."
        self._sentences.append(words)
        self._word_count += len(words) - already_said
        self.is_done |= self._word_count >= self._enough_words
        return f"{spoken}{_GAP}"

    def _count_newlines(self, text: str) -> None:
        """A blank line ends the reply, unless all before it was an opening such as "Sure!"."""
        self._newlines += text.count("\n")
        self.is_done |= self._newlines > 1 and self._word_count >= _PARAGRAPH_WORDS


def spoken_form(text: str) -> str:
    """One line as it is said: no markdown, list marks, emoji, stage directions or asides in brackets."""
    text = _LIST_MARK.sub("", text)
    text = _LINK.sub(r"\1", text)
    for unspoken in (_EMOJI, _DIRECTION, _MARKUP):
        text = unspoken.sub("", text)
    return re.sub(r"\s+([,.!?;:…])", r"\1", " ".join(text.split()))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _repeated_at(words: list[str]) -> int:
    """Where a phrase begins to be said again at once; `len(words)` where none is.

    Three words said twice are a loop; one or two words ("very very") only when said four times.
    """
    for start in range(len(words)):
        for size in range(1, 11):
            times = 2 if size >= 3 else 4
            if words[start : start + size] * times == words[start : start + size * times]:
                return start + size
    return len(words)
