"""What the ears make of the voice in every clip, kept on disk, so that experiments cost seconds.

Used by every command that measures or fits something on the voice alone. An entry is known by the weights,
the code between audio and result, the clip's bytes and the condition it was heard under: a stale one is
never used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import engine
from engine import quantised
from engine.ears import store
from engine.ears.mini import MiniEars, pooled_feeling, pooled_voice
from engine.errors import BadInput
from engine.vad import Detector
from train import corpus
from train.conditions import CLEAN, Condition
from train.corpus import Clip
from train.memo import key_of, remembered
from train.progress import ProgressLine

LISTENING_CODE = tuple(
    Path(engine.__file__).parent / name
    for name in ("ears/mel.py", "ears/network.py", "ears/voice.py", "ears/windows.py", "vad/__init__.py")
)


@dataclass(frozen=True, eq=False)
class Voice:
    """One clip after the ears. Both arrays are None where nobody was heard to speak."""

    vector: np.ndarray | None  # (4 * width,), see `engine.ears.voice`
    log_probs: np.ndarray | None  # (8,), at temperature 1
    speech_s: float


class Voices:
    """The ears of a folder, listening for feeling alone, and remembering what they heard."""

    def __init__(self, folder: Path, detector: Detector) -> None:
        self._ears = MiniEars(store.load(folder), None, detector)
        key = key_of(quantised.digest(folder, store.NAME), detector.name, *LISTENING_CODE)
        self._cache = corpus.cache_folder() / "voices" / key

    def of(self, path: Path, condition: Condition = CLEAN) -> Voice:
        """Raises `BadInput` when the file cannot be read."""
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file.")
        entry = self._cache / f"{key_of(path, condition.name)}.npz"
        kept = remembered(entry, lambda: self._listen(path, condition))
        return Voice(kept.get("vector"), kept.get("log_probs"), float(kept["speech_s"]))

    def of_all(
        self,
        clips: Sequence[Clip],
        condition: Condition = CLEAN,
        on_bad: Callable[[Path, BadInput], None] | None = None,
    ) -> list[tuple[Clip, Voice]]:
        """With every clip what was heard of it. One that cannot be read raises, or goes to `on_bad`."""
        heard = []
        with ProgressLine(f"listening, {condition.name}") as line:
            for done, clip in enumerate(clips, start=1):
                try:
                    heard.append((clip, self.of(clip.path, condition)))
                except BadInput as error:
                    if on_bad is None:
                        raise
                    on_bad(clip.path, error)
                line.update(done, len(clips))
        return heard

    def _listen(self, path: Path, condition: Condition) -> dict[str, np.ndarray]:
        encoded, speech_s = self._ears.encode(condition.read(path))
        if not encoded:
            return {"speech_s": speech_s}
        return {"vector": pooled_voice(encoded), "log_probs": pooled_feeling(encoded), "speech_s": speech_s}
