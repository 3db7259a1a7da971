import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_ngram import toy_ngram

from engine.ears import beam
from engine.ears.align import FRAME_S, align
from engine.ears.alphabet import BLANK, NUM_CLASSES, SPACE, decode, encode
from engine.ears.beam import Beam, BeamOptions
from train.beam import Utterance, compare, error_rate

NGRAM = toy_ngram()
FOR_TOYS = BeamOptions(alpha=0.7, beta=0.5)
"""A toy lexicon needs less weight than the real one, whose words are many."""
EXHAUSTIVE = BeamOptions(width=10**6, prune_ln=500.0, character_floor_ln=50.0)
LETTERS = (BLANK, SPACE, *encode("do"))  # "do" is a word, "d", "o", "od" … are not

small_log_probs = st.builds(
    lambda seed, frames: few_letters(np.random.default_rng(seed).normal(0, 2, (frames, len(LETTERS)))),
    st.integers(0, 10**6),
    st.integers(1, 6),
)


def few_letters(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities in which only LETTERS can occur."""
    log_probs = np.full((len(logits), NUM_CLASSES), -np.inf, dtype=np.float32)
    log_probs[:, LETTERS] = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return log_probs


def all_texts(log_probs: np.ndarray) -> dict[str, float]:
    """ln P of every text, by adding up every alignment."""
    texts: dict[str, float] = {}
    for path in itertools.product(LETTERS, repeat=len(log_probs)):
        ids = [c for c, _ in itertools.groupby(path) if c != BLANK]
        text = " ".join(decode(ids).split())
        ln = float(sum(frame[c] for frame, c in zip(log_probs, path, strict=True)))
        texts[text] = np.logaddexp(texts.get(text, -np.inf), ln)
    return texts


def language_ln(text: str, options: BeamOptions, hot_words: dict[str, float] | None = None) -> float:
    context, total = [NGRAM.start], 0.0
    for word in text.split():
        number, hot_ln = NGRAM.find(word), (hot_words or {}).get(word)
        if number < 0:
            number = NGRAM.unknown
            ln = options.alpha * (NGRAM.score(context, number) + NGRAM.spelling_of(word)) + options.unknown_ln
            total += ln if hot_ln is None else max(ln, options.alpha * hot_ln)
        else:
            ln = NGRAM.score(context, number)
            total += options.alpha * (ln if hot_ln is None else float(np.logaddexp(ln, hot_ln)))
        total += options.beta
        context.append(number)
    return total


def spoken(text: str, frames_per_character: int = 2) -> np.ndarray:
    """Log-probabilities that say `text` clearly."""
    path = [c for character in encode(text) for c in (character, *[BLANK] * (frames_per_character - 1))]
    log_probs = np.full((len(path), NUM_CLASSES), math.log(0.05 / (NUM_CLASSES - 1)), dtype=np.float32)
    log_probs[np.arange(len(path)), path] = math.log(0.95)
    return log_probs


@given(small_log_probs)
@settings(deadline=None, max_examples=40)
def test_without_language_it_is_the_sum_over_alignments(log_probs):
    found = beam.search(log_probs, options=EXHAUSTIVE)
    texts = all_texts(log_probs)
    assert found.score_ln == pytest.approx(max(texts.values()), abs=1e-4)
    assert texts[found.text] == pytest.approx(max(texts.values()), abs=1e-4)


@given(
    small_log_probs,
    st.floats(0, 2),
    st.floats(-2, 3),
    st.floats(-5, 1),
    st.dictionaries(st.sampled_from(["do", "od", "oo", "dodo"]), st.floats(-8, -0.5)),
)
@settings(deadline=None, max_examples=40)
def test_with_language_it_maximises_the_stated_score(log_probs, alpha, beta, unknown_ln, hot_words):
    options = BeamOptions(10**6, 500.0, 50.0, alpha=alpha, beta=beta, unknown_ln=unknown_ln)
    found = beam.search(log_probs, NGRAM, options, hot_words)
    scores = {text: ln + language_ln(text, options, hot_words) for text, ln in all_texts(log_probs).items()}
    assert found.score_ln == pytest.approx(max(scores.values()), abs=1e-3)
    assert scores[found.text] == pytest.approx(found.score_ln, abs=1e-3)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 12), max_size=3))
@settings(deadline=None, max_examples=30)
def test_in_pieces_or_at_once_is_the_same(seed, cuts):
    logits = np.random.default_rng(seed).normal(0, 3, (12, NUM_CLASSES))
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    stream = Beam(NGRAM)
    for piece in np.split(log_probs, sorted(cuts)):
        stream.advance(piece)
        assert math.isfinite(stream.best().score_ln)
    assert stream.best() == beam.search(log_probs, NGRAM)


@pytest.mark.parametrize("text", ["my dog died today", "so do i", "i am happy for you", "zebra"])
def test_clear_speech_is_written_as_it_is(text):
    assert beam.greedy(spoken(text)) == text
    assert beam.search(spoken(text), NGRAM, FOR_TOYS).text == text


def test_the_lexicon_repairs_a_spelling():
    log_probs = spoken("my dok died today")
    place = 2 * "my dok".index("k")
    log_probs[place, encode("g")] = math.log(0.2)
    assert beam.greedy(log_probs) == "my dok died today"
    assert beam.search(log_probs, NGRAM).text == "my dog died today"


def test_a_hot_word_wins_where_the_sounds_leave_room():
    log_probs = spoken("my dog")
    log_probs[2 * "my dog".index("g"), encode("t")] = math.log(0.7)
    assert beam.search(log_probs, NGRAM).text == "my dog"
    assert beam.search(log_probs, NGRAM, hot_words={"dot": math.log(0.9)}).text == "my dot"


@given(small_log_probs, small_log_probs, small_log_probs)
@settings(deadline=None, max_examples=30)
def test_after_going_back_it_is_as_if_nothing_had_been(heard, forgotten, then):
    straight, back = beam.Beam(NGRAM), beam.Beam(NGRAM)
    straight.advance(heard)
    back.advance(heard)
    mark = back.mark()
    back.advance(forgotten)
    back.rewind(mark)
    assert back.best() == straight.best()
    back.advance(then)
    straight.advance(then)
    assert back.best().text == straight.best().text
    assert back.best().score_ln == pytest.approx(straight.best().score_ln)


def test_settled_words_stay():
    search, settled = beam.Beam(NGRAM, FOR_TOYS), [""]
    for frame in spoken("i am so happy today my dog died"):
        search.advance(frame[None])
        settled.append(search.settled())
        assert f"{search.best().text} ".startswith(f"{settled[-1]} ".lstrip())
    assert all(f"{later} ".startswith(f"{sooner} ".lstrip()) for sooner, later in itertools.pairwise(settled))
    assert settled[-1].startswith("i am so happy")


def test_silence_is_empty():
    log_probs = np.full((100, NUM_CLASSES), -12.0, dtype=np.float32)
    log_probs[:, BLANK] = 0.0
    assert beam.search(log_probs, NGRAM).text == beam.greedy(log_probs) == ""
    nothing = np.zeros((0, NUM_CLASSES), dtype=np.float32)
    assert beam.search(nothing, NGRAM).text == beam.greedy(nothing) == ""


def test_certain_frames_are_no_dead_end():
    log_probs = np.full((6, NUM_CLASSES), -np.inf, dtype=np.float32)
    log_probs[range(6), [*encode("dd"), SPACE, SPACE, *encode("oo")]] = 0.0
    assert beam.search(log_probs, NGRAM).text == "d o"


def test_noise_is_decoded_in_real_time():
    logits = np.random.default_rng(1).normal(0, 2, (500, NUM_CLASSES))
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    started = time.process_time()
    beam.search(log_probs, NGRAM)
    assert time.process_time() - started < 10.0


def test_every_word_is_found_where_it_was_said():
    text = "my dog died today"
    log_probs = spoken(text)
    words = align(log_probs, text)
    assert [word.text for word in words] == text.split()
    for word in words:
        first = 2 * text.index(word.text)
        assert word.start_s == pytest.approx(first * FRAME_S)
        assert word.end_s == pytest.approx((first + 2 * len(word.text) - 1) * FRAME_S)
        assert math.exp(word.sounds_ln) == pytest.approx(0.95, abs=0.01)


def test_a_guessed_word_fits_the_sounds_less():
    log_probs = spoken("my dok died today")
    words = align(log_probs, "my dog died today")
    assert min(words, key=lambda word: word.sounds_ln).text == "dog"
    assert align(log_probs, "") == []


@given(small_log_probs)
@settings(deadline=None, max_examples=40)
def test_words_follow_each_other(log_probs):
    text = beam.search(log_probs, options=EXHAUSTIVE).text
    words = align(log_probs, text)
    assert [word.text for word in words] == text.split()
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(words))
    assert all(0 <= word.start_s < word.end_s <= len(log_probs) * FRAME_S for word in words)


def test_tuning_reports_each_improvement():
    heard = [Utterance([spoken("my dok"), spoken("died today")], "my dog died today")]
    reports = list(compare(heard, NGRAM))
    assert [report["decoder"] for report in reports[:3]] == ["greedy", "lexicon", "n-gram"]
    assert reports[0]["wer"] == error_rate(heard, beam.greedy) == 0.25
    rates = [report["wer"] for report in reports[2:]]
    assert rates == sorted(rates, reverse=True)
