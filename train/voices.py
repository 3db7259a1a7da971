"""How the voice in every clip sounds to the ears, kept on disk, so that experiments cost seconds.

Used by every command that measures or fits something on the voice alone. An entry is known by the weights of
the layers that are listened to, the code between audio and result, the clip's bytes and the condition it was
heard under: a stale one is never used, and ears that differ only above those layers share theirs.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import engine
from engine.ears import store
from engine.ears.mel import log_mel
from engine.ears.network import Encoder
from engine.ears.voice import depths, window_voice
from engine.ears.windows import pooled, spoken, windows
from engine.errors import BadInput
from engine.vad import Detector
from train import corpus
from train.conditions import CLEAN, HeardAs
from train.corpus import Clip
from train.memo import key_of, remembered
from train.progress import ProgressLine

LISTENING_CODE = tuple(
    Path(engine.__file__).parent / name
    for name in ("ears/mel.py", "ears/network.py", "ears/voice.py", "ears/windows.py", "vad/spans.py")
)


@dataclass(frozen=True, eq=False)
class Voice:
    """One clip after the ears."""

    vector: np.ndarray | None  # (4 * width,), see `engine.ears.voice`; None where nobody was heard to speak
    speech_s: float


class Voices:
    """The ears of a folder, listening to voices alone, and remembering what they heard."""

    def __init__(self, folder: Path, detector: Detector) -> None:
        self._encoder, self._detector = store.load(folder).encoder, detector
        key = key_of(_listening_weights(self._encoder), detector.name, *LISTENING_CODE)
        self._cache = corpus.cache_folder() / "voices" / key

    def of(self, path: Path, condition: HeardAs = CLEAN) -> Voice:
        """Raises `BadInput` when the file cannot be read."""
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file.")
        entry = self._cache / f"{key_of(path, condition.name)}.npz"
        kept = remembered(entry, lambda: self._listen(path, condition))
        return Voice(kept.get("vector"), float(kept["speech_s"]))

    def of_all(
        self,
        clips: Sequence[Clip],
        condition: HeardAs = CLEAN,
        on_bad: Callable[[Path, BadInput], None] | None = None,
    ) -> list[tuple[Clip, Voice]]:
        """With every clip what was heard of it. One that cannot be read raises, or goes to `on_bad`."""
        return self.of_each([(clip, condition) for clip in clips], condition.name, on_bad)

    def of_each(
        self,
        clips: Sequence[tuple[Clip, HeardAs]],
        name: str,
        on_bad: Callable[[Path, BadInput], None] | None = None,
    ) -> list[tuple[Clip, Voice]]:
        """The same, every clip under its own condition; `name` is shown with the progress."""
        heard = []
        with ProgressLine(f"listening, {name}") as line:
            for done, (clip, condition) in enumerate(clips, start=1):
                try:
                    heard.append((clip, self.of(clip.path, condition)))
                except BadInput as error:
                    if on_bad is None:
                        raise
                    on_bad(clip.path, error)
                line.update(done, len(clips))
        return heard

    def _listen(self, path: Path, condition: HeardAs) -> dict[str, np.ndarray | float]:
        audio, spans = spoken(condition.read(path), self._detector)
        speech_s = sum(span.end_s - span.start_s for span in spans)
        pieces = windows(audio, spans)
        if not pieces:
            return {"speech_s": speech_s}
        voices = [window_voice(self._encoder, log_mel(torch.from_numpy(each.samples))) for each in pieces]
        return {"vector": pooled(voices, pieces), "speech_s": speech_s}


def _listening_weights(encoder: Encoder) -> str:
    """A name for the weights that a voice depends on."""
    below: Iterable[torch.nn.Module] = (encoder.conv1, encoder.conv2, encoder.embed_positions)
    digest = hashlib.sha256()
    for module in (*below, *encoder.layers[: max(depths(len(encoder.layers)))]):
        for tensor in module.state_dict().values():
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
