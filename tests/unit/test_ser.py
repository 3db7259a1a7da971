"""Voice and words become one feeling, with doubt."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emotion import EMOTIONS, Emotion
from engine.errors import BadInput
from engine.ser import Fusion

probabilities = st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7).filter(lambda v: sum(v) > 0.01)
scores = probabilities.map(lambda v: {label: x / sum(v) for label, x in zip(EMOTIONS, v, strict=True)})
EVEN = dict.fromkeys(EMOTIONS, 1 / 7)


def mostly(label: str, share: float = 0.9) -> dict[str, float]:
    return {other: share if other == label else (1 - share) / 6 for other in EMOTIONS}


@given(st.none() | scores, st.none() | scores)
def test_scores_are_probabilities_of_all_labels(voice, words):
    fused = Fusion().fuse(voice, words)
    assert set(fused.scores) == set(EMOTIONS)
    assert sum(fused.scores.values()) == pytest.approx(1.0)
    assert fused.confidence == max(fused.scores.values())


@given(scores)
def test_one_part_alone_keeps_its_order(voice):
    assert Fusion(words_weight=3.0).fuse(voice, None).scores[max(voice, key=voice.get)] == pytest.approx(
        max(Fusion().fuse(voice, None).scores.values())
    )


def test_the_part_that_knows_wins():
    assert Fusion().fuse(mostly("sad"), EVEN).label == "sad"
    assert Fusion().fuse(EVEN, mostly("happy")).label == "happy"


def test_doubt_is_not_presented_as_heard():
    fusion = Fusion(abstain_below=0.4)
    assert fusion.fuse(EVEN, None).abstained
    assert not fusion.fuse(mostly("angry"), None).abstained


def test_nothing_heard_and_too_short_abstain():
    assert Fusion().fuse(None, None).abstained
    assert Fusion().fuse(mostly("sad"), None, speech_s=0.2).voice is None


def test_json_form_has_every_label_and_the_parts():
    row = Fusion().fuse(mostly("sad"), None).to_dict()
    assert list(row) == ["label", "scores", "confidence", "abstained", "voice", "words"]
    assert list(row["scores"]) == list(EMOTIONS)
    assert row["words"] is None
    assert json.loads(json.dumps(row)) == row


def test_label_is_the_best_score():
    assert Emotion(mostly("fearful")).label == "fearful"


def test_broken_fusion_file_is_one_sentence(tmp_path):
    (tmp_path / "fusion.json").write_text("{}")
    with pytest.raises(BadInput, match="restore"):
        Fusion.load(tmp_path / "fusion.json")
