"""The owner of a conversation: its states, and that only the newest turn may change it."""

import numpy as np
import pytest

from app.session import SOUNDS_KEPT, Session, Sessions, State
from engine.audio import Audio
from engine.conversation import Heard
from engine.tts import SAMPLE_RATE_HZ, AudioChunk, Style
from engine.turn import Finished, SpeechPiece, TextPiece

ONE_SECOND = Audio(np.zeros(SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)


class Scripted:
    """An engine whose turn yields what it is given, and notes what it was told before."""

    def __init__(self, *events):
        self.events = events
        self.before = []

    def turn(self, conversation, heard, *, stale, started):
        self.before.append(conversation)
        yield from self.events


def reply(*sentences):
    """The events of a reply whose sentences last a second each."""
    for sentence in sentences:
        yield TextPiece(f"{sentence} ")
        yield SpeechPiece(AudioChunk(ONE_SECOND, sentence))
    yield Finished(" ".join(sentences), Style("warm"), {"total": 9.0})


def hear(text):
    return lambda: Heard(text, timings_ms={"ears": 2.0})


def test_states_follow_the_turn_and_the_turn_is_remembered():
    session, engine = Session(), Scripted(*reply("One.", "Two."))
    seen = [session.state]
    for _ in session.answer(engine, hear("hello")):
        seen.append(session.state)
    seen.append(session.state)
    assert [state for i, state in enumerate(seen) if i == 0 or state != seen[i - 1]] == [
        State.READY,
        State.THINKING,
        State.SPEAKING,
        State.READY,
    ]
    list(session.answer(engine, hear("more")))
    assert [(turn.role, turn.text) for turn in engine.before[1]] == [
        ("user", "hello"),
        ("assistant", "One. Two."),
    ]
    assert session.exchanges[0].timings_ms == {"ears": 2.0, "total": 9.0}


def test_only_the_newest_turns_keep_their_sound():
    session, engine = Session(), Scripted(*reply("Yes."))
    for number in range(SOUNDS_KEPT + 2):
        list(session.answer(engine, lambda number=number: Heard(f"turn {number}", audio=ONE_SECOND)))
    kept = [turn.audio is ONE_SECOND for turn in session.conversation if turn.role == "user"]
    assert kept == [False] * 2 + [True] * SOUNDS_KEPT
    assert session.conversation[0].text == "turn 0"


@pytest.mark.parametrize(
    ("played_s", "kept"),
    [(0.4, "One."), (1.0, "One."), (1.1, "One. Two."), (None, "One. Two. Three.")],
)
def test_stop_keeps_what_was_heard(played_s, kept):
    session = Session()
    list(session.answer(Scripted(*reply("One.", "Two.", "Three.")), hear("hello")))
    session.stop(played_s)
    assert session.exchanges[-1].reply == kept
    assert session.exchanges[-1].was_stopped
    assert session.conversation[-1].text == kept


@pytest.mark.parametrize("end", ["stop", "clear", "another turn"])
def test_a_stale_turn_changes_nothing_any_more(end):
    session = Session()
    old = session.answer(Scripted(*reply("Old.", "Older.")), hear("first"))
    next(old)
    next(old)
    if end == "another turn":
        list(session.answer(Scripted(*reply("New.")), hear("second")))
    else:
        getattr(session, end)()
    before = session.exchanges
    assert list(old) == []
    assert session.exchanges == before
    assert session.state is State.READY


def test_a_reader_who_left_ends_the_turn():
    session, left = Session(), []
    turn = session.answer(Scripted(*reply("One.", "Two.")), hear("hello"), gone=lambda: bool(left))
    next(turn)
    left.append(True)
    assert list(turn) == []
    assert session.state is State.READY


def test_a_turn_stopped_while_it_is_being_heard_leaves_no_trace():
    session = Session()

    def listen():
        session.stop()
        return Heard("too late")

    assert list(session.answer(Scripted(*reply("One.")), listen)) == []
    assert session.exchanges == ()


def test_ears_that_fail_leave_the_session_ready():
    session = Session()

    def listen():
        raise ValueError

    with pytest.raises(ValueError):
        list(session.answer(Scripted(), listen))
    assert session.state is State.READY


def test_sessions_are_kept_apart_and_the_oldest_is_forgotten():
    sessions = Sessions(capacity=2)
    first, a = sessions.open()
    second, b = sessions.open()
    assert a is not b
    assert sessions.open(first) == (first, a)
    third, _ = sessions.open("never heard of")
    assert third not in (first, second, "never heard of")
    assert sessions.find(second) is None
    assert sessions.find(first) is a
