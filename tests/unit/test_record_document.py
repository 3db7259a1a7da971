"""A conversation as a file: everything comes back, and nothing that anybody writes into it does harm."""

import copy
import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exchange import Exchange
from app.page import events
from app.record.document import MAX_BYTES, MAX_EXCHANGES, Saved, read, write
from app.session import Session
from engine.asr import Word
from engine.baseline import VoiceBaseline
from engine.calibration import LARGEST, Calibration
from engine.conversation import Heard
from engine.emotion import EMOTIONS, Emotion
from engine.errors import BadInput
from engine.hearing import VoiceSpace
from engine.sketch import COLUMNS, Manner, Sketch
from engine.tts import STYLES
from engine.turn import Origin

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
SECONDS = st.floats(0, 1e4)
SHARE = st.floats(0, 1)
STAGES = st.dictionaries(st.sampled_from(["ears", "decided", "first_text", "total"]), st.floats(-1e5, 1e5))
SCORES = st.lists(st.floats(0.001, 1), min_size=7, max_size=7).map(
    lambda parts: dict(zip(EMOTIONS, (part / sum(parts) for part in parts), strict=True))
)
EMOTION = st.builds(Emotion, SCORES, st.booleans(), voice=st.none() | SCORES, words=st.none() | SCORES)
MANNER = st.builds(Manner, st.none() | st.floats(50, 500), st.floats(-90, 0))
SKETCH = st.integers(0, COLUMNS).flatmap(
    lambda columns: st.builds(
        Sketch,
        st.lists(SHARE, min_size=columns, max_size=columns).map(tuple),
        st.lists(st.floats(0, 500), min_size=columns, max_size=columns).map(tuple),
        MANNER,
    )
)
HEARD = st.builds(
    Heard,
    text=TEXT,
    emotion=EMOTION,
    duration_s=SECONDS,
    speech_s=SECONDS,
    is_typed=st.booleans(),
    is_foreign=st.booleans(),
    timings_ms=STAGES,
    words=st.lists(st.builds(Word, TEXT, SECONDS, SECONDS, SHARE), max_size=3).map(tuple),
    sketch=st.none() | SKETCH,
)
EXCHANGE = st.builds(
    Exchange,
    HEARD,
    speaker=st.integers(1, 9),
    usual=st.none() | MANNER,
    usual_turns=st.integers(0, 99),
    correction=st.sampled_from(["", *EMOTIONS]),
    reply=TEXT,
    written=TEXT,
    style=st.sampled_from(STYLES),
    strength=SHARE,
    timings_ms=STAGES,
    failure=TEXT,
    was_stopped=st.booleans(),
    origin=st.sampled_from(Origin),
)
BASELINE = st.just(VoiceBaseline()) | st.builds(
    VoiceBaseline,
    st.integers(1, 99),
    st.lists(st.floats(-20, 20), min_size=1, max_size=8).map(np.array),
    st.none() | MANNER,
)
CALIBRATION = st.just(Calibration()) | st.lists(st.floats(-LARGEST, LARGEST), min_size=7, max_size=7).map(
    lambda bias: Calibration(dict(zip(EMOTIONS, bias, strict=True)))
)
SAVED = st.builds(
    Saved,
    st.lists(EXCHANGE, max_size=3, unique_by=lambda exchange: exchange.key).map(tuple),
    BASELINE,
    st.builds(VoiceSpace, TEXT, st.integers(0, 9)),
    CALIBRATION,
    st.integers(1, 9),
)


def as_file(document: object) -> bytes:
    return json.dumps(document).encode()


def session_of(saved: Saved) -> Session:
    session = Session()
    session.restore(saved.exchanges, saved.baseline, saved.calibrated, saved.speaker)
    return session


def rounded(exchange: Exchange) -> Exchange:
    """Pitch and level are kept as finely as anybody sees them."""

    def manner(of: Manner) -> Manner:
        return Manner.from_dict(of.to_dict())

    heard = exchange.heard
    sketch = heard.sketch and replace(heard.sketch, manner=manner(heard.sketch.manner))
    return replace(
        exchange, heard=replace(heard, sketch=sketch), usual=exchange.usual and manner(exchange.usual)
    )


