"""WebRTC's voice activity detector: always at hand, calls some noise speech."""

import numpy as np
import webrtcvad

from engine.audio import SPEECH_RATE_HZ, Audio

FRAME_SAMPLES = 480
MOST_STRICT = 3


class WebrtcDetector:
    """30 ms frames, smoothed over five, since single frames flicker."""

    name = "webrtcvad"
    frame_s = FRAME_SAMPLES / SPEECH_RATE_HZ

    def probabilities(self, audio: Audio) -> np.ndarray:
        frames = -(-len(audio.samples) // FRAME_SAMPLES)
        padded = np.zeros(frames * FRAME_SAMPLES, dtype=np.float32)
        padded[: len(audio.samples)] = np.clip(audio.samples, -1.0, 1.0)
        pcm = (padded * 32767).astype("<i2").reshape(frames, FRAME_SAMPLES)
        vad = webrtcvad.Vad(MOST_STRICT)
        voiced = np.array([vad.is_speech(frame.tobytes(), SPEECH_RATE_HZ) for frame in pcm], dtype=np.float32)
        return np.convolve(voiced, np.ones(5) / 5, mode="same")[:frames]
