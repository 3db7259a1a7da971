"""What the emotion head is compared with: chance, log-mel statistics, a frozen encoder's probe.

Each probe is a multinomial logistic regression on pooled features of the training
speakers, the ordinary yardstick for speech encoders (SUPERB, Yang et al. 2021).
"""

import hashlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from engine import audio
from engine.ears import store
from engine.ears.feeling import HEAD_EMOTIONS
from engine.ears.mel import features
from engine.ears.network import EarsNetwork
from train.corpus import Clip, cache_folder
from train.memo import key_of, remembered
from train.progress import ProgressLine

PROBE_STEPS = 400
PROBE_WEIGHT_DECAY = 1e-2
PROBE_LAYERS = slice(2, 5)
"""The early-to-middle states, which carry emotion."""

MEL_CODE = Path(inspect.getfile(features))

Features = Callable[[torch.Tensor], torch.Tensor]


def probabilities(training: Sequence[Clip], clips: Sequence[Clip], encoder: Path) -> dict[str, np.ndarray]:
    """{name: (n, 8)} for chance and both probes, which are fitted on `training`."""
    return {
        "chance": np.full((len(clips), len(HEAD_EMOTIONS)), 1 / len(HEAD_EMOTIONS)),
        "log-mel probe": _probe(training, clips, _mel_statistics, key_of(MEL_CODE)),
        "frozen encoder probe": frozen_probe(training, clips, encoder),
    }


def frozen_probe(training: Sequence[Clip], clips: Sequence[Clip], encoder: Path) -> np.ndarray:
    """(n, 8) probabilities of a probe of the encoder in that folder, as it is."""
    network = store.network_from(encoder).eval()
    weights = b"".join(tensor.numpy().tobytes() for tensor in network.encoder.state_dict().values())
    key = key_of(hashlib.sha256(weights).hexdigest(), MEL_CODE)
    return _probe(training, clips, lambda mel: _state_statistics(network, mel), key)


def _mel_statistics(mel: torch.Tensor) -> torch.Tensor:
    return torch.cat([mel.mean(1), mel.std(1)])  # (160,)


def _state_statistics(network: EarsNetwork, mel: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        states = torch.stack(network.encoder(mel[None])[PROBE_LAYERS]).mean(0)[0]  # (T, width)
    return torch.cat([states.mean(0), states.std(0)])


def _probe(training: Sequence[Clip], clips: Sequence[Clip], extract: Features, key: str) -> np.ndarray:
    """Fit on `training`, (n, 8) probabilities for `clips`; `key` names what `extract` depends on."""
    x, unseen = _table(training, extract, key), _table(clips, extract, key)
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


def _table(clips: Sequence[Clip], extract: Features, key: str) -> torch.Tensor:
    """(n, features), every row remembered."""

    def row(clip: Clip) -> torch.Tensor:
        entry = cache_folder() / "features" / key / f"{key_of(clip.path)}.npz"
        kept = remembered(entry, lambda: {"x": extract(features(audio.read(clip.path))).numpy()})
        return torch.from_numpy(kept["x"])

    rows = []
    with ProgressLine("features") as line:
        for done, clip in enumerate(clips, start=1):
            rows.append(row(clip))
            line.update(done, len(clips))
    return torch.stack(rows)
