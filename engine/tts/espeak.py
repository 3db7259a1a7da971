"""The voice that is always there: espeak-ng, a formant synthesizer of 9 MB without a model.

Its wheel `espeakng-loader` carries library and dictionaries, so it speaks on every
machine the Python package index reaches, in 2 to 5 ms a phrase (1/800 of its
duration). It sounds like a machine: it is taken when no neural voice is at hand.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from engine.conversation import Stale, never
from engine.errors import BadInput, PartMissing
from engine.tts import AudioChunk, Style
from engine.tts.finish import finished
from engine.tts.prosody import pause_after_s, prosody

VOICES = ("en-us+f2", "en-us+f5", "en-us+f1", "en-us", "en-us+m3", "en-us+m7", "en-gb+f2")
"""Language + variant; the first is the default and the clearest: of 15 Arctic sentences pocketsphinx
got 53 % of the words wrong with it, 63 to 89 % with the others."""

_RATE_WPM = 150
"""Comes out as 167 words a minute between pauses; slower is not understood better (140: 56 %)."""

_PITCH = 46
_RANGE = 52
"""espeak's own scales, 0 to 99, where 50 is the voice as it was drawn."""

# From espeak-ng/speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DO_NOT_EXIT_ON_ERROR = 0x8000
_CHARS_UTF8 = 1
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_CONTINUE, _STOP = 0, 1
_ON_SAMPLES = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

# The C library keeps voice, parameters and callback in global variables, one set
# per process: whatever number of voices there is, one may use it at a time.
_in_use = threading.Lock()


class EspeakVoice:
    """A `Synthesizer`; safe to share between threads. Raises `PartMissing` without its wheel."""

    name = "espeak-ng"

    def __init__(self, voice: str = VOICES[0]) -> None:
        if voice not in VOICES:
            raise BadInput(f"There is no voice {voice!r}; choose one of {', '.join(VOICES)}.")
        self._voice = voice
        with _in_use:
            _library()

    def voices(self) -> tuple[str, ...]:
        return VOICES

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        """One chunk: espeak needs 2 to 5 ms for a whole phrase, less than handing over its parts would."""
        moves = prosody(style)
        samples, sample_rate_hz = _synthesize(
            text,
            style.voice if style.voice in VOICES else self._voice,
            rate_wpm=round(_RATE_WPM * (1 + moves.rate)),
            pitch=round(_PITCH * (1 + moves.pitch)),
            range_=round(_RANGE * (1 + moves.range)),
            stale=stale,
        )
        if len(samples) and not stale():
            audio = finished(samples, sample_rate_hz, moves.volume_db, pause_after_s(text, moves))
            yield AudioChunk(audio, text)


def _synthesize(
    text: str, voice: str, *, rate_wpm: int, pitch: int, range_: int, stale: Stale
) -> tuple[np.ndarray, int]:
    """Mono float samples and their rate; what there was until then when `stale()` turns true."""
    blocks = []

    @_ON_SAMPLES
    def keep(samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            blocks.append(np.ctypeslib.as_array(samples, (count,)) / np.float32(32768))
        return _STOP if stale() else _CONTINUE

    encoded = text.replace("\0", " ").encode("utf-8", "replace")
    with _in_use:
        library, sample_rate_hz = _library()
        library.espeak_SetVoiceByName(voice.encode())
        for parameter, value in (
            (_PARAMETER_RATE, rate_wpm),
            (_PARAMETER_PITCH, pitch),
            (_PARAMETER_RANGE, range_),
        ):
            library.espeak_SetParameter(parameter, value, 0)
        library.espeak_SetSynthCallback(keep)
        library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
    return np.concatenate(blocks or [np.zeros(0, np.float32)]), sample_rate_hz


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, initialised, and its sample rate. Once per process; call it with `_in_use` held."""
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (ImportError, OSError, RuntimeError) as error:
        raise PartMissing(
            "The espeak-ng voice is not installed; run: pip install --force-reinstall espeakng-loader"
        ) from error
    library.espeak_Synth.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )
    sample_rate_hz = library.espeak_Initialize(
        _AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data), _DO_NOT_EXIT_ON_ERROR
    )
    if sample_rate_hz <= 0:
        # Its buffer for the path holds 160 bytes; a deep virtual environment exceeds that.
        raise PartMissing(
            f"The espeak-ng voice cannot read {data}; "
            "put Attune and its Python environment under a shorter path."
        )
    return library, sample_rate_hz
