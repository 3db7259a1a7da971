"""`python -m train words`: labelled dialogues → the classifier of feeling in words.

Writes `words.npz` (read by `engine.words`) and `words.json` with the recipe and its figures on texts that
were held out. Takes about two minutes on one core.
"""

import argparse
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from engine import words as runtime
from engine.emotion import EMOTIONS
from engine.words import WordsEmotion, features, softmax
from train import labelled_texts, recipe
from train.corpus import data_folder
from train.labelled_texts import LabelledText
from train.progress import ProgressLine
from train.scores import emotion_scores

log = logging.getLogger(__name__)

STRONG = 0.5
"""A sentence is called strongly emotional from this probability of a label other than neutral."""


@dataclass(frozen=True)
class WordsRecipe:
    """The keys of `train/recipes/words.yaml`, where each is explained."""

    trust: Mapping[str, float]
    seed: int
    buckets: int
    epochs: int
    batch: int
    learning_rate: float
    label_smoothing: float
    corrupted_share: float
    dropped_words: float
    misspelt_words: float
    balance: float
    known_words: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/words.yaml"))
    parser.add_argument("--out", type=Path, required=True, help="folder for words.npz and words.json")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, WordsRecipe)
    training = labelled_texts.read("train")
    table = train(settings, training)
    tensors = packed(table, _known_words(training, settings.known_words))
    temperature = _temperature(WordsEmotion(tensors), labelled_texts.read("calibration"))
    tensors |= {"scale": tensors["scale"] / temperature, "bias": tensors["bias"] / temperature}
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out / runtime.WORDS_FILE, **tensors)
    scores = measure(WordsEmotion.load(args.out))
    report = {"recipe": asdict(settings), "temperature": round(temperature, 3), "scores": scores}
    (args.out / "words.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, figures in scores.items():
        log.info("%s %s", name, {key: v for key, v in figures.items() if key != "confusion"})


class LinearTable(torch.nn.Module):
    """One row of logits per feature, summed and divided by the root of their number."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.rows = torch.nn.EmbeddingBag(buckets, len(EMOTIONS), mode="sum")
        self.bias = torch.nn.Parameter(torch.zeros(len(EMOTIONS)))
        torch.nn.init.zeros_(self.rows.weight)

    def forward(self, bags: Sequence[np.ndarray]) -> torch.Tensor:
        """n arrays of rows → (n, 7) logits."""
        lengths = torch.tensor([len(bag) for bag in bags])
        offsets = lengths.cumsum(0) - lengths
        summed = self.rows(torch.from_numpy(np.concatenate(bags)), offsets)
        return self.bias + summed / lengths[:, None].sqrt()


def train(settings: WordsRecipe, training: Sequence[LabelledText]) -> LinearTable:
    """Cross-entropy, each text weighted by how far its label is believed and how rare it is."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    labels = torch.tensor([text.label for text in training])
    trust = torch.tensor([text.weight(settings.trust) for text in training])
    weights = trust * _balance(labels, trust, settings.balance)[labels]
    clean = [features(list(text.words), settings.buckets) for text in training]
    damaged = [_damaged(text, settings, rng) for text in training]

    table = LinearTable(settings.buckets)
    optimiser = torch.optim.Adam(table.parameters(), settings.learning_rate)
    steps = settings.epochs * (len(training) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, steps)
    with ProgressLine("training") as line:
        for step in range(steps):
            place = step % (len(training) // settings.batch)
            if place == 0:
                order = rng.permutation(len(training))
            chosen = order[place * settings.batch : (place + 1) * settings.batch]
            is_damaged = rng.random(len(chosen)) < settings.corrupted_share
            bags = [(damaged if bad else clean)[i] for i, bad in zip(chosen, is_damaged, strict=True)]
            losses = F.cross_entropy(
                table(bags), labels[chosen], reduction="none", label_smoothing=settings.label_smoothing
            )
            loss = (losses * weights[chosen]).sum() / weights[chosen].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            line.update(step + 1, steps, loss=loss.item())
    return table


def packed(table: LinearTable, known: Sequence[str]) -> dict[str, np.ndarray]:
    """What `WordsEmotion` reads: int8 weights, one scale per label."""
    weights = table.rows.weight.detach().numpy()
    scale = np.abs(weights).max(axis=0).clip(min=1e-8) / 127
    return {
        "format": np.array(runtime.FORMAT),
        "weights": np.round(weights / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "bias": table.bias.detach().numpy(),
        "known": np.frombuffer("\n".join(known).encode("ascii"), dtype=np.uint8),
    }


def measure(model: WordsEmotion) -> dict[str, dict]:
    """Per corpus of the test part, and on everyday sentences that should leave it calm.

    Of the conversations about a feeling only the first turn counts, where its label fits directly.
    """
    scores = {}
    test = [t for t in labelled_texts.read("test") if t.kind in ("first_turn", "single") and not t.is_loose]
    for corpus in sorted({text.corpus for text in test}):
        texts = [text for text in test if text.corpus == corpus]
        probabilities = softmax(np.stack([model.logits(list(text.words)) for text in texts]))
        figures = emotion_scores(EMOTIONS, probabilities, [EMOTIONS[text.label] for text in texts])
        scores[corpus] = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    everyday = data_folder() / "text" / "neutral_sentences.jsonl"
    with everyday.open(encoding="utf-8") as lines:
        answers = [model.recognize(json.loads(line)["text"]) for line in lines]
    calm = [
        answer is None or max(answer.values()) < STRONG or answer["neutral"] >= STRONG for answer in answers
    ]
    is_neutral = [answer is None or max(answer, key=answer.get) == "neutral" for answer in answers]
    scores["everyday"] = {
        "not_strongly_emotional": round(float(np.mean(calm)), 4),
        "neutral_or_abstained": round(float(np.mean(is_neutral)), 4),
        "n": len(answers),
    }
    return scores


def _balance(labels: torch.Tensor, trust: torch.Tensor, power: float) -> torch.Tensor:
    """(7,) weights; rare labels count more, but no more than ten times the commonest."""
    share = torch.bincount(labels, trust, len(EMOTIONS))
    weights = (share.mean() / share) ** power
    return weights.clamp(max=10 * float(weights.min()))


def _damaged(text: LabelledText, settings: WordsRecipe, rng: np.random.Generator) -> np.ndarray:
    heard = labelled_texts.corrupted(text.words, settings.dropped_words, settings.misspelt_words, rng)
    return features(list(heard), settings.buckets)


def _known_words(training: Sequence[LabelledText], count: int) -> list[str]:
    counts = Counter(word for text in training for word in text.words)
    return sorted(word for word, _ in counts.most_common(count))


def _temperature(model: WordsEmotion, held_out: Sequence[LabelledText]) -> float:
    """The divisor of the logits that makes held-out texts likeliest (Guo et al. 2017), corpora as equals."""
    texts = [text for text in held_out if text.kind in ("first_turn", "single") and not text.is_loose]
    logits = np.stack([model.logits(list(text.words)) for text in texts])
    sizes = Counter(text.corpus for text in texts)
    weights = np.array([1 / sizes[text.corpus] for text in texts])
    labels = np.array([text.label for text in texts])

    def surprise(temperature: float) -> float:
        chosen = softmax(logits / temperature)[np.arange(len(texts)), labels]
        return -float(weights @ np.log(chosen.clip(min=1e-12)))

    return min(np.geomspace(0.3, 3.0, 93).tolist(), key=surprise)
