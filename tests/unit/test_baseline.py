"""A speaker's own voice: nothing changes before the first turn, and it helps where it should."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import quantised
from engine.baseline import VoiceBaseline
from engine.ears import store
from engine.ears.network import HEAD_EMOTIONS, EarsConfig, EarsNetwork
from engine.ears.relative import RelativeHead
from engine.errors import BadInput, PartMissing
from engine.ser import Fusion
from train import recipe
from train.baseline import choose, measure
from train.baseline_fit import BaselineRecipe, Histories, fit
from train.corpus import Clip
from train.evaluation.recogniser import Recogniser
from train.voices import Voice

RECIPE = Path(__file__).parents[2] / "train" / "recipes" / "baseline.yaml"
WIDTH = 12
voices = st.lists(arrays(np.float64, WIDTH, elements=st.floats(-100, 100)), max_size=8)


def head(**changes: object) -> RelativeHead:
    rng = np.random.default_rng(0)
    values = RelativeHead(
        population=rng.normal(size=WIDTH),
        feelings=rng.normal(size=(8, WIDTH)),
        weights=rng.normal(size=(8, WIDTH)),
        bias=rng.normal(size=8),
        prior_turns=2.0,
        share=0.5,
    )
    return dataclasses.replace(values, **changes)


def even() -> np.ndarray:
    return np.log(np.full(8, 1 / 8))


@given(voices)
def test_it_is_the_mean_of_the_turns_so_far(turns):
    baseline = VoiceBaseline()
    for turn in turns:
        baseline = baseline.updated(turn)
    assert baseline.count == len(turns)
    if turns:
        assert baseline.mean == pytest.approx(np.mean(turns, axis=0), abs=1e-9)


@given(voices)
def test_it_survives_export(turns):
    baseline = VoiceBaseline()
    for turn in turns:
        baseline = baseline.updated(turn)
    again = VoiceBaseline.from_dict(json.loads(json.dumps(baseline.to_dict())))
    assert again.count == baseline.count
    assert (again.mean is None) == (baseline.mean is None)
    if turns:
        assert again.mean == pytest.approx(baseline.mean, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"turns": "many", "mean": []},
        {"turns": 2, "mean": None},
        {"turns": 1, "mean": "loud"},
        {"turns": 1, "mean": [float("nan")]},
        {"turns": -1, "mean": [1.0]},
        {"turns": 1, "mean": [[1.0]]},
    ],
)
def test_what_was_not_exported_is_refused(values):
    with pytest.raises(BadInput, match="start a new one"):
        VoiceBaseline.from_dict(values)


@given(
    arrays(np.float64, 8, elements=st.floats(-20, 0)), arrays(np.float64, WIDTH, elements=st.floats(-9, 9))
)
def test_before_the_first_turn_nothing_changes(log_probs, voice):
    assert head().hear(log_probs, voice, VoiceBaseline()) is log_probs


def test_trust_grows_with_the_turns():
    baseline, trusts = VoiceBaseline(), []
    for _ in range(5):
        trusts.append(head().trust(baseline))
        baseline = baseline.updated(np.ones(WIDTH))
    assert trusts[0] == 0.0
    assert trusts == sorted(trusts)
    assert trusts[2] == pytest.approx(0.5)


def test_the_result_is_a_distribution():
    baseline = VoiceBaseline().updated(np.ones(WIDTH))
    heard = head().hear(even(), np.zeros(WIDTH), baseline)
    assert np.exp(heard).sum() == pytest.approx(1.0)


def test_a_baseline_of_other_ears_is_refused():
    with pytest.raises(BadInput, match="other ears"):
        head().hear(even(), np.zeros(WIDTH), VoiceBaseline().updated(np.ones(3)))


def test_it_belongs_to_the_ears_beside_it(tmp_path):
    tiny = EarsNetwork(EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32, pool_width=8))
    store.save(tiny, tmp_path, made_from={})
    with pytest.raises(PartMissing, match="train baseline"):
        RelativeHead.load(tmp_path)
    head().save(tmp_path)
    kept = RelativeHead.load(tmp_path)
    baseline = VoiceBaseline().updated(np.ones(WIDTH))
    assert kept.hear(even(), np.zeros(WIDTH), baseline) == pytest.approx(
        head().hear(even(), np.zeros(WIDTH), baseline)
    )
    record = store.read_record(tmp_path)
    assert record["sha256"] == quantised.digest(tmp_path, store.NAME)
    store.write_record(tmp_path, record | {"sha256": "other"})
    with pytest.raises(PartMissing, match="other ears"):
        RelativeHead.load(tmp_path)


def speakers(count: int, seed: int, split: str) -> list[tuple[Clip, Voice]]:
    """Happy and neutral turns of people whose own voices differ more than their feelings do.

    The ears' own head hears nothing.
    """
    rng = np.random.default_rng(seed)
    heard = []
    for speaker in range(count):
        own = 4 * rng.normal(size=WIDTH)
        for turn in range(12):
            emotion = "happy" if turn % 2 else "neutral"
            shift = np.where(np.arange(WIDTH) < 4, 2.0 if emotion == "happy" else -2.0, 0.0)
            vector = own + shift + 0.5 * rng.normal(size=WIDTH)
            clip = Clip(None, f"{split}{speaker}", "toy", "en", None, emotion, split, 1.0)
            heard.append((clip, Voice(vector, even(), 1.0)))
    return heard


def test_it_learns_to_hear_feeling_against_the_own_voice():
    settings = dataclasses.replace(
        recipe.load(RECIPE, BaselineRecipe), learning_rate=0.03, corpus_weights={}, feeling_removed=0.0
    )
    plain = Recogniser(1.0, Fusion())
    fitted = fit(Histories(speakers(30, 1, "train"), plain, 0.0), 1.0, settings)
    unseen, read = speakers(8, 2, "validation"), speakers(1, 3, "read")
    without = measure(plain, unseen, read)
    known = measure(dataclasses.replace(plain, relative=fitted), unseen, read)
    assert without.ua["0"]["toy"] == pytest.approx(0.5)
    assert known.ua["1"]["toy"] < known.ua["10"]["toy"]
    assert known.ua["10"]["toy"] > 0.9


def test_the_choice_leaves_ordinary_reading_alone():
    plain = Recogniser(1.0, Fusion())
    candidate = measure(plain, speakers(2, 2, "validation"), speakers(1, 3, "read"))
    loud = dataclasses.replace(candidate, ua={"1": {"toy": 0.9}}, false_alarms=0.3)
    quiet = dataclasses.replace(candidate, ua={"1": {"toy": 0.7}}, false_alarms=0.05)
    assert choose([loud, quiet], most_false_alarms=0.1) is quiet
    assert choose([loud, quiet], most_false_alarms=0.5) is loud
    assert choose([loud], most_false_alarms=0.1) is loud


def test_feeling_is_taken_out_of_a_turn_before_it_is_remembered():
    relative = head()
    sure = np.full(8, -30.0)
    sure[HEAD_EMOTIONS.index("sad")] = 0.0
    voice = np.ones(WIDTH)
    assert relative.own_voice(voice, sure) == pytest.approx(
        voice - relative.feelings[HEAD_EMOTIONS.index("sad")], abs=1e-9
    )
