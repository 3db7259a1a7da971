"""`python -m train ngram`: dialogues, transcripts and a general English model → the beam's n-gram.

Writes `ngram.npz` (read by `engine.ears.ngram`) and `ngram.json` with what it was made from and its
perplexities. Takes about 15 s.
"""

import argparse
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.ears.alphabet import normalise
from engine.ears.ngram import FORMAT, NGRAM_FILE, SENTENCE_END, SENTENCE_START, UNKNOWN, NGram
from engine.errors import BadInput
from train import kneser_ney, recipe, spelling, sphinx, texts
from train.backoff import Backoff, context_of, find, last_word, mixed
from train.corpus import data_folder, read_manifest
from train.splits import Split

log = logging.getLogger(__name__)

MARKERS = (SENTENCE_START, SENTENCE_END, UNKNOWN)
LARGEST_VOCABULARY = (1 << 16) - len(MARKERS)


@dataclass(frozen=True)
class NGramRecipe:
    """The keys of `train/recipes/ngram.yaml`, where each is explained."""

    corpora: tuple[str, ...]
    vocabulary: int
    background_share: float
    max_pairs: int
    max_triples: int
    spelling_order: int
    spelling_temper: float

    def __post_init__(self) -> None:
        if self.vocabulary > LARGEST_VOCABULARY:
            raise BadInput(f"vocabulary: {self.vocabulary} is more than {LARGEST_VOCABULARY} words.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/ngram.yaml"))
    parser.add_argument("--out", type=Path, required=True, help="folder for ngram.npz and ngram.json")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, NGramRecipe)
    sentences = [*dialogue_sentences(settings.corpora, "train"), *transcripts("train")]
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / NGRAM_FILE
    np.savez_compressed(path, **build(settings, sentences))
    scores = measure(NGram.load(path), settings.corpora)
    report = {"recipe": asdict(settings), "background": sphinx.SOURCE, "scores": scores}
    path.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, figures in scores.items():
        log.info("%s %s", name, figures)


def build(settings: NGramRecipe, sentences: list[str]) -> dict[str, np.ndarray]:
    """The tensors of `NGram` from normalised sentences."""
    general = sphinx.read()
    words = _vocabulary(settings.vocabulary, sentences, general)
    number = {word: place for place, word in enumerate(words)}
    start, end, unknown = (number[marker] for marker in MARKERS)
    numbered = [[start, *(number.get(w, unknown) for w in s.split()), end] for s in sentences]
    own = kneser_ney.estimate(numbered, len(words), start)
    model = mixed(general.over(words), own, settings.background_share)
    model = model.pruned(settings.max_pairs, settings.max_triples)
    weight_of = {
        word: math.exp(settings.spelling_temper * model.word_ln[place])
        for word, place in number.items()
        if word not in MARKERS
    }
    return pack_tensors(words, model, spelling.estimate(weight_of, settings.spelling_order))


def pack_tensors(words: list[str], model: Backoff, spelling_ln: np.ndarray) -> dict[str, np.ndarray]:
    """What `NGram` reads; logarithms are rounded to 1/32, which costs nothing and halves the file."""

    def rounded(ln: np.ndarray) -> np.ndarray:
        return (np.round(ln.clip(min=-30.0) * 32) / 32).astype(np.float16)

    owner = find(model.pairs, context_of(model.triples))
    return {
        "format": np.array(FORMAT),
        "words": np.frombuffer("\n".join(words).encode("ascii"), dtype=np.uint8),
        "word_ln": rounded(model.word_ln),
        "word_backoff": rounded(model.word_backoff),
        "pairs_of_word": np.bincount(context_of(model.pairs), minlength=len(words)).astype(np.uint16),
        "pair_word": last_word(model.pairs).astype(np.uint16),
        "pair_ln": rounded(model.pair_ln),
        "pair_backoff": rounded(model.pair_backoff),
        "triples_of_pair": np.bincount(owner, minlength=len(model.pairs)).astype(np.uint16),
        "triple_word": last_word(model.triples).astype(np.uint16),
        "triple_ln": rounded(model.triple_ln),
        "spelling_ln": rounded(spelling_ln),
    }


def measure(ngram: NGram, corpora: Iterable[str]) -> dict[str, dict]:
    """Perplexity and share of unknown words on texts and speakers that nothing was estimated from."""
    held_out = {name: list(dialogue_sentences([name], "valid")) for name in corpora}
    held_out["transcripts"] = list(transcripts("validation"))
    scores = {}
    for name, sentences in held_out.items():
        words = [word for sentence in sentences for word in sentence.split()]
        if words:
            unknown = sum(ngram.find(word) < 0 for word in words) / len(words)
            scores[name] = {
                "perplexity": round(ngram.perplexity(sentences), 1),
                "unknown_share": round(unknown, 4),
                "words": len(words),
            }
    return scores


def dialogue_sentences(corpora: Iterable[str], split: texts.TextSplit) -> Iterable[str]:
    """Normalised turns. Those with digits are left out: nobody knows how they would be said."""
    for corpus in corpora:
        for text in texts.turns(corpus, split):
            if not re.search(r"\d", text) and (sentence := normalise(text)):
                yield sentence


def transcripts(split: Split) -> Iterable[str]:
    """Normalised transcripts of one split's speakers."""
    for clip in read_manifest(data_folder() / "speech.jsonl"):
        if clip.split == split and clip.text and (sentence := normalise(clip.text)):
            yield sentence


def _vocabulary(size: int, sentences: list[str], general: sphinx.SphinxModel) -> list[str]:
    """Sorted: the words of the sentences, misspellings apart, then the commonest of general English."""
    correct = sphinx.word_list()
    counts = Counter(word for sentence in sentences for word in sentence.split())
    own = {word for word, count in counts.items() if count >= 3 or word in correct}
    chosen = dict.fromkeys(sorted(own, key=lambda word: -counts[word]))
    for place in np.argsort(-general.word_ln, kind="stable"):
        if normalise(general.words[place]) == general.words[place]:
            chosen.setdefault(general.words[place])
    return sorted([*list(chosen)[:size], *MARKERS])
