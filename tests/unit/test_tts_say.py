"""Text as it is written → audio; which style; how speech is finished."""

import sys

import numpy as np
import pytest

from engine.emotion import EMOTIONS, NOTHING_HEARD, Emotion
from engine.errors import PartMissing
from engine.tts import STYLES, Style
from engine.tts.choose_style import style_for
from engine.tts.espeak import EspeakVoice
from engine.tts.finish import finished, speech_level_dbfs
from engine.tts.kokoro import KokoroVoice
from engine.tts.prosody import prosody
from engine.tts.say import say
from engine.tts.silent import SilentVoice


def feeling(label, confidence):
    rest = (1 - confidence) / (len(EMOTIONS) - 1)
    return Emotion({name: confidence if name == label else rest for name in EMOTIONS})


def test_chunks_carry_the_written_words():
    pieces = ["Dr. Le", "e costs $5. 😊\n", "Call 9", "88!"]
    chunks = list(say(pieces, EspeakVoice()))
    assert [chunk.text for chunk in chunks] == ["Dr. Lee costs $5.", "Call 988!"]
    assert all(chunk.audio.duration_s > 0.8 for chunk in chunks)


def test_numbers_are_said_in_words():
    (digits,) = say(["It is 21."], EspeakVoice())
    (words,) = say(["It is twenty-one."], EspeakVoice())
    assert digits.audio.duration_s == pytest.approx(words.audio.duration_s, abs=0.02)


def test_the_first_chunk_comes_before_the_text_is_complete():
    def mind():
        yield "I am here for you. And "
        raise AssertionError("asked for more text than the first phrase needs")

    assert next(say(mind(), EspeakVoice())).text == "I am here for you."


def test_a_stale_turn_falls_silent():
    spoken_phrases = []

    def stale():
        return bool(spoken_phrases)

    for chunk in say(["One. Two. Three."], EspeakVoice(), stale=stale):
        spoken_phrases.append(chunk.text)
    assert spoken_phrases == ["One."]


def test_the_silent_voice_makes_no_chunks():
    assert list(say(["Hello there."], SilentVoice())) == []


def test_kokoro_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro_onnx", None)
    with pytest.raises(PartMissing, match=r"pip install -r requirements-extra\.txt"):
        KokoroVoice(None, ())


def test_every_emotion_is_met_with_a_style_every_voice_knows():
    for label in EMOTIONS:
        style = style_for(feeling(label, 0.8))
        assert style.name in STYLES
        assert style.strength == pytest.approx(0.8)
    assert style_for(feeling("sad", 0.9)).name == "gentle"
    assert style_for(NOTHING_HEARD).name == "warm"
    assert len({prosody(Style(name)) for name in STYLES}) == len(STYLES)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_finished_speech_has_one_level_and_never_clips(scale):
    rng = np.random.default_rng(0)
    speech = scale * rng.normal(size=16_000) * np.repeat([0.2, 1.0, 0.001, 0.5], 4_000)
    audio = finished(speech, 16_000, pause_s=0.5)
    assert audio.duration_s == pytest.approx(1.5, abs=0.001)
    assert speech_level_dbfs(audio.samples, 24_000) == pytest.approx(-20, abs=0.5)
    assert np.abs(audio.samples).max() <= 0.9
    assert not audio.samples[24_100:].any()


def test_a_click_is_limited_and_silence_stays_silent():
    click = np.zeros(24_000)
    click[12_000] = 1.0
    assert np.abs(finished(click, 24_000).samples).max() == pytest.approx(0.89, abs=0.01)
    assert not finished(np.zeros(1_000), 24_000).samples.any()
    assert len(finished(np.zeros(0), 24_000).samples) == 0
