"""Kokoro through kokoro-onnx, on a tiny model with the inputs and outputs of the real one."""

import numpy as np
import pytest

from engine.errors import BadInput, PartMissing
from engine.tts import SAMPLE_RATE_HZ, Style

pytest.importorskip("kokoro_onnx", reason="kokoro-onnx is optional (requirements-extra.txt)")
parser = pytest.importorskip("onnx.parser", reason="the tiny model is made with onnx")

from engine.tts.kokoro import KokoroVoice  # noqa: E402
from engine.tts.say import say  # noqa: E402

# A tone of 1,000 samples per phoneme at speed 1, pitched by the mean of the style vector.
TINY_MODEL = """
<ir_version: 8, opset_import: ["" : 17]>
tiny (int64[1, n] input_ids, float[1, 256] style, float[1] speed) => (float[1, m] waveform)
<float zero = {0.0}, float one = {1.0}, int64[1] first = {0}, float per_phoneme = {1000.0}>
{
    phonemes = Size(input_ids)
    count = Cast<to = 1>(phonemes)
    samples = Mul(count, per_phoneme)
    lengths = Div(samples, speed)
    length = Squeeze(lengths)
    steps = Range(zero, length, one)
    pitch = ReduceMean<keepdims = 0>(style)
    phase = Mul(steps, pitch)
    tone = Sin(phase)
    waveform = Unsqueeze(tone, first)
}
"""


@pytest.fixture
def files(tmp_path):
    model = tmp_path / "model_quantized.onnx"
    model.write_bytes(parser.parse_model(TINY_MODEL).SerializeToString())
    voices = []
    for name, pitch in (("af_heart", 0.02), ("am_adam", 0.06)):
        voices.append(tmp_path / f"{name}.bin")
        np.full((510, 1, 256), pitch, np.float32).tofile(voices[-1])
    return model, voices


def pitch_hz(samples):
    return float(np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE_HZ / len(samples))


def test_speaks_with_the_chosen_voice_and_speed(files):
    heart, adam = KokoroVoice(*files), KokoroVoice(*files, voice="am_adam")
    assert heart.voices() == ("af_heart", "am_adam")
    (low,) = heart.speak("Hello there.")
    (high,) = adam.speak("Hello there.")
    assert low.audio.sample_rate_hz == SAMPLE_RATE_HZ
    assert pitch_hz(low.audio.samples) == pytest.approx(0.02 / (2 * np.pi) * SAMPLE_RATE_HZ, rel=0.05)
    assert pitch_hz(high.audio.samples) == pytest.approx(0.06 / (2 * np.pi) * SAMPLE_RATE_HZ, rel=0.05)
    (slow,) = heart.speak("Hello there.", Style("calm"))
    assert slow.audio.duration_s > low.audio.duration_s
    (slowest,) = heart.speak("Hello there.", Style("calm", speed=0.5))
    assert slowest.audio.duration_s > slow.audio.duration_s


def test_more_text_is_more_speech_and_nothing_to_say_is_none(files):
    voice = KokoroVoice(*files)
    short, long = say(["Hello there. I am here and I have time for all of it."], voice)
    assert long.audio.duration_s > 2 * short.audio.duration_s
    assert list(voice.speak(" ")) == []
    assert list(voice.speak("Hello.", stale=lambda: True)) == []


def test_missing_and_broken_weights_are_said_in_a_sentence(files, tmp_path):
    model, voices = files
    for missing in ((None, voices), (tmp_path / "no.onnx", voices), (model, ())):
        with pytest.raises(PartMissing, match="weights --fetch"):
            KokoroVoice(*missing)
    with pytest.raises(BadInput, match="nobody"):
        KokoroVoice(model, voices, voice="nobody")
    voices[0].write_bytes(b"short")
    with pytest.raises(PartMissing, match="af_heart"):
        KokoroVoice(model, voices)
    model.write_bytes(b"not a model")
    with pytest.raises(PartMissing, match="cannot be loaded"):
        KokoroVoice(model, voices[1:])
