"""A person's own recordings with the feelings they name, from a manifest that the page wrote, or they.

Read by `train.finetune`. JSON lines `{audio, text, emotion, heard, speaker}`; `audio` and `emotion` must be
there. An audio path may lead out of the manifest's folder: whoever names a manifest of their own may keep
the sound where they like. Everything that is wrong is said at once, before anything is learned.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import audio
from engine.audio import Audio
from engine.ears.mini import MiniEars, pooled_voice
from engine.emotion import EMOTIONS
from engine.errors import BadInput, reason
from train.progress import ProgressLine

MANIFEST = "corrections.jsonl"
"""What is looked for in a folder: as the page calls it."""

TEXTS = ("audio", "text", "emotion", "heard", "speaker")
NEEDED = ("audio", "emotion")
LONGEST_PATH = 1000


@dataclass(frozen=True, eq=False)
class Recording:
    """One line of the manifest, heard."""

    line: int
    path: Path
    text: str
    emotion: str
    speaker: str
    voice: np.ndarray  # (4 * width,), see `engine.ears.voice`
    speech_s: float


class Manifest:
    """Reads the lines one by one, and keeps what is wrong with them."""

    def __init__(self, path: Path, ears: MiniEars, longest_s: float) -> None:
        """`ears` listen without remembering: nothing of a person's voice is left in a cache."""
        self._path = path / MANIFEST if path.is_dir() else path
        self._ears, self._longest_s = ears, longest_s
        self._line_of: dict[str, int] = {}
        self._problems: list[str] = []

    def recordings(self) -> list[Recording]:
        """Raises `BadInput` with a sentence for each problem, its line's number in it."""
        lines = self._lines()
        recordings = []
        with ProgressLine("listening") as progress:
            for number, line in enumerate(lines, start=1):
                if line.strip() and (recording := self._recording(number, line)):
                    recordings.append(recording)
                progress.update(number, len(lines))
        if self._problems:
            raise BadInput("\n".join(self._problems))
        if not recordings:
            raise BadInput(f"{self._path}: there are no recordings in it.")
        return recordings

    def _lines(self) -> list[bytes]:
        try:
            return self._path.read_bytes().splitlines()
        except OSError as error:
            raise BadInput(f"{self._path}: the manifest cannot be read ({error.strerror}).") from error

    def _recording(self, number: int, line: bytes) -> Recording | None:
        """The one of that line; None where something is wrong with it."""
        before = len(self._problems)
        row = self._row(number, line)
        path = self._audio_path(number, row)
        sound = path and self._sound(number, path)
        if not sound:
            return None
        encoded, speech_s = self._ears.encode(sound)
        if not encoded:
            self._add(number, f"{path}: nobody speaks in it.")
        if len(self._problems) > before:
            return None
        text, speaker = row.get("text", ""), row.get("speaker", "")
        return Recording(number, path, text, row["emotion"], speaker, pooled_voice(encoded), speech_s)

    def _row(self, number: int, line: bytes) -> Mapping[str, Any]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._add(number, f"this is not JSON ({reason(error)}).")
            return {}
        if not isinstance(row, dict):
            self._add(number, "this is not an object with the keys audio and emotion.")
            return {}
        for key in NEEDED:
            if key not in row:
                self._add(number, f"it lacks {key}.")
        for key in TEXTS:
            if not isinstance(row.get(key, ""), str):
                self._add(number, f"{key} is not a text.")
        emotion = row.get("emotion", EMOTIONS[0])
        if isinstance(emotion, str) and emotion not in EMOTIONS:
            self._add(number, f"the emotion {emotion!r} is unknown; known are {', '.join(EMOTIONS)}.")
        return row

    def _audio_path(self, number: int, row: Mapping[str, Any]) -> Path | None:
        name = row.get("audio")
        if not isinstance(name, str):
            return None
        if not name.isprintable() or not 0 < len(name) <= LONGEST_PATH:
            self._add(number, "audio is not the path of a file.")
            return None
        return self._path.parent / name

    def _sound(self, number: int, path: Path) -> Audio | None:
        try:
            sound = audio.read(path)
        except BadInput as error:
            self._add(number, str(error))
            return None
        except OSError as error:
            self._add(number, f"{path}: it cannot be read ({error.strerror}).")
            return None
        if sound.duration_s > self._longest_s:
            self._add(
                number,
                f"{path}: {sound.duration_s:.0f} s are too long for one feeling; cut it to at most "
                f"{self._longest_s:g} s.",
            )
            return None
        first = self._line_of.setdefault(hashlib.sha256(sound.samples.tobytes()).hexdigest(), number)
        if first != number:
            self._add(number, f"{path}: the same recording as in line {first}; remove one of the lines.")
            return None
        return sound

    def _add(self, line: int, problem: str) -> None:
        self._problems.append(f"{self._path}, line {line}: {problem}")
