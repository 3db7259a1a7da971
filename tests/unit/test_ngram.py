import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_ngram import SENTENCES, toy_ngram

from engine.ears import alphabet
from engine.ears.ngram import SYMBOLS, NGram
from engine.errors import PartMissing
from train import kneser_ney
from train.backoff import Backoff, find, last_word, mixed, pack

NGRAM = toy_ngram()


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=50)
def test_normalise_stays_in_the_alphabet_and_is_idempotent(text):
    normal = alphabet.normalise(text)
    assert alphabet.normalise(normal) == normal
    assert alphabet.decode(alphabet.encode(text)) == normal
    assert "  " not in normal and normal == normal.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t  STOP!", "don't stop"),
        ("‘Éric’s’ well-known Straße", "eric's well known strasse"),
        ("", ""),
        ("42 — ?!", ""),
    ],
)
def test_normalise(text, expected):
    assert alphabet.normalise(text) == expected


@pytest.mark.parametrize("context", ["", "<s>", "i", "i am", "my dog", "dog dog", "<s> i", "happy happy"])
def test_every_context_sums_to_one(context):
    numbers = [NGRAM.find(word) for word in context.split()]
    total = sum(math.exp(NGRAM.score(numbers, word)) for word in range(len(NGRAM.words)))
    assert total == pytest.approx(1.0, abs=0.03)  # logarithms are stored in steps of 1/32


def test_a_seen_continuation_is_likelier():
    def score(context, word):
        return NGRAM.score([NGRAM.find(w) for w in context.split()], NGRAM.find(word))

    assert score("so", "happy") > score("so", "dog")
    assert score("my", "dog") > score("", "dog")


def test_unknown_words_are_told_apart():
    assert NGRAM.find("dog") >= 0
    assert NGRAM.find("zebra") == -1
    assert NGRAM.find("do ") == -1


@given(st.integers(0, SYMBOLS**2 - 1))
@settings(deadline=None, max_examples=30)
def test_spelling_sums_to_one_in_every_state(state):
    total = sum(math.exp(NGRAM.spelling(state, symbol)[0]) for symbol in range(SYMBOLS))
    assert total == pytest.approx(1.0, abs=0.03)


def test_spelling_knows_english():
    assert NGRAM.spelling_of("dogs") > NGRAM.spelling_of("gdso")


def test_perplexity_is_lower_on_what_was_learned():
    assert NGRAM.perplexity(SENTENCES) < 10 < NGRAM.perplexity(["dog today a for know"])


def test_a_missing_or_foreign_file_is_one_sentence(tmp_path):
    with pytest.raises(PartMissing, match="ngram"):
        NGram.load(tmp_path / "ngram.npz")
    (tmp_path / "ngram.npz").write_bytes(b"not an archive")
    with pytest.raises(PartMissing, match="ngram"):
        NGram.load(tmp_path / "ngram.npz")
    np.savez(tmp_path / "ngram.npz", format=np.array(99))
    with pytest.raises(PartMissing, match="another version"):
        NGram.load(tmp_path / "ngram.npz")


def random_model(seed: int, vocabulary: int = 12) -> Backoff:
    rng = np.random.default_rng(seed)
    sentences = [[0, *rng.integers(2, vocabulary, rng.integers(1, 9)), 1] for _ in range(80)]
    return kneser_ney.estimate(sentences, vocabulary, start=0)


def totals(model: Backoff) -> np.ndarray:
    """Sum of P over all words, for every context of two words."""
    size = len(model.word_ln)
    oldest, previous, word = (axis.ravel() for axis in np.indices((size, size, size)))
    return np.exp(model.ln_of_triples(pack(oldest, previous, word))).reshape(-1, size).sum(axis=1)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50), st.floats(0.05, 0.95), st.integers(0, 60), st.integers(0, 60))
def test_mixing_and_pruning_keep_a_probability(seed, share, max_pairs, max_triples):
    model = random_model(seed)
    assert totals(model) == pytest.approx(1.0)
    both = mixed(model, random_model(seed + 1), share)
    assert totals(both) == pytest.approx(1.0, abs=1e-3)
    pruned = both.pruned(max_pairs, max_triples)
    assert totals(pruned) == pytest.approx(1.0, abs=1e-3)
    assert len(pruned.triples) <= max_triples
    assert (find(pruned.pairs, pruned.triples >> 17) >= 0).all()
    assert (last_word(pruned.pairs) < 12).all()
