"""WebRTC's voice activity detector: always at hand, calls some noise speech."""

import numpy as np
import webrtcvad

from engine.audio import SPEECH_RATE_HZ, Audio

FRAME_SAMPLES = 480
MOST_STRICT = 3
SMOOTHED = 5
"""Single frames flicker: each is the mean of so many, with itself in the middle."""

AROUND = SMOOTHED // 2


class WebrtcDetector:
    """30 ms frames, smoothed over five."""

    name = "webrtcvad"
    frame_s = FRAME_SAMPLES / SPEECH_RATE_HZ

    def probabilities(self, audio: Audio) -> np.ndarray:
        missing = -len(audio.samples) % FRAME_SAMPLES
        voiced = _voiced(webrtcvad.Vad(MOST_STRICT), np.pad(audio.samples, (0, missing)))
        return _smooth(np.pad(voiced, AROUND))

    def stream(self) -> "WebrtcStream":
        return WebrtcStream()


class WebrtcStream:
    """Two frames late, because of the mean over those after."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(MOST_STRICT)
        self._pending = np.zeros(0, dtype=np.float32)
        self._voiced = np.zeros(AROUND)

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """(N,) at 16 kHz → (frames completed and seen from both sides,)."""
        sound = np.concatenate([self._pending, samples])
        complete = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
        self._pending = sound[complete:]
        self._voiced = np.concatenate([self._voiced, _voiced(self._vad, sound[:complete])])
        smooth = _smooth(self._voiced)
        self._voiced = self._voiced[len(smooth) :]
        return smooth


def _voiced(vad: webrtcvad.Vad, samples: np.ndarray) -> np.ndarray:
    """(N,) of whole frames → (frames,) 0 or 1."""
    pcm = (samples.clip(-1.0, 1.0) * 32767).astype("<i2").reshape(-1, FRAME_SAMPLES)
    return np.array([vad.is_speech(frame.tobytes(), SPEECH_RATE_HZ) for frame in pcm], dtype=np.float32)


def _smooth(voiced: np.ndarray) -> np.ndarray:
    """(frames,) → the means of every `SMOOTHED` in a row."""
    if len(voiced) < SMOOTHED:
        return np.zeros(0)
    return np.convolve(voiced, np.ones(SMOOTHED) / SMOOTHED, mode="valid")
