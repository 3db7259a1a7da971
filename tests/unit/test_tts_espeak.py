"""The built-in voice, as it comes out of the library."""

import sys
import threading

import numpy as np
import pytest

from engine.errors import BadInput, PartMissing
from engine.tts import SAMPLE_RATE_HZ, STYLES, Style, espeak
from engine.tts.espeak import EspeakVoice
from engine.tts.finish import speech_level_dbfs

JITTER_S = 0.1
"""The library's noise and echo go on from call to call: an utterance differs by up to one buffer of 60 ms."""
SENTENCE = "I am here, and I have time for you."


def audio(text=SENTENCE, style=Style(), voice=None):
    (chunk,) = (voice or EspeakVoice()).speak(text, style)
    return chunk.audio


def test_speaks_at_the_agreed_rate_level_and_speed():
    speech = audio()
    assert speech.sample_rate_hz == SAMPLE_RATE_HZ
    assert speech.samples.dtype == np.float32
    assert 2.0 < speech.duration_s < 4.0
    assert speech_level_dbfs(speech.samples, SAMPLE_RATE_HZ) == pytest.approx(-20, abs=0.5)
    assert np.abs(speech.samples).max() < 0.9
    assert abs(speech.samples[0]) < 0.01


def test_more_words_take_more_time():
    assert audio(SENTENCE * 3).duration_s > 2.5 * audio().duration_s


def test_styles_differ_and_grow_with_strength():
    durations = {name: audio(style=Style(name)).duration_s for name in STYLES}
    assert durations["calm"] > durations["neutral"] > durations["excited"]
    assert len(set(durations.values())) > 5
    assert audio(style=Style("calm", 0)).duration_s == pytest.approx(durations["neutral"], abs=JITTER_S)
    assert durations["neutral"] < audio(style=Style("calm", 0.5)).duration_s < durations["calm"]


def test_every_voice_it_names_speaks():
    for voice in EspeakVoice().voices():
        assert audio(voice=EspeakVoice(voice)).duration_s > 2.0
    with pytest.raises(BadInput, match="nobody"):
        EspeakVoice("nobody")


def test_stops_inside_a_phrase():
    asked = 0

    def stale():
        nonlocal asked
        asked += 1
        return asked > 3

    assert list(EspeakVoice().speak(SENTENCE * 100, stale=stale)) == []
    # The library asks every 60 ms of sound: 250 s of speech were not made.
    assert asked < 10


@pytest.mark.parametrize("text", ["", " ", "...", "a\0b", "\ud800 hello", "é ñ 你好", "x" * 500])
def test_odd_text_is_no_error(text):
    for chunk in EspeakVoice().speak(text):
        assert np.isfinite(chunk.audio.samples).all()


def test_threads_do_not_mix_their_words():
    texts = ["I am here, " + "and there " * count for count in range(4)]
    alone = {text: audio(text).duration_s for text in texts}
    deviations_s = []

    def work(text):
        for _ in range(5):
            deviations_s.append(abs(audio(text).duration_s - alone[text]))

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(deviations_s) == 20
    assert max(deviations_s) < JITTER_S


def test_without_its_wheel_it_says_what_to_install(monkeypatch):
    espeak._library.cache_clear()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(PartMissing, match="pip install"):
        EspeakVoice()
    monkeypatch.undo()
    assert audio().duration_s > 1
