import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ears.alphabet import CHARACTERS, normalise
from engine.ears.punctuation import COMMA, LOWER, NOTHING, STOP, TITLE, UPPER, Punctuation, sentences
from engine.errors import PartMissing
from engine.facade import MINI
from train.marked_texts import UNKNOWN_SPELLING, parse

PUNCTUATION = Punctuation.load(MINI)


@given(st.text(alphabet=CHARACTERS).map(normalise))
def test_the_words_themselves_never_change(text):
    assert normalise(PUNCTUATION.written(text)) == text


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("what time is it", "What time is it?"),
        ("could you tell me the time please", "Could you tell me the time, please?"),
        ("is it raining", "Is it raining?"),
        ("i wonder what she wants", "I wonder what she wants."),
        ("no i haven't seen him since monday", "No, I haven't seen him since Monday."),
        ("well that is terrible i am so sorry", "Well that is terrible. I am so sorry."),
        ("where is the station i need to go to paris", "Where is the station? I need to go to Paris."),
        ("", ""),
    ],
)
def test_everyday_sentences(heard, written):
    assert PUNCTUATION.written(heard) == written


def test_a_turn_takes_milliseconds():
    turn = "my dog died yesterday and i don't know what to do " * 10
    best_s = min(_duration_s(lambda: PUNCTUATION.written(turn)) for _ in range(5))
    assert best_s < 0.02


def test_the_record_has_figures_on_held_out_texts():
    record = json.loads((MINI / "punctuation.json").read_text(encoding="utf-8"))
    assert record["scores"]["dailydialog"]["f1 ?"] > 0.8


def test_a_broken_file_is_one_sentence(tmp_path):
    (tmp_path / "punctuation.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(PartMissing, match="python -m train punctuation"):
        Punctuation.load(tmp_path)


def test_another_format_is_refused(tmp_path):
    np.savez(tmp_path / "punctuation.npz", format=99)
    with pytest.raises(PartMissing, match="another version"):
        Punctuation.load(tmp_path)


def test_sentences_end_at_stops():
    assert list(sentences([NOTHING, STOP, COMMA, NOTHING, STOP])) == [(0, 2), (2, 5)]


def test_a_written_text_is_taken_apart():
    marked = parse("Well, Mr. Smith... are you from the USA? I am.")
    assert marked.words == ("well", "mr", "smith", "are", "you", "from", "the", "usa", "i", "am")
    assert marked.signs == [",", "", ",", "", "", "", "", "?", "", "."]
    assert marked.spellings == (
        UNKNOWN_SPELLING, TITLE, TITLE, LOWER, LOWER, LOWER, LOWER, UPPER, UNKNOWN_SPELLING, LOWER,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["no mark at the end", "", "...", "привет."])
def test_careless_texts_are_left_out(text):
    assert parse(text) is None


def _duration_s(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
