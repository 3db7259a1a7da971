"""The figures are right on cases that can be counted by hand, and on any others by a slower method."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.scores import calibration_error, emotion_scores, word_errors

words = st.lists(st.sampled_from("abc"), max_size=7)


def slow_distance(wanted: list[str], given_: list[str]) -> int:
    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        substitution = distance(i - 1, j - 1) + (wanted[i - 1] != given_[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, substitution)

    return distance(len(wanted), len(given_))


@given(words, words)
def test_word_errors_are_the_edit_distance(wanted, given_):
    assert word_errors(" ".join(wanted), " ".join(given_)) == (slow_distance(wanted, given_), len(wanted))


def test_case_and_punctuation_do_not_count():
    assert word_errors("Don't stop, please!", "don't stop please") == (0, 3)


def test_emotion_scores_by_hand():
    labels = ("neutral", "happy", "sad")
    table = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0], [0.1, 0.9, 0.0]])
    scores = emotion_scores(labels, table, ["neutral", "neutral", "neutral", "happy"])
    assert scores["labels"] == ["neutral", "happy"]
    assert scores["confusion"] == [[2, 1], [0, 1]]
    assert scores["ua"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["wa"] == pytest.approx(3 / 4)
    assert scores["n"] == 4


def test_labels_the_manifest_lacks_cannot_be_guessed():
    scores = emotion_scores(("neutral", "calm"), np.array([[0.1, 0.9]]), ["neutral"])
    assert scores["ua"] == 1.0


def test_calibration_error_of_a_liar_and_of_an_honest_guesser():
    assert calibration_error(np.full(10, 0.95), np.zeros(10, bool)) == pytest.approx(0.95)
    right = np.array([True] * 9 + [False])
    assert calibration_error(np.full(10, 0.9), right) == pytest.approx(0.0, abs=1e-9)
