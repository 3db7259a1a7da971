"""`python -m train ears`: fine-tune an encoder so that one pass gives words and feeling.

Starts from a published Whisper encoder, or from earlier ears (`--from assets/mini`).
Resumes by itself from `--out`; the moving average of the weights is what is kept.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from engine.ears import store
from engine.errors import AttuneError
from train import checkpoint, recipe
from train.augment import Augmenter, AugmentOptions
from train.corpus import AudioCache, cached, data_folder, read_manifest
from train.ears_batches import Batch, LengthBatches, Teaching, TrainingClips
from train.ears_lesson import LessonOutput, TaughtEars
from train.progress import Metrics, ProgressLine

log = logging.getLogger(__name__)

MANIFESTS = ("speech", "emotion", "voice")


@dataclass(frozen=True)
class EarsRecipe:
    """The keys of `train/recipes/ears.yaml`, where each is explained."""

    steps: int
    teaching: dict[str, dict]
    frozen_layers: int = 0
    seed: int = 1
    batch_s: float = 60.0
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    warmup_steps: int = 200
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    average_decay: float = 0.998
    emotion_weight: float = 0.5
    label_smoothing: float = 0.1
    dropout: float = 0.2
    checkpoint_steps: int = 200
    augment: dict = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", type=Path, default=Path("train/recipes/ears.yaml"))
    parser.add_argument(
        "--from", dest="start", type=Path, required=True, help="Whisper encoder or ears folder"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/ears"))


def run(args: argparse.Namespace) -> None:
    train(recipe.load(args.recipe, EarsRecipe), args.start, args.out)


def train(settings: EarsRecipe, start: Path, out: Path) -> None:
    """Train from `start`, or go on from where `out` stands; the ears end up in `out / "final"`."""
    teaching = {
        corpus: recipe.build(values, Teaching, where=f"teaching, {corpus}")
        for corpus, values in settings.teaching.items()
    }
    torch.manual_seed(settings.seed)
    network = TaughtEars.of(store.network_from(start), settings.dropout)
    clips = [clip for name in MANIFESTS for clip in read_manifest(data_folder() / f"{name}.jsonl")]
    with ProgressLine("decoding") as line:
        cache = cached([clip for clip in clips if clip.corpus in teaching], line.update)
    Trainer(network, settings, teaching, cache.only(lambda clip: clip.split == "train"), out).train()


class Trainer:
    """The run: model, its average, optimiser, and the step they have reached."""

    def __init__(
        self,
        network: TaughtEars,
        settings: EarsRecipe,
        teaching: dict[str, Teaching],
        cache: AudioCache,
        out: Path,
    ) -> None:
        self.network, self.settings, self.teaching, self.cache, self.out = (
            network,
            settings,
            teaching,
            cache,
            out,
        )
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))
        if settings.frozen_layers:
            encoder = network.encoder
            lower = encoder.layers[: settings.frozen_layers]
            for module in (encoder.conv1, encoder.conv2, encoder.embed_positions, *lower):
                module.requires_grad_(False)
        heads = [*network.words.parameters(), *network.emotion.parameters()]
        self.peak_rates = (settings.learning_rate, settings.head_learning_rate)
        self.optimiser = torch.optim.AdamW(
            [{"params": network.encoder.parameters()}, {"params": heads}], weight_decay=settings.weight_decay
        )
        self.step = 0
        self._resume()

    def train(self) -> None:
        self.network.train()
        settings, metrics = self.settings, Metrics(self.out / "metrics.csv")
        with ProgressLine("training") as line:
            for batch in self._batches():
                started = time.perf_counter()
                losses = self._optimise(batch)
                self.step += 1
                line.update(self.step, settings.steps, **losses)
                if self.step % 20 == 0:
                    metrics.write(step=self.step, step_s=time.perf_counter() - started, **losses)
                if self.step % settings.checkpoint_steps == 0 or self.step == settings.steps:
                    self._save()
        made_from = {"recipe": asdict(settings), "steps": self.step}
        store.save(self.average.module.ears(), self.out / "final", made_from=made_from)

    def _optimise(self, batch: Batch) -> dict[str, float]:
        with torch.autocast("cpu", torch.bfloat16):
            output = self.network(batch.mel, batch.valid)
        words, feeling = words_loss(output, batch), self._emotion_loss(output, batch)
        loss = words + self.settings.emotion_weight * feeling
        if not torch.isfinite(loss):
            raise AttuneError(f"The loss became {loss.item()} at step {self.step}; lower the learning rate.")
        for group, peak in zip(self.optimiser.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * self._warmup_then_linear()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        return {"words": words.item(), "emotion": feeling.item()}

    def _emotion_loss(self, output: LessonOutput, batch: Batch) -> torch.Tensor:
        loss = F.cross_entropy(
            output.emotion_logits.float(),
            batch.emotion,
            reduction="none",
            label_smoothing=self.settings.label_smoothing,
        )
        return (loss * batch.emotion_weight).sum() / batch.emotion_weight.sum().clamp(min=1.0)

    def _batches(self) -> Iterator[Batch]:
        settings = self.settings
        augmenter = Augmenter.from_data(recipe.build(settings.augment, AugmentOptions, where="augment"))
        clips = TrainingClips(self.cache, self.teaching, augmenter, settings.seed)
        batches = LengthBatches(self.cache, self.teaching, settings.batch_s, settings.seed, self.step)
        loader = DataLoader(clips, batch_sampler=batches, collate_fn=clips.collate, num_workers=1)
        for batch in loader:
            if self.step >= settings.steps:
                return
            yield batch

    def _warmup_then_linear(self) -> float:
        """The share of the peak learning rate at this step."""
        settings = self.settings
        rising = (self.step + 1) / settings.warmup_steps
        falling = (settings.steps - self.step) / max(1, settings.steps - settings.warmup_steps)
        return min(1.0, rising, falling)

    def _save(self) -> None:
        checkpoint.save(
            self.out / "checkpoint.pt",
            {
                "step": self.step,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            },
        )

    def _resume(self) -> None:
        if (state := checkpoint.load(self.out / "checkpoint.pt")) is None:
            return
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        log.info("Going on from step %d of %s.", self.step, self.out)


def words_loss(output: LessonOutput, batch: Batch) -> torch.Tensor:
    """CTC per target character, each clip with its weight (Graves et al. 2006)."""
    lengths = batch.valid.sum(1)
    loss = F.ctc_loss(
        output.log_probs.transpose(0, 1),
        batch.targets,
        lengths,
        batch.target_lengths,
        reduction="none",
        zero_infinity=True,
    )
    counts = batch.words_weight * (batch.target_lengths > 0)
    return (loss * counts).sum() / (counts * batch.target_lengths).sum().clamp(min=1.0)
