"""Whatever bytes come in: sound, or one sentence."""

import io

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import audio
from engine.audio import Audio
from engine.errors import BadInput


def tone(seconds: float = 1.0, rate_hz: int = 16_000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def encoded(container: str, codec: str, rate_hz: int = 48_000) -> bytes:
    """A tone as browsers record it."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(1.0, rate_hz)[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_channels_become_16_khz_mono(tmp_path, rate_hz, channels):
    path = tmp_path / "in.wav"
    soundfile.write(path, np.stack([tone(1.0, rate_hz)] * channels, axis=1), rate_hz)
    sound = audio.read(path)
    assert sound.sample_rate_hz == 16_000
    assert sound.samples.dtype == np.float32
    assert sound.duration_s == pytest.approx(1.0, abs=0.01)
    assert np.sqrt((sound.samples**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("ogg", "libopus")])
def test_what_browsers_record(container, codec):
    sound = audio.decode(encoded(container, codec))
    assert sound.duration_s == pytest.approx(1.0, abs=0.1)
    assert np.abs(sound.samples).max() > 0.2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello, this is not sound" * 50, "not a sound file"),
        (b"RIFF\x00\x00", "not a sound"),
    ],
)
def test_what_is_not_sound_is_one_sentence(tmp_path, content, says):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=says) as caught:
        audio.read(path)
    assert "\n" not in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        audio.read(tmp_path / "none.wav")


def test_truncated_file_gives_what_is_there_or_a_sentence(tmp_path):
    whole = Audio(tone(2.0), 16_000).wav_bytes()
    sound = audio.decode(whole[: len(whole) // 2])
    assert 0.5 < sound.duration_s < 1.5


def test_values_that_are_not_numbers_are_refused():
    with pytest.raises(BadInput, match="not numbers"):
        audio.from_samples(np.array([0.0, np.nan], dtype=np.float32), 16_000)


def test_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.wav"
    with path.open("wb") as out:
        out.truncate(500 * 2**20)
    with pytest.raises(BadInput, match="too large"):
        audio.read(path)


def test_video_without_sound_is_refused():
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    with pytest.raises(BadInput, match="no sound"):
        audio.decode(out.getvalue())


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=400),
    st.sampled_from([b"", b"RIFF", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"ID3"]),
)
def test_random_bytes_never_escape_as_anything_but_bad_input(body, magic):
    try:
        sound = audio.decode(magic + body)
    except BadInput:
        return
    assert np.isfinite(sound.samples).all()


@given(st.integers(1, 400), st.sampled_from([np.int16, np.int32, np.float32, np.float64]))
def test_samples_of_any_kind_become_mono_float32(count, kind):
    sound = audio.from_samples(np.zeros((count, 2), dtype=kind), 48_000)
    assert sound.samples.shape == (count,)
    assert sound.samples.dtype == np.float32
