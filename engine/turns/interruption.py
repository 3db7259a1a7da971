"""Is it an interruption? Acknowledgements, coughs and the reply's own echo are not.

Asked every frame after a sound began during the reply, until the verdict is clear: within about 300 ms for a
voice that goes on, from the words where there are some.
"""

import re
from dataclasses import dataclass

from engine.turns import Onset, Verdict

ACKNOWLEDGEMENTS = frozenset(
    re.findall(
        r"\w+", "ah aha hm hmm huh mhm mm mmm mmhm oh ok okay really right sure uh uhhuh um wow yeah yep yes"
    )
)
"""What people say to show that they listen. "no", "but" and "wait" are not among them."""

ECHO_WORDS = 0.6
"""From this share on, words that the reply is just saying are its own echo."""


@dataclass(frozen=True)
class ByLengthAndWords:
    """A voice that goes on is speech; what is short, or says nothing of its own, is not."""

    name = "words"
    lasting_s: float = 0.4
    """Speech as long as this is an interruption unless its words say otherwise; "mhm" lasts 0.2 to 0.4 s."""
    early_s: float = 0.7
    """The same while the reply is younger than `settling_s`, when an echo may still come through."""
    settling_s: float = 0.8

    def judge(self, onset: Onset) -> Verdict:
        words = re.findall(r"[a-z']+", onset.text.lower())
        own = [word for word in words if word.replace("-", "") not in ACKNOWLEDGEMENTS]
        if words and (not own or _is_echo(own, onset.being_said)):
            return Verdict.BACKCHANNEL if onset.speech_s < 2 * self.lasting_s else Verdict.UNCLEAR
        needed_s = self.early_s if onset.reply_age_s < self.settling_s else self.lasting_s
        if onset.speech_s >= needed_s or len(own) >= 2:
            return Verdict.SPEECH
        return Verdict.UNCLEAR


def _is_echo(words: list[str], being_said: str) -> bool:
    said = set(re.findall(r"[a-z']+", being_said.lower()))
    return len(words) > 1 and sum(word in said for word in words) / len(words) >= ECHO_WORDS
