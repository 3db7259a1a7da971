"""A hands-free conversation in virtual time: real session, real machine, ears and replies that a test tells
what to hear and to say."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange import Exchange
from app.live.machine import State
from app.live.messages import (
    AnswerNow,
    Caption,
    Close,
    Hush,
    Muted,
    Nothing,
    Played,
    Problem,
    Reopened,
    Sound,
    Standing,
    Stop,
    Typed,
    Volume,
)
from app.live.reply import ReplyEvent
from app.live.talk import LiveTalk
from app.live.ways import Strategies
from app.session import Session
from engine.asr import Partial
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.conversation import Heard
from engine.tts import SAMPLE_RATE_HZ, AudioChunk, Style
from engine.turn import Finished, SpeechPiece, TextPiece
from engine.turns.interruption import ByLengthAndWords
from engine.turns.silence import Silence

FRAME_S = 0.02
CHUNK_S = 1.0


class Loudness:
    """A detector for which whatever is not silence is speech."""

    frame_s = FRAME_S

    def stream(self):
        return SimpleNamespace(
            feed=lambda samples: [
                float(np.abs(f).max() > 0.1) for f in np.split(samples, len(samples) // 320)
            ]
        )


class Ears:
    """Hears one word for every half second of speech, at half of it."""

    def __init__(self):
        self._loud = 0
        self.sound = Audio(np.zeros(0, dtype=np.float32), SPEECH_RATE_HZ)

    def feed(self, samples):
        self.sound = Audio(np.concatenate([self.sound.samples, samples]), SPEECH_RATE_HZ)
        self._loud += int((np.abs(samples) > 0.1).sum())
        return Partial(self._text())

    def so_far(self):
        return Heard(self._text(), speech_s=self._loud / SPEECH_RATE_HZ)

    def _text(self):
        return " ".join(["word"] * round(2 * self._loud / SPEECH_RATE_HZ))


class FakeReply:
    """Says what the test tells it to, when it is told."""

    def __init__(self, _make, tell):
        self._tell = tell
        self.is_forgotten = False
        self.text = ""

    def forget(self):
        self.is_forgotten = True

    def join(self):
        assert self.is_forgotten

    def says(self, event):
        if isinstance(event, TextPiece):
            self.text += event.text
        self._tell(ReplyEvent(self, event))


class Room:
    """A person, a `LiveTalk`, and the page that shows and plays what comes of it."""

    def __init__(self, **strategies):
        self.replies = []
        self.received = []
        engine = SimpleNamespace(
            detector=Loudness(),
            listen_live=lambda *_: Ears(),
            read=lambda text, _: Heard(text, is_typed=True),
        )
        ways = {"end": Silence(0.7), "interruption": ByLengthAndWords(), **strategies}
        self.session = Session()
        self.talk = LiveTalk(
            self.session, engine, Strategies(**ways), self._receive, clock=lambda: 0.0, start=self._start
        )
        self.sounding = None

    def _start(self, make, tell):
        self.replies.append(FakeReply(make, tell))
        return self.replies[-1]

    def _receive(self, message):
        match message:
            case SpeechPiece(chunk):
                reply = chunk.text
                assert not self.replies[int(reply)].is_forgotten, "sound of a reply that was given up"
                assert self.sounding in (None, reply), "two replies at once"
                self.sounding = reply
            case Hush():
                self.sounding = None
            case Standing(state):
                assert self.sounding is None or state not in (State.HEARING, State.PAUSING, State.DECIDING)
        self.received.append(message)

    def hear(self, loudness, duration_s):
        for _ in range(round(duration_s / FRAME_S)):
            self.post(Sound(np.full(320, loudness, dtype=np.float32)))
        return self

    def speech(self, duration_s):
        return self.hear(0.5, duration_s)

    def silence(self, duration_s):
        return self.hear(0.0, duration_s)

    def post(self, message):
        self.talk.handle(message)
        return self

    def says(self, *events):
        """The newest reply does, as far as it was not given up."""
        if self.replies:
            for event in events:
                self.replies[-1].says(event)
                self.talk.handle(self.talk._inbox.get())
        return self

    def speaks(self):
        sound = Audio(np.full(int(CHUNK_S * SAMPLE_RATE_HZ), 0.1, np.float32), SAMPLE_RATE_HZ)
        number = len(self.replies) - 1
        return self.says(TextPiece(f"{number} "), SpeechPiece(AudioChunk(sound, f"{number}")))

    def finishes(self):
        text = self.replies[-1].text.strip() if self.replies else ""
        return self.says(Finished(text, Style()), None)

    def played(self, duration_s=CHUNK_S, is_over=True):
        if is_over:
            self.sounding = None
        return self.post(Played(duration_s, is_over))

    def got(self, kind):
        return [message for message in self.received if isinstance(message, kind)]

    @property
    def state(self):
        return self.talk._machine.state


def test_a_spoken_turn_is_heard_answered_and_over():
    room = Room().speech(2).silence(1)
    assert [turn.heard.text for turn in room.got(Exchange)] == ["word word word word"]
    assert room.got(Caption)[-1].text.startswith("word")
    room.speaks().finishes().played()
    assert room.state is State.LISTENING
    assert [exchange.reply for exchange in room.session.exchanges] == ["0"]


def test_the_answer_is_prepared_unseen_and_thrown_away_when_the_person_goes_on():
    room = Room(end=Silence(1.5)).speech(2).silence(1)
    room.speaks()
    assert len(room.replies) == 1
    assert not room.got(Exchange)
    assert not room.got(SpeechPiece)
    room.speech(1).silence(2)
    assert room.replies[0].is_forgotten
    assert len(room.got(Exchange)) == 1
    assert len(room.session.exchanges) == 1


def test_what_was_prepared_sounds_at_once_when_the_turn_is_over():
    room = Room(end=Silence(1.5)).speech(2).silence(1).speaks().silence(1)
    assert room.state is State.SPEAKING
    assert room.got(SpeechPiece)


def test_a_turn_taken_for_over_goes_on():
    room = Room().speech(1).silence(1).says(TextPiece("Oh")).speech(1).silence(1)
    assert room.got(Reopened)
    assert [exchange.heard.text for exchange in room.session.exchanges] == ["word word word word"]
    assert room.session.exchanges[0].reply == ""


def test_an_interruption_lowers_the_reply_and_keeps_what_had_sounded():
    room = Room().speech(1).silence(1).speaks().speaks().played(1.0, is_over=False)
    room.speech(0.2)
    assert room.got(Volume)[-1].is_low
    room.speech(1).silence(1)
    assert room.replies[0].is_forgotten
    first, second = room.session.exchanges
    assert first.was_stopped
    assert first.reply == "0 —"
    assert second.heard.text.startswith("word")


def test_a_backchannel_costs_nothing():
    room = Room().speech(1).silence(1).speaks().played(1.0, is_over=False).speech(0.3).silence(0.6)
    assert [volume.is_low for volume in room.got(Volume)] == [True, False]
    assert not room.replies[0].is_forgotten
    room.finishes().played()
    assert room.session.exchanges[0].reply == "0"
    assert len(room.session.exchanges) == 1


def test_half_duplex_hears_nothing_while_it_speaks():
    room = Room(hears_while_speaking=False).speech(1).silence(1).speaks().speech(3)
    assert not room.got(Volume)
    room.finishes().played().silence(0.1).speech(1).silence(1)
    assert len(room.got(Exchange)) == 2


def test_a_noise_without_a_word_is_no_turn():
    room = Room().speech(0.2).silence(1)
    assert room.got(Nothing)
    assert not room.got(Exchange)
    assert room.state is State.LISTENING


def test_muting_gives_the_turn_up_and_typing_goes_on_meanwhile():
    room = Room().speech(1).post(Muted(True)).speech(2)
    assert room.got(Nothing)
    assert room.state is State.LISTENING
    room.post(Typed("hello"))
    assert [turn.heard.text for turn in room.got(Exchange)] == ["hello"]
    room.post(Muted(False)).speech(1)
    assert room.state is State.HEARING
    assert room.replies[0].is_forgotten


def test_a_button_ends_the_turn_at_once():
    assert Room().speech(1).post(AnswerNow()).got(Exchange)


def test_a_reply_without_sound_is_over_when_it_is_written():
    assert Room().speech(1).silence(1).finishes().state is State.LISTENING


def test_what_broke_is_told_and_the_conversation_goes_on():
    room = Room().speech(1).silence(1).says("The mind is gone.", None)
    assert room.got(Problem) == [Problem("The mind is gone.")]
    assert room.state is State.LISTENING


@pytest.mark.parametrize("ended", ["stop", "clear"])
def test_a_reply_ends_when_its_session_does(ended):
    room = Room().speech(1).silence(1).speaks()
    getattr(room.session, ended)()
    room.sounding = None
    room.speaks()
    assert room.state is State.LISTENING
    assert room.replies[0].is_forgotten


def test_a_voice_that_goes_on_stops_the_reply_within_half_a_second():
    room = Room().speech(1).silence(1).speaks().played(1.0, is_over=False).speech(0.38)
    assert not room.got(Hush)
    assert room.speech(0.06).got(Hush)


def test_what_was_said_before_muting_is_no_part_of_what_is_said_after():
    room = Room().speech(2).post(Muted(True)).post(Muted(False)).speech(0.6).silence(1)
    assert [turn.heard.text for turn in room.got(Exchange)] == ["word"]


def test_what_was_said_before_stop_is_no_part_of_what_is_said_after():
    room = Room().speech(2).silence(1).post(Stop()).speech(1).silence(1)
    assert [turn.heard.text for turn in room.got(Exchange)] == ["word word word word", "word word"]


def test_half_duplex_does_not_hear_the_replys_own_tail():
    room = Room(hears_while_speaking=False).speech(1).silence(1).speaks().finishes().played()
    room.speech(0.2)
    assert room.state is State.LISTENING
    assert room.silence(0.3).speech(0.5).state is State.HEARING


def test_ears_that_break_cost_the_turn_and_nothing_else():
    room = Room()
    room.talk.post(Typed("hello"))
    room.talk._engine.read = lambda text: 1 / 0
    room.talk.post(Close())
    room.talk.run()
    assert room.got(Problem) and room.got(Nothing)
    assert room.state is State.LISTENING
    assert room.speech(1).silence(1).got(Exchange)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["speech", "silence"]), st.sampled_from([0.1, 0.3, 0.6, 1.0, 2.0])),
        st.tuples(
            st.sampled_from(["speaks", "finishes", "played", "stop", "now", "typed", "mute", "open"]),
            st.none(),
        ),
    ),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_one_speaks_at_a_time_and_it_listens_again(steps):
    room = Room()
    for step, value in steps:
        match step:
            case "speech" | "silence":
                getattr(room, step)(value)
            case "speaks" | "finishes" | "played":
                getattr(room, step)()
            case "stop":
                room.post(Stop())
            case "now":
                room.post(AnswerNow())
            case "typed":
                room.post(Typed("hello"))
            case "mute" | "open":
                room.post(Muted(step == "mute"))
    room.post(Muted(False)).silence(2).finishes().played().silence(2)
    assert room.state is State.LISTENING
    assert sum(not reply.is_forgotten for reply in room.replies[:-1]) <= len(room.session.exchanges)


def test_a_conversation_cleared_in_the_moment_of_the_answer_costs_nothing(monkeypatch):
    room = Room()
    monkeypatch.setattr(room.session, "think", lambda *_: None)
    room.speech(1).silence(1)
    assert not room.got(Exchange)
    assert None not in room.received
    monkeypatch.undo()
    assert room.speech(1).silence(1).got(Exchange)


def test_only_a_spoken_turn_has_a_time_until_it_was_known_to_be_over():
    room = Room()
    room.speech(1).silence(1)
    room.post(Typed("hello"))
    spoken, typed = room.got(Exchange)
    assert "decided" in spoken.heard.timings_ms
    assert "decided" not in typed.heard.timings_ms
