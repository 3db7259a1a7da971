"""Folds: everyone is left out once, by whom they are measured; the driver runs, resumes and refuses."""

import argparse
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml

from engine.ears import store
from engine.ears.network import EarsConfig, EarsNetwork
from engine.errors import BadInput
from train import folds
from train.corpus import read_manifest
from train.folds import folds_of
from train.splits import split_of

BASELINE_RECIPE = Path(__file__).parents[2] / "train" / "recipes" / "baseline.yaml"
CORPORA = ("nemo", "urdu", "speechocean762")
CLIPS_OF_SPLIT = 12


@pytest.fixture
def emotion(data):
    return read_manifest(data / "emotion.jsonl")


def test_every_actor_is_left_out_once_and_all_others_are_heard(emotion):
    ravdess = [clip for clip in emotion if clip.corpus == "ravdess"]
    left_out = Counter(
        clip.speaker
        for fold in folds_of("emobox", emotion)
        for clip in {clip.speaker: clip for clip in ravdess if fold.leave_out.covers(clip)}.values()
    )
    assert left_out == Counter({clip.speaker: 1 for clip in ravdess})
    for fold in folds_of("emobox", emotion):
        assert all(fold.leave_out.trains_on(clip) != fold.leave_out.covers(clip) for clip in ravdess)


def test_no_left_out_clip_is_trained_on_and_no_test_speaker_either(emotion):
    for kind in ("corpus", "language"):
        for fold in folds_of(kind, emotion):
            trained = [clip for clip in emotion if fold.leave_out.trains_on(clip)]
            assert trained
            assert all(clip.split == "train" and not fold.leave_out.covers(clip) for clip in trained)


def test_folds_that_leave_out_the_same_share_their_ears(emotion):
    corpora = {fold.name: fold for fold in folds_of("corpus", emotion)}
    languages = {fold.name: fold for fold in folds_of("language", emotion)}
    assert set(corpora) == {"ased", "nemo", "ravdess", "tess", "urdu"}
    assert set(languages) == {"am", "en", "pl", "ur"}
    assert languages["pl"].folder == corpora["nemo"].folder
    assert languages["en"].leave_out.corpora == ("ravdess", "tess")
    assert corpora["ravdess"].protocols == ("7", "paper-5")


@pytest.fixture
def few(data, tmp_path, monkeypatch):
    """A data folder with a few real clips of each split."""
    monkeypatch.setenv("ATTUNE_DATA", str(tmp_path))
    monkeypatch.setenv("ATTUNE_TRAIN_CACHE", str(tmp_path / "cache"))
    for name in ("speech", "emotion"):
        kept, counts = [], Counter()
        for line in (data / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            key = (row["corpus"], split_of(row["speaker"]))
            if row["corpus"] in CORPORA and row["duration"] < 4 and counts[key] < CLIPS_OF_SPLIT:
                counts[key] += 1
                kept.append(row | {"audio": str(data / row["audio"])})
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    for name in ("voice", "noise", "rir"):
        (tmp_path / f"{name}.jsonl").write_text("")
    return tmp_path


def test_a_fold_from_training_to_table(few, engine, capsys, monkeypatch):
    torch.manual_seed(0)
    tiny = EarsNetwork(EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32, pool_width=8))
    store.save(tiny, few, made_from={})
    recipe = {
        "steps": 2,
        "teaching": {"nemo": {"emotion": 1.0}, "urdu": {"emotion": 1.0}, "speechocean762": {"words": 1.0}},
    }
    (few / "ears.yaml").write_text(yaml.safe_dump(recipe))
    baseline = yaml.safe_load(BASELINE_RECIPE.read_text())
    (few / "baseline.yaml").write_text(
        yaml.safe_dump(baseline | {"steps": 3, "prior_turns": [2.0], "shares": [0.5]})
    )
    parser = argparse.ArgumentParser()
    folds.add_arguments(parser)
    files = f"--recipe {few}/ears.yaml --baseline-recipe {few}/baseline.yaml --from {few} --out {few}/runs"
    flags = ["--kind", "corpus", *files.split()]
    folds.run(parser.parse_args([*flags, "--only", "nemo"]))
    assert "nemo" in capsys.readouterr().out
    (row,) = json.loads((few / "runs" / "corpus.json").read_text())["rows"]
    assert row["n"] == sum(clip.corpus == "nemo" for clip in read_manifest(few / "emotion.jsonl"))
    assert set(row["ua"]) == {"none", "causal", "full", "after 5", "frozen probe"}
    final = few / "runs" / "without-nemo" / "final"
    assert store.read_record(final)["made_from"]["recipe"]["leave_out"]["corpora"] == ["nemo"]

    def trained_again(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(folds.ears, "train", trained_again)
    folds.run(parser.parse_args([*flags, "--only", "nemo"]))
    (few / "ears.yaml").write_text(yaml.safe_dump(recipe | {"steps": 3}))
    with pytest.raises(BadInput, match="another recipe"):
        folds.run(parser.parse_args([*flags, "--only", "nemo"]))
    with pytest.raises(BadInput, match="There is no fold 'x'"):
        folds.run(parser.parse_args([*flags, "--only", "x"]))
