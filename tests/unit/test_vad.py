"""Speech is found, silence and noise are not, and the detectors agree on a real clip."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import audio
from engine.audio import Audio
from engine.ears.windows import MARGIN_S, MAX_WINDOW_S, windows
from engine.vad import SpeechSpan, speech_spans
from engine.vad.webrtc import WebrtcDetector


class Scripted:
    """A detector with probabilities given beforehand."""

    name, frame_s = "scripted", 0.1

    def __init__(self, probabilities):
        self.given = np.array(probabilities)

    def probabilities(self, sound):
        return self.given


SILENCE = Audio(np.zeros(16_000, dtype=np.float32), 16_000)


def test_hysteresis_keeps_a_span_open_between_the_thresholds():
    spans = speech_spans(Scripted([0, 0.6, 0.4, 0.4, 0.6, 0.2, 0]), SILENCE)
    assert spans == [SpeechSpan(pytest.approx(0.1), pytest.approx(0.5))]


def test_speech_up_to_the_last_frame_is_closed():
    assert speech_spans(Scripted([0.9] * 5), SILENCE)[-1].end_s == pytest.approx(0.5)


def test_short_gaps_are_bridged_and_long_ones_are_not():
    assert len(speech_spans(Scripted([0.9] * 4 + [0] * 2 + [0.9] * 4), SILENCE)) == 1
    assert len(speech_spans(Scripted([0.9] * 4 + [0] * 4 + [0.9] * 4), SILENCE)) == 2


@given(st.lists(st.floats(0, 1), max_size=200))
def test_spans_are_ordered_apart_and_inside_the_recording(probabilities):
    spans = speech_spans(Scripted(probabilities), SILENCE)
    edges = [edge for span in spans for edge in (span.start_s, span.end_s)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(probabilities) * 0.1 + 1e-6 for edge in edges)


@pytest.mark.parametrize("name", ["silero", "webrtcvad"])
def test_real_speech_is_found_and_silence_is_not(engine, clip, name):
    detector = WebrtcDetector() if name == "webrtcvad" else engine.ears.detector
    assert detector.name == name
    speech = audio.read(clip("question.wav"))
    found = sum(span.end_s - span.start_s for span in speech_spans(detector, speech))
    assert found > 0.5 * speech.duration_s
    assert speech_spans(detector, SILENCE) == []


@pytest.mark.parametrize("name", ["silero", "webrtcvad"])
@pytest.mark.parametrize("piece", [160, 512, 10_000])
def test_sound_in_pieces_gives_the_same_frames(engine, clip, name, piece):
    detector = WebrtcDetector() if name == "webrtcvad" else engine.ears.detector
    speech = audio.read(clip("question.wav"))
    stream = detector.stream()
    cuts = range(piece, len(speech.samples), piece)
    found = np.concatenate([stream.feed(part) for part in np.split(speech.samples, cuts)])
    whole = detector.probabilities(speech)
    assert len(whole) - 3 <= len(found) <= len(whole)
    assert np.allclose(found, whole[: len(found)], atol=1e-5)


@given(st.floats(0.5, 200), st.integers(0, 2**32 - 1))
def test_windows_cover_all_that_was_said(duration_s, seed):
    rate_hz = 1000
    samples = np.random.default_rng(seed).normal(size=int(duration_s * rate_hz)).astype(np.float32)
    sound = Audio(samples, rate_hz)
    spans = [SpeechSpan(0.1 * duration_s, 0.9 * duration_s)]
    pieces = windows(sound, spans)
    joined = np.concatenate([piece.samples for piece in pieces])
    first = round(max(0.0, spans[0].start_s - MARGIN_S) * rate_hz)
    assert np.array_equal(joined, samples[first : first + len(joined)])
    assert first + len(joined) >= int(spans[0].end_s * rate_hz)
    assert all(piece.duration_s <= MAX_WINDOW_S + 1e-6 for piece in pieces)


def test_no_speech_no_windows():
    assert windows(SILENCE, []) == []


def test_cuts_fall_into_a_pause():
    rate_hz = 1000
    samples = np.ones(40 * rate_hz, dtype=np.float32)
    samples[20 * rate_hz : 21 * rate_hz] = 0.0
    first, second = windows(Audio(samples, rate_hz), [SpeechSpan(0.0, 40.0)])
    assert 20.0 <= first.duration_s <= 21.0
    assert first.duration_s + second.duration_s == pytest.approx(40.0)
