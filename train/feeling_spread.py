"""In what people differ to the head that hears feeling: what one person's recordings must not move.

Written beside the ears by `train.feeling`, read by `train.finetune`. A few recordings agree in much that is
no feeling (the voice, the microphone), and a head that may learn from it hears feeling wherever it is found:
drawn back to the shipped weights alone, twenty corrections by actors took false alarms on natural reading
from 7 to 43 %, and with this to 9 %, while the actors were heard as well (RAVDESS, a head fitted without
it).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.ears import beside
from engine.ears.feeling import FeelingHead
from train.feeling_fit import FeelingRecipe, Lesson, Turn, relative

SPREAD_FILE = "feeling_spread.npz"
FORMAT = 1
RANK = 32
"""Half of the variance: with 16 directions or 64 the same was measured."""


def spread(head: FeelingHead, turns: Sequence[Turn], settings: FeelingRecipe) -> np.ndarray:
    """(RANK, 4 * width + 1) `s` such that |s @ d|² is about the mean of (d @ [x, 1])² over what `head` hears.

    x is a turn's voice against what was expected of its speaker, and d any change of an output's weights and
    bias. All corpora weigh the same, natural reading as well.
    """
    labelled = [
        replace(turn, clip=replace(turn.clip, emotion=turn.clip.emotion or "neutral")) for turn in turns
    ]
    lesson = Lesson(labelled, {})
    own_voices = np.array([head.own_voice(turn.voice) for turn in turns], dtype=np.float32)
    histories = lesson.draw(settings.turns, np.random.default_rng(settings.seed), settings.skewed_share)
    x = relative(lesson, histories, own_voices, head, np.arange(len(turns)))
    x = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
    variances, directions = np.linalg.eigh((x * lesson.weights[:, None]).T @ x / lesson.weights.sum())
    return np.sqrt(variances[-RANK:, None].clip(0)) * directions.T[-RANK:]


def save(found: np.ndarray, ears: Path) -> None:
    """Beside the ears in a folder, which alone it fits."""
    beside.save(ears / SPREAD_FILE, FORMAT, {"spread": found.astype(np.float16)})


def load(ears: Path) -> np.ndarray:
    """Raises `PartMissing` when it is not there, damaged or of other ears."""
    arrays = beside.load(ears / SPREAD_FILE, FORMAT, made_by="python -m train feeling")
    return arrays["spread"].astype(np.float32)
