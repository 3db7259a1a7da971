"""The socket of a hands-free conversation: frames of every kind, in every order, from several at once."""

import json
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.live import wire
from app.live.messages import Sound
from app.page.host import Choice, Host
from app.page.routes import Routes
from app.sessions import GONE, Sessions
from engine.errors import BadInput
from tests.browser import tiny_engine

PIECE = 640
LOUD = (np.full(PIECE // 2, 0.3) * 32767).astype("<i2").tobytes()
QUIET = bytes(PIECE)


class Site:
    """The routes of the page with the tiny engine behind them."""

    def __init__(self):
        self.engine = tiny_engine.engine()
        self.sessions = Sessions()
        host = Host(lambda choice, on_progress: self.engine)
        host.start(Choice()).join()
        self.client = TestClient(Starlette(**Routes(host, self.sessions, may_choose=True).for_app()))

    def conversation(self):
        return self.sessions.open()[0]

    @contextmanager
    def line(self, conversation, **wishes):
        with self.client.websocket_connect("/attune/live") as line:
            line.send_json({"type": "attune.begin", "conversation": conversation, **wishes})
            yield line


@pytest.fixture(scope="module")
def site():
    return Site()


def receive(line):
    """The next frame: an object, or sound."""
    message = line.receive()
    line._raise_on_close(message)
    return json.loads(message["text"]) if message.get("text") is not None else message["bytes"]


def until(line, kind):
    """Everything up to the first of that type."""
    got = []
    while not got or got[-1]["type"] != kind:
        frame = receive(line)
        if isinstance(frame, dict):
            got.append(frame)
        else:
            got[-1]["sound"] = frame
    return got


def speak(line, duration_s=1.0, silence_s=0.9):
    for _ in range(round(duration_s / 0.02)):
        line.send_bytes(LOUD)
    for _ in range(round(silence_s / 0.02)):
        line.send_bytes(QUIET)


def test_a_spoken_turn_is_heard_and_answered(site):
    conversation = site.conversation()
    with site.line(conversation) as line:
        assert receive(line) == {"type": "attune.begun", "exchanges": [], "voice_turns": 0}
        speak(line)
        got = until(line, "finished")
        kinds = [frame["type"] for frame in got]
        assert kinds.index("heard") < kinds.index("text") < kinds.index("finished")
        [speech] = [frame for frame in got if frame["type"] == "speech"]
        assert len(speech["sound"]) == 2 * site.engine.voice.made_samples[-1]
        assert {frame["state"] for frame in got if frame["type"] == "attune.standing"} >= {
            "hearing",
            "deciding",
        }
        line.send_json({"type": "attune.played", "duration_s": 9, "is_over": True})
        time.sleep(0.05)
        line.send_json({"type": "attune.played", "duration_s": 9, "is_over": True})
        while receive(line) != {"type": "attune.standing", "state": "listening", "needed_s": None}:
            pass
    assert len(site.sessions.find(conversation).exchanges) == 1


def test_typed_turns_with_the_wished_voice(site):
    with site.line(site.conversation(), voice="high", speed=9) as line:
        line.send_json({"type": "attune.typed", "text": "hello"})
        assert until(line, "finished")[-1]["reply"] == "You said hello."
    assert (site.engine.voice.styles[-1].voice, site.engine.voice.styles[-1].speed) == ("high", 1.5)


def test_push_to_talk_waits_for_the_button(site):
    with site.line(site.conversation(), end="button") as line:
        speak(line, silence_s=3)
        line.send_json({"type": "attune.answer-now"})
        got = until(line, "finished")
        waited = [
            frame for frame in got if frame["type"] == "attune.standing" and frame["state"] == "deciding"
        ]
        assert waited and all(frame["needed_s"] is None for frame in waited)
        assert [frame["type"] for frame in got].count("heard") == 1


def test_whoever_leaves_stops_the_work_and_finds_the_conversation_again(site):
    conversation = site.conversation()
    site.engine.mind.reset()
    site.engine.mind.pause_s = 0.2
    with site.line(conversation) as line:
        line.send_json({"type": "attune.typed", "text": "a long sentence that takes its time to answer"})
        until(line, "text")
    assert site.engine.mind.stopped.wait(5)
    site.engine.mind.reset()
    for thread in [thread for thread in threading.enumerate() if thread.name in ("talk", "reply", "voice")]:
        thread.join(5)
        assert not thread.is_alive()
    with site.line(conversation) as line:
        [exchange] = receive(line)["exchanges"]
        assert exchange["was_stopped"]
        line.send_json({"type": "attune.typed", "text": "hello"})
        assert "a long sentence" in until(line, "finished")[-1]["reply"]


def test_the_newest_of_two_has_the_conversation_and_the_other_is_told(site):
    conversation = site.conversation()
    with site.line(conversation) as older:
        receive(older)
        with site.line(conversation) as newer:
            receive(newer)
            assert "another window" in until(older, "problem")[-1]["message"]
            with pytest.raises(WebSocketDisconnect) as closed:
                receive(older)
            assert closed.value.code == 4001
            newer.send_json({"type": "attune.typed", "text": "hello"})
            until(newer, "finished")


def test_two_conversations_stay_apart(site):
    with site.line(site.conversation()) as one, site.line(site.conversation()) as other:
        receive(one), receive(other)
        speak(one, 1.0)
        speak(other, 2.0)
        assert until(one, "heard")[-1]["text"] == "I spoke for 1 seconds"
        assert until(other, "heard")[-1]["text"] == "I spoke for 2 seconds"


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        ({"type": "attune.begin", "conversation": "guessed"}, GONE),
        ({"type": "attune.stop"}, "first message"),
        ({"type": "attune.begin"}, "conversation"),
    ],
)
def test_without_a_conversation_there_is_no_talk(site, first, sentence):
    with site.client.websocket_connect("/attune/live") as line:
        line.send_json(first)
        assert sentence in receive(line)["message"]
        with pytest.raises(WebSocketDisconnect) as closed:
            receive(line)
    assert closed.value.code == 4000


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({}, True),
        ({"origin": "http://testserver"}, True),
        ({"origin": "http://elsewhere.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://talk.test", "x-forwarded-host": "talk.test"}, True),
        ({"origin": "http://testserver:8080"}, True),
        ({"origin": "http://testserver.elsewhere.test"}, False),
    ],
)
def test_another_site_gets_no_socket(site, headers, is_let_in):
    try:
        with site.client.websocket_connect("/attune/live", headers=headers):
            pass
    except WebSocketDisconnect:
        assert not is_let_in
    else:
        assert is_let_in


