"""What a model writes becomes speech, whatever pieces it comes in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llm.shaping import ENOUGH_WORDS, MAX_WORDS, ReplyShaper


def shaped(pieces: list[str], *, is_complete: bool = True) -> str:
    shaper = ReplyShaper()
    said = "".join(shaper.feed(piece) for piece in pieces)
    return (said + shaper.close(is_complete=is_complete)).rstrip()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("I'm so sorry. What happened?", "I'm so sorry. What happened?"),
        ("  Sounds good", "Sounds good"),
        ("", ""),
        # markdown, lists, emoji, stage directions
        ("**Really?** That is `great`! 🎉 Well done :)", "Really? That is great! Well done"),
        ("*smiles warmly* I'm glad. (laughs) Go on.", "I'm glad. Go on."),
        ("*gently nods* I see.", "I see."),
        ("I *really* mean it.", "I really mean it."),
        ("You could:\n1. Take a walk.\n2. Call a friend.", "You could: Take a walk. Call a friend."),
        ("- Rest\n- Eat something", "Rest Eat something"),
        ("# Idea\nRead [this page](http://example.org).", "Idea Read this page."),
        # numbers and abbreviations do not end a sentence
        ("It is 3.5 miles to Dr. Lee. Go now.", "It is 3.5 miles to Dr. Lee. Go now."),
        # other roles, control tokens, the model's own name, hidden thoughts
        ("Sure.\nUser: and then?", "Sure."),
        ("Sure thing Human: and then?", "Sure thing"),
        ("Hello there.<|im_end|>\n<|im_start|>user", "Hello there."),
        ("Assistant: Hello there.", "Hello there."),
        ("**Attune:** Hello there.", "Hello there."),
        ("<think>\nThey are sad. User: x\n</think>\n\nI'm sorry.", "I'm sorry."),
        ("<think> it never ends.", ""),
        # a new paragraph ends the reply, unless only an opening came before
        ("That must hurt, I am sorry.\n\nAs a language model I know.", "That must hurt, I am sorry."),
        ("Sure!\n\nTake a walk.", "Sure! Take a walk."),
        # loops
        ("I'm here for you. I'm here for you. I'm here for you.", "I'm here for you."),
        ("I am so sorry I am so sorry I am so sorry.", "I am so sorry."),
        ("No no no no no no!", "No."),
        ("It is very very good.", "It is very very good."),
        ("I'm so sorry, I'm so sorry, I'm so sorry. Go on.", "I'm so sorry,"),
        # a human past
        ("When I was a kid, I had a dog. What was yours called?", "What was yours called?"),
        ("That hurts, my wife left me too. What now?", "What now?"),
        ("That must have hurt, my wife left me too. What now?", "That must have hurt, What now?"),
    ],
)
def test_reply(raw: str, said: str) -> None:
    assert shaped([raw]) == said


def test_the_first_clause_is_said_before_the_sentence_ends() -> None:
    shaper = ReplyShaper()
    assert shaper.feed("I'm so sorry, ") == "I'm so sorry, "
    assert shaper.feed("that must hurt") == ""
    assert shaper.feed(". What") == "that must hurt. "
    assert shaper.close() == "What "


def test_it_ends_after_enough_words_at_a_sentence_end() -> None:
    sentences = [f"This is sentence number {word} of many." for word in "abcdefghijklmnop"]
    shaper = ReplyShaper()
    said = shaper.feed(" ".join(sentences))
    assert shaper.is_done
    assert ENOUGH_WORDS <= len(said.split()) < ENOUGH_WORDS + 8
    assert said.endswith("of many. ")


def test_an_endless_sentence_is_cut() -> None:
    words = [f"word{number}" for number in range(500)]
    assert shaped([" ".join(words)]).split() == words[:MAX_WORDS]


def test_a_half_sentence_is_said_only_if_it_is_all_there_is() -> None:
    assert shaped(["I hear you. And then the"], is_complete=False) == "I hear you."
    assert shaped(["And then the"], is_complete=False) == "And then the"


WORDS = ["I'm so sorry", "that hurts", "my wife", "no", "é", "Dr", "3.5", "1.", "🎉"]
MARKS = [*",.!?…:-()", " ", "\n", "\n\n", "*smiles*", "**", "[x]"]
STOPS = ["User", "Assistant", "<|im_end|>", "<think>", "</think>"]
PARTS = st.sampled_from([*WORDS, *MARKS, *STOPS])


@given(parts=st.lists(PARTS, max_size=60), cuts=st.lists(st.integers(0, 400), max_size=20))
def test_pieces_do_not_matter(parts: list[str], cuts: list[int]) -> None:
    raw = "".join(parts)
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    whole = shaped([raw])
    assert shaped([raw[a:b] for a, b in pairwise(edges)]) == whole
    assert shaped(list(raw)) == whole


@given(raw=st.text(max_size=400))
def test_nothing_unspeakable_comes_out(raw: str) -> None:
    said = shaped(list(raw))
    assert not set("*_`#<>[]()|") & set(said)
    assert "\n" not in said
    assert len(said.split()) <= 2 * MAX_WORDS
