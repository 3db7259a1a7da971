"""A turn's two threads: events in order, cancelled at once, nothing left behind."""

import threading
import time

import numpy as np
import pytest

from engine.audio import Audio
from engine.errors import PartMissing
from engine.tts import AudioChunk, Style
from engine.turn import Finished, SpeechPiece, TextPiece, answer

WORDS = ["I ", "hear ", "you. ", "Go ", "on."]


def spoken(pieces, style, stale):
    """One chunk a piece."""
    for piece in pieces:
        yield AudioChunk(Audio(np.zeros(240, dtype=np.float32), 24_000), piece)


def workers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name in ("mind", "voice")]


def test_text_and_speech_arrive_and_finished_is_last():
    *events, last = answer(iter(WORDS), spoken, Style("warm"))
    assert "".join(e.text for e in events if isinstance(e, TextPiece)) == "".join(WORDS)
    assert [e.chunk.text for e in events if isinstance(e, SpeechPiece)] == WORDS
    assert isinstance(last, Finished)
    assert last.text == "I hear you. Go on."
    assert 0 <= last.timings_ms["first_text"] <= last.timings_ms["first_audio"] <= last.timings_ms["total"]
    assert not workers()


def test_a_clause_that_turns_out_to_be_all_ends_with_a_stop():
    *_, last = answer(iter(["I'm so sorry, "]), spoken, Style())
    assert last.text == "I'm so sorry."


def test_speech_starts_before_the_text_is_complete():
    first_heard = threading.Event()

    def slow_mind():
        yield "One. "
        assert first_heard.wait(5), "nothing was spoken while the mind was still writing"
        yield "Two."

    for event in answer(slow_mind(), spoken, Style()):
        if isinstance(event, SpeechPiece):
            first_heard.set()
    assert first_heard.is_set()


def test_stale_stops_both_and_nothing_comes_after():
    stop = threading.Event()

    def endless():
        while True:
            time.sleep(0.001)
            yield "word "

    events = answer(endless(), spoken, Style(), stale=stop.is_set)
    next(events)
    stop.set()
    started = time.perf_counter()
    assert isinstance(list(events)[-1], Finished)
    assert time.perf_counter() - started < 1.0
    assert not workers()


def test_leaving_the_stream_ends_the_threads():
    events = answer(iter(WORDS * 1000), spoken, Style())
    next(events)
    events.close()
    assert not workers()


def test_a_mind_that_breaks_off_keeps_what_was_said():
    def broken():
        yield "I was about to "
        raise PartMissing("The server went away; try again.")

    last = list(answer(broken(), spoken, Style()))[-1]
    assert last.text == "I was about to"
    assert last.failure == "The server went away; try again."


def test_a_defect_is_not_hidden():
    def defect():
        yield "x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(answer(defect(), spoken, Style()))
    assert not workers()
