"""The gentle question: only where voice and words disagree, not at first, rarely, never on top of another."""

from itertools import pairwise

import pytest

from engine.conversation import Turn
from engine.emotion import EMOTIONS, Emotion
from engine.gentle import ONCE_IN_TURNS, ask_gently, question_for, was_asked

PLAIN = (Turn("user", "Hello there."), Turn("assistant", "Hello.")) * 2


def part(label: str, score: float = 0.7) -> dict[str, float]:
    return {each: score if each == label else (1 - score) / 6 for each in EMOTIONS}


def said(voice: str, words: str, *, score: float = 0.7, text: str = "I am fine.") -> Turn:
    emotion = Emotion(part(voice), voice=part(voice, score), words=part(words, score))
    return Turn("user", text, emotion)


def test_a_sad_voice_that_says_it_is_fine_is_asked():
    conversation = [*PLAIN, said("sad", "neutral")]
    assert question_for(conversation) == "You sound a little sad to me, though. Is that so?"
    assert "".join(ask_gently(iter(["Good ", "to hear."]), conversation)) == (
        "Good to hear. You sound a little sad to me, though. Is that so?"
    )


def test_bad_news_told_with_a_laugh_is_asked_too():
    assert "How is it for you" in question_for([*PLAIN, said("happy", "sad", text="They fired me today.")])


@pytest.mark.parametrize(
    "last",
    [
        said("sad", "sad"),
        said("sad", "neutral", score=0.45),
        said("neutral", "sad"),
        said("surprised", "happy"),
        said("sad", "neutral", text="Is it raining?"),
        Turn("user", "I am fine.", Emotion(part("sad"), voice=part("sad"))),
        Turn("user", "I am fine."),
    ],
)
def test_nothing_is_asked_where_nothing_is_to_be_asked(last):
    assert question_for([*PLAIN, last]) is None


def test_not_before_the_voice_is_known():
    assert question_for([*PLAIN[:2], said("sad", "neutral")]) is None


def test_it_is_asked_rarely():
    conversation, times = [], []
    for number in range(60):
        conversation.append(said("sad", "neutral"))
        reply = "".join(ask_gently(iter(["All right."]), conversation))
        conversation.append(Turn("assistant", reply))
        if was_asked(conversation[-1]):
            times.append(number)
    assert times
    assert all(later - earlier > ONCE_IN_TURNS / 2 for earlier, later in pairwise(times))


def test_a_reply_that_asks_already_is_left_alone():
    assert "".join(ask_gently(iter(["What happened?"]), [*PLAIN, said("sad", "neutral")])) == "What happened?"


def test_a_reply_that_never_came_gets_no_question():
    assert list(ask_gently(iter([]), [*PLAIN, said("sad", "neutral")])) == []
