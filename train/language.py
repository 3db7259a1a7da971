"""`python -m train language`: learn to tell when speech is not English, from the states of finished ears.

Runs whenever the ears change; about 15 minutes, and seconds once the clips were heard. Writes `language.npz`
and its record `language.json` beside the ears: how many clips in a language that was left out of the fit are
recognised as foreign, and how many English ones by mistake.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from engine import audio
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.ears import store
from engine.ears.language import LanguageDetector
from engine.ears.mini import MiniEars, pooled_spelling
from train import recipe
from train.augment import Augmenter, AugmentOptions
from train.conditions import CLEAN, Condition, HeardAs
from train.corpus import Clip, cache_folder, data_folder, read_manifest
from train.evaluation import select
from train.memo import key_of, remembered
from train.progress import ProgressLine
from train.splits import Split
from train.voices import LISTENING_CODE

ENGLISH = "en"
NOISY = Condition(noise_db=10.0)


@dataclass(frozen=True)
class LanguageRecipe:
    """The keys of `train/recipes/language.yaml`, where each is explained."""

    seed: int
    clips: int
    weight_decay: float
    false_alarms: float
    stretch_s: tuple[float, float]
    damage: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Damaged:
    """A stretch of the clip in noise, in a room, over the phone, …: which, follows from the clip."""

    settings: LanguageRecipe
    augmenter: Augmenter

    @property
    def name(self) -> str:
        return f"damaged {asdict(self.settings)}"

    def read(self, path: Path) -> Audio:
        rng = np.random.default_rng(list(hashlib.sha256(path.read_bytes()).digest()))
        samples = audio.read(path).samples
        length = int(rng.uniform(*self.settings.stretch_s) * SPEECH_RATE_HZ)
        start = int(rng.integers(max(1, len(samples) - length)))
        stretch = samples[start : start + length]
        return Audio(self.augmenter.waveform(stretch, rng, has_emotion=True), SPEECH_RATE_HZ)


@dataclass(frozen=True, eq=False)
class Heard:
    """One clip, how it was heard, and its (2 * width,) `spelling_vector`."""

    clip: Clip
    way: str
    vector: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/language.yaml"))
    parser.add_argument("--from", dest="start", type=Path, required=True, help="folder of the ears")


def run(args: argparse.Namespace) -> None:
    settings = recipe.load(args.recipe, LanguageRecipe)
    damaged = Damaged(settings, Augmenter.from_data(AugmentOptions(**settings.damage)))
    listener = Listener(args.start)
    training = listener.hear(_clips("train", settings), (CLEAN, damaged))
    validation = listener.hear(_clips("validation", settings), (CLEAN, damaged))
    test = listener.hear(_clips("test", settings), (CLEAN, NOISY))
    detector = fit(training, validation, settings)
    detector.save(args.start)
    report = {
        "left_out": measure_left_out(training, validation, test, settings),
        "test": {way: rates(detector, [h for h in test if h.way == way]) for way in (CLEAN.name, NOISY.name)},
    }
    record = {"ears": store.read_record(args.start)["sha256"], "recipe": asdict(settings), "scores": report}
    (args.start / "language.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(json.dumps(report, indent=1) + "\n")


class Listener:
    """The ears of a folder, remembering what they heard."""

    def __init__(self, folder: Path) -> None:
        self._ears: MiniEars = select.ears(folder)
        key = key_of(store.read_record(folder)["sha256"], self._ears.detector.name, *LISTENING_CODE)
        self._cache = cache_folder() / "spelling" / key

    def hear(self, clips: Sequence[Clip], ways: Sequence[HeardAs]) -> list[Heard]:
        """Every clip in every way; those in which nobody speaks are left out."""
        heard = []
        with ProgressLine("listening") as line:
            for done, clip in enumerate(clips, start=1):
                for way in ways:
                    entry = self._cache / f"{key_of(clip.path, way.name)}.npz"
                    vector = remembered(entry, lambda way=way, clip=clip: self._listen(way.read(clip.path)))
                    if vector:
                        heard.append(Heard(clip, way.name, vector["spelling"]))
                line.update(done, len(clips))
        return heard

    def _listen(self, sound: Audio) -> dict[str, np.ndarray]:
        encoded, _ = self._ears.encode(sound)
        return {"spelling": pooled_spelling(encoded)} if encoded else {}


def fit(training: Sequence[Heard], validation: Sequence[Heard], settings: LanguageRecipe) -> LanguageDetector:
    """Logistic regression, corpora as equals; the threshold gives few false alarms on validation speakers."""
    x = np.array([heard.vector for heard in training])
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    features = torch.from_numpy((x - mean) / deviation).double()
    foreign = torch.tensor([heard.clip.language != ENGLISH for heard in training]).double()
    counts = Counter(heard.clip.corpus for heard in training)
    balance = torch.tensor([1 / counts[heard.clip.corpus] for heard in training]).double()
    for side in (foreign == 0, foreign == 1):
        balance[side] /= balance[side].sum()
    weights = torch.zeros(x.shape[1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        errors = F.binary_cross_entropy_with_logits(features @ weights + bias, foreign, reduction="none")
        total = balance @ errors / 2 + settings.weight_decay * weights.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    plain = weights.detach().numpy() / deviation
    detector = LanguageDetector(plain.astype(np.float32), float(bias.detach()) - float(plain @ mean))
    english = [heard.vector for heard in validation if heard.clip.language == ENGLISH]
    threshold = float(np.quantile(detector.logit(np.array(english)), 1 - settings.false_alarms))
    return LanguageDetector(detector.weights, detector.bias - threshold)


def measure_left_out(
    training: Sequence[Heard], validation: Sequence[Heard], test: Sequence[Heard], settings: LanguageRecipe
) -> dict[str, dict]:
    """What share of a language is recognised as foreign by a detector that never heard it."""
    shares = {}
    for language in sorted({heard.clip.language for heard in training} - {ENGLISH}):
        others = [heard for heard in training if heard.clip.language != language]
        detector = fit(others, validation, settings)
        everyone = [*training, *validation, *test]
        shares |= rates(detector, [heard for heard in everyone if heard.clip.language == language])
    return shares


def rates(detector: LanguageDetector, heard: Sequence[Heard]) -> dict[str, dict]:
    """{language/corpus: what share is taken for foreign}."""

    def key(each: Heard) -> str:
        return f"{each.clip.language}/{each.clip.corpus}"

    shares = {}
    for name, group in groupby(sorted(heard, key=key), key):
        is_foreign = detector.logit(np.array([each.vector for each in group])) > 0
        shares[name] = {"foreign": round(float(is_foreign.mean()), 4), "n": len(is_foreign)}
    return shares


def _clips(split: Split, settings: LanguageRecipe) -> list[Clip]:
    """At most so many of each corpus; half of that for choosing and for measuring."""
    most = settings.clips if split == "train" else settings.clips // 2
    rng = np.random.default_rng(settings.seed)
    chosen: list[Clip] = []
    manifests = (read_manifest(data_folder() / name) for name in ("emotion.jsonl", "speech.jsonl"))
    clips = [clip for manifest in manifests for clip in manifest if clip.split == split]
    for corpus in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == corpus]
        chosen += [own[place] for place in rng.permutation(len(own))[:most]]
    return chosen
