"""Folds: everyone is left out once, by whom they are measured; trained layers are refused."""

import argparse
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from engine.ears import store
from engine.ears.network import EarsConfig, EarsNetwork
from engine.errors import BadInput
from train import folds
from train.corpus import read_manifest
from train.folds import check_untrained, folds_of
from train.splits import split_of

RECIPE = Path(__file__).parents[2] / "train" / "recipes" / "feeling.yaml"
CORPORA = ("nemo", "urdu", "speechocean762")
CLIPS_OF_SPLIT = 12
TINY = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32, max_states=1500)


@pytest.fixture
def emotion(data):
    return read_manifest(data / "emotion.jsonl")


def test_every_actor_is_left_out_once(emotion):
    ravdess = [clip for clip in emotion if clip.corpus == "ravdess"]
    left_out = Counter(
        clip.speaker
        for fold in folds_of("emobox", emotion)
        for clip in {clip.speaker: clip for clip in ravdess if fold.leaves_out(clip)}.values()
    )
    assert left_out == Counter({clip.speaker: 1 for clip in ravdess})


def test_corpora_and_languages_are_left_out_whole(emotion):
    corpora = {fold.name: fold for fold in folds_of("corpus", emotion)}
    languages = {fold.name: fold for fold in folds_of("language", emotion)}
    assert set(corpora) == {"ased", "nemo", "ravdess", "tess", "urdu"}
    assert set(languages) == {"am", "en", "pl", "ur"}
    assert languages["en"].corpora == ("ravdess", "tess")
    assert corpora["ravdess"].protocols == ("7", "paper-5")
    for fold in languages.values():
        assert {clip.language for clip in emotion if fold.leaves_out(clip)} == {fold.name}


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
    for name in ("noise", "rir"):
        (tmp_path / f"{name}.jsonl").write_text("")
    return tmp_path


def whisper(network: EarsNetwork, folder: Path) -> Path:
    """The encoder of `network` as a published one."""
    folder.mkdir()
    tensors = {store.WHISPER_PREFIX + key: value for key, value in network.encoder.state_dict().items()}
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "model.safetensors")
    shapes = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    (folder / "config.json").write_text(json.dumps(shapes | {"max_source_positions": 1500}))
    return folder


@pytest.fixture
def tiny(tmp_path) -> tuple[EarsNetwork, Path]:
    torch.manual_seed(0)
    network = EarsNetwork(TINY)
    return network, whisper(network, tmp_path / "whisper")


def test_ears_whose_listening_layers_were_trained_are_refused(tiny, tmp_path):
    network, encoder = tiny
    torch.nn.init.normal_(network.encoder.layers[1].fc1.weight)
    store.save(network, tmp_path / "upper", made_from={})
    check_untrained(tmp_path / "upper", encoder)
    torch.nn.init.normal_(network.encoder.layers[0].fc1.weight)
    store.save(network, tmp_path / "lower", made_from={})
    with pytest.raises(BadInput, match="frozen_layers"):
        check_untrained(tmp_path / "lower", encoder)
    store.save(
        EarsNetwork(EarsConfig(width=8, layers=2, attention_heads=2)), tmp_path / "other", made_from={}
    )
    with pytest.raises(BadInput, match="were not made from"):
        check_untrained(tmp_path / "other", encoder)


def test_a_fold_from_clips_to_table(few, tiny, engine, capsys):
    network, encoder = tiny
    store.save(network, few / "ears", made_from={})
    settings = yaml.safe_load(RECIPE.read_text())
    (few / "feeling.yaml").write_text(yaml.safe_dump(settings | {"steps": 3}))
    parser = argparse.ArgumentParser()
    folds.add_arguments(parser)
    files = f"--recipe {few}/feeling.yaml --from {few}/ears --encoder {encoder} --out {few}/runs"
    flags = ["--kind", "corpus", *files.split()]
    folds.run(parser.parse_args([*flags, "--only", "nemo"]))
    assert "nemo" in capsys.readouterr().out
    (row,) = json.loads((few / "runs" / "corpus.json").read_text())["rows"]
    assert row["n"] == sum(clip.corpus == "nemo" for clip in read_manifest(few / "emotion.jsonl"))
    assert set(row["ua"]) == {"none", "causal", "full", "after 5", "frozen probe"}
    with pytest.raises(BadInput, match="There is no fold 'x'"):
        folds.run(parser.parse_args([*flags, "--only", "x"]))
