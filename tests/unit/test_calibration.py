"""Corrections move how a person is heard: towards what they say, by what was lacking, and not without end."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration import LARGEST, Calibration
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.ser import Fusion

EVEN = dict.fromkeys(EMOTIONS, 1 / 7)
NEUTRAL = dict(zip(EMOTIONS, (0.6, 0.05, 0.25, 0.025, 0.025, 0.025, 0.025), strict=True))

weights = st.lists(st.floats(0.01, 1.0), min_size=7, max_size=7)
labels = st.sampled_from(EMOTIONS)


def scores(values):
    return {label: value / sum(values) for label, value in zip(EMOTIONS, values, strict=True)}


def test_one_correction_is_enough_for_the_same_voice():
    assert Fusion().fuse(NEUTRAL, None).label == "neutral"
    calibration = Calibration().after(NEUTRAL, "sad")
    assert Fusion().fuse(NEUTRAL, None, calibration=calibration).label == "sad"


def test_without_corrections_nothing_changes():
    assert Fusion().fuse(NEUTRAL, EVEN, calibration=Calibration()) == Fusion().fuse(NEUTRAL, EVEN)


@given(weights, labels)
def test_what_was_meant_becomes_likelier_and_the_rest_less(values, meant):
    heard = scores(values)
    after = Fusion().fuse(heard, None, calibration=Calibration().after(heard, meant)).scores
    assert after[meant] > Fusion().fuse(heard, None).scores[meant]
    assert math.isclose(sum(after.values()), 1, abs_tol=1e-6)


@given(st.lists(st.tuples(weights, labels), max_size=30))
def test_it_stays_within_bounds_and_comes_back_from_its_exported_form(corrections):
    calibration = Calibration()
    for values, meant in corrections:
        calibration = calibration.after(scores(values), meant)
    assert all(abs(value) <= LARGEST for value in calibration.bias.values())
    again = Calibration.from_dict(calibration.to_dict())
    assert again.bias == pytest.approx(calibration.bias, abs=1e-4)


@pytest.mark.parametrize(
    "broken", [None, 3, [1], {"sad": 1}, dict.fromkeys(EMOTIONS, 99), {**EVEN, "sad": "x"}]
)
def test_anything_else_is_refused(broken):
    if not broken:
        assert Calibration.from_dict(broken) == Calibration()
        return
    with pytest.raises(BadInput):
        Calibration.from_dict(broken)
