"""What the shipped weights must score on people they never heard (a floor; figures in MODEL_CARD.md)."""

import argparse
import json

import pytest

from train.evaluation import captions, ser


def measure(module, capsys, *flags: str) -> dict:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    module.run(parser.parse_args([*flags, "--json"]))
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_words_of_unseen_speakers(data, engine, capsys):
    report = measure(captions, capsys, "--corpus", "librispeech")
    assert report["n"] == 78
    assert report["wer"] <= 0.30
    assert set(report["by_corpus"]) == {"librispeech-dev-clean", "librispeech-train-clean-100"}


@pytest.mark.slow
def test_feeling_of_unseen_actors(data, engine, capsys):
    report = measure(ser, capsys, "--corpus", "ravdess")
    assert report["n"] == 240
    # 67.1 % where it was measured; one clip is half a point, and rounding differs between processors.
    assert report["ua"] >= 0.64
    assert report["by_language"]["en"]["ua"] == report["ua"]


def test_a_manifest_of_ones_own(data, engine, capsys, tmp_path):
    row = {
        "audio": str(next((data / "emotion" / "ravdess").glob("03-01-05-02-*-17.opus"))),
        "emotion": "angry",
    }
    (tmp_path / "m.jsonl").write_text(json.dumps(row) + "\n")
    report = measure(ser, capsys, "--manifest", str(tmp_path / "m.jsonl"), "--protocol", "paper-5")
    assert report["n"] == 1
    assert report["labels"] == ["angry"]
