"""Noise at the level asked for, a telephone that passes what a telephone passes, and the same every time."""

import numpy as np
import pytest
import soundfile

from engine.errors import BadInput
from train import conditions
from train.augment import add_noise, read_noises
from train.conditions import CLEAN, CURVE, Condition, over_phone
from train.memo import key_of, remembered
from train.splits import noise_split_of


def tone(hz: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)).astype(np.float32)


def power_db(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(samples[2000:-2000] ** 2) + 1e-12)


@pytest.mark.parametrize("snr_db", [20.0, 5.0, 0.0])
def test_noise_is_as_loud_as_asked(snr_db):
    rng = np.random.default_rng(0)
    speech, noise = tone(300), rng.normal(size=3000).astype(np.float32)
    added = add_noise(speech, noise, snr_db, rng) - speech
    assert power_db(speech) - power_db(added) == pytest.approx(snr_db, abs=0.5)


@pytest.mark.parametrize(("hz", "loss_db"), [(1000, 0), (3000, 0), (100, 30), (5000, 30)])
def test_the_telephone_passes_its_band_alone(hz, loss_db):
    loss = power_db(tone(hz)) - power_db(over_phone(tone(hz)))
    assert loss == pytest.approx(0, abs=0.5) if loss_db == 0 else loss > loss_db


def test_names_are_what_the_report_shows():
    assert [condition.name for condition in CURVE] == ["clean", "20 dB", "10 dB", "5 dB", "0 dB", "phone"]
    assert Condition(10.0, True).name == "10 dB phone"


def test_a_clip_always_gets_the_same_noise(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    noises = [rng.normal(size=900).astype(np.float32) for _ in range(5)]
    monkeypatch.setattr(conditions, "_noises", lambda: noises)
    soundfile.write(tmp_path / "a.wav", tone(300), 16_000)
    soundfile.write(tmp_path / "b.wav", tone(310), 16_000)
    noisy = Condition(10.0)
    first = noisy.read(tmp_path / "a.wav").samples
    assert np.array_equal(first, noisy.read(tmp_path / "a.wav").samples)
    clean = CLEAN.read(tmp_path / "a.wav").samples
    other = noisy.read(tmp_path / "b.wav").samples - CLEAN.read(tmp_path / "b.wav").samples
    assert not np.allclose(first - clean, other)


def test_training_hears_no_noise_that_is_measured_with(data):
    trained, measured = read_noises("train"), read_noises("test")
    assert 5 <= len(measured) < len(trained)
    assert not any(np.array_equal(noise, other) for noise in measured for other in trained)
    assert noise_split_of("any.opus") == noise_split_of("any.opus")


def test_what_was_computed_once_is_kept_and_nothing_half_written(tmp_path):
    calls = []

    def make() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(3)}

    def fails() -> dict[str, np.ndarray]:
        raise BadInput("no")

    assert remembered(tmp_path / "a" / "1.npz", make)["x"].tolist() == [0, 1, 2]
    assert remembered(tmp_path / "a" / "1.npz", make)["x"].tolist() == [0, 1, 2]
    assert len(calls) == 1
    with pytest.raises(BadInput):
        remembered(tmp_path / "a" / "2.npz", fails)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["1.npz"]


def test_a_key_follows_texts_and_contents(tmp_path):
    (tmp_path / "f").write_text("one")
    before = key_of(tmp_path / "f", "clean")
    assert before == key_of(tmp_path / "f", "clean")
    assert before != key_of(tmp_path / "f", "10 dB")
    assert key_of("ab", "c") != key_of("a", "bc")
    (tmp_path / "f").write_text("two")
    assert before != key_of(tmp_path / "f", "clean")
