"""The mini ears at work: one encoder pass, words by beam, feeling by the head beside the ears.

Loaded from `assets/mini`; called for every spoken turn. Implements the seam
`engine.hearing.Ears`, and with it `asr.Transcriber`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.asr import Transcript, Word
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.ears import int8, store
from engine.ears.align import FRAME_S, align
from engine.ears.beam import Beam, BeamOptions, search
from engine.ears.confidence import WordConfidence, weigh
from engine.ears.ending import ending_vector
from engine.ears.feeling import FeelingHead, fold_calm
from engine.ears.hotwords import hot_words
from engine.ears.language import LanguageDetector, spelling_vector
from engine.ears.mel import FRAMES_PER_STATE, HOP_SAMPLES, log_mel
from engine.ears.network import EarsNetwork
from engine.ears.ngram import NGRAM_FILE, NGram
from engine.ears.punctuation import Punctuation
from engine.ears.stream import MiniStream
from engine.ears.voice import voice_vector
from engine.ears.windows import MARGIN_S, pooled, spoken, windows
from engine.hearing import Listened, VoiceSpace
from engine.vad import Detector


@dataclass(frozen=True, eq=False)
class Encoded:
    """One window after the network."""

    window: Audio
    log_probs: np.ndarray  # (T, classes)
    voice: np.ndarray  # (4 * width,), see `voice_vector`
    spelling: np.ndarray  # (2 * width,), see `spelling_vector`
    ending: np.ndarray  # (4 * width,), see `ending_vector`
    start_s: float  # of the window in the recording

    def without(self, frames: int) -> "Encoded":
        """What comes after the first frames, which were encoded for the sake of the others."""
        samples = self.window.samples[frames * FRAMES_PER_STATE * HOP_SAMPLES :]
        return replace(
            self,
            window=Audio(samples, self.window.sample_rate_hz),
            log_probs=self.log_probs[frames:],
            start_s=self.start_s + frames * FRAME_S,
        )


@dataclass(frozen=True, eq=False)
class Said:
    """One window with its words."""

    encoded: Encoded
    text: str
    words: tuple[Word, ...]


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
        feeling: FeelingHead | None = None,
        language: LanguageDetector | None = None,
        punctuation: Punctuation | None = None,
        confidence: WordConfidence = WordConfidence(),
    ) -> None:
        """Without `ngram` any spelling counts as a word; without `feeling` none is heard,
        without `language` everything counts as English, and without `punctuation` words stay as spelled.
        """
        self._network = network
        self._ngram = ngram
        self.detector = detector
        self._beam = beam
        self._feeling = feeling
        self._language = language
        self._punctuation = punctuation
        self._confidence = confidence

    @property
    def voice_space(self) -> VoiceSpace:
        return self._feeling.space if self._feeling else VoiceSpace()

    @classmethod
    def load(
        cls,
        folder: Path,
        detector: Detector,
        *,
        feeling: FeelingHead | None = None,
        language: LanguageDetector | None = None,
        punctuation: Punctuation | None = None,
    ) -> "MiniEars":
        """From a folder with ears and n-gram, to listen: in int8 where that is faster.

        Raises `BadInput` when a file is missing or damaged.
        """
        network, record = store.load(folder), store.read_record(folder)
        if int8.is_fast():
            int8.quicken(network.encoder)
        return cls(
            network,
            NGram.load(folder / NGRAM_FILE),
            detector,
            feeling=feeling,
            language=language,
            punctuation=punctuation,
            confidence=WordConfidence(**record.get("word_confidence", {})),
        )

    def listen(
        self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()
    ) -> Listened:
        started = time.perf_counter()
        encoded, speech_s = self.encode(audio)
        expected = self.expected(recent)
        return self.listened([self.said(each, expected) for each in encoded], speech_s, baseline, started)

    def stream(self, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()) -> MiniStream:
        return MiniStream(self, baseline, self.expected(recent))

    def transcribe(self, audio: Audio) -> Transcript:
        heard = self.listen(audio)
        return Transcript(heard.text, heard.inference_ms, heard.words)

    def encode(self, audio: Audio) -> tuple[list[Encoded], float]:
        """The windows in which somebody speaks, through the network; and seconds of speech."""
        audio, spans = spoken(audio, self.detector)
        speech_s = sum(span.end_s - span.start_s for span in spans)
        encoded: list[Encoded] = []
        start_s = max(0.0, spans[0].start_s - MARGIN_S) if spans else 0.0
        for window in windows(audio, spans):
            encoded.append(self.encode_window(window, start_s))
            start_s += window.duration_s
        return encoded, speech_s

    def encode_window(self, window: Audio, start_s: float) -> Encoded:
        """At most 30 s at 16 kHz and a normal level, which begin `start_s` into the recording."""
        mel = log_mel(torch.from_numpy(np.ascontiguousarray(window.samples, dtype=np.float32)))
        with torch.inference_mode():
            output = self._network(mel[None])
            states = [state[0] for state in output.states]
            voice = voice_vector(states, mel, self._network.config.layers)
            vectors = voice, spelling_vector(output.states)[0], ending_vector(states)
        return Encoded(window, output.log_probs[0].numpy(), *(each.numpy() for each in vectors), start_s)

    def expected(self, recent: Sequence[str]) -> Mapping[str, float]:
        """The rare words of recent messages, which the search then expects."""
        return hot_words(recent, self._ngram) if self._ngram else {}

    def beam(self, expected: Mapping[str, float]) -> Beam:
        """A search that has heard nothing yet."""
        return Beam(self._ngram, self._beam, expected)

    def words(self, encoded: Encoded, expected: Mapping[str, float] | None = None) -> str:
        return search(encoded.log_probs, self._ngram, self._beam, expected).text

    def said(self, encoded: Encoded, expected: Mapping[str, float]) -> Said:
        """The window with its words, placed and weighed."""
        text = self.words(encoded, expected)
        placed = align(encoded.log_probs, text)
        words = weigh(placed, self._ngram, self._confidence, later_s=encoded.start_s)
        return Said(encoded, text, words)

    def listened(
        self, said: Sequence[Said], speech_s: float, baseline: VoiceBaseline, started: float
    ) -> Listened:
        """A turn from its windows; `started` is when the work on it began (`time.perf_counter`)."""
        encoded = [each.encoded for each in said]
        voice, own_voice = self.feeling(encoded, baseline)
        is_foreign = self._is_foreign(encoded, speech_s)
        text, words = ("", ()) if is_foreign else self._written(said)
        return Listened(
            text=text,
            voice=voice,
            speech_s=speech_s,
            inference_ms=(time.perf_counter() - started) * 1e3,
            own_voice=own_voice,
            words=words,
            is_foreign=is_foreign,
            ending=encoded[-1].ending if encoded else None,
        )

    def feeling(
        self, encoded: Sequence[Encoded], baseline: VoiceBaseline
    ) -> tuple[dict[str, float] | None, np.ndarray | None]:
        """`Listened.voice` and `Listened.own_voice` of a turn's windows."""
        if self._feeling is None or not encoded:
            return None, None
        voice = pooled_voice(encoded)
        heard = np.exp(self._feeling.hear(voice, baseline))
        return fold_calm(heard), self._feeling.own_voice(voice)

    def _is_foreign(self, encoded: Sequence[Encoded], speech_s: float) -> bool:
        if self._language is None or not encoded:
            return False
        return self._language.is_foreign(pooled_spelling(encoded), speech_s)

    def _written(self, said: Sequence[Said]) -> tuple[str, tuple[Word, ...]]:
        """The words of all windows as one text, with marks and capitals."""
        words = tuple(word for each in said for word in each.words)
        text = " ".join(word.text for word in words)
        if self._punctuation is None:
            return text, words
        text = self._punctuation.written(text)
        pairs = zip(words, text.split(), strict=True)
        return text, tuple(replace(word, text=written) for word, written in pairs)


def pooled_voice(encoded: Sequence[Encoded]) -> np.ndarray:
    """(4 * width,): of a turn, see `voice_vector`."""
    return pooled([each.voice for each in encoded], [each.window for each in encoded])


def pooled_spelling(encoded: Sequence[Encoded]) -> np.ndarray:
    """(2 * width,): of a turn, see `spelling_vector`."""
    return pooled([each.spelling for each in encoded], [each.window for each in encoded])
