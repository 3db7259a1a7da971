"""The owner of a conversation: its states, and that only the newest turn may change it."""

import numpy as np
import pytest

from app.session import SOUNDS_KEPT, Session, Sessions, State
from engine.audio import Audio
from engine.conversation import Heard
from engine.errors import BadInput
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
    return lambda *_: Heard(text, timings_ms={"ears": 2.0})


def speak(session, *voices, text="hello"):
    """Spoken turns whose own voices are those numbers; returns what was known before each."""
    known = []
    for voice in voices:

        def listen(baseline, _, voice=voice):
            known.append(baseline)
            return Heard(text, own_voice=np.full(4, voice))

        list(session.answer(Scripted(*reply("Yes.")), listen))
    return known


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
        list(session.answer(engine, lambda *_, number=number: Heard(f"turn {number}", audio=ONE_SECOND)))
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

    def listen(*_):
        session.stop()
        return Heard("too late")

    assert list(session.answer(Scripted(*reply("One.")), listen)) == []
    assert session.exchanges == ()


def test_ears_that_fail_leave_the_session_ready():
    session = Session()

    def listen(*_):
        raise ValueError

    with pytest.raises(ValueError):
        list(session.answer(Scripted(), listen))
    assert session.state is State.READY


def test_a_voice_is_known_from_the_turns_before():
    session = Session()
    known = speak(session, 1.0, 3.0, 5.0)
    assert [baseline.count for baseline in known] == [0, 1, 2]
    assert known[2].mean == pytest.approx(np.full(4, 2.0))
    assert session.baseline.mean == pytest.approx(np.full(4, 3.0))
    assert all(exchange.heard.own_voice is None for exchange in session.exchanges)


def test_two_people_in_two_sessions_stay_apart():
    one, other = Session(), Session()
    for voice in (1.0, 2.0):
        speak(one, voice)
        speak(other, -voice)
    assert one.baseline.mean == pytest.approx(np.full(4, 1.5))
    assert other.baseline.mean == pytest.approx(np.full(4, -1.5))


def test_typed_turns_and_silence_tell_nothing_of_the_voice():
    session = Session()
    list(session.answer(Scripted(*reply("Yes.")), hear("typed")))
    speak(session, 1.0, text="")
    assert session.baseline.count == 0


@pytest.mark.parametrize("end", ["stop", "clear", "typed turn"])
def test_a_stale_turn_tells_nothing_of_the_voice(end):
    session = Session()
    old = session.answer(Scripted(*reply("Old.")), lambda *_: Heard("first", own_voice=np.ones(4)))
    next(old)
    next(old)
    if end == "typed turn":
        list(session.answer(Scripted(*reply("New.")), hear("second")))
    else:
        getattr(session, end)()
    list(old)
    assert session.baseline.count == 0


def test_a_new_conversation_is_the_same_persons():
    session = Session()
    speak(session, 1.0)
    session.clear()
    assert session.baseline.count == 1


def test_another_person_starts_anew_even_in_the_middle_of_a_turn():
    session = Session()
    speak(session, 1.0, 2.0)
    turn = session.answer(Scripted(*reply("Yes.")), lambda *_: Heard("third", own_voice=np.ones(4)))
    next(turn)
    session.reset_baseline()
    list(turn)
    assert session.baseline.count == 0
    [known] = speak(session, 9.0)
    assert known.mean is None
    assert session.baseline.mean == pytest.approx(np.full(4, 9.0))


def test_a_voice_that_the_ears_refuse_ends_with_a_reset():
    """As after a change to other ears: the sentence each time, until somebody starts anew."""
    session = Session()
    speak(session, 1.0)

    def listen(baseline, _):
        if baseline.mean is not None:
            raise BadInput("other ears")
        return Heard("hello", own_voice=np.ones(8))

    with pytest.raises(BadInput):
        list(session.answer(Scripted(*reply("Yes.")), listen))
    session.reset_baseline()
    list(session.answer(Scripted(*reply("Yes.")), listen))
    assert session.baseline.mean.shape == (8,)


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
