import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.emotion import EMOTIONS
from engine.errors import PartMissing
from engine.words import WORDS_FILE, WordsEmotion, features, softmax
from train.labelled_texts import LabelledText, corrupted
from train.words import WordsRecipe, packed, train

MINI = Path(__file__).parents[2] / "assets" / "mini"
SHIPPED = WordsEmotion.load(MINI)


def label(text: str) -> str | None:
    scores = SHIPPED.recognize(text)
    return scores and max(scores, key=scores.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what time is it", "neutral"),
        ("The bus stops in front of the library.", "neutral"),
        ("My dog died.", "sad"),
        ("I got the job!", "happy"),
        ("i am so scared of the dark", "fearful"),
        ("leave me alone i hate you", "angry"),
        ("that is disgusting", "disgust"),
        ("wow i did not expect that at all", "surprised"),
        ("i am so hapy for you", "happy"),
    ],
)
def test_plain_cases(text, expected):
    assert label(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "?!", "1234", "yes", "Okay.", "mhm"])
def test_too_little_to_tell(text):
    assert SHIPPED.recognize(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ich bin heute sehr traurig, weil mein Hund gestorben ist.",
        "Je suis très contente de mon nouveau travail",
        "estoy muy triste porque mi perro se murió",
        "これはとても悲しい",
    ],
)
def test_other_languages_are_left_alone(text):
    assert SHIPPED.recognize(text) is None


def test_a_negated_joy_is_less_joyful():
    assert SHIPPED.recognize("i am not happy")["happy"] < SHIPPED.recognize("i am so happy")["happy"]


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_any_text_gives_probabilities_or_nothing(text):
    scores = SHIPPED.recognize(text)
    if scores is not None:
        assert tuple(scores) == EMOTIONS
        assert sum(scores.values()) == pytest.approx(1.0)
        assert min(scores.values()) >= 0


def test_punctuation_and_case_do_not_matter():
    assert SHIPPED.recognize("I'm SO happy — thank you!!") == SHIPPED.recognize("i'm so happy thank you")


def test_a_pasted_novel_is_quick():
    started = time.process_time()
    assert SHIPPED.recognize("i am sad " * 100_000) is not None
    assert time.process_time() - started < 2.0


def test_a_missing_or_foreign_file_is_one_sentence(tmp_path):
    with pytest.raises(PartMissing, match="words"):
        WordsEmotion.load(tmp_path)
    (tmp_path / WORDS_FILE).write_bytes(b"not an archive")
    with pytest.raises(PartMissing, match="words"):
        WordsEmotion.load(tmp_path)
    np.savez(tmp_path / WORDS_FILE, format=np.array(99))
    with pytest.raises(PartMissing, match="another version"):
        WordsEmotion.load(tmp_path)


def test_features_follow_the_words():
    assert set(features(["sad"], 1 << 18)) < set(features(["sad", "day"], 1 << 18))
    assert not set(features(["not", "sad"], 1 << 18)) >= set(features(["sad"], 1 << 18))


@given(st.lists(st.text("abcdef'", min_size=1, max_size=8), min_size=1), st.integers(0, 1000))
def test_corruption_keeps_words(words, seed):
    heard = corrupted(tuple(words), 0.5, 0.5, np.random.default_rng(seed))
    assert 1 <= len(heard) <= len(words)
    assert all(heard)


def test_training_learns_and_packing_keeps_it():
    texts = [
        LabelledText(tuple(f"{word} {noun}".split()), EMOTIONS.index(emotion), "toy", "single")
        for noun in ("day", "dog", "house", "train", "friend", "song")
        for word, emotion in (("glad", "happy"), ("grey", "sad"), ("plain", "neutral"))
    ]
    recipe = WordsRecipe(
        trust={"single": 1.0, "loose": 0.5},
        seed=1,
        buckets=4096,
        epochs=15,
        batch=6,
        learning_rate=0.05,
        label_smoothing=0.0,
        corrupted_share=0.3,
        dropped_words=0.0,
        misspelt_words=0.2,
        balance=0.5,
        known_words=10,
    )
    table = train(recipe, texts)
    model = WordsEmotion(packed(table, ["glad", "grey", "boat"]))
    bag = features(["glad", "boat"], recipe.buckets)
    assert model.logits(["glad", "boat"]) == pytest.approx(table([bag])[0].detach().numpy(), abs=0.1)
    scores = model.recognize("glad boat")
    assert max(scores, key=scores.get) == "happy"


@given(st.lists(st.floats(-1000, 1000), min_size=7, max_size=7))
def test_softmax_is_a_distribution(logits):
    assert softmax(np.array(logits)).sum() == pytest.approx(1.0)
