"""The mini ears at work: one encoder pass, words by beam, feeling by the pooled head.

Loaded from `assets/mini`; called for every spoken turn. Implements the seam
`engine.hearing.Ears`, and with it `asr.Transcriber`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.asr import Transcript
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.baseline import VoiceBaseline
from engine.ears import store
from engine.ears.beam import BeamOptions, search
from engine.ears.mel import log_mel, normalise_level
from engine.ears.network import HEAD_EMOTIONS, EarsNetwork
from engine.ears.ngram import NGRAM_FILE, NGram
from engine.ears.relative import RelativeHead
from engine.ears.voice import voice_vector
from engine.ears.windows import windows
from engine.emotion import EMOTIONS
from engine.hearing import Listened
from engine.vad import Detector, speech_spans

SILENCE_PEAK = 1e-4
"""Below −80 dBFS there is nothing but the converter's own noise."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """One window after the network."""

    window: Audio
    log_probs: np.ndarray  # (T, classes)
    emotion_log_probs: np.ndarray  # (8,), calibrated
    voice: np.ndarray  # (4 * width,), see `voice_vector`


class MiniEars:
    """Audio → words and feeling, in one pass over each window."""

    name = "mini"

    def __init__(
        self,
        network: EarsNetwork,
        ngram: NGram | None,
        detector: Detector,
        *,
        beam: BeamOptions = BeamOptions(),
        temperature: float = 1.0,
        relative: RelativeHead | None = None,
    ) -> None:
        """Without `ngram` any spelling counts as a word; without `relative` nothing is known of speakers."""
        self._network = network
        self._ngram = ngram
        self._detector = detector
        self._beam = beam
        self._temperature = temperature
        self._relative = relative

    @classmethod
    def load(cls, folder: Path, detector: Detector, relative: RelativeHead | None = None) -> "MiniEars":
        """From a folder with ears and n-gram. Raises `BadInput` when a file is missing or damaged."""
        temperature = float(store.read_record(folder).get("temperature", 1.0))
        ngram = NGram.load(folder / NGRAM_FILE)
        return cls(store.load(folder), ngram, detector, temperature=temperature, relative=relative)

    def listen(self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline()) -> Listened:
        started = time.perf_counter()
        encoded, speech_s = self.encode(audio)
        text = " ".join(filter(None, map(self.words, encoded)))
        voice, own_voice = self.feeling(encoded, baseline)
        return Listened(text, voice, speech_s, (time.perf_counter() - started) * 1e3, own_voice)

    def transcribe(self, audio: Audio) -> Transcript:
        heard = self.listen(audio)
        return Transcript(heard.text, heard.inference_ms)

    def encode(self, audio: Audio) -> tuple[list[Encoded], float]:
        """The windows in which somebody speaks, through the network; and seconds of speech."""
        audio = audio.resampled(SPEECH_RATE_HZ)
        if float(np.abs(audio.samples).max(initial=0.0)) < SILENCE_PEAK:
            return [], 0.0
        audio = Audio(normalise_level(audio.samples), audio.sample_rate_hz)
        spans = speech_spans(self._detector, audio)
        speech_s = sum(span.end_s - span.start_s for span in spans)
        return [self._encode_window(window) for window in windows(audio, spans)], speech_s

    def words(self, encoded: Encoded) -> str:
        return search(encoded.log_probs, self._ngram, self._beam).text

    def feeling(
        self, encoded: Sequence[Encoded], baseline: VoiceBaseline
    ) -> tuple[dict[str, float] | None, np.ndarray | None]:
        """`Listened.voice` and `Listened.own_voice` of a turn's windows."""
        if not encoded:
            return None, None
        log_probs = pooled_feeling(encoded)
        if self._relative is None:
            return fold_calm(np.exp(log_probs)), None
        voice = pooled_voice(encoded)
        heard = self._relative.hear(log_probs, voice, baseline)
        return fold_calm(np.exp(heard)), self._relative.own_voice(voice, log_probs)

    def _encode_window(self, window: Audio) -> Encoded:
        mel = log_mel(torch.from_numpy(np.ascontiguousarray(window.samples, dtype=np.float32)))
        with torch.inference_mode():
            output = self._network(mel[None])
            voice = voice_vector(output.states)
        emotion = (output.emotion_logits[0] / self._temperature).log_softmax(-1)
        return Encoded(window, output.log_probs[0].numpy(), emotion.numpy(), voice[0].numpy())


def pooled_feeling(encoded: Sequence[Encoded]) -> np.ndarray:
    """(8,) log-probabilities: the geometric mean over windows, each weighing as long as it lasts."""
    durations = [each.window.duration_s for each in encoded]
    mean = np.average([each.emotion_log_probs for each in encoded], axis=0, weights=durations)
    return mean - np.logaddexp.reduce(mean)


def pooled_voice(encoded: Sequence[Encoded]) -> np.ndarray:
    """(4 * width,): the mean of the windows' voices, each weighing as long as it lasts."""
    durations = [each.window.duration_s for each in encoded]
    return np.average([each.voice for each in encoded], axis=0, weights=durations)


def fold_calm(probabilities: np.ndarray) -> dict[str, float]:
    """The head's (8,) probabilities → the seven labels, calm counted as neutral."""
    scores = dict(zip(HEAD_EMOTIONS, probabilities.tolist(), strict=True))
    scores["neutral"] += scores.pop("calm")
    return {label: scores[label] for label in EMOTIONS}
