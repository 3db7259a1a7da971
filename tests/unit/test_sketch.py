"""The outline of a turn: what is drawn of it is what was in it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.baseline import VoiceBaseline
from engine.errors import BadInput
from engine.sketch import COLUMNS, Manner, Sketch, sketch

pitches = st.floats(80, 240)


def tone(pitch_hz: float, duration_s: float, level: float = 0.3, rate_hz: int = SPEECH_RATE_HZ) -> np.ndarray:
    seconds = np.arange(round(duration_s * rate_hz)) / rate_hz
    voice = sum(np.sin(2 * np.pi * pitch_hz * n * seconds) / n for n in range(1, 6))
    return (level * voice / np.abs(voice).max()).astype(np.float32)


@given(pitches)
def test_a_tone_has_its_pitch_and_its_level(pitch_hz):
    drawn = sketch(Audio(tone(pitch_hz, 1.0), SPEECH_RATE_HZ))
    assert drawn.manner.pitch_hz == pytest.approx(pitch_hz, rel=0.03)
    louder = sketch(Audio(2 * tone(pitch_hz, 1.0), SPEECH_RATE_HZ))
    assert louder.manner.level_db - drawn.manner.level_db == pytest.approx(20 * math.log10(2), abs=0.1)


def test_melody_and_loudness_are_where_they_were():
    silence = np.zeros(SPEECH_RATE_HZ, dtype=np.float32)
    audio = Audio(np.concatenate([tone(120, 1.0), silence, tone(180, 1.0, level=0.15)]), SPEECH_RATE_HZ)
    drawn = sketch(audio)
    third = len(drawn.envelope) // 3
    first, middle, last = (
        slice(2, third - 2),
        slice(third + 2, 2 * third - 2),
        slice(2 * third + 2, 3 * third - 2),
    )
    assert min(drawn.envelope[first]) > 0.9
    assert max(drawn.envelope[middle]) == 0
    assert np.mean(drawn.envelope[last]) == pytest.approx(0.5, abs=0.1)
    assert np.mean(drawn.pitch_hz[first]) == pytest.approx(120, rel=0.03)
    assert set(drawn.pitch_hz[middle]) == {0.0}
    assert np.mean(drawn.pitch_hz[last]) == pytest.approx(180, rel=0.03)


@pytest.mark.parametrize("duration_s", [0.0, 0.001, 0.02, 0.3, 5.0, 200.0])
@pytest.mark.parametrize("rate_hz", [SPEECH_RATE_HZ, 48_000])
def test_any_length_and_rate_gives_a_small_outline(duration_s, rate_hz):
    drawn = sketch(
        Audio(tone(150, duration_s, rate_hz=rate_hz), rate_hz)
        if duration_s
        else Audio(np.zeros(0, dtype=np.float32), rate_hz)
    )
    assert 1 <= len(drawn.envelope) == len(drawn.pitch_hz) <= COLUMNS
    assert math.isfinite(drawn.manner.level_db)


def test_noise_has_no_pitch():
    noise = 0.1 * np.random.default_rng(0).standard_normal(SPEECH_RATE_HZ).astype(np.float32)
    assert sketch(Audio(noise, SPEECH_RATE_HZ)).manner.pitch_hz is None


def test_it_comes_back_from_its_exported_form():
    drawn = sketch(Audio(tone(150, 1.0), SPEECH_RATE_HZ))
    again = Sketch.from_dict(drawn.to_dict())
    assert (again.envelope, again.pitch_hz) == (drawn.envelope, drawn.pitch_hz)
    assert again.manner.to_dict() == drawn.manner.to_dict()


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"envelope": [2], "pitch_hz": [0], "manner": {"pitch_hz": 1, "level_db": 1}},
        {"envelope": [0.1], "pitch_hz": [], "manner": {"pitch_hz": 100, "level_db": -3}},
        {"envelope": [0.1], "pitch_hz": [0], "manner": {"pitch_hz": float("nan"), "level_db": -3}},
        {"envelope": [0.1], "pitch_hz": [0], "manner": {"pitch_hz": 100, "level_db": float("inf")}},
        {"envelope": [0.1], "pitch_hz": ["<b>"], "manner": {"pitch_hz": 100, "level_db": -3}},
        {"envelope": [0.1] * 999, "pitch_hz": [0] * 999, "manner": {"pitch_hz": 100, "level_db": -3}},
    ],
)
def test_anything_else_is_refused(broken):
    with pytest.raises(BadInput):
        Sketch.from_dict(broken)


@given(st.lists(st.tuples(pitches, st.floats(-60, 0)), min_size=1, max_size=20))
def test_the_usual_is_the_mean_of_the_turns(turns):
    baseline = VoiceBaseline()
    for pitch_hz, level_db in turns:
        baseline = baseline.updated(np.ones(4), Manner(pitch_hz, level_db))
    assert baseline.usual.level_db == pytest.approx(np.mean([level for _, level in turns]))
    assert math.log(baseline.usual.pitch_hz) == pytest.approx(np.mean([math.log(hz) for hz, _ in turns]))
    again = VoiceBaseline.from_dict(baseline.to_dict())
    assert again.usual.level_db == pytest.approx(baseline.usual.level_db, abs=0.1)


def test_a_whisper_leaves_the_usual_pitch_as_it_was():
    known = VoiceBaseline().updated(np.ones(4), Manner(150.0, -20.0)).updated(np.ones(4), Manner(None, -40.0))
    assert known.usual == Manner(150.0, -30.0)
