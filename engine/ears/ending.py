"""How the voice fell silent: what the end-of-turn model (`engine.turns.ours`) reads of the ears' states.

Called for every window. Half-way up the encoder the states carry pitch and length, at its top the sounds;
together they tell a sentence that sank to its end from one that breaks off.
"""

from collections.abc import Sequence

import torch

SILENCE_STATES = 10
SPEECH_STATES = 20
"""Of 20 ms: a window that is encoded in a pause ends 0.2 s after the speech, whose last 0.4 s count."""


def ending_vector(states: Sequence[torch.Tensor]) -> torch.Tensor:
    """One window's states (T, width), from before the first layer on → (4 * width,)."""
    parts = []
    for state in (states[len(states) // 2], states[-1]):
        speech = state[-SPEECH_STATES - SILENCE_STATES : -SILENCE_STATES]
        parts += [each.mean(dim=0) for each in (speech if len(speech) else state, state[-SILENCE_STATES:])]
    return torch.cat(parts)
