"""Pauses and ends of turns as the ears hear them, with which is which.

Read by `python -m train turns`. Every sentence is spoken a few times: with a pause at another place, in a
quiet room, in noise, among other people. What is heard is kept, so that the next training takes a minute.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.ears.mini import MiniEars
from engine.turns.ours import features
from engine.turns.words import CanEnd
from train.corpus import Clip, cache_folder
from train.memo import key_of, remembered
from train.progress import ProgressLine
from train.splits import Split
from train.turn_taking.rehearsal import rehearsed
from train.turn_taking.scenes import Scene
from train.turn_taking.simulate import by_ear, silences
from train.turn_taking.stage import Setting, Stage

IS_PAUSE, IS_END, IS_NATURAL = range(3)
"""A pause that was inserted, the end, and a pause that the speaker made."""

TOLERANCE_S = 0.25
"""A detector may find speech over so much before it is."""


@dataclass(frozen=True)
class LessonOptions:
    """How often and in what settings a sentence is spoken."""

    takes: int
    settings: Mapping[Setting, float]  # how likely each is
    snr_db: tuple[float, float]
    pause_s: tuple[float, float, float]
    """Of inserted pauses: the shortest, the median and the longest; as natural ones, most are short."""

    def setting(self, rng: np.random.Generator) -> Setting:
        return str(rng.choice(list(self.settings), p=list(self.settings.values())))

    def draw_pause_s(self, rng: np.random.Generator) -> float:
        shortest, median, longest = self.pause_s
        return float(np.clip(median * np.exp(0.5 * rng.standard_normal()), shortest, longest))


@dataclass(frozen=True, eq=False)
class Take:
    """One sentence spoken once: its n silences, of which those after an answer do not matter."""

    clip: Clip
    features: np.ndarray  # (n, D), see `engine.turns.ours.features`
    kinds: np.ndarray  # (n,)
    start_s: np.ndarray  # (n,)
    lasts_s: np.ndarray  # (n,)
    end_s: float
    """When the sentence is over."""


class Lessons:
    """What one pair of ears hears of the sentences of a split."""

    def __init__(self, ears: MiniEars, can_end: CanEnd, options: LessonOptions, key: str) -> None:
        """`key` names the ears and whatever else a take depends on, apart from the clip."""
        self._ears, self._can_end, self._options = ears, can_end, options
        self._cache = cache_folder() / "turns" / key

    def of(self, clips: Sequence[Clip], split: Split) -> list[Take]:
        """All takes of the clips; those in which nobody is heard to speak are left out."""
        stage = Stage(split, [clip for clip in clips if clip.language == "en"])
        takes = []
        with ProgressLine(f"turns, {split}") as line:
            for done, clip in enumerate(clips, start=1):
                entry = self._cache / f"{key_of(clip.path)}.npz"
                kept = remembered(entry, lambda clip=clip: self._listen(clip, stage))
                takes += _unpacked(clip, kept)
                line.update(done, len(clips))
        return takes

    def _listen(self, clip: Clip, stage: Stage) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(list(bytes.fromhex(key_of(clip.path))))
        rows: list[tuple] = []
        found: list[np.ndarray] = []
        for sentence in rehearsed([clip], self._ears):
            for number in range(self._options.takes):
                quiet = sentence.scene(self._options.draw_pause_s(rng), rng)
                snr_db = rng.uniform(*self._options.snr_db)
                scene = stage.under(self._options.setting(rng), quiet, snr_db, rng)
                for row, vector in self._heard(scene):
                    rows.append((number, scene.end_s, *row))
                    found.append(vector)
        # Half precision: a training's takes are 12,000 vectors of 8 kB.
        return {"rows": np.array(rows), "features": np.array(found, dtype=np.float16)}

    def _heard(self, scene: Scene) -> Iterator[tuple[tuple[float, float, float], np.ndarray]]:
        for silence in silences(scene.samples, self._ears.detector, by_ear(self._ears.listen)):
            if silence.pause.ending is not None:
                kind, lasts_s = _kind(scene, silence.start_s), silence.end_s - silence.start_s
                yield (kind, silence.start_s, lasts_s), features(silence.pause, self._can_end)


def _kind(scene: Scene, silent_from_s: float) -> int:
    if silent_from_s > scene.end_s - TOLERANCE_S:
        return IS_END
    is_inserted = scene.pause and scene.pause[0] - TOLERANCE_S < silent_from_s < scene.pause[1]
    return IS_PAUSE if is_inserted else IS_NATURAL


def _unpacked(clip: Clip, kept: Mapping[str, np.ndarray]) -> Iterator[Take]:
    rows = kept["rows"]
    for number in np.unique(rows[:, 0]) if len(rows) else ():
        mine = rows[:, 0] == number
        _, end_s, kinds, start_s, lasts_s = rows[mine].T
        yield Take(clip, kept["features"][mine], kinds.astype(int), start_s, lasts_s, float(end_s[0]))
