import math

from toy_ngram import toy_ngram

from engine.ears import hotwords
from engine.ears.hotwords import AGAIN_LN, MOST_WORDS, hot_words
from engine.ears.ngram import NGRAM_FILE, NGram
from engine.facade import MINI


def test_names_and_rare_words_are_expected_and_common_ones_are_not():
    language = NGram.load(MINI / NGRAM_FILE)
    found = hot_words(["Hello, I am Kathleen.", "Nice to meet you, Kathleen from Llanfair!"], language)
    assert set(found) == {"llanfair", "kathleen"}
    assert set(found.values()) == {AGAIN_LN}


def test_short_words_are_left_alone():
    assert not hot_words(["zq xwv"], toy_ngram())


def test_the_newest_are_kept(monkeypatch):
    monkeypatch.setattr(hotwords, "MOST_WORDS", 2)
    found = hot_words(["first wordone", "wordtwo wordthree"], toy_ngram())
    assert list(found) == ["wordthree", "wordtwo"]


def test_together_they_leave_room_for_other_words():
    assert MOST_WORDS * math.exp(AGAIN_LN) < 1
