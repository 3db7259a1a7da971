"""The ears of `standard` on a tiny Whisper in CTranslate2's real file layout, and the real emotion head."""

import os

import numpy as np
import pytest
from tiny_models import write_whisper

from engine import audio, parts
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.ears.faster_whisper import FasterWhisperEars, is_phantom
from engine.ears.feeling import FeelingHead
from engine.ears.mini import MiniEars
from engine.errors import BadInput, PartMissing
from engine.facade import MINI
from engine.profiles import load_profile
from engine.weights import Sources

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def mini():
    profile = load_profile("standard")
    site = parts.Site(profile, Sources.from_environment(os.environ))
    detector, _ = parts.climb("speech detector", profile.turns.activity, parts.ACTIVITY, site)
    return MiniEars.load(MINI, detector, feeling=FeelingHead.load(MINI))


@pytest.fixture(scope="module")
def question(clip):
    return audio.read(clip("question.wav"))


@pytest.fixture(scope="module")
def ears_that_say(mini, tmp_path_factory):
    def make(says, *, doubts=False):
        folder = write_whisper(tmp_path_factory.mktemp("models") / "tiny", says, doubts=doubts)
        return FasterWhisperEars(folder, mini, name="tiny")

    return make


@pytest.fixture(scope="module")
def ears(ears_that_say):
    return ears_that_say(" I lost my keys.")


def test_words_by_whisper_and_feeling_by_our_head(ears, mini, question):
    heard, ours = ears.listen(question), mini.listen(question)
    assert heard.text == "I lost my keys."
    assert heard.voice == ours.voice
    assert heard.speech_s == ours.speech_s > 1
    assert heard.inference_ms > 0
    known = VoiceBaseline().updated(heard.own_voice)
    assert ears.listen(question, known).voice == mini.listen(question, known).voice != ours.voice


def test_a_long_turn_is_heard_window_by_window(ears, question):
    pause = np.zeros(2 * RATE_HZ, dtype=np.float32)
    long = np.concatenate([*([question.samples, pause] * 8)])
    assert 28 < len(long) / RATE_HZ < 56
    assert ears.listen(Audio(long, RATE_HZ)).text == "I lost my keys. I lost my keys."


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(3 * RATE_HZ),
        np.random.default_rng(0).normal(size=3 * RATE_HZ) * 1e-3,
        np.sin(np.arange(3 * RATE_HZ) * 2 * np.pi * 50 / RATE_HZ) * 0.1,
    ],
    ids=["silence", "hiss", "hum"],
)
def test_nothing_comes_out_of_silence(ears, samples):
    heard = ears.listen(Audio(samples.astype(np.float32), RATE_HZ))
    assert (heard.text, heard.voice, heard.speech_s) == ("", None, 0.0)


def test_phantoms_are_not_believed_where_whisper_doubts_them_itself(ears_that_say, question):
    assert ears_that_say(" Thank you for watching.", doubts=True).listen(question).text == ""
    assert ears_that_say(" Thank you.").listen(question).text == "Thank you."
    assert ears_that_say(" I lost my keys.", doubts=True).listen(question).text == "I lost my keys."


def test_what_whisper_invents_and_what_it_does_not():
    for phantom in (
        "Thank you.",
        " Thanks for watching!",
        "you",
        "Subtitles by the Amara.org community",
        "Bye.",
    ):
        assert is_phantom(phantom), phantom
    for said in ("Thank you for the flowers.", "You lied to me.", "The end of the world.", ""):
        assert not is_phantom(said), said


def test_what_cannot_be_run_is_one_sentence(ears, mini, tmp_path):
    with pytest.raises(PartMissing, match="it has no tokenizer"):
        FasterWhisperEars(tmp_path, mini, name="empty")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(PartMissing, match=r"cannot be run \(on auto: .*model.bin.*; on cpu: ") as caught:
        FasterWhisperEars(tmp_path, mini, name="empty")
    assert "\n" not in str(caught.value)


def test_options_of_the_profile_reach_the_library(mini, tmp_path):
    folder = write_whisper(tmp_path / "tiny", " Yes.", doubts=False)
    exact = FasterWhisperEars(folder, mini, name="tiny", device="cpu", compute_type="float32")
    assert exact._whisper.model.compute_type == "float32"
    with pytest.raises(PartMissing, match=r"on cpu: .*float17"):
        FasterWhisperEars(folder, mini, name="tiny", device="cpu", compute_type="float17")


def test_a_live_turn_is_captioned_by_the_mini_ears_and_ends_with_whispers_words(ears, mini, question):
    stream, ours = ears.stream(), mini.stream()
    captions = [stream.feed(piece) for piece in np.array_split(question.samples, 20)]
    assert captions == [ours.feed(piece) for piece in np.array_split(question.samples, 20)]
    assert any(captions)
    ahead = stream.so_far()
    heard = stream.finish()
    assert heard.text == ahead.text == ears.listen(stream.sound).text == "I lost my keys."
    assert stream.silence_s == ours.silence_s
    for use in (stream.finish, stream.so_far):
        with pytest.raises(BadInput, match="already over"):
            use()
