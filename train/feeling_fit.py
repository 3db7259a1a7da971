"""Fits the feeling head: every clip is heard after random histories of its speaker, or none.

Called by `train.feeling` and for every fold of `train.folds`. Two things matter more than the choice of
classifier. A corpus says nothing about feelings it has no label for: each clip chooses among its own corpus's
labels alone, or else a feeling that only some corpora have is never heard in the voices of others. And a
real history is short, and no fair sample of a person's moods, so the simulated ones are neither.
Natural reading is judged against other readers: otherwise the head learns how such recordings differ from
acted ones, and hears no feeling in the first turn of anybody who is not one of its actors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.ears.feeling import HEAD_EMOTIONS, FeelingHead
from train.corpus import Clip
from train.evaluation.speakers import who
from train.regression import regression

NEUTRAL, CALM = HEAD_EMOTIONS.index("neutral"), HEAD_EMOTIONS.index("calm")
IN_MOOD, OUT_OF_MOOD = 1.0, 0.01
"""How likely a turn of the history's mood is drawn, and any other."""
KNOWN_TURNS = 5
"""After which a speaker counts as known well, for the temperature."""
TEMPERATURES = np.geomspace(0.2, 4.0, 60)


@dataclass(frozen=True)
class FeelingRecipe:
    """The keys of `train/recipes/feeling.yaml`, where each is explained."""

    seed: int
    penalty: float
    steps: int
    prior_turns: float
    feeling_removed: float
    turns: tuple[int, ...]
    skewed_share: float
    histories: int
    corpus_weights: Mapping[str, float]
    neutral_clips: int
    neutral_clip_s: float
    sittings: Mapping
    calibration_groups: int


@dataclass(frozen=True, eq=False)
class Turn:
    """One clip to learn from. Without a label it is natural reading: neutral, where all else was possible."""

    clip: Clip
    voice: np.ndarray  # (4 * width,)
    sitting: int = 0
    """0 as it was recorded; a baseline is kept within one sitting."""