@given(SAVED)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again(saved):
    found = read(as_file(write(saved)))
    assert found.exchanges == tuple(map(rounded, saved.exchanges))
    assert (found.speaker, found.voice_space) == (saved.speaker, saved.voice_space)
    assert found.baseline.count == saved.baseline.count
    if saved.baseline.count:
        assert found.baseline.mean == pytest.approx(saved.baseline.mean, rel=1e-4)
    assert found.calibrated.bias == pytest.approx(saved.calibrated.bias, abs=1e-4)
    before, after = session_of(saved), session_of(found)
    assert after.conversation == before.conversation
    assert [turn.emotion for turn in after.conversation] == [turn.emotion for turn in before.conversation]
    assert after.calibration.bias == pytest.approx(before.calibration.bias, abs=1e-3)
    assert [events.exchange(e) for e in after.exchanges] == [events.exchange(e) for e in before.exchanges]


@given(SAVED)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_once_written_nothing_changes_any_more(saved):
    once = write(read(as_file(write(saved))))
    again = write(read(as_file(once)))
    assert {**again, "exported_at": ""} == {**once, "exported_at": ""}


def spoken(**changed) -> Exchange:
    """An exchange that has everything."""
    emotion = Emotion(dict.fromkeys(EMOTIONS, 1 / 7), voice=dict.fromkeys(EMOTIONS, 1 / 7))
    heard = Heard(
        "I am home.",
        emotion,
        1.5,
        1.0,
        timings_ms={"ears": 90.0},
        words=(Word("I", 0.1, 0.2, 0.9),),
        sketch=Sketch((0.1, 1.0), (0.0, 120.0), Manner(120.0, -20.0)),
    )
    values = {"usual": Manner(110.0, -25.0), "reply": "Welcome.", "timings_ms": {"total": 300.0}}
    return Exchange(heard, **{**values, **changed})


def document() -> dict:
    baseline = VoiceBaseline(3, np.ones(4), Manner(110.0, -25.0))
    bias = Calibration(dict.fromkeys(EMOTIONS, 0.5))
    return write(Saved((spoken(), spoken()), baseline, VoiceSpace("tiny", 4), bias, 1))


