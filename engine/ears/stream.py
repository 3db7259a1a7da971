"""A turn heard while it is spoken: captions as it goes, and almost nothing left to do at its end.

Opened by `MiniEars.stream` for every live turn; the contract is `engine.hearing.EarsStream`. The encoder
runs again and again over the window since the last pause, the more seldom the longer that is. In a pause
the window is encoded once more, with its words and feeling: if the turn ends there, they are the answer.
A window that is long enough is closed in a pause, and its words stay as they are.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.asr import Partial
from engine.audio import MAX_DURATION_S, SPEECH_RATE_HZ, Audio, from_samples
from engine.baseline import VoiceBaseline
from engine.ears.beam import Beam
from engine.ears.finder import BLOCK_S, BLOCK_SAMPLES, SpeechFinder
from engine.ears.mel import normalise_level
from engine.ears.windows import MARGIN_S, windows
from engine.errors import BadInput
from engine.hearing import Listened
from engine.vad.spans import SpeechSpan

if TYPE_CHECKING:
    from engine.ears.mini import Encoded, MiniEars, Said

FIRST_PASS_S = 0.2
"""After the onset; nothing can be read in less."""
PASS_EVERY_S = 0.16
PASS_SHARE = 0.08
"""Of the window's length, between passes: they take a constant share of one core, about a sixth."""

PAUSE_S = 0.2
"""Silence after which the turn may be over."""
CLOSE_AFTER_S = 12.0
"""A window as long as this is closed in the next pause, a shorter one in a pause of `MARGIN_S`."""
MAX_WINDOW_S = 20.0
"""A window as long as this is closed where it is quietest."""
CONTEXT_BLOCKS = 150
"""Sound before a window that is encoded with it. Closed after 6 s, windows cost 1.4 points of word error
rate without it and 0.6 with it; a turn that stays one window costs nothing."""

UNSETTLED_FRAMES = 50
"""The newest second may still be read otherwise, once its surroundings are known."""
BEFORE_SPEECH_BLOCKS = 80
"""Kept while nobody speaks: the margin, and what the detector needs to be sure."""
LEVEL_BLOCKS = 1500


@dataclass(eq=False)
class _Window:
    """The stretch of sound being encoded again and again. Blocks and frames are both 20 ms."""

    start: int  # block
    beam: Beam
    next_pass_s: float
    searched: int = 0  # frames that the beam is through with
    said: "Said | None" = None
    said_until_s: float = 0.0  # the end of speech that `said` reaches to


