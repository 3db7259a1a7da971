"""A real n-gram, estimated from a few sentences in milliseconds."""

from engine.ears.ngram import SENTENCE_END, SENTENCE_START, UNKNOWN, NGram
from train import kneser_ney, spelling
from train.ngram import pack_tensors

SENTENCES = [
    "i am so happy today",
    "i am happy for you",
    "i have a dog",
    "my dog died today",
    "so do i",
    "you do not know my dog",
    "the dog is so happy",
]


def toy_ngram(sentences: list[str] = SENTENCES) -> NGram:
    markers = (SENTENCE_START, SENTENCE_END, UNKNOWN)
    words = sorted({word for sentence in sentences for word in sentence.split()} | set(markers))
    start, end, _ = (words.index(marker) for marker in markers)
    numbered = [[start, *map(words.index, sentence.split()), end] for sentence in sentences]
    spelled = spelling.estimate({word: 1.0 for word in words if word not in markers}, order=3)
    return NGram(pack_tensors(words, kneser_ney.estimate(numbered, len(words), start).normalised(), spelled))