def test_a_turn_that_breaks_is_a_sentence_and_the_talk_goes_on(site, monkeypatch):
    with site.line(site.conversation()) as line:
        receive(line)
        with monkeypatch.context() as broken:
            broken.setattr(tiny_engine.Ears, "listen", lambda *_: 1 / 0)
            speak(line)
            assert "Something broke" in until(line, "problem")[-1]["message"]
        line.send_json({"type": "attune.typed", "text": "hello"})
        assert until(line, "finished")[-1]["reply"] == "You said hello."


OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
KINDS = ("begin", "played", "muted", "typed", "stop", "answer-now", "nonsense")
FIELDS = (
    "conversation",
    "voice",
    "speed",
    "end",
    "hears_while_speaking",
    "duration_s",
    "is_over",
    "is_on",
    "text",
)
MESSAGES = st.builds(
    lambda kind, fields: json.dumps({**fields, "type": f"attune.{kind}"}),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(FIELDS), OBJECTS, max_size=4),
)
FRAMES = st.one_of(
    MESSAGES,
    OBJECTS.map(json.dumps),
    st.text(max_size=50),
    st.binary(max_size=50),
    st.sampled_from(
        [LOUD * 25, QUIET * 25, LOUD * 60, "[" * 20_000, "1" * 5_000, "x" * 40_000, bytes(99_999)]
    ),
)


@given(FRAMES)
def test_every_frame_is_a_message_or_a_sentence(frame):
    try:
        message = wire.read(frame)
    except BadInput as error:
        assert str(error).endswith(".")
    else:
        assert isinstance(message, wire.Up)
        if isinstance(message, Sound):
            assert np.isfinite(message.samples).all()


@given(st.lists(FRAMES, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_breaks_neither_this_talk_nor_another(site, frames):
    with site.line(site.conversation()) as calm, site.line(site.conversation()) as wild:
        receive(calm), receive(wild)
        for frame in frames:
            if isinstance(frame, bytes):
                wild.send_bytes(frame)
            else:
                wild.send_text(frame)
        for line, text in ((wild, "still here"), (calm, "me too")):
            line.send_json({"type": "attune.muted", "is_on": True})
            line.send_json({"type": "attune.typed", "text": text})
            while until(line, "finished")[-1]["reply"].rpartition("You said ")[2] != f"{text}.":
                pass
