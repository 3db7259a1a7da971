"""The page to look back on: what it says of a conversation, and that what was said stays text."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange import Exchange
from app.page.routes import STATIC
from app.record import feelings
from app.record.reflection import reflection
from app.record.sentences import LONGEST_WORDS, sentences
from app.record.stretches import LONGEST, MOST, stretches
from app.record.summary import summary
from app.record.telling import Everyday, Topics
from engine.asr import Word
from engine.conversation import Heard
from engine.ears.ngram import NGRAM_FILE
from engine.emotion import EMOTIONS, NOTHING_HEARD, Emotion
from engine.errors import PartMissing
from engine.facade import MINI

DAY = date(2026, 11, 25)
LETTER = {"n": "neutral", "h": "happy", "s": "sad", "a": "angry", "f": "fearful"}


@pytest.fixture(scope="module")
def everyday() -> Everyday:
    return Everyday.load(MINI / NGRAM_FILE)


def emotion(label: str, score: float = 0.8) -> Emotion:
    rest = (1 - score) / 6
    return Emotion({each: score if each == label else rest for each in EMOTIONS})


def felt(letters: str) -> list[Emotion]:
    """One letter a turn; "?" is not sure."""
    return [emotion(LETTER[letter]) if letter in LETTER else NOTHING_HEARD for letter in letters]


def typed(text: str, letter: str = "s", **values) -> Exchange:
    return Exchange(Heard(text, felt(letter)[0], is_typed=True), **values)


def page(exchanges, everyday, **options) -> str:
    return reflection(exchanges, everyday, day=DAY, **options)


def words_of(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html[html.index("<body>") :])


class Elements(HTMLParser):
    """All tags, with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


# Where the feeling turns


@pytest.mark.parametrize(
    ("letters", "lengths"),
    [
        ("", []),
        ("s", [1]),
        ("????", [4]),
        ("sssshhh", [4, 3]),
        ("sshh", [2, 2]),
        ("sh", [1, 1]),
        ("sssasss", [7]),
        ("sssaasss", [3, 2, 3]),
        ("??sss?hh?", [6, 3]),
        ("sss?sss", [7]),
        ("ssshhhaaa", [3, 3, 3]),
    ],
)
def test_a_stretch_ends_where_the_feeling_turns_and_blips_join_their_neighbours(letters, lengths):
    assert [len(part) for part in stretches(felt(letters))] == lengths


def test_a_long_stretch_is_cut_in_equal_parts():
    assert [len(part) for part in stretches(felt("s" * (2 * LONGEST + 1)))] == [8, 8, 9]


@given(st.text(alphabet="nhsaf?", max_size=300))
@settings(max_examples=60, deadline=None)
def test_stretches_are_all_turns_in_order_and_never_too_many(letters):
    parts = stretches(felt(letters))
    assert [turn for part in parts for turn in part] == list(range(len(letters)))
    assert len(parts) <= 2 * MOST


# What was said


def test_sentences_end_at_their_marks_and_not_at_titles():
    heard = Heard("So I went to Dr. Lee. “It is fine!” she said… I am not so sure")
    assert [each.text for each in sentences(heard)] == [
        "So I went to Dr. Lee.",
        "“It is fine!”",
        "she said…",
        "I am not so sure",
    ]


def test_speech_without_a_full_stop_is_cut_where_one_can():
    heard = Heard("I went there " * 9 + "because " + "he asked me to " * 12)
    first, *_, last = parts = sentences(heard)
    assert first.text.endswith("I went there …")
    assert last.text.startswith("… ")
    assert all(each.length <= LONGEST_WORDS for each in parts)
    assert " ".join(each.text.strip("… ") for each in parts) == heard.text.strip()


def test_what_was_said_most_tellingly_is_quoted(everyday):
    said = "Well, you know how it is. My mother has been in the hospital since Monday. Yes, that's right."
    told = Topics(everyday, [sentences(Heard(said))]).telling(range(1))
    assert [each.text for each in told] == ["My mother has been in the hospital since Monday."]


def test_what_comes_again_counts_more(everyday):
    turns = ["The harbour was cold.", "I like the garden.", "The garden needs rain.", "My garden!"]
    topics = Topics(everyday, [sentences(Heard(text)) for text in turns])
    assert topics.telling(range(2))[0].text == "I like the garden."


def test_sentences_with_doubted_words_lose(everyday):
    sure, unsure = "My brother plays the violin.", "My sister paints the ceiling."
    words = tuple(Word(word, 0.0, 0.1, 0.9 if word in sure else 0.3) for word in f"{sure} {unsure}".split())
    for text in (f"{sure} {unsure}", f"{unsure} {sure}"):
        heard = Heard(text, words=tuple(sorted(words, key=lambda word: text.index(word.text))))
        told = Topics(everyday, [sentences(heard)]).telling(range(1))
        assert [each.text for each in told] == [sure]


def test_key_words_add_to_what_is_quoted(everyday):
    said = "My mother has been in the hospital since Monday. The doctor has operated. And the corridor!"
    topics = Topics(everyday, [sentences(Heard(said))])
    told = topics.telling(range(1))
    assert topics.key_words(range(1), told) == ["operated", "corridor", "doctor"]


