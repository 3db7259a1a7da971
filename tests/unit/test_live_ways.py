"""The ways of taking turns: which is chosen, and how a person's wish for time changes it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live import wire
from app.live.ways import BUTTON, strategies
from engine.errors import BadInput
from engine.turns import Pause
from engine.turns.silence import Silence

ENDS = {"short": lambda: Silence(0.4), "long": lambda: Silence(1.0)}
PAUSE = Pause(silence_s=0.2, speech_s=2.0, samples=np.zeros(1, dtype=np.float32))


def wait_s(end: str, **wishes: float) -> float:
    return strategies(ENDS, end, hears_while_speaking=True, **wishes).end.needed_silence_s(PAUSE)


def test_an_end_by_its_name_or_the_first():
    assert wait_s("long") == 1.0
    assert wait_s("") == wait_s("of an older page") == 0.4
    assert strategies(ENDS, "long", hears_while_speaking=True).end.name == Silence.name


@given(st.floats(*wire.PATIENCE))
def test_patience_is_a_factor_of_whatever_end(patience):
    assert wait_s("short", patience=patience) == pytest.approx(0.4 * patience)
    assert wait_s("long", patience=patience) == pytest.approx(1.0 * patience)
    assert wait_s(BUTTON, patience=patience) == math.inf


def begin(**fields: object) -> wire.Begin:
    return wire.read(json.dumps({"type": "attune.begin", "conversation": "c", **fields}))


def test_patience_travels_with_the_first_message():
    assert begin().patience == 1.0
    assert begin(patience=1.75).patience == 1.75


@pytest.mark.parametrize("patience", [0, 0.49, 3.01, -1, 1e6, "long", True, None, math.nan])
def test_patience_that_makes_no_sense_is_refused_with_a_sentence(patience):
    with pytest.raises(BadInput, match="patience"):
        begin(patience=patience)
