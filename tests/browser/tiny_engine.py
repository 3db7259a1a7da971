"""A small engine for the page's tests: real parts behind the real Protocols, with answers known beforehand.

Its ears take the loudness of a recording for its feeling, its mind repeats what was said,
and its voice hums. Timing is set by the test, so that a turn can be looked at in every state.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine import ser
from engine.asr import Partial, Word
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.conversation import Stale, Turn, never
from engine.emotion import EMOTIONS, Emotion
from engine.errors import PartMissing
from engine.facade import Engine
from engine.hearing import Listened, VoiceSpace
from engine.parts import Notice
from engine.tts import SAMPLE_RATE_HZ, AudioChunk, Style
from engine.turns.silence import Silence

SAD = dict(zip(EMOTIONS, (0.08, 0.02, 0.62, 0.03, 0.21, 0.02, 0.02), strict=True))
HAPPY = dict(zip(EMOTIONS, (0.1, 0.8, 0.02, 0.02, 0.02, 0.02, 0.02), strict=True))
PACE_S = 0.02
UNCLEAR = dict.fromkeys(EMOTIONS, 1 / 7)


class Loudness:
    """Whatever is not silence is speech."""

    name = "loudness"
    frame_s = 0.02

    def probabilities(self, audio: Audio) -> np.ndarray:
        return self.feed(audio.samples)

    def stream(self) -> "Loudness":
        return Loudness()

    def __init__(self) -> None:
        self._pending = np.zeros(0, dtype=np.float32)

    def feed(self, samples: np.ndarray) -> np.ndarray:
        sound = np.concatenate([self._pending, samples])
        whole = len(sound) // 320 * 320
        self._pending = sound[whole:]
        return (np.abs(sound[:whole].reshape(-1, 320)).max(1, initial=0.0) > 0.01).astype(np.float32)


class Ears:
    name = "tiny ears"
    voice_space = VoiceSpace("tiny", 4)
    doubted = ""
    """The word that they are not sure of."""
    says = ""
    """What they understand, whatever was said; else they tell how long it was."""

    def listen(
        self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()
    ) -> Listened:
        speech_s = float(np.sum(np.abs(audio.samples) > 0.01) / audio.sample_rate_hz)
        if speech_s < 0.1:
            return Listened("", None, 0.0, 1.0)
        text = self.says or f"I spoke for {audio.duration_s:.0f} seconds"
        words = tuple(Word(word, 0.0, 0.1, 0.3 if word == self.doubted else 0.9) for word in text.split())
        return Listened(text, SAD, speech_s, 1.0, own_voice=np.ones(4), words=words)

    def stream(self, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()) -> "Stream":
        return Stream(self, baseline)


class Stream:
    """Captions are one word and the tenths of a second: more words might interrupt a reply."""

    def __init__(self, ears: Ears, baseline: VoiceBaseline) -> None:
        self._ears, self._baseline = ears, baseline
        self.sound = Audio(np.zeros(0, dtype=np.float32), SPEECH_RATE_HZ)
        self._shown = ""

    def feed(self, samples: np.ndarray) -> Partial | None:
        self.sound = Audio(np.concatenate([self.sound.samples, samples]), SPEECH_RATE_HZ)
        if (text := f"heard {self.sound.duration_s:.1f}") == self._shown:
            return None
        self._shown = text
        return Partial(text, "heard")

    def so_far(self) -> Listened:
        return self._ears.listen(self.sound, self._baseline)


class Words:
    def recognize(self, text: str) -> dict[str, float]:
        if "happy" in text:
            return HAPPY
        return SAD if "sad" in text or "spoke" in text else UNCLEAR


class Fusion:
    """Takes the voice at its word; calibrated as the real one is."""

    def fuse(self, voice, words, *, speech_s: float = 0.0, calibration=Calibration()) -> Emotion:
        scores = ser.Fusion().fuse(voice or words or UNCLEAR, None, calibration=calibration).scores
        return Emotion(scores, abstained=max(scores.values()) < 0.4, voice=voice, words=words)


@dataclass
class Mind:
    """Answers with what it remembers, `pause_s` before each word; notes when it gave them."""

    pause_s: float = 0.0
    failure: str = ""
    yielded_at: list[float] = field(default_factory=list)
    name: str = "tiny mind"
    listens_s: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        self.pause_s, self.failure, self.yielded_at = 0.0, "", []
        self.stopped.clear()

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        said = [turn.text for turn in conversation if turn.role == "user"]
        before = f"Before, you said {said[-2]}. " if len(said) > 1 else ""
        for word in f"{before}You said {said[-1]}.".split(" "):
            time.sleep(self.pause_s)
            if stale():
                self.stopped.set()
                return
            self.yielded_at.append(time.time())
            yield f"{word} "
            if self.failure:
                raise PartMissing(self.failure)


@dataclass
class Voice:
    """Hums, `pace_s` for each letter; notes when each chunk was ready, how long and in which style."""

    pace_s: float = PACE_S
    name: str = "tiny voice"
    made_at: list[float] = field(default_factory=list)
    made_samples: list[int] = field(default_factory=list)
    styles: list[Style] = field(default_factory=list)

    def voices(self) -> tuple[str, ...]:
        return ("low", "high")

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        if stale():
            return
        self.styles.append(style)
        seconds = np.arange(int(SAMPLE_RATE_HZ * self.pace_s * len(text))) / SAMPLE_RATE_HZ
        hum = 0.1 * np.sin(2 * np.pi * 220 * seconds).astype(np.float32)
        self.made_samples.append(len(hum))
        self.made_at.append(time.time())
        yield AudioChunk(Audio(hum, SAMPLE_RATE_HZ), text)


def reset(engine: Engine) -> None:
    """As quick as it can be."""
    engine.mind.reset()
    engine.voice.pace_s = PACE_S


def engine(pause_s: float = 0.0) -> Engine:
    return Engine(
        profile="tiny",
        reason="Profile tiny: made for the tests.",
        detector=Loudness(),
        ears=Ears(),
        words=Words(),
        fusion=Fusion(),
        mind=Mind(pause_s),
        voice=Voice(),
        ends={"silence": lambda: Silence(0.7)},
        notices=(Notice("voice", "Kokoro could not be had: connect once."),),
    )