class Lesson:
    """Turns as arrays."""

    def __init__(self, turns: Sequence[Turn], corpus_weights: Mapping[str, float]) -> None:
        self.turns = turns
        self.voices = np.array([turn.voice for turn in turns], dtype=np.float32)
        corpora = np.array([turn.clip.corpus for turn in turns])
        self.labels = np.array([HEAD_EMOTIONS.index(turn.clip.emotion or "neutral") for turn in turns])
        self.is_reading = np.array([turn.clip.emotion is None for turn in turns])
        self.possible = np.ones((len(turns), len(HEAD_EMOTIONS)), dtype=bool)
        self.right = np.eye(len(HEAD_EMOTIONS), dtype=bool)[self.labels]
        self.weights = np.zeros(len(turns), dtype=np.float32)
        for corpus in np.unique(corpora):
            members = corpora == corpus
            labels = np.unique(self.labels[members])
            if CALM not in labels:
                self.right[members & (self.labels == NEUTRAL), CALM] = True
            # What is neutral elsewhere may be what this corpus would call calm.
            self.possible[members & ~self.is_reading] = np.isin(range(len(HEAD_EMOTIONS)), [*labels, CALM])
            for label in labels:
                alike = members & (self.labels == label)
                self.weights[alike] = corpus_weights.get(str(corpus), 1.0) / len(labels) / alike.sum()
        self.weights /= self.weights.mean()
        self._turns_of: dict[tuple, list[int]] = {}
        for index, turn in enumerate(turns):
            self._turns_of.setdefault((*who(turn.clip), turn.sitting), []).append(index)

    def population(self, *, reading: bool) -> np.ndarray:
        """(4 * width,): the mean of the speakers' means, so that nobody counts for having said more."""
        speakers = [turns for turns in self._turns_of.values() if self.is_reading[turns[0]] == reading]
        return np.mean([self.voices[turns].mean(axis=0) for turns in speakers], axis=0)

    def feelings(self) -> np.ndarray:
        """(8, 4 * width): how a voice with each feeling differs from the mean of its corpus's labels.

        The mean over the corpora that have the label.
        """
        corpora = np.array([turn.clip.corpus for turn in self.turns])
        differences: dict[int, list[np.ndarray]] = {}
        for corpus in np.unique(corpora):
            labels = np.unique(self.labels[corpora == corpus])
            means = [
                self.voices[(corpora == corpus) & (self.labels == label)].mean(axis=0) for label in labels
            ]
            for label, mean in zip(labels, means, strict=True):
                differences.setdefault(int(label), []).append(mean - np.mean(means, axis=0))
        rows = np.zeros((len(HEAD_EMOTIONS), self.voices.shape[1]), dtype=np.float32)
        for label, found in differences.items():
            rows[label] = np.mean(found, axis=0)
        return rows

    def draw(
        self, sizes: Sequence[int], rng: np.random.Generator, skewed_share: float = 0.0
    ) -> list[np.ndarray]:
        """For every turn, which turns of the same sitting came before it: so many, where there are.

        `skewed_share` of these histories are of one mood.
        """
        histories = [np.zeros(0, dtype=int)] * len(self.turns)
        for members in self._turns_of.values():
            for place, index in enumerate(members):
                others = np.delete(members, place)
                if size := min(int(rng.choice(sizes)), len(others)):
                    likely = self._mood(others, rng) if rng.random() < skewed_share else None
                    histories[index] = rng.choice(others, size, replace=False, p=likely)
        return histories

    def _mood(self, turns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """How likely each turn is in a history of one mood, every other time the neutral one."""
        mood = (NEUTRAL, CALM) if rng.random() < 0.5 else (self.labels[rng.choice(turns)],)
        weights = np.where(np.isin(self.labels[turns], mood), IN_MOOD, OUT_OF_MOOD)
        return weights / weights.sum()


def fit(turns: Sequence[Turn], settings: FeelingRecipe) -> FeelingHead:
    """The head, calibrated on how heads fitted without a speaker hear that speaker."""
    lesson = Lesson(turns, settings.corpus_weights)
    rng = np.random.default_rng(settings.seed)
    histories = [lesson.draw(settings.turns, rng, settings.skewed_share) for _ in range(settings.histories)]
    population, scale = lesson.population(reading=False), lesson.voices.std(axis=0) + 1e-4
    everybody = np.arange(len(turns))

    def solved(head: FeelingHead, own_voices: np.ndarray, heard: np.ndarray) -> FeelingHead:
        """`head` with the weights that suit the turns `heard`, after histories of those `own_voices`."""
        x = np.concatenate([relative(lesson, each, own_voices, head, heard) for each in histories]) / scale
        rows = np.tile(heard, len(histories))
        weights, bias = regression(
            x,
            lesson.possible[rows],
            lesson.right[rows],
            lesson.weights[rows],
            lambda weights, _: settings.penalty * (weights**2).sum(),
            steps=settings.steps,
        )
        return replace(head, weights=weights / scale, bias=bias)

    blank = np.zeros((len(HEAD_EMOTIONS), len(population)), dtype=np.float32)
    head = FeelingHead(population, blank, blank, blank[:, 0], settings.prior_turns)
    stranger = solved(head, lesson.voices, everybody)
    known = replace(stranger, feelings=settings.feeling_removed * lesson.feelings())
    own_voices = np.array([known.own_voice(voice) for voice in lesson.voices], dtype=np.float32)
    fitted = solved(known, own_voices, everybody)
    of_strangers, of_known = _temperatures(
        lesson, own_voices, settings, rng, lambda heard: solved(known, own_voices, heard)
    )
    return replace(
        fitted,
        weights=fitted.weights / of_known,
        bias=fitted.bias / of_known,
        stranger_doubt=max(0.0, of_strangers / of_known - 1),
    )


def _temperatures(
    lesson: Lesson,
    own_voices: np.ndarray,
    settings: FeelingRecipe,
    rng: np.random.Generator,
    fit_on: Callable[[np.ndarray], FeelingHead],
) -> tuple[float, float]:
    """For speakers of whom nothing is known, and for those known well: of the labelled turns as recorded.

    Every group of speakers is heard by the head that `fit_on` makes of the turns of all others.
    """
    groups = _groups(lesson.turns, settings, rng)
    recorded = np.array([turn.sitting == 0 for turn in lesson.turns]) & ~lesson.is_reading
    nothing = [np.zeros(0, dtype=int)] * len(lesson.turns)
    enough = lesson.draw((KNOWN_TURNS,), rng)
    logits = np.zeros((2, len(lesson.turns), len(HEAD_EMOTIONS)))
    for group in np.unique(groups):
        head = fit_on(np.flatnonzero(groups != group))
        unheard = np.flatnonzero((groups == group) & recorded)
        for row, history in enumerate((nothing, enough)):
            x = relative(lesson, history, own_voices, head, unheard)
            logits[row, unheard] = x @ head.weights.T + head.bias
    of_strangers, of_known = (
        best_temperature(each[recorded], lesson.possible[recorded], lesson.right[recorded]) for each in logits
    )
    return of_strangers, of_known


def best_temperature(logits: np.ndarray, possible: np.ndarray, right: np.ndarray) -> float:
    """Of least negative log-likelihood (Guo et al. 2017): (n, 8) logits, and what they may and should say."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        allowed, wanted = np.where(possible, scaled, -np.inf), np.where(right, scaled, -np.inf)
        return float(np.mean(np.logaddexp.reduce(allowed, axis=1) - np.logaddexp.reduce(wanted, axis=1)))

    return float(min(TEMPERATURES, key=loss))


def relative(
    lesson: Lesson,
    histories: Sequence[np.ndarray],
    own_voices: np.ndarray,
    head: FeelingHead,
    heard: np.ndarray,
) -> np.ndarray:
    """(heard, 4 * width): how those turns differ from what `head` expects after their histories."""
    strangers = [head.population, lesson.population(reading=True) if lesson.is_reading.any() else None]
    x = lesson.voices[heard].copy()
    for row, index in enumerate(heard):
        expected = strangers[int(lesson.is_reading[index])]
        if count := len(histories[index]):
            trust = count / (count + head.prior_turns)
            expected = expected + trust * (own_voices[histories[index]].mean(axis=0) - expected)
        x[row] -= expected
    return x


def _groups(turns: Sequence[Turn], settings: FeelingRecipe, rng: np.random.Generator) -> np.ndarray:
    """(n,): which group of speakers each turn belongs to, every corpus spread over all of them."""
    speakers = sorted({who(turn.clip) for turn in turns})
    places = {speaker: place for place, speaker in enumerate(speakers)}
    first = int(rng.integers(settings.calibration_groups))
    return np.array([(places[who(turn.clip)] + first) % settings.calibration_groups for turn in turns])
