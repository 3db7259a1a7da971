"""When a turn is over: plain silence, smart-turn and our own model, on pauses that a test makes up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.audio import SPEECH_RATE_HZ
from engine.ears import beside, store
from engine.ears.ending import SILENCE_STATES, SPEECH_STATES, ending_vector
from engine.ears.network import EarsConfig, EarsNetwork
from engine.emotion import EMOTIONS, Emotion
from engine.errors import PartMissing
from engine.turns import Pause
from engine.turns.ours import (
    FALL_S,
    FORMAT,
    LONGEST_WAIT_S,
    PATIENCE_S,
    TURNS_FILE,
    EndModel,
    Ours,
    features,
    patience_s,
)
from engine.turns.prosody import FEATURES, fall
from engine.turns.silence import Silence
from engine.turns.smart_turn import ASK_AT_S, WAITS_S, SmartTurn
from engine.turns.words import CanEnd

WIDTH = 2
WORDS = {
    "can_end_weights": np.zeros((16, 2), dtype=np.int8),
    "can_end_scale": np.float32(1.0),
    "can_end_bias": np.zeros(2, dtype=np.float32),
}
SIZE = 4 * WIDTH + FEATURES + 3


def model(bias: float = 0.0) -> EndModel:
    """Its log odds are the first number of a pause's ending, plus `bias`."""
    return EndModel(tensors(bias))


def tensors(bias: float = 0.0) -> dict[str, np.ndarray]:
    hidden = np.zeros((1, SIZE), dtype=np.float32)
    hidden[0, 0] = 1e-3
    return {
        **WORDS,
        "mean": np.zeros(SIZE),
        "scale": np.ones(SIZE),
        "hidden": hidden,
        "hidden_bias": np.zeros(1),
        "out": np.array([1e3]),
        "out_bias": np.array(bias),
        "levels": np.array([2.0, 0.0, -np.inf]),
        "waits_s": np.array([0.3, 0.6, 1.3]),
    }


def pause(log_odds: float = 0.0, **known) -> Pause:
    ending = np.full(4 * WIDTH, log_odds, dtype=np.float32)
    return Pause(silence_s=0.25, speech_s=2.0, samples=np.zeros(16_000), ending=ending, **known)


def feeling(label: str, probability: float) -> Emotion:
    rest = (1 - probability) / (len(EMOTIONS) - 1)
    return Emotion({each: probability if each == label else rest for each in EMOTIONS})


@pytest.mark.parametrize(("log_odds", "wait_s"), [(3.0, 0.3), (1.0, 0.6), (-5.0, 1.3)])
def test_the_surer_the_end_the_shorter_the_wait(log_odds, wait_s):
    assert Ours(model()).needed_silence_s(pause(log_odds)) == wait_s


def test_nothing_is_decided_before_the_ears_have_listened():
    unknown = replace(pause(9.0), ending=None)
    assert Ours(model()).needed_silence_s(unknown) == LONGEST_WAIT_S


def test_a_pause_is_judged_once_and_the_next_one_anew():
    ours = Ours(model())
    assert ours.needed_silence_s(pause(3.0)) == 0.3
    assert ours.needed_silence_s(pause(-5.0)) == 0.3
    assert ours.needed_silence_s(replace(pause(-5.0), speech_s=4.0)) == 1.3


def test_a_few_words_answer_a_question():
    asked = pause(1.5, text="Yes.", was_asked=True)
    assert Ours(model()).needed_silence_s(asked) == 0.3
    assert Ours(model()).needed_silence_s(replace(asked, was_asked=False)) == 0.6
    assert Ours(model()).needed_silence_s(replace(asked, text="Yes but there is one thing")) == 0.6


@pytest.mark.parametrize("label", ["sad", "fearful"])
def test_a_low_voice_is_waited_for_longer(label):
    assert patience_s(pause(emotion=feeling(label, 0.9))) > 0.3
    assert patience_s(pause(emotion=feeling("happy", 0.9))) == 0.0


def test_who_pauses_long_is_waited_for_longer_once_known():
    assert patience_s(pause(own_pauses_s=(0.9, 0.9))) == 0.0
    assert patience_s(pause(own_pauses_s=(0.9, 0.9, 0.8))) == pytest.approx(0.4)