class MiniStream:
    """See `EarsStream`. Times are seconds of sound since the first `feed`."""

    def __init__(
        self, ears: "MiniEars", baseline: VoiceBaseline, expected: Mapping[str, float] | None = None
    ) -> None:
        self._ears = ears
        self._baseline = baseline
        self._expected = expected
        self._finder = SpeechFinder(ears.detector)
        self._pending = np.zeros(0, dtype=np.float32)  # less than a block
        self._blocks: list[np.ndarray] = []
        self._forgotten = 0  # blocks before those
        self._window: _Window | None = None
        self._closed: list[Said] = []
        self._closed_until = 0  # block
        self._closed_speech_s = 0.0
        self._captioned = ""  # what the captions of closed windows said
        self._captioned_until = 0  # block
        self._shown = ""
        self._spoke_until_s: float | None = None
        self._is_over = False

    @property
    def sound(self) -> Audio:
        if self._spoke_until_s is None:
            return Audio(np.zeros(0, dtype=np.float32), SPEECH_RATE_HZ)
        return Audio(np.concatenate(self._blocks), SPEECH_RATE_HZ)

    @property
    def silence_s(self) -> float | None:
        return None if self._spoke_until_s is None else self._now * BLOCK_S - self._spoke_until_s

    def feed(self, samples: np.ndarray) -> Partial | None:
        self._check_open()
        if np.size(samples) == 0:
            return None
        piece = from_samples(samples, SPEECH_RATE_HZ, name="the sound").samples.clip(-1.0, 1.0)
        self._pending = np.concatenate([self._pending, piece])
        complete = len(self._pending) // BLOCK_SAMPLES * BLOCK_SAMPLES
        blocks = self._pending[:complete].reshape(-1, BLOCK_SAMPLES)
        self._pending = self._pending[complete:]
        partial = None
        for block in blocks:
            partial = self._take(block) or partial
        return partial

    def so_far(self) -> Listened:
        self._check_open()
        started = time.perf_counter()
        said, speech_s = self._closed, self._closed_speech_s
        if self._window:
            spans = self._finder.spans()
            said = [*said, self._hear(self._window, spans)]
            speech_s += _length_s(spans)
        return self._ears.listened(said, speech_s, self._baseline, started)

    def finish(self) -> Listened:
        listened = self.so_far()
        self._is_over = True
        return listened

    @property
    def _now(self) -> int:
        return self._forgotten + len(self._blocks)

    def _check_open(self) -> None:
        if self._is_over:
            raise BadInput("This turn is already over; open another stream for the next one.")

    def _take(self, block: np.ndarray) -> Partial | None:
        self._blocks.append(block)
        if len(self._blocks) * BLOCK_S > MAX_DURATION_S:
            raise BadInput(f"A turn longer than {MAX_DURATION_S // 60} minutes; finish it and open another.")
        if not self._finder.take(block):
            return None
        spans = self._finder.spans()
        if not spans:
            if self._spoke_until_s is None:
                self._forget(self._now - BEFORE_SPEECH_BLOCKS)
                self._finder.forget(self._forgotten * BLOCK_S)
            return None
        self._spoke_until_s = spans[-1].end_s
        window = self._window = self._window or self._open(spans[0])
        if self.silence_s >= PAUSE_S:
            return self._pause(window, spans)
        if self._now * BLOCK_S < window.next_pass_s:
            return None
        length_s = (self._now - window.start) * BLOCK_S
        if length_s >= MAX_WINDOW_S:
            self._cut(window, spans)
            return None
        window.next_pass_s = self._now * BLOCK_S + max(PASS_EVERY_S, PASS_SHARE * length_s)
        return self._caption(window, self._encode(window, self._now))

    def _open(self, first: SpeechSpan) -> _Window:
        start = max(self._forgotten, self._closed_until, round((first.start_s - MARGIN_S) / BLOCK_S))
        if not self._closed:
            self._forget(start)
        searched = max(0, self._captioned_until - start)
        return _Window(start, self._ears.beam(self._expected), first.start_s + FIRST_PASS_S, searched)

    def _forget(self, until: int) -> None:
        blocks = max(0, until - self._forgotten)
        self._forgotten += blocks
        del self._blocks[:blocks]

    def _encode(self, window: _Window, end: int) -> "Encoded":
        """The window up to block `end` through the network, at the level of the last half minute."""
        context = min(CONTEXT_BLOCKS, window.start - self._forgotten)
        start = window.start - context
        level_from = max(self._forgotten, min(start, end - LEVEL_BLOCKS))
        sound = np.concatenate(self._blocks[level_from - self._forgotten : end - self._forgotten])
        samples = normalise_level(sound)[(start - level_from) * BLOCK_SAMPLES :]
        start_s = (start - self._forgotten) * BLOCK_S
        return self._ears.encode_window(Audio(samples, SPEECH_RATE_HZ), start_s).without(context)

    def _hear(self, window: _Window, spans: list[SpeechSpan]) -> "Said":
        """Words and feeling of the window, up to the margin after its last word."""
        if window.said is None or window.said_until_s != spans[-1].end_s:
            end = min(self._now, round((spans[-1].end_s + MARGIN_S) / BLOCK_S))
            window.said = self._ears.said(self._encode(window, end), self._expected)
            window.said_until_s = spans[-1].end_s
        return window.said

    def _caption(self, window: _Window, encoded: "Encoded") -> Partial | None:
        log_probs, beam = encoded.log_probs, window.beam
        settled = max(window.searched, len(log_probs) - UNSETTLED_FRAMES)
        beam.advance(log_probs[window.searched : settled])
        window.searched = settled
        mark = beam.mark()
        settled_text = beam.settled()
        beam.advance(log_probs[settled:])
        text = _joined(self._captioned, beam.best().text)
        beam.rewind(mark)
        if text == self._shown:
            return None
        self._shown = text
        return Partial(text, _joined(self._captioned, settled_text))

    def _pause(self, window: _Window, spans: list[SpeechSpan]) -> Partial | None:
        is_new = window.said is None or window.said_until_s != spans[-1].end_s
        said = self._hear(window, spans)
        partial = self._caption(window, said.encoded) if is_new else None
        is_long = said.encoded.window.duration_s >= CLOSE_AFTER_S
        if is_long or self.silence_s >= MARGIN_S:
            # The rest of the pause is the margin of the next window.
            self._close(window, said, round((spans[-1].end_s + PAUSE_S / 2) / BLOCK_S), spans)
        return partial

    def _cut(self, window: _Window, spans: list[SpeechSpan]) -> None:
        sound = Audio(np.concatenate(self._blocks[window.start - self._forgotten :]), SPEECH_RATE_HZ)
        whole = SpeechSpan(0.0, sound.duration_s)
        pieces = windows(sound, [whole], MAX_WINDOW_S - UNSETTLED_FRAMES * BLOCK_S)
        end = window.start + round(pieces[0].duration_s / BLOCK_S)
        self._close(window, self._ears.said(self._encode(window, end), self._expected), end, spans)

    def _close(self, window: _Window, said: "Said", end: int, spans: list[SpeechSpan]) -> None:
        """Nothing before block `end` is looked at again."""
        self._closed.append(said)
        self._closed_until = end
        self._closed_speech_s += _length_s(spans, end * BLOCK_S)
        self._finder.forget(end * BLOCK_S)
        window.beam.advance(said.encoded.log_probs[window.searched :])
        self._captioned = _joined(self._captioned, window.beam.best().text)
        self._captioned_until = window.start + max(window.searched, len(said.encoded.log_probs))
        self._window = None


def _length_s(spans: list[SpeechSpan], until_s: float = math.inf) -> float:
    return sum(max(0.0, min(span.end_s, until_s) - span.start_s) for span in spans)


def _joined(*texts: str) -> str:
    return " ".join(filter(None, texts))
