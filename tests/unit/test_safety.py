"""A person in danger gets the fixed words, everyday speech does not, and the mind claims no human past."""

import time
from pathlib import Path

import pytest
import yaml

from engine.safety import PAGE_LINE, SafetyReply, check, claims_human_past

SENTENCES = yaml.safe_load(Path(__file__).with_name("safety_sentences.yaml").read_text(encoding="utf-8"))
EVERYDAY = SENTENCES.pop("everyday")


def replies() -> dict[str, SafetyReply]:
    return {kind: check(sentences[0]) for kind, sentences in SENTENCES.items()}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, sentences in SENTENCES.items() for text in sentences]
)
def test_danger_is_answered_with_the_fixed_words(kind: str, text: str) -> None:
    reply = check(text)
    assert reply is not None
    assert reply.kind == kind


@pytest.mark.parametrize("text", EVERYDAY)
def test_everyday_speech_is_left_to_the_mind(text: str) -> None:
    assert check(text) is None


@pytest.mark.parametrize("kind", [kind for kind in SENTENCES if kind != "program"])
def test_wording_names_the_emergency_numbers_and_is_short(kind: str) -> None:
    reply = replies()[kind]
    for number in (
        "112 in the EU",
        "911 in the US and Canada",
        "999 in the UK",
        "your local emergency number",
    ):
        assert number in reply.text
    assert ("findahelpline.com" in reply.text) == (kind != "emergency")
    assert len(reply.text.split()) <= 80
    assert "<" not in reply.text


def test_it_says_that_it_is_a_program() -> None:
    assert "program, not a person" in replies()["program"].text
    assert "not therapy" in PAGE_LINE
    assert "English" in PAGE_LINE


def test_a_language_without_a_file_is_read_in_english() -> None:
    assert check("i want to kill myself", language="../xx") == check("i want to kill myself")


def test_silence_and_very_long_text() -> None:
    assert check("") is None
    started = time.perf_counter()
    assert check("i went to the market and then my friend he said that i want to go home " * 2000) is None
    assert check("so i told her about the day " * 5000 + "and i want to kill myself").kind == "suicide"
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "sentence",
    """
        When I was a kid, we had a garden.
        My wife loves that film too.
        As a human, I understand that.
        I'm a mother myself.
        I grew up in a small town.
        I've been there.
        I remember when I failed my own exam.
        My best friend lost her job last year.
        My dog died too.
        I'll make some pasta for you.
        I'm just going to bed.
    """.strip().splitlines(),
)
def test_a_human_past_is_noticed(sentence: str) -> None:
    assert claims_human_past(sentence)


@pytest.mark.parametrize(
    "sentence",
    """
        I'm not a person, but I'm listening.
        I'm a program.
        What was your grandmother like?
        Your wife may be more understanding than you think.
        Losing a dog hurts.
        I'm sorry to hear about your mother.
        Do you remember when it started?
        As a parent, you did well.
        I'll see you tomorrow.
        I'll do my best.
    """.strip().splitlines(),
)
def test_an_honest_sentence_passes(sentence: str) -> None:
    assert not claims_human_past(sentence)