@given(
    st.floats(-20, 20),
    st.floats(0, 1),
    st.lists(st.floats(0, 10), max_size=10),
)
def test_patience_is_never_negative_and_never_without_end(log_odds, sad, pauses_s):
    known = pause(log_odds, emotion=feeling("sad", sad), own_pauses_s=tuple(pauses_s))
    assert 0.0 <= patience_s(known) <= PATIENCE_S
    assert 0.3 <= Ours(model()).needed_silence_s(known) <= LONGEST_WAIT_S


def test_plain_silence_asks_nothing():
    assert Silence(0.4).needed_silence_s(replace(pause(), ending=None)) == 0.4


class Judge:
    """In place of the network: counts how often it is asked."""

    def __init__(self, *answers: float) -> None:
        self.answers = list(answers)

    def probability(self, samples: np.ndarray) -> float:
        return self.answers.pop(0)


def test_smart_turn_is_asked_once_in_a_pause_when_it_is_long_enough():
    judge = Judge(0.99, 0.1)
    smart = SmartTurn(judge)
    early = replace(pause(), silence_s=ASK_AT_S - 0.1)
    assert smart.needed_silence_s(early) == WAITS_S[-1][1]
    assert smart.needed_silence_s(pause()) == smart.needed_silence_s(pause()) == WAITS_S[0][1]
    assert smart.needed_silence_s(replace(pause(), speech_s=5.0)) == WAITS_S[-1][1]
    assert not judge.answers


def test_the_states_before_and_in_the_silence_are_told_apart():
    state = torch.zeros(60, WIDTH)
    state[-SILENCE_STATES:] = 2.0
    state[-SILENCE_STATES - SPEECH_STATES : -SILENCE_STATES] = 1.0
    assert ending_vector([state, state, state]).tolist() == [1, 1, 2, 2] * 2


@pytest.mark.parametrize("length", [1, 5, SILENCE_STATES, 25])
def test_a_short_window_has_an_ending_too(length):
    vector = ending_vector([torch.ones(length, WIDTH)] * 3)
    assert torch.isfinite(vector).all()
    assert vector.shape == (4 * WIDTH,)


def tone(from_hz: float, to_hz: float) -> np.ndarray:
    """A second of a buzzing voice that glides, and silence."""
    hz = np.linspace(from_hz, to_hz, SPEECH_RATE_HZ)
    phase = 2 * np.pi * np.cumsum(hz) / SPEECH_RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 6))
    return np.concatenate([0.2 * voice, np.zeros(4000)]).astype(np.float32)


def test_a_falling_voice_is_told_from_a_rising_one():
    slope_of_half_a_second = 6
    falls, rises = fall(tone(220, 140), FALL_S), fall(tone(140, 220), FALL_S)
    assert falls[slope_of_half_a_second] < 0 < rises[slope_of_half_a_second]


@given(st.integers(0, 3000), st.floats(0, 1))
def test_any_sound_has_a_finite_fall(samples, level):
    noise = level * np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    assert np.isfinite(fall(noise, FALL_S)).all()


def test_words_that_were_never_seen_are_as_likely_as_not():
    assert CanEnd(WORDS).log_odds("Some words!") == 0.0
    assert CanEnd(WORDS).log_odds("") == 0.0
    assert features(pause(text="Some words!"), CanEnd(WORDS)).shape == (SIZE,)


@pytest.fixture
def ears_folder(tmp_path):
    config = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32)
    store.save(EarsNetwork(config), tmp_path, made_from={})
    return tmp_path


def test_it_comes_back_as_it_was_saved(ears_folder):
    beside.save(ears_folder / TURNS_FILE, FORMAT, tensors(bias=1.0))
    assert EndModel.load(ears_folder).log_odds(pause(2.0)) == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("lost", ["hidden", "can_end_weights", "levels"])
def test_a_file_that_lacks_something_is_one_sentence(ears_folder, lost):
    kept = {name: value for name, value in tensors().items() if name != lost}
    beside.save(ears_folder / TURNS_FILE, FORMAT, kept)
    with pytest.raises(PartMissing, match="damaged"):
        EndModel.load(ears_folder)


def test_other_ears_are_refused(ears_folder):
    beside.save(ears_folder / TURNS_FILE, FORMAT, tensors())
    config = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=64)
    store.save(EarsNetwork(config), ears_folder, made_from={})
    with pytest.raises(PartMissing, match="other ears"):
        EndModel.load(ears_folder)
    with pytest.raises(PartMissing, match="other ears"):
        model().log_odds(replace(pause(), ending=np.zeros(4 * WIDTH + 4)))
