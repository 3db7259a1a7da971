"""What a sound during the reply means: an interruption, a sign of listening, or not clear yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.turns import Onset, Verdict
from engine.turns.interruption import ACKNOWLEDGEMENTS, ByLengthAndWords

LATE_S = 3.0
RULE = ByLengthAndWords()


def verdict(speech_s: float, text: str = "", being_said: str = "", reply_age_s: float = LATE_S) -> Verdict:
    return RULE.judge(Onset(speech_s + 0.1, speech_s, text, being_said, reply_age_s))


@pytest.mark.parametrize(
    ("speech_s", "text"),
    [(0.45, "tomorrow"), (0.25, "two words"), (0.25, "stop"), (0.25, "no"), (0.6, ""), (0.6, "i")],
)
def test_who_wants_the_word_gets_it(speech_s, text):
    assert verdict(speech_s, text) is Verdict.SPEECH


@pytest.mark.parametrize(
    ("speech_s", "text"), [(0.2, "stop"), (0.35, "tomorrow"), (0.55, ""), (0.55, "i"), (0.3, "")]
)
def test_it_is_not_clear_yet(speech_s, text):
    assert verdict(speech_s, text) is Verdict.UNCLEAR


@given(st.lists(st.sampled_from(sorted(ACKNOWLEDGEMENTS)), min_size=1, max_size=4), st.floats(0.0, 5.0))
def test_an_acknowledgement_never_stops_the_reply(words, speech_s):
    assert verdict(speech_s, " ".join(words)) is not Verdict.SPEECH


@given(st.floats(0.0, 5.0), st.floats(0.0, 9.0))
def test_the_replys_own_echo_never_stops_it(speech_s, reply_age_s):
    being_said = "it is normal to feel homesick sometimes"
    assert verdict(speech_s, "normal to feel", being_said, reply_age_s) is not Verdict.SPEECH


def test_a_young_reply_may_still_be_heard_by_the_microphone():
    assert verdict(0.65, "", reply_age_s=0.3) is Verdict.UNCLEAR
    assert verdict(0.7, "", reply_age_s=0.3) is Verdict.SPEECH