def test_without_the_words_frequencies_it_is_one_sentence(tmp_path):
    with pytest.raises(PartMissing, match="restore"):
        Everyday.load(tmp_path / NGRAM_FILE)


# In a sentence


@pytest.mark.parametrize(
    ("turns", "letters", "expected"),
    [
        (0, "", "Nothing has been said yet."),
        (1, "s", "One turn, and there was sadness in it."),
        (1, "n", "One turn, and no strong feeling in it."),
        (8, "sh", "Eight turns; it began heavy, with sadness, and grew lighter, with joy."),
        (8, "ns", "Eight turns; it began even, and grew heavier, with sadness."),
        (13, "sn", "13 turns; it began heavy, with sadness, and grew lighter."),
        (3, "sf", "Three turns; it began heavy, with sadness, and turned to fear."),
        (
            9,
            "shas",
            "it began heavy, with sadness, and ended as it began. In between there was joy and anger.",
        ),
        (4, "?", "Four turns; I could not tell how most of them felt."),
        (5, "s", "Five turns, and there was sadness in most of them."),
    ],
)
def test_the_whole_in_a_sentence_or_two(turns, letters, expected):
    assert expected in summary(felt(letters[:1] * turns), felt(letters))


def test_what_was_not_told_for_sure_is_not_said_of_most(everyday):
    assert "in some of them" in summary(felt("?s?s?"), felt("?s"))
    html = page([typed("Hello there.", letter) for letter in "?s????????"], everyday)
    assert "Ten turns; I could not tell how most of them felt." in html


def test_what_the_person_says_gets_no_strength_that_nobody_heard(everyday):
    html = page([typed("Hello there.", "s", correction="angry")], everyday)
    assert "<h2>Angry, as you said</h2>" in html
    assert "clearly" not in html.lower()


def test_the_page_and_the_saved_page_mean_the_same_by_a_feeling():
    for script, table in (("timeline.js", feelings.LIGHTNESS), ("texts/en.js", feelings.ADJECTIVES)):
        source = (STATIC / script).read_text(encoding="utf-8")
        for label, value in table.items():
            assert re.search(
                rf'\b{label}: "?{value:g}"?' if isinstance(value, float) else rf'{label}: "{value}"', source
            )


# The page


TALK = [
    typed("I have been sleeping badly since my mother went to the hospital.", "s"),
    typed("Nobody will tell me how long she has to stay.", "s"),
    typed("", "?"),
    Exchange(Heard("", felt("s")[0], is_foreign=True, speech_s=1.0)),
    typed("The nurse said that she may come home on Friday!", "h"),
    typed("I will plant some tomatoes on the balcony.", "a", correction="happy"),
]


def test_the_page_tells_the_stretches_in_the_persons_own_words(everyday):
    html = page(TALK, everyday)
    told = " ".join(words_of(html).split())
    assert "25 November 2026" in told
    assert "Five turns; it began heavy, with sadness, and grew lighter, with joy." in told
    first, second = re.findall(r"<li class=.*?</li>", html)
    assert "Clearly sad" in first and "turns 1 to 3" in first and "sleeping badly since my mother" in first
    assert "Clearly happy" in second and "turns 4 to 5" in second and "tomatoes on the balcony" in second
    assert html.count("<circle") == 5
    assert len(re.findall(r'<circle class="happy corrected"', html)) == 1


def test_words_that_were_not_understood_are_not_invented(everyday):
    assert "did not understand" in page([TALK[3]], everyday)


@pytest.mark.parametrize("exchanges", [[], [TALK[2]]], ids=["empty", "silent"])
def test_an_empty_conversation_is_a_sentence(everyday, exchanges):
    told = words_of(page(exchanges, everyday))
    assert "Nothing has been said yet." in told
    assert "lighter" not in told


@pytest.mark.parametrize("turns", [1, 2, 61, 300])
def test_it_works_for_any_length(everyday, turns):
    html = page(
        [typed(f"My word number {turn} is here.", "nhsaf"[turn // 7 % 5]) for turn in range(turns)], everyday
    )
    assert f"turn{'s 1 to' * (turns > 1)} {turns}" in html
    assert 1 <= html.count("<li ") <= 2 * MOST
    assert len(html) < 30_000


HOSTILE = """<script>alert(1)</script> & "quoted" 'single' <img src=x onerror=alert(1)> </style></title>"""


@given(st.text(max_size=200) | st.just(HOSTILE), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_stays_text(everyday, said, reply):
    harmless = [tag for tag, _ in Elements(page([typed("so"), typed("so")], everyday)).found]
    found = Elements(page([typed(said, reply=reply), typed(said)], everyday)).found
    assert {tag for tag, _ in found} <= {*harmless, "blockquote", "p"}
    assert not any(name.startswith("on") or name in ("src", "href") for _, given in found for name in given)


def test_it_needs_nothing_else_and_can_do_nothing(everyday):
    html = page([typed(HOSTILE)], everyday)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    tags = [tag for tag, _ in Elements(html).found]
    assert not {"script", "img", "link", "iframe", "object", "a", "form"}.intersection(tags)
    assert not re.search(r"url\(|@import|https?:", html)
    assert "default-src 'none'" in html


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_light_and_dark_can_be_forced(everyday, theme):
    assert f'<html lang="en" data-theme="{theme}">' in page(TALK, everyday, theme=theme)
