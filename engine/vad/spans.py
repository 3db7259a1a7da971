"""From probabilities of speech, frame by frame, to stretches of it."""

from collections.abc import Iterable
from dataclasses import dataclass

ON, OFF = 0.5, 0.35
MIN_SPEECH_S = 0.1
MAX_GAP_S = 0.25


@dataclass(frozen=True)
class SpeechSpan:
    """A stretch of speech, in seconds from the start of the recording."""

    start_s: float
    end_s: float


def spans_of(probabilities: Iterable[float], frame_s: float) -> list[SpeechSpan]:
    """Stretches that rise above `ON`, end below `OFF`, and last at least 0.1 s; short gaps are bridged."""
    spans: list[SpeechSpan] = []
    start: int | None = None
    for frame, probability in enumerate([*probabilities, 0.0]):
        if start is None and probability >= ON:
            start = frame
        elif start is not None and probability < OFF:
            spans.append(SpeechSpan(start * frame_s, frame * frame_s))
            start = None
    return [span for span in _bridged(spans) if span.end_s - span.start_s >= MIN_SPEECH_S]


def _bridged(spans: list[SpeechSpan]) -> list[SpeechSpan]:
    joined: list[SpeechSpan] = []
    for span in spans:
        if joined and span.start_s - joined[-1].end_s < MAX_GAP_S:
            joined[-1] = SpeechSpan(joined[-1].start_s, span.end_s)
        else:
            joined.append(span)
    return joined
