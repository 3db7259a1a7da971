"""A scene in a quiet room, in noise, among other people, or in a room that echoes.

Noises and other voices are those of the same split as the scene, so that nothing a model is measured with
was heard in training; validation, on which waits are chosen, has the noises of the test.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from engine import audio
from train.augment import add_noise, in_room, read_noises, read_rooms
from train.corpus import Clip
from train.splits import Split
from train.turn_taking.scenes import Scene

Setting = Literal["clean", "noise", "babble", "room"]

BABBLE_VOICES = 5
BABBLE_S = 12.0


class Stage:
    """Holds the noises of one split, and a choice of its speakers to babble."""

    def __init__(self, split: Split, babblers: Sequence[Clip]) -> None:
        self._noises = read_noises("train" if split == "train" else "test")
        self._rooms = read_rooms()
        self._babblers = babblers

    def under(self, setting: Setting, scene: Scene, snr_db: float, rng: np.random.Generator) -> Scene:
        """The same scene; `snr_db` is the speech's mean power over the noise's."""
        match setting:
            case "noise":
                sound = self._noises[rng.integers(len(self._noises))]
            case "babble":
                sound = self._babble(rng)
            case "room":
                return replace(
                    scene, samples=in_room(scene.samples, self._rooms[rng.integers(len(self._rooms))])
                )
            case _:
                return scene
        # The silence after the speech would make it look quieter than it is.
        spoken = scene.samples[: scene.end_sample]
        share_db = 10 * np.log10(np.mean(spoken**2) / np.mean(scene.samples**2))
        return replace(scene, samples=add_noise(scene.samples, sound, snr_db - share_db, rng))

    def _babble(self, rng: np.random.Generator) -> np.ndarray:
        mix = np.zeros(round(BABBLE_S * audio.SPEECH_RATE_HZ), dtype=np.float32)
        for index in rng.integers(len(self._babblers), size=BABBLE_VOICES):
            voice = audio.read(self._babblers[index].path).resampled(audio.SPEECH_RATE_HZ).samples
            mix += np.resize(voice / np.sqrt(np.mean(voice**2) + 1e-9), len(mix))
        return mix
