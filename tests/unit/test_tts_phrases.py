"""A stream of text → phrases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tts.phrases import phrases

PARTS = st.sampled_from(
    [
        "Dr. ",
        "hello ",
        "and ",
        " but ",
        "e.g. ",
        "3.14 ",
        "... ",
        "…",
        " - ",
        "—",
        ", ",
        "! ",
        "?\n",
        "\n\n",
        ". ",
        "A. ",
        "p.m. ",
        "1. ",
        '"',
        "* ",
        "word",
        "x" * 100,
        " ",
    ]
)
TEXTS = st.lists(PARTS, max_size=60).map("".join) | st.text(max_size=400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("I am so sorry to hear, it is hard.", ["I am so sorry to hear,", "it is hard."]),
        ("Oh, no, that is really awful — I am here.", ["Oh, no, that is really awful —", "I am here."]),
        ("I can hear you and I stay. Bye, all.", ["I can hear you", "and I stay.", "Bye, all."]),
        ("a b c d e f g h i j k l m.", ["a b c d e f g h i j", "k l m."]),
        ("Hi. One, two, three, four, five and six.", ["Hi.", "One, two, three, four, five and six."]),
        (
            "Yes. Ask Dr. Lee or J. Smith, e.g. at 5 p.m. there.",
            ["Yes.", "Ask Dr. Lee or J. Smith, e.g. at 5 p.m. there."],
        ),
        ("Now. At 5 p.m. We left.", ["Now.", "At 5 p.m.", "We left."]),
        (
            "Pi is 3.14. It costs $3.50. No. 5 is it. No. Yes.",
            ["Pi is 3.14.", "It costs $3.50.", "No. 5 is it.", "No.", "Yes."],
        ),
        ("Well... I see… All of it... yes.", ["Well... I see… All of it... yes."]),
        ("1. Rest\n2. Eat well", ["1. Rest", "2. Eat well"]),
        ('"Really?" he said. (Yes.) Then', ['"Really?"', "he said.", "(Yes.)", "Then"]),
        ("no capital. still two.", ["no capital.", "still two."]),
        ("no end", ["no end"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_splits(text, expected):
    assert list(phrases([text])) == expected


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(1, 30))
def test_nothing_is_lost_and_pieces_do_not_matter(text, size):
    whole = list(phrases([text]))
    assert list(phrases(text[i : i + size] for i in range(0, len(text), size))) == whole
    assert "".join("".join(whole).split()) == "".join(text.split())
    assert all(phrase == phrase.strip() and 0 < len(phrase) <= 240 for phrase in whole)


def test_a_phrase_comes_before_the_rest_is_written():
    text = "I am sorry to hear that, it must be hard. Tell me"
    written = []

    def mind():
        for word in text.split():
            written.append(word)
            yield word + " "

    stream = phrases(mind())
    assert next(stream) == "I am sorry to hear that,"
    assert len(written) == 6
    assert next(stream) == "it must be hard."
    assert len(written) == 11


def test_a_long_text_is_cut_at_clauses():
    text = "this clause is of some length and has no end, " * 2200
    cut = list(phrases([text]))
    assert all(phrase.endswith(",") for phrase in cut[1:])
    assert sum(map(len, cut)) > 0.9 * len(text)
