"""Kokoro-82M, the neural voice taken when its weights are at hand, through the package `kokoro-onnx`.

Built once at start-up from files that `engine/weights.py` found; this module asks
the network for nothing. The package turns text into phonemes with espeak-ng.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.conversation import Stale, never
from engine.errors import BadInput, PartMissing
from engine.tts import AudioChunk, Style
from engine.tts.finish import finished
from engine.tts.prosody import pause_after_s, prosody

_STYLE_SHAPE = (510, 1, 256)
"""One style vector for each possible number of phonemes."""

_SLOWEST, _FASTEST = 0.5, 2.0
"""The package refuses a speed beyond these."""


class KokoroVoice:
    """A `Synthesizer`. `voice_paths` are `voices/NAME.bin` of onnx-community/Kokoro-82M-v1.0-ONNX.

    The first path is the default voice. Raises `PartMissing` when the package or
    a file is missing or unreadable, `BadInput` for a voice that is not among them.
    """

    name = "Kokoro-82M"

    def __init__(
        self, model_path: Path | None, voice_paths: Sequence[Path], voice: str | None = None
    ) -> None:
        try:
            import kokoro_onnx
        except ImportError as error:
            raise PartMissing(
                "Kokoro, the better voice, is not installed; run: pip install -r requirements-extra.txt"
            ) from error
        self._voices = {path.stem: _read_voice(path) for path in voice_paths}
        if not (self._voices and model_path and model_path.is_file()):
            raise PartMissing(
                "The weights of Kokoro, the better voice, are not here; run: python -m engine weights --fetch"
            )
        self._voice = voice or voice_paths[0].stem
        if self._voice not in self._voices:
            raise BadInput(f"There is no voice {self._voice!r}; choose one of {', '.join(self._voices)}.")
        self._model = _load(kokoro_onnx.Kokoro, model_path, self._voices)

    def voices(self) -> tuple[str, ...]:
        return tuple(self._voices)

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        """One chunk: the model cannot be stopped inside a phrase, so `stale` is asked before and after."""
        if stale():
            return
        phonemes = self._model.tokenizer.phonemize(text, "en-us")
        if not phonemes:
            return
        moves = prosody(style)
        voice = self._voices.get(style.voice, self._voices[self._voice])
        speed = min(max(1 + moves.rate, _SLOWEST), _FASTEST)
        samples, sample_rate_hz = self._model.create(phonemes, voice, speed=speed, is_phonemes=True)
        if not stale():
            audio = finished(samples, sample_rate_hz, moves.volume_db, pause_after_s(text, moves))
            yield AudioChunk(audio, text)


def _read_voice(path: Path) -> np.ndarray:
    try:
        return np.fromfile(path, np.float32).reshape(_STYLE_SHAPE)
    except (OSError, ValueError) as error:
        raise PartMissing(
            f"{path} is not a voice of Kokoro; run: python -m engine weights --fetch"
        ) from error


def _load(kokoro: type, model_path: Path, voices: dict[str, np.ndarray]) -> object:
    """The package wants all voices in one .npz, the hub has one raw file for each."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "voices.npz"
        np.savez(archive, **voices)
        try:
            model = kokoro(str(model_path), str(archive))
        except Exception as error:
            raise PartMissing(
                f"{model_path} cannot be loaded as Kokoro's model ({type(error).__name__}); "
                "run: python -m engine weights --fetch"
            ) from error
        # Windows cannot remove the folder while the archive is open.
        model.voices.close()
    return model
