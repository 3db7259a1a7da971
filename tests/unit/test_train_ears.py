"""The ears' training on a tiny network: it learns, and a killed run ends where an unbroken one does."""

import json

import numpy as np
import pytest
import soundfile
import torch

from engine.ears import store
from engine.ears.network import EarsConfig
from engine.errors import BadInput
from train import recipe
from train.augment import Augmenter, AugmentOptions
from train.corpus import AudioCache, cached, read_manifest
from train.ears import EarsRecipe, Trainer
from train.ears_batches import LengthBatches, Teaching
from train.ears_lesson import TaughtEars
from train.splits import split_of, voice_split_of

TEACHING = {"toy": Teaching(words=1.0, emotion=1.0)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Sixteen short tones: low ones say "a" sadly, high ones "b" happily."""
    monkeypatch.setenv("ATTUNE_DATA", str(tmp_path))
    monkeypatch.setenv("ATTUNE_TRAIN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = []
    for index in range(16):
        is_low = index % 2 == 0
        time_s = np.arange(int(16_000 * (0.6 + 0.02 * index))) / 16_000
        tone = 0.2 * np.sin(2 * np.pi * (200 if is_low else 900) * time_s) + rng.normal(
            scale=0.01, size=len(time_s)
        )
        soundfile.write(tmp_path / f"{index}.wav", tone, 16_000)
        text, emotion = ("a", "sad") if is_low else ("b", "happy")
        rows.append(
            {"audio": f"{index}.wav", "text": text, "emotion": emotion, "corpus": "toy", "speaker": "s"}
        )
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "noise.jsonl").write_text("")
    (tmp_path / "rir.jsonl").write_text("")
    return tmp_path


@pytest.fixture
def cache(folder) -> AudioCache:
    return cached(read_manifest(folder / "toy.jsonl"))


def trainer(cache: AudioCache, out, steps: int) -> Trainer:
    torch.manual_seed(0)
    network = TaughtEars(EarsConfig(width=32, layers=2, attention_heads=2, feedforward=64), dropout=0.0)
    settings = EarsRecipe(
        steps=steps,
        teaching={},
        batch_s=5.0,
        learning_rate=3e-3,
        head_learning_rate=3e-3,
        warmup_steps=5,
        average_decay=0.8,
        checkpoint_steps=4,
    )
    return Trainer(network, settings, TEACHING, cache, out)


def test_it_learns(cache, tmp_path):
    run = trainer(cache, tmp_path / "run", steps=80)
    run.train()
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    first, last = ([float(cell) for cell in row.split(",")] for row in (rows[1], rows[-1]))
    assert last[2] < 0.7 * first[2]
    assert last[3] < 0.7 * first[3]
    assert store.load(tmp_path / "run" / "final").config.layers == 2


def test_a_broken_run_ends_with_the_same_weights(cache, tmp_path):
    whole = trainer(cache, tmp_path / "whole", steps=8)
    whole.train()
    broken = trainer(cache, tmp_path / "broken", steps=8)
    stop_after = 6

    def dies(batch, optimise=broken._optimise):
        if broken.step == stop_after:
            raise KeyboardInterrupt
        return optimise(batch)

    broken._optimise = dies
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    again = trainer(cache, tmp_path / "broken", steps=8)
    assert again.step == 4
    again.train()
    for key, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[key]), key


def test_every_clip_is_drawn_once_an_epoch(cache):
    batches = LengthBatches(cache, TEACHING, batch_s=3.0, seed=1, first_step=0)
    count = batches.steps_per_epoch()
    drawn = [key for _, batch in zip(range(count), batches, strict=False) for key in batch]
    assert sorted(drawn) == [(0, index) for index in range(16)]


def test_augmentation_keeps_what_it_must():
    rng = np.random.default_rng(0)
    options = AugmentOptions(
        noise_probability=1, room_probability=1, speed_probability=1, narrow_band_probability=1
    )
    augmenter = Augmenter(
        options, [rng.normal(size=500).astype(np.float32)], [np.array([0, 1, 0.5], np.float32)]
    )
    samples = rng.normal(size=16_000).astype(np.float32)
    for _ in range(20):
        changed = augmenter.waveform(samples, rng, has_emotion=True)
        assert changed.dtype == np.float32
        assert 0.94 < len(changed) / len(samples) < 1.06
        assert np.isfinite(changed).all()


def test_splits_follow_the_speaker_alone():
    assert {split_of(f"ravdess_{actor}") for actor in (17, 18, 19, 20)} == {"test"}
    shares = [split_of(f"speaker {index}") for index in range(2000)]
    assert 0.07 < shares.count("test") / 2000 < 0.13
    assert 0.07 < shares.count("validation") / 2000 < 0.13
    assert voice_split_of("arctic_a0593") == "train"
    assert voice_split_of("arctic_b0001") == "test"


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"audio": 3}'])
def test_a_bad_manifest_line_is_named(tmp_path, line):
    path = tmp_path / "m.jsonl"
    path.write_text('{"audio": "a.wav"}\n' + line + "\n")
    with pytest.raises(BadInput, match="line 2"):
        read_manifest(path)


def test_missing_audio_is_named(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"audio": "gone.wav"}\n')
    with pytest.raises(BadInput, match=r"gone\.wav"):
        cached(read_manifest(tmp_path / "m.jsonl"))


@pytest.mark.parametrize("content", ["steps: [", "- a", "steps: 1\nteaching: {}\nspeed: 3", "teaching: {}"])
def test_a_bad_recipe_is_one_sentence(tmp_path, content):
    path = tmp_path / "r.yaml"
    path.write_text(content)
    with pytest.raises(BadInput) as caught:
        recipe.load(path, EarsRecipe)
    assert "\n" not in str(caught.value)
