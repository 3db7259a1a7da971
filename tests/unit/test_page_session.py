"""The owner of a conversation: its states, who may change it, and what of a reply counts as said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import SOUNDS_KEPT
from app.said import INTERRUPTED, Phrase, said_of
from app.session import Session, State
from app.sessions import Sessions
from engine.audio import Audio
from engine.calibration import Calibration
from engine.conversation import Heard
from engine.emotion import EMOTIONS, Emotion
from engine.errors import BadInput
from engine.tts import SAMPLE_RATE_HZ, AudioChunk, Style
from engine.turn import Finished, SpeechPiece, TextPiece

ONE_SECOND = Audio(np.full(SAMPLE_RATE_HZ, 0.1, np.float32), SAMPLE_RATE_HZ)


class Scripted:
    """An engine whose turn yields what it is given, and notes what it was told before."""

    def __init__(self, *events):
        self.events = events
        self.before = []

    def turn(self, conversation, heard, *, stale, started):
        self.before.append(conversation)
        yield from self.events


def reply(*sentences, pause_s=0.0):
    """The events of a reply whose sentences last a second each, with pauses after them."""
    sound = Audio(np.pad(ONE_SECOND.samples, (0, int(pause_s * SAMPLE_RATE_HZ))), SAMPLE_RATE_HZ)
    for sentence in sentences:
        yield TextPiece(f"{sentence} ")
        yield SpeechPiece(AudioChunk(sound, sentence))
    yield Finished(" ".join(sentences), Style("warm"), {"total": 9.0})


def hear(text):
    return lambda *_: Heard(text, timings_ms={"ears": 2.0})


def speak(session, *voices, text="hello"):
    """Spoken turns whose own voices are those numbers; returns what was known before each."""
    known = []
    for voice in voices:

        def listen(baseline, *_, voice=voice):
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
    [
        (0.0, ""),
        (0.1, ""),
        (0.6, "One more —"),
        (1.0, "One more time. —"),
        (2.8, "One more time. Then another —"),
        (3.0, "One more time. Then another one."),
        (None, "One more time. Then another one."),
    ],
)
def test_stop_keeps_what_was_heard(played_s, kept):
    session = Session()
    list(session.answer(Scripted(*reply("One more time.", "Then another one.", pause_s=1.0)), hear("hello")))
    session.stop(played_s)
    assert session.exchanges[-1].reply == kept
    assert session.exchanges[-1].was_stopped
    # The mind is to know what was said, even if nothing of the answer was heard.
    assert [turn.text for turn in session.conversation] == ["hello", kept or INTERRUPTED]
    session.stop(0.0)
    assert session.exchanges[-1].reply == kept


def test_the_mark_at_the_end_of_a_reply_may_be_another_than_was_spoken():
    phrases = [Phrase("I'm so sorry,", 1.0)]
    assert said_of("I'm so sorry.", phrases, 2.0) == "I'm so sorry."
    assert said_of("I'm so sorry.", phrases, 0.6) == f"I'm so {INTERRUPTED}"


def test_a_turn_stopped_before_it_was_understood_leaves_the_one_before_as_it_was():
    session = Session()
    list(session.answer(Scripted(*reply("One.")), hear("hello")))
    session.begin()
    session.stop(0.0)
    assert session.exchanges[-1].reply == "One."
    assert not session.exchanges[-1].was_stopped


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=9).filter(
        lambda word: INTERRUPTED not in word
    ),
    min_size=1,
    max_size=6,
)
SPEECH_S = st.floats(0.05, 5.0)


@given(
    st.lists(st.tuples(WORDS, SPEECH_S, st.floats(0.0, 0.5)), min_size=1, max_size=4),
    st.lists(st.floats(-1.0, 25.0), min_size=2, max_size=2).map(sorted),
)
def test_what_counts_as_said_grows_with_what_was_played(spoken, played_s):
    phrases = [Phrase(" ".join(words), *lasting) for words, *lasting in spoken]
    # An emoji cannot be spoken.
    reply = " 😊 ".join(phrase.text for phrase in phrases)
    earlier, later = (said_of(reply, phrases, each_s).split() for each_s in played_s)
    for said in (earlier, later):
        is_cut = said[-1:] == [INTERRUPTED]
        words = said[: len(said) - is_cut]
        assert words == reply.split()[: len(words)]
        assert is_cut == (0 < len(words) < len(reply.split()))
    assert later == earlier or len(later) - (later[-1:] == [INTERRUPTED]) >= len(earlier) - 1
    assert said_of(reply, phrases, 0.0) == ""
    whole_s = sum(phrase.speech_s + phrase.pause_s for phrase in phrases)
    assert said_of(reply, phrases, whole_s + 1e-6) == reply


def test_the_pause_after_a_phrase_holds_no_words():
    sound = np.concatenate([np.full(SAMPLE_RATE_HZ, 0.1), np.zeros(SAMPLE_RATE_HZ)]).astype(np.float32)
    phrase = Phrase.of(AudioChunk(Audio(sound, SAMPLE_RATE_HZ), "so it is"))
    assert (phrase.speech_s, phrase.pause_s) == (1.0, 1.0)
    assert [phrase.said_in(played_s) for played_s in (0.4, 0.7, 1.0)] == ["so", "so it", "so it is"]


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

    def listen(baseline, *_):
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


SURE = dict(zip(EMOTIONS, (0.6, 0.05, 0.25, 0.025, 0.025, 0.025, 0.025), strict=True))


def feel(session, text="hello"):
    """A turn heard as neutral; returns the calibration that it was heard with."""
    known = []

    def listen(_, __, calibration):
        known.append(calibration)
        return Heard(text, Emotion(SURE))

    list(session.answer(Scripted(*reply("Yes.")), listen))
    return known[0]


def correct(session, index, label):
    return session.correct(session.exchanges[index].key, label)


def test_a_correction_is_what_the_mind_and_the_next_turn_go_by():
    session = Session()
    assert feel(session) == Calibration()
    corrected = correct(session, 0, "sad")
    assert (corrected.felt.label, corrected.felt.abstained) == ("sad", False)
    assert corrected.heard.emotion.label == "neutral"
    assert session.conversation[0].emotion.label == "sad"
    assert feel(session).of("sad") > 0


def test_what_was_corrected_just_now_weighs_more_than_what_was_corrected_before():
    session = Session()
    feel(session)
    correct(session, 0, "sad")
    now, later = feel(session), feel(session)
    assert now.of("sad") > later.of("sad") > 0


def test_a_correction_can_be_changed_and_taken_back():
    session = Session()
    feel(session)
    correct(session, 0, "angry")
    correct(session, 0, "sad")
    once = Session()
    feel(once)
    correct(once, 0, "sad")
    assert session.calibration == once.calibration
    correct(session, 0, "")
    assert session.calibration == Calibration()
    assert session.conversation[0].emotion.label == "neutral"


def test_what_was_taught_stays_with_the_person():
    session = Session()
    feel(session)
    correct(session, 0, "sad")
    taught = session.taught
    session.clear()
    assert session.calibration == taught != Calibration()
    session.reset_baseline()
    assert session.calibration == Calibration()


def test_corrections_of_the_person_before_teach_nothing_about_the_next():
    session = Session()
    feel(session)
    session.reset_baseline()
    correct(session, 0, "sad")
    assert session.calibration == Calibration()
    assert feel(session) == Calibration()
    assert [exchange.speaker for exchange in session.exchanges] == [1, 2]


@pytest.mark.parametrize(("key", "label"), [("", "sad"), (None, "sad"), ("its", "gloomy"), ("its", None)])
def test_what_cannot_be_corrected_is_refused(key, label):
    session = Session()
    feel(session)
    with pytest.raises(BadInput):
        session.correct(session.exchanges[0].key if key == "its" else key, label)
    assert not session.exchanges[0].correction


def test_silence_has_no_feeling_to_correct():
    session = Session()
    feel(session, text="")
    with pytest.raises(BadInput):
        correct(session, 0, "sad")


def test_a_correction_while_the_answer_is_still_coming_stays():
    session = Session()
    turn = session.answer(Scripted(*reply("One.", "Two.")), lambda *_: Heard("hello", Emotion(SURE)))
    next(turn)
    correct(session, 0, "sad")
    list(turn)
    assert (session.exchanges[0].correction, session.exchanges[0].reply) == ("sad", "One. Two.")


def test_an_earlier_conversation_takes_the_place_of_this_one():
    session, other = Session(), Session()
    speak(session, 1.0, 2.0)
    correct(session, 1, "happy")
    running = other.answer(Scripted(*reply("Old.", "Old.")), hear("old"))
    next(running)
    other.restore(session.exchanges, session.baseline, session.calibrated, session.speaker)
    list(running)
    assert other.exchanges == session.exchanges
    assert other.conversation == session.conversation
    assert other.calibration == session.calibration
    assert other.state is State.READY


def test_what_was_written_is_kept_where_the_reply_was_stopped():
    session = Session()
    turn = session.answer(Scripted(*reply("One.", "Two.")), hear("hello"))
    for _ in range(5):
        next(turn)
    session.stop(0.5)
    [exchange] = session.exchanges
    assert exchange.written.split() == ["One.", "Two."]
    assert len(exchange.reply) < len(exchange.written)


def test_a_turn_is_its_speakers_whoever_talks_when_it_has_been_heard():
    session = Session()
    speak(session, 1.0)
    mine = session.begin()
    session.reset_baseline()
    begun = session.think(Heard("hello"), mine)
    assert (begun.speaker, begun.usual_turns, session.speaker) == (1, 1, 2)


def test_everything_that_a_conversation_left_can_be_forgotten():
    session = Session()
    feel(session)
    correct(session, 0, "sad")
    session.clear()
    feel(session)
    correct(session, 0, "angry")
    session.forget()
    assert session.exchanges == ()
    assert session.calibrated.of("sad") > 0 > session.calibrated.of("angry")
    session.forget_taught()
    assert session.calibration == Calibration()
