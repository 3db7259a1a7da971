"""Audio → the log-mel window that the encoder takes, with the length of what is real in it.

Called once per utterance. Whisper's own feature extractor, as the checkpoint configures it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperFeatureExtractor

from engine.audio import Audio
from engine.errors import BadInput


@dataclass(frozen=True, eq=False)
class Mel:
    """Utterances, padded with silence to the encoder's window."""

    frames: torch.Tensor  # (B, 80, F)
    lengths: torch.Tensor  # (B,) frames that are sound, not padding


class MelExtractor:
    """Longer audio is cut at the encoder's window, 30 s for the published model."""

    def __init__(self, extractor: WhisperFeatureExtractor) -> None:
        self._extractor = extractor

    @classmethod
    def read(cls, folder: Path) -> "MelExtractor":
        """From `folder/preprocessor_config.json`. Raises `BadInput` when it is missing or damaged."""
        try:
            return cls(WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True))
        except (OSError, ValueError, TypeError, ZeroDivisionError) as error:
            raise BadInput(f"{folder}: preprocessor_config.json is missing or damaged.") from error

    @property
    def window_s(self) -> float:
        return self._extractor.n_samples / self._extractor.sampling_rate

    def __call__(self, utterances: list[Audio]) -> Mel:
        """Any rate, mono. Raises `BadInput` for an utterance without a sample."""
        rate_hz = self._extractor.sampling_rate
        samples = [audio.resampled(rate_hz).samples[: self._extractor.n_samples] for audio in utterances]
        if not all(len(one) for one in samples):
            raise BadInput("An utterance without a single sample cannot be heard.")
        features = self._extractor(
            [np.asarray(one, dtype=np.float32) for one in samples], sampling_rate=rate_hz, return_tensors="pt"
        )
        lengths = [-(-len(one) // self._extractor.hop_length) for one in samples]
        return Mel(features.input_features, torch.tensor(lengths))
