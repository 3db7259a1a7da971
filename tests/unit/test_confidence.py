"""The confidence of a word is a probability, and follows what speaks for the word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_ngram import toy_ngram

from engine.ears.align import PlacedWord
from engine.ears.confidence import WordConfidence, evidence, weigh
from train.confidence import are_right, fit, measure

NGRAM = toy_ngram()


def confidence_of(*texts: str, sounds_ln: float = -0.1) -> list[float]:
    placed = [PlacedWord(text, place, place + 0.5, sounds_ln) for place, text in enumerate(texts)]
    return [word.confidence for word in weigh(placed, NGRAM, WordConfidence())]


def test_it_follows_the_sounds_the_sentence_and_the_lexicon():
    sure = confidence_of("so", "happy")
    assert confidence_of("so", "happy", sounds_ln=-1.0)[1] < sure[1]
    assert confidence_of("died", "happy")[1] < sure[1]
    assert confidence_of("so", "hapqy")[1] < sure[1]


@given(st.lists(st.sampled_from(["my", "dog", "xq", "'"])), st.floats(-30, 0))
def test_it_is_a_probability(texts, sounds_ln):
    assert all(0 <= confidence <= 1 for confidence in confidence_of(*texts, sounds_ln=sounds_ln))


def test_words_are_moved_to_where_their_window_begins():
    [word] = weigh([PlacedWord("dog", 0.5, 0.75, -0.1)], None, WordConfidence(), later_s=10.0)
    assert (word.text, word.start_s, word.end_s) == ("dog", 10.5, 10.75)


def test_without_a_language_model_sounds_and_letters_are_left():
    placed = [PlacedWord("dog", 0.0, 0.5, -0.3)]
    assert evidence(placed, None).tolist() == [[-0.3, 0.0, 3.0, 0.0]]
    assert evidence([], NGRAM).shape == (0, 4)


def test_the_fit_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(20_000, 4))
    true = WordConfidence(2.0, 0.5, 0.3, -1.0, 0.7)
    rights = rng.random(len(known)) < true.of(known)
    found = fit(known, rights)
    assert found.sounds == pytest.approx(2.0, abs=0.15)
    assert found.unknown == pytest.approx(-1.0, abs=0.15)
    figures = measure(found, known, rights)
    assert figures["ece"] < 0.02
    assert 0.8 < figures["auc"] < 1


def test_heard_words_are_right_where_they_were_said():
    assert are_right(["the", "cat", "sat", "on", "mat"], ["a", "cat", "sat", "on", "the", "mat"]) == [
        False,
        True,
        True,
        True,
        True,
    ]
    assert are_right([], ["dog"]) == []