def places(node: object, path: tuple = ()) -> list[tuple]:
    """The way to every value in it."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for name, value in inner for place in [(*path, name), *places(value, (*path, name))]]


def changed(place: tuple, value: object) -> dict:
    result = copy.deepcopy(document())
    node = result
    for name in place[:-1]:
        node = node[name]
    if value is ...:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return result


PLACES = places(document())
STRANGE = st.recursive(
    st.sampled_from(
        [..., None, True, -1, 0, 10**25, 1e308, float("nan"), float("inf"), "\ud800", "\0", "../.."]
    )
    | st.text(max_size=5)
    | st.floats()
    | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(PLACES), STRANGE)
@settings(max_examples=400)
def test_any_value_in_any_place_is_read_or_refused(place, value):
    try:
        saved = read(json.dumps(changed(place, value), default=repr).encode())
    except BadInput as error:
        assert str(error).count(". ") == 0 and "\n" not in str(error)
        return
    # What is read can be used: shown, told to the mind, written again.
    session = session_of(saved)
    for each in session.exchanges:
        json.dumps(events.exchange(each), allow_nan=False, ensure_ascii=False).encode()
    assert len(session.conversation) <= 4
    assert np.isfinite(list(session.calibration.bias.values())).all()
    read(as_file(write(saved)))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data):
    with pytest.raises(BadInput, match="not a conversation"):
        read(data)


@given(st.data())
@settings(max_examples=100)
def test_a_file_with_a_bad_spot_is_read_or_refused(data):
    whole = bytearray(as_file(document()))
    start = data.draw(st.integers(0, len(whole)))
    whole[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    with suppress(BadInput):
        read(bytes(whole))


def test_a_newer_version_says_how_to_open_it():
    with pytest.raises(BadInput, match=r"newer Attune \(version 7; this one reads 1\): update Attune"):
        read(as_file({**document(), "version": 7}))


def test_a_newer_version_may_be_anything_else():
    with pytest.raises(BadInput, match="newer"):
        read(as_file({"format": "attune-conversation", "version": 2, "chapters": []}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"format": "somebody-else", "version": 1}',
        b'{"format": ["attune-conversation"]}',
        b"<html></html>",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 2_000_000,
        b'{"format": "attune-conversation", "format": "attune-conversation"}',
        b'{"format": "attune-conversation", "version": NaN}',
        b'{"format": "attune-conversation", "version": -Infinity}',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_conversation_is_refused(data):
    with pytest.raises(BadInput, match="not a conversation that Attune saved"):
        read(data)


def test_every_beginning_of_a_file_is_refused():
    whole = as_file(document())
    for length in range(0, len(whole) - 1, 97):
        with pytest.raises(BadInput):
            read(whole[:length])


def test_more_than_anybody_says_is_refused():
    with pytest.raises(BadInput, match="too large"):
        read(b" " * (MAX_BYTES + 1))
    with pytest.raises(BadInput, match="exchanges"):
        read(as_file({**document(), "exchanges": [{}] * (MAX_EXCHANGES + 1)}))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("exchanges", 0, "key"), "../../../etc"),
        (("exchanges", 0, "key"), document()["exchanges"][0]["key"].upper() + "\n"),
        (("exchanges", 0, "style"), "shouting"),
        (("exchanges", 0, "origin"), "root"),
        (("exchanges", 0, "correction"), "happiest"),
        (("exchanges", 0, "strength"), 1.01),
        (("exchanges", 0, "speaker"), 0),
        (("exchanges", 0, "was_stopped"), 1),
        (("exchanges", 0, "timings_ms"), {"<b>": 1}),
        (("exchanges", 0, "timings_ms"), {"total": 1e308}),
        (("exchanges", 0, "heard", "words", 0, "confidence"), 1.5),
        (("exchanges", 0, "heard", "duration_s"), True),
        (("exchanges", 0, "heard", "emotion", "scores", "sad"), 0.9),
        (("exchanges", 0, "heard", "sketch", "envelope"), [0.5] * 200),
        (("baseline", "mean"), [1e200] * 4),
        (("baseline", "turns"), 10**20),
        (("calibration", "sad"), 50),
        (("version",), True),
        (("version",), 0),
        (("speaker",), 1.5),
    ],
    ids=lambda value: "/".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_attune_would_not_write_is_refused(place, value):
    with pytest.raises(BadInput, match="damaged"):
        read(as_file(changed(place, value)))


def test_two_turns_have_two_names():
    twice = document()
    twice["exchanges"][1]["key"] = twice["exchanges"][0]["key"]
    with pytest.raises(BadInput, match="key"):
        read(as_file(twice))


def test_what_is_written_stays_text():
    said = "<script>alert(1)</script> ../../etc/passwd {{7*7}} <|im_end|>"
    saved = read(as_file(changed(("exchanges", 0, "heard", "text"), said)))
    assert saved.exchanges[0].heard.text == said
    saved = read(as_file(changed(("exchanges", 0, "reply"), "half \ud800 a pair,\0 a bell\a\nand a line")))
    assert saved.exchanges[0].reply == "half  a pair, a bell\nand a line"


def test_sounds_and_whatever_else_lies_beside_are_left_alone():
    beside = {"sounds": [{"exchange": 99, "type": "text/html", "base64": "?"}], "path": "/etc/passwd"}
    assert len(read(as_file({**document(), **beside})).exchanges) == 2


@pytest.mark.parametrize(
    ("space", "is_known"),
    [
        (VoiceSpace("tiny", 4), True),
        (VoiceSpace("other", 4), False),
        (VoiceSpace("tiny", 5), False),
        (VoiceSpace(), False),
    ],
)
def test_a_voice_is_known_to_the_ears_that_learned_it(space, is_known):
    assert read(as_file(document())).knows_voice_for(space) is is_known


def test_a_voice_of_another_length_than_it_says_is_not_known():
    saved = read(as_file(changed(("baseline", "mean"), [1.0] * 5)))
    assert not saved.knows_voice_for(VoiceSpace("tiny", 4))
