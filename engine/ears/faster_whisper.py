"""Ears with a larger recogniser: words by the faster-whisper library, feeling by our own emotion head.

Built for the profile `standard`; called for every spoken turn behind `engine.hearing.Ears`. Whisper
invents sentences where nobody speaks, so it is asked only about windows in which the detector
found speech, and is not believed where it says a phrase it is known to invent and doubts it itself.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine import cores
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.baseline import VoiceBaseline
from engine.ears.buffered import BufferedStream
from engine.ears.mini import MiniEars
from engine.errors import PartMissing, reason
from engine.hearing import Listened, VoiceSpace

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

NO_SPEECH = 0.6
"""Above this probability of silence, Whisper's authors count a window as silent (Radford et al. 2022, 4.5),
unless the words are likely; for the phrases below their likelihood proves nothing."""

# What Whisper writes for breath, hum and hiss: the last words of the videos it learnt from.
_PHANTOMS = re.compile(
    "|".join(
        (
            r"thanks?( you)?( (so|very) much)?( for (watching|listening))?",
            r"you|oh|okay|bye( bye)?|the end",
            r"(please )?(like and )?subscribe( to my channel)?",
            r"see you (next time|in the next video)",
            r"(sub)?titles by .*|.*amara org.*",
        )
    )
)


class FasterWhisperEars:
    """A CTranslate2 Whisper for the words, the mini ears for where somebody speaks and how it sounds."""

    def __init__(
        self,
        folder: Path,
        mini: MiniEars,
        *,
        name: str,
        language: str = "en",
        device: str = "auto",
        compute_type: str = "auto",
    ) -> None:
        """`folder` is a model in CTranslate2's format. Raises `PartMissing` when it cannot be run.

        `device` is auto, cpu or cuda, `compute_type` one of CTranslate2's; auto takes its fastest.
        """
        self.name = name
        self._mini = mini
        self._language = language
        if not (folder / "tokenizer.json").is_file():
            # The library would fetch one from the hub, and wait long where there is none.
            raise PartMissing(f"{folder}: this is no faster-whisper model, it has no tokenizer.json.")
        failures = []
        for chosen in (device, "cpu") if device == "auto" else (device,):
            try:
                self._whisper = _model(folder, chosen, compute_type)
                # A GPU whose libraries CTranslate2 cannot find fails at the first words, not while loading.
                self._words(np.zeros(SPEECH_RATE_HZ, dtype=np.float32))
                return
            except Exception as error:  # noqa: BLE001 - CTranslate2 raises whatever its C++ throws
                failures.append(f"on {chosen}: {reason(error)}")
        raise PartMissing(
            f"The recogniser in {folder} cannot be run ({'; '.join(failures)}); fetch it again, or change "
            "device and compute_type of the ears in a profile of your own."
        )

    @property
    def voice_space(self) -> VoiceSpace:
        return self._mini.voice_space

    def listen(
        self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()
    ) -> Listened:
        started = time.perf_counter()
        encoded, speech_s = self._mini.encode(audio)
        expected = ", ".join(self._mini.expected(recent))
        text = " ".join(filter(None, (self._words(each.window.samples, expected) for each in encoded)))
        voice, own_voice = self._mini.feeling(encoded, baseline)
        ending = encoded[-1].ending if encoded else None
        return Listened(
            text, voice, speech_s, (time.perf_counter() - started) * 1e3, own_voice, ending=ending
        )

    def stream(self, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()) -> BufferedStream:
        """Whisper reads whole windows: until the turn is over the mini ears caption it."""
        return BufferedStream(self, self._mini.stream(baseline, recent), baseline, recent)

    def _words(self, samples: np.ndarray, expected: str = "") -> str:
        """The words in (N,) samples at 16 kHz, at most 28 s."""
        segments, _ = self._whisper.transcribe(
            samples,
            language=self._language,
            no_speech_threshold=NO_SPEECH,
            # One pass for the window: with timestamps it is read again from where they end.
            without_timestamps=True,
            condition_on_previous_text=False,
            hotwords=expected or None,
        )
        return " ".join(
            segment.text.strip()
            for segment in segments
            if not (segment.no_speech_prob > NO_SPEECH and is_phantom(segment.text))
        )


def is_phantom(text: str) -> bool:
    """Whether the whole text is one of the phrases that Whisper is known to write for silence."""
    plain = " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())
    return bool(_PHANTOMS.fullmatch(plain))


def _model(folder: Path, device: str, compute_type: str) -> "WhisperModel":
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device=device, compute_type=compute_type, cpu_threads=cores.count())
