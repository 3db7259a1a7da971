"""Whether somebody speaks right now: speech probabilities as they come → speech or not, frame by frame.

The rule of silero's own iterator: three frames above `ON` begin speech, so that a click does not; one below
`OFF` ends it. Works with any `engine.vad.Detector`.
"""

from collections.abc import Iterable, Iterator

from engine.vad.spans import OFF, ON

START_S = 0.09
"""Three frames of silero's, three of webrtcvad's."""


class Activity:
    """The state of one microphone."""

    def __init__(self, frame_s: float) -> None:
        self._start_frames = round(START_S / frame_s)
        self._loud_frames = 0
        self._is_speech = False

    def feed(self, probabilities: Iterable[float]) -> Iterator[bool]:
        """For every frame whether it is speech. An onset shows at its third frame."""
        for probability in probabilities:
            self._loud_frames = self._loud_frames + 1 if probability >= ON else 0
            self._is_speech = (
                probability >= OFF if self._is_speech else self._loud_frames >= self._start_frames
            )
            yield self._is_speech
