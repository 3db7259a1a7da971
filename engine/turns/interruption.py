"""Is it an interruption? Acknowledgements, coughs and the reply's own echo are not.

Asked every frame after a sound began during the reply, until the verdict is clear: within about 300 ms for a
voice that goes on, from the words where there are some.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.turns import Onset, Verdict

ACKNOWLEDGEMENTS = frozenset(
    re.findall(
        r"\w+", "ah aha hm hmm huh mhm mm mmm mmhm oh ok okay really right sure uh uhhuh um wow yeah yep yes"
    )
)
"""What people say to show that they listen. "no", "but" and "wait" are not among them."""

URGENT = frozenset(re.findall(r"\w+", "no stop wait what but hey hold sorry actually excuse"))
"""Whoever begins like this wants the word, however short it is."""

ECHO_WORDS = 0.6
"""From this share on, words that the reply is just saying are its own echo."""


@dataclass(frozen=True)
class ByLengthAndWords:
    """A voice that goes on is speech; what is short, or says nothing of its own, is not.

    On the mini ears 16 of 63 acknowledgements of 0.2 to 0.75 s by espeak-ng stop the reply, and all of 24
    recorded sentences do, half of them within 0.4 s and three in four within 0.5 s.
    """

    name = "words"
    urgent_s: float = 0.25
    lasting_s: float = 0.4
    """Speech as long as this is an interruption where it has words; most acknowledgements are shorter."""
    wordless_s: float = 0.6
    """The same where no word can be made out: a hum reaches 0.5 s, a cough less."""
    early_s: float = 0.7
    """The same while the reply is younger than `settling_s`, when an echo may still come through."""
    settling_s: float = 0.8

    def judge(self, onset: Onset) -> Verdict:
        words = re.findall(r"[a-z']+", onset.text.lower())
        own = [word for word in words if word not in ACKNOWLEDGEMENTS]
        if words and (not own or _is_echo(own, onset.being_said)):
            return Verdict.BACKCHANNEL if onset.speech_s < 2 * self.lasting_s else Verdict.UNCLEAR
        if len(own) >= 2 or onset.speech_s >= self._needed_s(own, onset):
            return Verdict.SPEECH
        return Verdict.UNCLEAR

    def _needed_s(self, own: Sequence[str], onset: Onset) -> float:
        if own and own[0] in URGENT:
            return self.urgent_s
        # A single letter is what the ears write for a hum.
        needed_s = self.lasting_s if len("".join(own)) > 1 else self.wordless_s
        return max(needed_s, self.early_s) if onset.reply_age_s < self.settling_s else needed_s


def _is_echo(words: list[str], being_said: str) -> bool:
    said = set(re.findall(r"[a-z']+", being_said.lower()))
    return len(words) > 1 and sum(word in said for word in words) / len(words) >= ECHO_WORDS
