"""Sound as a value, and how any recording becomes one.

`read` is called for every file, upload and browser recording. soundfile decodes
what it knows (wav, flac, ogg, mp3); PyAV decodes what browsers record (webm/opus,
m4a), which libsndfile cannot. Everything inside Attune is mono float32.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from engine.errors import BadInput, reason

SPEECH_RATE_HZ = 16_000
"""The rate of everything the ears read."""

MAX_DURATION_S = 30 * 60
MAX_FILE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono float32 samples, about -1 to 1."""

    samples: np.ndarray
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz

    def resampled(self, sample_rate_hz: int) -> "Audio":
        if sample_rate_hz == self.sample_rate_hz:
            return self
        samples = soxr.resample(self.samples, self.sample_rate_hz, sample_rate_hz)
        return Audio(samples.astype(np.float32), sample_rate_hz)

    def wav_bytes(self) -> bytes:
        """A 16-bit WAV file; samples beyond full scale are clipped."""
        out = io.BytesIO()
        soundfile.write(out, self.samples, self.sample_rate_hz, format="WAV", subtype="PCM_16")
        return out.getvalue()


def read(path: str | Path, sample_rate_hz: int = SPEECH_RATE_HZ) -> Audio:
    """Decode a file to mono at `sample_rate_hz`.

    Raises `BadInput` naming the file when it is missing, empty, too large, too
    long, not audio, or holds values that are not numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    size_bytes = path.stat().st_size
    if size_bytes > MAX_FILE_BYTES:
        raise BadInput(
            f"{path}: {size_bytes / 2**20:.0f} MB is too large (the limit is {MAX_FILE_BYTES // 2**20} MB); "
            "cut the recording or convert it to opus."
        )
    return decode(path.read_bytes(), sample_rate_hz, name=str(path))


def decode(data: bytes, sample_rate_hz: int = SPEECH_RATE_HZ, *, name: str = "the recording") -> Audio:
    """Decode the bytes of a recording; `name` is how error messages call it. Raises `BadInput`."""
    if not data:
        raise BadInput(f"{name}: the file is empty.")
    try:
        frames, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        samples = frames.mean(axis=1)
    except soundfile.SoundFileError:
        samples, rate_hz = _decode_with_av(data, name)
    return from_samples(samples, rate_hz, name=name).resampled(sample_rate_hz)


def from_samples(samples: np.ndarray, sample_rate_hz: int, *, name: str = "the recording") -> Audio:
    """Check samples that came from outside (a browser, an array) and make them mono float32."""
    samples = np.asarray(samples)
    if samples.dtype.kind not in "biuf":
        raise BadInput(f"{name}: it holds no sound.")
    if samples.dtype.kind in "iu":
        samples = samples.astype(np.float32) / np.iinfo(samples.dtype).max
    samples = samples.astype(np.float32, copy=False)
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if samples.ndim != 1 or len(samples) == 0:
        raise BadInput(f"{name}: it holds no sound.")
    if not np.isfinite(samples).all():
        raise BadInput(f"{name}: it holds values that are not numbers; record it again.")
    if not 4_000 <= sample_rate_hz <= 384_000:
        raise BadInput(f"{name}: a sample rate of {sample_rate_hz} Hz is not speech.")
    if len(samples) > MAX_DURATION_S * sample_rate_hz:
        raise BadInput(f"{name}: longer than {MAX_DURATION_S // 60} minutes; cut it into parts.")
    return Audio(samples, int(sample_rate_hz))


def _decode_with_av(data: bytes, name: str) -> tuple[np.ndarray, int]:
    # PyAV costs 90 ms to import, and most recordings never need it.
    import av

    try:
        with av.open(io.BytesIO(data), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise BadInput(f"{name}: there is no sound in this file.")
            resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
            blocks = [
                block.to_ndarray().reshape(-1)
                for frame in container.decode(audio=0)
                for block in resampler.resample(frame)
            ]
            blocks += [block.to_ndarray().reshape(-1) for block in resampler.resample(None)]
    except (av.FFmpegError, ValueError) as error:
        raise BadInput(f"{name}: this is not a sound file that can be read ({reason(error)}).") from error
    if not blocks:
        raise BadInput(f"{name}: it holds no sound.")
    return np.concatenate(blocks), 48_000
