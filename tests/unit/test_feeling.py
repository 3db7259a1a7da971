"""Feeling against a speaker's own voice: the baseline, the head, and what fitting it must get right."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import quantised
from engine.baseline import VoiceBaseline
from engine.ears import store
from engine.ears.feeling import HEAD_EMOTIONS, FeelingHead, fold_calm
from engine.ears.mel import log_mel
from engine.ears.network import EarsConfig, EarsNetwork
from engine.ears.voice import loud_frames, window_voice
from engine.errors import BadInput, PartMissing
from engine.ser import Fusion
from train import recipe
from train.corpus import Clip
from train.evaluation.false_alarms import SEVEN
from train.evaluation.recogniser import Recogniser
from train.feeling_fit import FeelingRecipe, Lesson, Turn, best_temperature, fit
from train.sittings import SittingOptions, again
from train.voices import Voice

RECIPE = Path(__file__).parents[2] / "train" / "recipes" / "feeling.yaml"
WIDTH = 12
TINY = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32)
voices = st.lists(arrays(np.float64, WIDTH, elements=st.floats(-100, 100)), max_size=8)


def head(**changes: object) -> FeelingHead:
    rng = np.random.default_rng(0)
    values = FeelingHead(
        population=rng.normal(size=WIDTH),
        feelings=rng.normal(size=(8, WIDTH)),
        weights=rng.normal(size=(8, WIDTH)),
        bias=rng.normal(size=8),
        prior_turns=2.0,
    )
    return dataclasses.replace(values, **changes)


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


def test_trust_grows_with_the_turns():
    baseline, trusts = VoiceBaseline(), []
    for _ in range(5):
        trusts.append(head().trust(baseline))
        baseline = baseline.updated(np.ones(WIDTH))
    assert trusts[0] == 0.0
    assert trusts == sorted(trusts)
    assert trusts[2] == pytest.approx(0.5)


@given(arrays(np.float64, WIDTH, elements=st.floats(-9, 9)), st.integers(1, 50))
def test_a_stranger_is_heard_against_people_and_a_friend_against_themselves(own, turns):
    known = VoiceBaseline(turns, own)
    trust = head().trust(known)
    for voice, baseline in ((head().population, VoiceBaseline()), (own, VoiceBaseline(10**9, own))):
        # Whoever sounds as expected is heard as the bias alone says.
        expected = head().bias - np.logaddexp.reduce(head().bias)
        assert head().hear(voice, baseline) == pytest.approx(expected, abs=1e-5)
    shifted = dataclasses.replace(head(), population=head().population + trust * (own - head().population))
    assert head().hear(np.ones(WIDTH), known) == pytest.approx(shifted.hear(np.ones(WIDTH)), abs=1e-9)


def test_the_result_is_a_distribution():
    heard = np.exp(head().hear(np.zeros(WIDTH), VoiceBaseline().updated(np.ones(WIDTH))))
    assert heard.sum() == pytest.approx(1.0)
    folded = fold_calm(heard)
    assert sum(folded.values()) == pytest.approx(1.0)
    assert folded["neutral"] == pytest.approx(heard[0] + heard[-1])


def test_a_baseline_of_other_ears_is_refused():
    with pytest.raises(BadInput, match="other ears"):
        head().hear(np.zeros(WIDTH), VoiceBaseline().updated(np.ones(3)))


def test_it_belongs_to_the_ears_beside_it(tmp_path):
    store.save(EarsNetwork(TINY), tmp_path, made_from={})
    with pytest.raises(PartMissing, match="train feeling"):
        FeelingHead.load(tmp_path)
    head().save(tmp_path)
    kept = FeelingHead.load(tmp_path)
    baseline = VoiceBaseline().updated(np.ones(WIDTH))
    assert kept.hear(np.zeros(WIDTH), baseline) == pytest.approx(
        head().hear(np.zeros(WIDTH), baseline), abs=1e-4
    )
    record = store.read_record(tmp_path)
    assert record["sha256"] == quantised.digest(tmp_path, store.NAME)
    store.write_record(tmp_path, record | {"sha256": "other"})
    with pytest.raises(PartMissing, match="other ears"):
        FeelingHead.load(tmp_path)


def test_feeling_is_taken_out_of_a_turn_before_it_is_remembered():
    sad = HEAD_EMOTIONS.index("sad")
    sure = head(weights=np.zeros((8, WIDTH)), bias=np.where(np.arange(8) == sad, 50.0, 0.0))
    assert sure.own_voice(np.ones(WIDTH)) == pytest.approx(1 - sure.feelings[sad], abs=1e-9)


def test_silence_around_the_speech_changes_little():
    rng = np.random.default_rng(0)
    speech = (0.1 * rng.normal(size=16_000)).astype(np.float32)
    surrounded = np.concatenate([1e-4 * speech, speech, 1e-4 * speech])
    assert loud_frames(log_mel(torch.from_numpy(speech))).all()
    assert int(loud_frames(log_mel(torch.from_numpy(surrounded))).sum()) in range(50, 54)
    assert loud_frames(torch.zeros(80, 4)).all()


def test_a_voice_takes_no_more_layers_than_it_says():
    torch.manual_seed(0)
    encoder = EarsNetwork(TINY).eval().encoder
    mel = torch.randn(80, 100) / 10 + 1
    heard = window_voice(encoder, mel)
    assert heard.shape == (4 * TINY.width,)
    torch.nn.init.normal_(encoder.layers[1].fc1.weight)
    assert np.array_equal(heard, window_voice(encoder, mel))
    torch.nn.init.normal_(encoder.layers[0].fc1.weight)
    assert not np.allclose(heard, window_voice(encoder, mel))


def settings(**changes: object) -> FeelingRecipe:
    return dataclasses.replace(recipe.load(RECIPE, FeelingRecipe), penalty=1e-3, **changes)


def said(speaker: str, corpus: str, emotion: str | None, vector: np.ndarray, split: str = "train") -> Turn:
    return Turn(Clip(Path("x"), speaker, corpus, "en", None, emotion, split, 1.0), vector)


def people(count: int, seed: int, emotions: dict[str, int], corpus: str = "toy") -> list[Turn]:
    """Speakers whose own voices differ more than their feelings do; a feeling is one dimension."""
    rng = np.random.default_rng(seed)
    turns = []
    for speaker in range(count):
        own = 4 * rng.normal(size=WIDTH)
        for index in range(12):
            emotion, dimension = list(emotions.items())[index % len(emotions)]
            shift = np.where(np.arange(WIDTH) == dimension, 4.0, 0.0)
            turns.append(
                said(f"{seed}-{speaker}", corpus, emotion, own + shift + 0.5 * rng.normal(size=WIDTH))
            )
    return turns


def recalls(fitted: FeelingHead, turns: list[Turn], number: int) -> dict[str, float]:
    """{label: recall} after so many turns."""
    heard = [(turn.clip, Voice(turn.voice, 1.0)) for turn in turns]
    report = Recogniser(fitted, Fusion()).report_after(number, heard, SEVEN)
    hits = np.array(report["confusion"])
    return dict(zip(report["labels"], hits.diagonal() / hits.sum(axis=1), strict=True))


def test_it_learns_to_hear_feeling_against_the_own_voice():
    emotions = {"happy": 0, "neutral": 1, "sad": 2}
    fitted = fit(people(30, 1, emotions), settings())
    stranger, known = (recalls(fitted, people(8, 2, emotions), number) for number in (0, 10))
    assert np.mean(list(known.values())) > np.mean(list(stranger.values())) + 0.1
    assert min(known.values()) > 0.85


def test_a_feeling_that_one_corpus_lacks_is_still_heard_there():
    rich = people(10, 1, {"neutral": 0, "happy": 1, "disgust": 2}, "rich")
    poor = people(40, 2, {"neutral": 0, "happy": 1}, "poor")
    fitted = fit(rich + poor, settings())
    assert recalls(fitted, people(6, 3, {"neutral": 0, "disgust": 2}, "poor"), 10)["disgust"] > 0.85


def test_what_is_possible_and_right():
    turns = [said("a", "r", "calm", np.zeros(WIDTH)), said("a", "r", "neutral", np.zeros(WIDTH))]
    turns += [said("b", "u", "neutral", np.zeros(WIDTH)), said("b", "u", "sad", np.zeros(WIDTH))]
    turns += [said("c", "read", None, np.zeros(WIDTH))]
    lesson = Lesson(turns, {"read": 0.5})
    named = [
        (
            {HEAD_EMOTIONS[i] for i in np.flatnonzero(may)},
            {HEAD_EMOTIONS[i] for i in np.flatnonzero(is_right)},
        )
        for may, is_right in zip(lesson.possible, lesson.right, strict=True)
    ]
    assert named[:2] == [({"neutral", "calm"}, {"calm"}), ({"neutral", "calm"}, {"neutral"})]
    # Where nobody tells calm from neutral, neutral means either.
    assert named[2:4] == [
        ({"neutral", "sad", "calm"}, {"neutral", "calm"}),
        ({"neutral", "sad", "calm"}, {"sad"}),
    ]
    assert named[4] == (set(HEAD_EMOTIONS), {"neutral", "calm"})
    assert lesson.weights[:2].sum() == pytest.approx(lesson.weights[2:4].sum())
    assert lesson.weights[4] == pytest.approx(lesson.weights[:2].sum() / 2)


def test_a_history_is_of_the_same_sitting_and_never_the_turn_itself():
    turns = people(2, 1, {"happy": 0, "neutral": 1})
    turns += [dataclasses.replace(turn, sitting=1) for turn in turns[:12]]
    histories = Lesson(turns, {}).draw((3,), np.random.default_rng(0))
    for index, history in enumerate(histories):
        assert len(history) == 3
        assert index not in history
        places = [(turns[other].clip.speaker, turns[other].sitting) for other in history]
        assert set(places) == {(turns[index].clip.speaker, turns[index].sitting)}


def test_the_temperature_makes_doubt_as_large_as_error():
    rng = np.random.default_rng(0)
    right = np.eye(8, dtype=bool)[rng.integers(8, size=4000)]
    logits = 2.0 * right + rng.gumbel(size=right.shape)
    everything = np.ones_like(right)
    guessed = np.eye(8, dtype=bool)[logits.argmax(axis=1)]
    temperature = best_temperature(4.0 * guessed, everything, right)
    sure = np.exp(4 / temperature) / (np.exp(4 / temperature) + 7)
    assert sure == pytest.approx((guessed & right).sum() / 4000, abs=0.05)


def test_sittings_hold_one_speaker_and_stay_the_same(data):
    clips = [
        Clip(Path(f"{speaker}{n}"), speaker, "toy", "en", None, "sad", "train", 1.0)
        for speaker in "ab"
        for n in range(5)
    ]
    options = SittingOptions(copies=2, clips=3)
    heard = again(clips, options, seed=1)
    assert len(heard) == 20
    by_number: dict[int, set[str]] = {}
    for clip, sitting in heard:
        by_number.setdefault(sitting.number, set()).add(clip.speaker)
    assert len(by_number) == 8
    assert all(len(speakers) == 1 for speakers in by_number.values())
    alone = again([clip for clip in clips if clip.speaker == "b"], options, seed=1)
    assert [(c, s.name) for c, s in alone] == [(c, s.name) for c, s in heard if c.speaker == "b"]
