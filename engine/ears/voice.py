"""How a turn sounds, apart from its words: what feeling is heard in, and what a voice baseline is kept of.

Called for every window. The states after a third and after half of the encoder's layers carry the speaker
and the feeling, the late ones the words. These layers are Whisper's own: trained on our corpora, they learned
the training speakers by heart, and feeling carried over to other speakers and corpora less well.
"""

from collections.abc import Sequence

import numpy as np
import torch

from engine.ears.mel import FRAMES_PER_STATE
from engine.ears.network import Encoder

LOUD_DB = 30.0
"""Only frames this close to the loudest count. How much silence surrounds the speech is the recording's
affair: without it, a corpus that was left out gains 4 points of UA (RAVDESS) or nothing (TESS, nEMO)."""
FEWEST_FRAMES = 4


def depths(layers: int) -> tuple[int, int]:
    """The states that are listened to, of an encoder with so many layers."""
    return layers // 3, layers // 2


def voice_vector(states: Sequence[torch.Tensor], mel: torch.Tensor, layers: int) -> torch.Tensor:
    """One window's states (T, width), from the first on, and its log-mel (80, 2 * T) → (4 * width,).

    Mean and deviation over the loud frames of the states at the `depths` of an encoder with `layers` layers.
    """
    is_loud = loud_frames(mel)
    parts = []
    for depth in depths(layers):
        loud = states[depth][is_loud]
        parts += [loud.mean(dim=0), loud.std(dim=0, correction=0)]
    return torch.cat(parts)


def window_voice(encoder: Encoder, mel: torch.Tensor) -> np.ndarray:
    """The `voice_vector` of one window alone, from no more layers than it takes."""
    layers = len(encoder.layers)
    with torch.inference_mode():
        states = [state[0] for state in encoder.lower_states(mel[None], max(depths(layers)))]
        return voice_vector(states, mel, layers).numpy()


def loud_frames(mel: torch.Tensor) -> torch.Tensor:
    """Log-mel (80, 2 * T), see `engine.ears.mel` → (T,) bool."""
    power = (10 ** (4 * mel - 4)).sum(dim=0).reshape(-1, FRAMES_PER_STATE).mean(dim=1)
    loudness_db = 10 * power.clamp(min=1e-12).log10()
    is_loud = loudness_db > loudness_db.quantile(0.95) - LOUD_DB
    return is_loud if int(is_loud.sum()) >= FEWEST_FRAMES else torch.ones_like(is_loud)
