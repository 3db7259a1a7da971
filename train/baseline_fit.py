"""Fits the relative head: every training clip is heard after a random history of its speaker, or none.

Called by `train.baseline` for each candidate. A real history is short, and no fair sample of a person's
moods, so the simulated ones are neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from engine.ears.network import HEAD_EMOTIONS
from engine.ears.relative import RelativeHead
from train.evaluation.recogniser import Heard, Recogniser
from train.evaluation.speakers import who

NEUTRAL = tuple(HEAD_EMOTIONS.index(label) for label in ("neutral", "calm"))
IN_MOOD, OUT_OF_MOOD = 1.0, 0.01
"""How likely a turn of the history's mood is drawn, and any other."""


@dataclass(frozen=True)
class BaselineRecipe:
    """The keys of `train/recipes/baseline.yaml`, where each is explained."""

    seed: int
    steps: int
    redraw_steps: int
    learning_rate: float
    weight_decay: float
    penalty: float
    label_smoothing: float
    turns: tuple[int, ...]
    skewed_share: float
    corpus_weights: Mapping[str, float]
    neutral_clips: int
    neutral_clip_s: float
    prior_turns: tuple[float, ...]
    shares: tuple[float, ...]
    feeling_removed: float
    most_false_alarms: float


class Histories:
    """Heard clips as arrays, and what their speakers may have said before each."""

    def __init__(self, heard: Heard, recogniser: Recogniser, feeling_removed: float) -> None:
        """Clips without a label are natural reading: neutral."""
        spoken = [(clip, voice) for clip, voice in heard if voice.vector is not None]
        self.vectors = np.array([voice.vector for _, voice in spoken], dtype=np.float32)
        self.labels = np.array([HEAD_EMOTIONS.index(clip.emotion or "neutral") for clip, _ in spoken])
        self.corpora = np.array([clip.corpus for clip, _ in spoken])
        self.feelings = feeling_removed * self._differences()
        felt = np.exp([recogniser.calibrated(voice) for _, voice in spoken])
        self._own_voices = self.vectors - felt.astype(np.float32) @ self.feelings
        names = [" ".join(who(clip)) for clip, _ in spoken]
        self._turns_of = {name: np.flatnonzero(np.array(names) == name) for name in set(names)}
        self._others = [self._turns_of[name] for name in names]

    def population(self) -> np.ndarray:
        """(4 * width,): the mean of the speakers' means, so that nobody counts for having said more."""
        return np.mean([self.vectors[turns].mean(axis=0) for turns in self._turns_of.values()], axis=0)

    def _differences(self) -> np.ndarray:
        """(8, 4 * width): how a voice with each feeling differs from the mean of its corpus, on average."""
        rows = np.zeros((len(HEAD_EMOTIONS), self.vectors.shape[1]), dtype=np.float32)
        for label in np.unique(self.labels):
            rows[label] = np.mean(
                [
                    self.vectors[(self.corpora == corpus) & (self.labels == label)].mean(axis=0)
                    - self.vectors[self.corpora == corpus].mean(axis=0)
                    for corpus in np.unique(self.corpora[self.labels == label])
                ],
                axis=0,
            )
        return rows

    def draw(self, settings: BaselineRecipe, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """For every clip the number of turns before it, and their mean own voice: (n,) and (n, 4 * width)."""
        counts = np.zeros(len(self.labels))
        means = np.zeros_like(self.vectors)
        for index, turns in enumerate(rng.choice(settings.turns, len(self.labels))):
            others = self._others[index][self._others[index] != index]
            if size := min(int(turns), len(others)):
                likely = self._mood(others, rng) if rng.random() < settings.skewed_share else None
                chosen = rng.choice(others, size, replace=False, p=likely)
                counts[index], means[index] = size, self._own_voices[chosen].mean(axis=0)
        return counts, means

    def _mood(self, turns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """How likely each turn is in a history of one mood, every other time the neutral one."""
        mood = NEUTRAL if rng.random() < 0.5 else (self.labels[rng.choice(turns)],)
        weights = np.where(np.isin(self.labels[turns], mood), IN_MOOD, OUT_OF_MOOD)
        return weights / weights.sum()


def fit(histories: Histories, prior_turns: float, settings: BaselineRecipe) -> RelativeHead:
    """The head for that shrinkage; its `share` is 1 until one is chosen."""
    rng = np.random.default_rng(settings.seed)
    population, scale = histories.population(), histories.vectors.std(axis=0) + 1e-5
    weights = torch.from_numpy(_clip_weights(histories, settings.corpus_weights))
    truth = torch.from_numpy(histories.labels)
    linear = torch.nn.Linear(len(population), len(HEAD_EMOTIONS))
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    optimiser = torch.optim.AdamW(linear.parameters(), weight_decay=settings.weight_decay)
    for step in range(settings.steps):
        if step % settings.redraw_steps == 0:
            counts, means = histories.draw(settings, rng)
            trust = (counts / (counts + prior_turns))[:, None]
            own = trust * (means - population)
            x = torch.from_numpy(((histories.vectors - population - own) / scale).astype(np.float32))
        optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - step / settings.steps)
        losses = F.cross_entropy(linear(x), truth, reduction="none", label_smoothing=settings.label_smoothing)
        loss = (losses * weights).mean() + settings.penalty * (linear.weight**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    matrix, bias = linear.weight.detach().numpy(), linear.bias.detach().numpy()
    return RelativeHead(population, histories.feelings, matrix / scale, bias, prior_turns, share=1.0)


def _clip_weights(histories: Histories, of_corpus: Mapping[str, float]) -> np.ndarray:
    """(n,) of mean 1: every corpus weighs what `of_corpus` says, else 1, and all of its labels the same."""
    weights = np.zeros(len(histories.labels), dtype=np.float32)
    for corpus in np.unique(histories.corpora):
        labels = np.unique(histories.labels[histories.corpora == corpus])
        for label in labels:
            members = (histories.corpora == corpus) & (histories.labels == label)
            weights[members] = of_corpus.get(str(corpus), 1.0) / len(labels) / members.sum()
    return weights / weights.mean()
