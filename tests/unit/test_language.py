"""Telling English from other languages: made-up states in, a decision out; and the trainer on the same."""

import numpy as np
import pytest
import torch

from engine.ears import store
from engine.ears.language import LANGUAGE_FILE, MIN_SPEECH_S, LanguageDetector, spelling_vector
from engine.ears.network import EarsConfig, EarsNetwork
from engine.errors import PartMissing
from train.corpus import Clip
from train.language import Heard, LanguageRecipe, fit, measure_left_out, rates

WIDTH = 8
RECIPE = LanguageRecipe(
    seed=1, clips=10, weight_decay=0.01, false_alarms=0.02, stretch_s=(1.2, 4.0), damage={}
)
CONFIG = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32)


@pytest.fixture
def ears_folder(tmp_path):
    store.save(EarsNetwork(CONFIG), tmp_path, made_from={})
    return tmp_path


def test_the_vector_is_mean_and_deviation_of_the_last_state():
    last = torch.tensor([[[1.0, 5.0], [3.0, 5.0]]])
    assert spelling_vector([torch.zeros_like(last), last]).tolist() == [[2.0, 5.0, 1.0, 0.0]]


def test_words_are_withheld_above_zero_and_never_in_a_short_turn():
    detector = LanguageDetector(np.array([1.0, 0.0], dtype=np.float32), bias=-0.5)
    assert detector.is_foreign(np.array([1.0, 0.0]), speech_s=MIN_SPEECH_S)
    assert not detector.is_foreign(np.array([0.4, 0.0]), speech_s=5.0)
    assert not detector.is_foreign(np.array([9.0, 0.0]), speech_s=MIN_SPEECH_S - 0.01)


def test_it_comes_back_as_it_was_saved(ears_folder):
    detector = LanguageDetector(np.arange(32, dtype=np.float32), bias=-2.5)
    detector.save(ears_folder)
    loaded = LanguageDetector.load(ears_folder)
    assert loaded.bias == detector.bias
    assert (loaded.weights == detector.weights).all()


def test_other_ears_are_refused(ears_folder):
    LanguageDetector(np.zeros(32, dtype=np.float32), bias=0.0).save(ears_folder)
    store.save(EarsNetwork(CONFIG), ears_folder, made_from={})
    with pytest.raises(PartMissing, match="other ears"):
        LanguageDetector.load(ears_folder)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_a_broken_file_is_one_sentence(ears_folder, content):
    (ears_folder / LANGUAGE_FILE).write_bytes(content)
    with pytest.raises(PartMissing, match="cannot be read"):
        LanguageDetector.load(ears_folder)


def test_a_language_that_was_left_out_is_recognised():
    rng = np.random.default_rng(0)
    training, validation, test = (heard(split, 60, rng) for split in ("train", "validation", "test"))
    shares = measure_left_out(training, validation, test, RECIPE)
    assert set(shares) == {"am/am", "pl/pl"}
    assert min(share["foreign"] for share in shares.values()) > 0.9


def test_false_alarms_stay_below_what_was_asked_for():
    rng = np.random.default_rng(1)
    training, validation = heard("train", 200, rng), heard("validation", 200, rng)
    detector = fit(training, validation, RECIPE)
    english = rates(detector, [each for each in validation if each.clip.language == "en"])
    assert english["en/en"]["foreign"] <= RECIPE.false_alarms
    assert rates(detector, validation)["pl/pl"]["foreign"] > 0.9


def heard(split: str, count: int, rng: np.random.Generator) -> list[Heard]:
    """Clips of three languages; the foreign ones lie apart in one direction, and each a little in its own."""
    made = []
    for place, language in enumerate(("en", "pl", "am")):
        centre = np.zeros(WIDTH)
        if language != "en":
            centre[0], centre[place] = 5.0, 1.0
        clip = Clip(None, "", language, language, None, None, split, 1.0)
        made += [Heard(clip, "clean", vector) for vector in rng.normal(centre, 1.0, (count, WIDTH))]
    return made
