"""The microphone's side of a hands-free conversation: which frames are speech, and the ears on a turn.

Fed by `app.live.talk`. Time here is the microphone's own: seconds of sound received.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.audio import SPEECH_RATE_HZ
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.conversation import Heard, Turn
from engine.facade import Engine
from engine.live import LiveTurn
from engine.turns import RECENT_S
from engine.turns.activity import START_S, Activity

PRE_ROLL_S = 0.5
"""What is kept from before an onset: it shows 0.1 s late, and soft beginnings later still."""

PAUSE_S = 0.2
"""Shorter silences lie between words."""

PAUSES_KEPT = 30


@dataclass(frozen=True)
class Frame:
    """One frame of the detector, which ends at `end_s`."""

    is_speech: bool
    end_s: float


@dataclass(frozen=True)
class Span:
    """Where a turn lies: samples at 16 kHz of all the sound that was fed so far."""

    first: int
    last: int


class Capture:
    """One microphone. `begin` a turn, then `feed` it until `heard` or `drop`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._detector = engine.detector.stream()
        self._frame_s = engine.detector.frame_s
        self._activity = Activity(self._frame_s)
        self._frames = self._fed = 0
        self._is_speech = False
        self._recent = np.zeros(0, dtype=np.float32)
        self._ears: LiveTurn | None = None
        self._began_s = self._speech_end_s = self._speech_s = 0.0
        self.text = self.settled = ""
        self.own_pauses_s: deque[float] = deque(maxlen=PAUSES_KEPT)

    @property
    def now_s(self) -> float:
        return self._frames * self._frame_s

    @property
    def recent(self) -> np.ndarray:
        """(N,) at 16 kHz, the last seconds."""
        return self._recent

    @property
    def turn_s(self) -> float:
        """From the turn's beginning to its last speech."""
        return max(0.0, self._speech_end_s - self._began_s)

    @property
    def silence_s(self) -> float:
        """Since the last speech."""
        return self.now_s - self._speech_end_s

    @property
    def speech_s(self) -> float:
        """How much of the turn was speech."""
        return self._speech_s

    def begin(
        self, baseline: VoiceBaseline, conversation: Sequence[Turn], calibration: Calibration = Calibration()
    ) -> None:
        """Listen to what is said from a little before now; goes on where something is listened to already."""
        if self._ears is None:
            self._ears = self._engine.listen_live(baseline, conversation, calibration)
            self._began_s = self._speech_end_s = self.now_s
            self._speech_s = START_S
            self.text = self.settled = ""
            self._listen(self._recent[-round(PRE_ROLL_S * SPEECH_RATE_HZ) :])

    def feed(self, samples: np.ndarray) -> Iterator[Frame]:
        """(N,) at 16 kHz → the frames completed by it."""
        self._fed += len(samples)
        self._recent = np.concatenate([self._recent, samples])[-round(RECENT_S * SPEECH_RATE_HZ) :]
        if self._ears is not None:
            self._listen(samples)
        for is_speech in self._activity.feed(self._detector.feed(samples)):
            self._frames += 1
            if is_speech:
                # An onset shows only after START_S of it.
                self._speak(self._frame_s if self._is_speech else START_S)
            self._is_speech = is_speech
            yield Frame(is_speech, self.now_s)

    def forget_before(self) -> None:
        """The microphone is muted: what comes next does not follow on what came before."""
        self._recent = self._recent[:0]

    def heard(self) -> Heard:
        """The turn as it stands; more of it may follow."""
        return self._ears.so_far()

    @property
    def span(self) -> Span:
        """The turn as it stands, from a little before its first speech."""
        return Span(self._fed - len(self._ears.sound.samples), self._fed)

    def drop(self) -> None:
        """Listen no more."""
        self._ears = None
        self.text = self.settled = ""

    def _listen(self, samples: np.ndarray) -> None:
        if (partial := self._ears.feed(samples)) is not None:
            self.text, self.settled = partial.text, partial.settled

    def _speak(self, duration_s: float) -> None:
        pause_s = self.now_s - self._frame_s - self._speech_end_s
        if self._ears is not None and self._speech_s and pause_s >= PAUSE_S:
            self.own_pauses_s.append(pause_s)
        self._speech_end_s = self.now_s
        self._speech_s += duration_s
