"""What `evaluate ser` makes of any manifest: protocols, baselines in their order, groups, and odd lines."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from engine.baseline import VoiceBaseline
from engine.ears.feeling import HEAD_EMOTIONS, FeelingHead
from engine.errors import BadInput
from engine.ser import Fusion
from train.corpus import Clip
from train.evaluation import captions, ser, speakers
from train.evaluation.emotion_report import Guesses, report
from train.evaluation.false_alarms import false_alarms
from train.evaluation.protocols import PROTOCOLS
from train.evaluation.recogniser import Recogniser
from train.evaluation.report import page
from train.scores import calibration_curve
from train.voices import Voice

ROOT = Path(__file__).parents[2]
KEYS = {"ua", "wa", "macro_f1", "ece", "coverage", "n", "labels", "confusion"}


def clip(emotion: object = "happy", speaker: str = "s", corpus: str = "toy", **fields: object) -> Clip:
    return Clip(Path("x.wav"), speaker, corpus, "en", None, emotion, "test", 1.0, line=7, **fields)


def voice(emotion: str, sure: float = 0.9) -> Voice:
    odds = np.full(8, (1 - sure) / 7)
    odds[HEAD_EMOTIONS.index(emotion)] = sure
    return Voice(np.log(odds), 1.0)


def recogniser(fusion: Fusion) -> Recogniser:
    """One whose head takes a voice for the log-probabilities themselves."""
    nothing = np.zeros((8, 8))
    return Recogniser(FeelingHead(nothing[0], nothing, np.eye(8), nothing[0], prior_turns=2.0), fusion)


@pytest.mark.parametrize(
    ("protocol", "label", "counts_as"),
    [
        ("7", "calm", "neutral"),
        ("7", "disgust", "disgust"),
        ("7", "surprise", "surprised"),
        ("emobox-ravdess", "calm", "calm"),
        ("paper-5", "calm", "neutral"),
        ("paper-5", "surprise", "surprised"),
        ("paper-5", "fearful", None),
    ],
)
def test_protocols(protocol, label, counts_as):
    assert PROTOCOLS[protocol].label(clip(label)) == counts_as


@pytest.mark.parametrize("label", ["bored", None, 3, ["happy"]])
def test_an_unknown_label_is_named_with_its_line(label):
    with pytest.raises(BadInput, match="Line 7"):
        PROTOCOLS["7"].label(clip(label))


def test_folding_adds_probabilities():
    head = np.array([[0.1, 0.2, 0, 0, 0, 0, 0, 0.7]])
    assert PROTOCOLS["paper-5"].columns(head)[0] == pytest.approx([0.8, 0.2, 0, 0, 0])
    assert PROTOCOLS["emobox-ravdess"].columns(head).shape == (1, 8)


def test_a_causal_baseline_knows_the_earlier_turns_of_that_speaker_alone():
    clips = [clip(speaker="a"), clip(speaker="b"), clip(speaker=""), clip(speaker="a"), clip(speaker="a")]
    own = [np.array([float(index)]) for index in range(5)]
    for known in speakers.baselines(clips, own, "causal"):
        assert sorted(known[index].count for index in (0, 3, 4)) == [0, 1, 2]
        assert known[1].count == known[2].count == 0
        for index in (0, 3, 4):
            # Nothing of the clip itself and nothing of others: a mean of the other indices of speaker a.
            if known[index].count == 2:
                assert known[index].mean == pytest.approx(np.mean([i for i in (0, 3, 4) if i != index]))
    orders = list(speakers.baselines(clips, own, "causal"))
    assert len(orders) == speakers.ORDERS
    assert len({tuple(known[index].count for index in (0, 3, 4)) for known in orders}) > 1


def test_full_none_and_after():
    clips = [clip(speaker="a"), clip(speaker="a"), clip(speaker="a", corpus="other"), clip(speaker="")]
    own = [np.array([1.0]), np.array([3.0]), None, np.array([9.0])]
    (full,) = speakers.baselines(clips, own, "full")
    assert [b.count for b in full] == [2, 2, 0, 0]
    assert full[0].mean == pytest.approx(2.0)
    (none,) = speakers.baselines(clips, own, "none")
    assert all(b.count == 0 for b in none)
    assert [b.count for b in speakers.after(clips, own, 5)] == [1, 1, 0, 0]
    assert speakers.after(clips, own, 5)[0].mean == pytest.approx(3.0)
    assert [b.count for b in speakers.after(clips, own, 0)] == [0, 0, 0, 0]


def test_orders_are_averaged_and_counts_add_up():
    clips = [clip("happy"), clip("sad"), clip("sad", gender="female")]
    right = np.zeros((3, 7))
    right[[0, 1, 2], [1, 2, 2]] = 1.0
    wrong = np.zeros((3, 7))
    wrong[:, 1] = 1.0
    unsure = np.array([[True, False, False], [False, False, False]])
    figures = report(Guesses(PROTOCOLS["7"], clips, np.stack([right, wrong]), unsure))
    assert figures["ua"] == pytest.approx((1.0 + 0.5) / 2)
    assert figures["coverage"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-4)
    assert figures["labels"] == ["happy", "sad"]
    assert np.sum(figures["confusion"]) == figures["n"] == 3
    assert sum(b["n"] for b in figures["calibration"]) == 6
    assert set(figures["by_gender"]) == {"female"}
    assert set(figures["by_gender"]["female"]) == KEYS
    assert figures["by_intensity"] == {}


def test_calibration_curve_by_hand():
    curve = calibration_curve(np.array([0.95, 0.95, 0.35]), np.array([True, False, True]))
    assert [(round(b["confidence"], 2), b["accuracy"], b["n"]) for b in curve] == [
        (0.35, 1.0, 1),
        (0.95, 0.5, 2),
    ]


def test_silence_is_an_even_guess_and_reading_heard_as_sad_is_a_false_alarm():
    strict = recogniser(Fusion(abstain_below=0.5))
    heard = [(clip(None), voice("sad")), (clip(None), voice("sad", 0.3)), (clip(None), voice("neutral"))]
    heard.append((clip(None), Voice(None, 0.0)))
    alarms = false_alarms(strict, heard, "none")
    assert alarms["non_neutral"] == pytest.approx(0.5)
    assert alarms["sure"] == pytest.approx(0.25)
    table, abstained = strict.guess(heard, [VoiceBaseline()] * 4, PROTOCOLS["7"])
    assert abstained.tolist() == [False, True, False, True]
    assert table.sum(axis=1) == pytest.approx(1.0)


def test_the_page_is_whole(tmp_path):
    ears = recogniser(Fusion())
    heard = [(clip(e, gender="female"), voice(g)) for e, g in (("happy", "happy"), ("sad", "happy"))]
    kinds = {kind: ears.measure(heard, PROTOCOLS["7"], kind) for kind in speakers.KINDS}
    alarms = false_alarms(ears, heard, "none")
    row = {"held_out": "nemo", "protocol": "7", "n": 2, "ua": {"none": 0.5}, "wa": {"none": 0.25}}
    row["ece"] = {"none": 0.1}
    markup = page(
        {
            "made": {"ears": "abc"},
            "feeling": {"7": kinds},
            "words": {"by_corpus": {"libri": {"n": 2, "wer": 0.25}}},
            "robustness": {
                "conditions": {"clean": {"ua": 0.5, "coverage": 1.0, "wer": 0.2}},
                "false_alarms": {"none": alarms},
            },
            "folds": {"corpus": {"rows": [row]}},
        }
    )
    assert markup.count("<svg") == 3
    for shown in ("50.0%", "25.0%", "nemo", "libri", "female"):
        assert shown in markup


@pytest.fixture
def manifest(tmp_path, monkeypatch, clip_paths):
    """Two good lines among odd ones."""
    monkeypatch.setenv("ATTUNE_TRAIN_CACHE", str(tmp_path / "cache"))
    question, statement = clip_paths
    rows = [
        {"audio": question, "emotion": "neutral", "speaker": 7, "corpus": None, "text": "x"},
        {"audio": statement, "emotion": "surprise", "intensity": "strong"},
        {"audio": question, "emotion": "bored"},
        {"audio": str(tmp_path / "gone.wav"), "emotion": "happy"},
        {"emotion": "happy"},
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "not json\n\n")
    return path


@pytest.fixture
def clip_paths(engine):
    """Asks for `engine` so that the speech detector is fetched by now."""
    return [str(ROOT / "tests" / "audio" / name) for name in ("question.wav", "statement.wav")]


def lines(module, capsys, *flags: str) -> list[dict]:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    with pytest.raises(BadInput, match="could not be measured"):
        module.run(parser.parse_args([*flags, "--json"]))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_odd_lines_are_reported_and_the_rest_done(manifest, capsys):
    *errors, figures = lines(ser, capsys, "--manifest", str(manifest), "--protocol", "paper-5")
    assert len(errors) == 4
    assert all(set(error) == {"audio", "error"} for error in errors)
    said = " ".join(error["error"] for error in errors)
    assert "line 5" in said and "line 6" in said and "Line 3: 'bored'" in said and "gone.wav" in said
    assert figures["n"] == 2
    assert figures["labels"] == ["neutral", "surprised"]
    assert set(figures) >= KEYS
    assert set(figures["by_speaker"]) == {"7"}
    assert set(figures["by_intensity"]) == {"strong"}


def test_captions_of_a_missing_file(manifest, capsys):
    *errors, figures = lines(captions, capsys, "--manifest", str(manifest))
    assert len(errors) == 2
    assert figures["n"] == 1


def test_words_know_no_calm(manifest):
    parser = argparse.ArgumentParser()
    ser.add_arguments(parser)
    flags = ["--manifest", str(manifest), "--protocol", "emobox-ravdess", "--with-words"]
    with pytest.raises(BadInput, match="calm"):
        ser.run(parser.parse_args(flags))
