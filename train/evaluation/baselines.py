"""What the emotion head is compared with: chance, log-mel statistics, a frozen encoder's probe.

Each probe is a multinomial logistic regression on pooled features of the training
speakers, the ordinary yardstick for speech encoders (SUPERB, Yang et al. 2021).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from engine import audio
from engine.ears import store
from engine.ears.mel import features
from engine.ears.network import HEAD_EMOTIONS, EarsNetwork
from engine.errors import BadInput
from train.corpus import Clip, data_folder, read_manifest
from train.progress import ProgressLine

PROBE_STEPS = 400
PROBE_WEIGHT_DECAY = 1e-2
PROBE_LAYERS = slice(2, 5)
"""The early-to-middle states, which carry emotion."""

Features = Callable[[torch.Tensor], torch.Tensor]


def probabilities(clips: Sequence[Clip], encoder: Path | None) -> dict[str, np.ndarray]:
    """{name: (n, 8)} for every comparison that can be made."""
    if encoder is None:
        raise BadInput("Name the encoder to probe with --encoder, a folder with model.safetensors.")
    network = store.network_from(encoder, dropout=0.0).eval()
    training = [c for c in read_manifest(data_folder() / "emotion.jsonl") if c.split == "train"]
    return {
        "chance": np.full((len(clips), len(HEAD_EMOTIONS)), 1 / len(HEAD_EMOTIONS)),
        "log-mel probe": _probe(training, clips, _mel_statistics),
        "frozen encoder probe": _probe(training, clips, lambda mel: _state_statistics(network, mel)),
    }


def _mel_statistics(mel: torch.Tensor) -> torch.Tensor:
    return torch.cat([mel.mean(1), mel.std(1)])  # (160,)


def _state_statistics(network: EarsNetwork, mel: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        states = torch.stack(network.encoder(mel[None])[PROBE_LAYERS]).mean(0)[0]  # (T, width)
    return torch.cat([states.mean(0), states.std(0)])


def _probe(training: Sequence[Clip], clips: Sequence[Clip], extract: Features) -> np.ndarray:
    """Fit on `training`, (n, 8) probabilities for `clips`."""
    x, unseen = _table(training, extract), _table(clips, extract)
    mean, deviation = x.mean(0), x.std(0).clamp(min=1e-6)
    x, unseen = (x - mean) / deviation, (unseen - mean) / deviation
    y = torch.tensor([HEAD_EMOTIONS.index(clip.emotion) for clip in training])
    linear = torch.nn.Linear(x.shape[1], len(HEAD_EMOTIONS))
    torch.nn.init.zeros_(linear.weight)
    optimiser = torch.optim.AdamW(linear.parameters(), lr=1e-2, weight_decay=PROBE_WEIGHT_DECAY)
    for _ in range(PROBE_STEPS):
        optimiser.zero_grad()
        F.cross_entropy(linear(x), y).backward()
        optimiser.step()
    with torch.inference_mode():
        return linear(unseen).softmax(-1).numpy()


def _table(clips: Sequence[Clip], extract: Features) -> torch.Tensor:
    rows = []
    with ProgressLine("features") as line:
        for done, clip in enumerate(clips, start=1):
            rows.append(extract(features(audio.read(clip.path))))
            line.update(done, len(clips))
    return torch.stack(rows)
