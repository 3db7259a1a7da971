"""Ears that know their speaker: nothing changes before the first turn, and nothing is kept of anybody."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import audio
from engine.baseline import VoiceBaseline
from engine.ears import store
from engine.ears.feeling import FEELING_FILE, FeelingHead
from engine.ears.mini import MiniEars
from engine.ears.network import EarsConfig, EarsNetwork
from engine.ears.ngram import NGRAM_FILE
from engine.errors import BadInput
from engine.facade import MINI, Engine, remember_voice
from engine.hearing import VoiceSpace
from engine.vad.webrtc import WebrtcDetector

CONFIG = EarsConfig(width=16, layers=2, attention_heads=2, feedforward=32)
VOICE = 4 * CONFIG.width

PROFILE = """
ears: {kind: mini, folder: .}
mind: {kind: local, weights: smollm2-135m-instruct}
voice: {kind: silent}
turns: {activity: {kind: webrtcvad}, end: {kind: silence, wait_ms: 700}}
"""


def network(seed: int = 0) -> EarsNetwork:
    torch.manual_seed(seed)
    return EarsNetwork(CONFIG).eval()


def head() -> FeelingHead:
    rng = np.random.default_rng(0)
    return FeelingHead(
        population=np.zeros(VOICE),
        feelings=rng.normal(size=(8, VOICE)),
        weights=rng.normal(size=(8, VOICE)),
        bias=rng.normal(size=8),
        prior_turns=2.0,
    )


def ears(feeling: FeelingHead | None) -> MiniEars:
    return MiniEars(network(), None, WebrtcDetector(), feeling=feeling)


@pytest.fixture(scope="module")
def question(clip):
    return audio.read(clip("question.wav"))


@pytest.fixture(scope="module")
def statement(clip):
    return audio.read(clip("statement.wav"))


@pytest.fixture
def folder(tmp_path):
    """A profile of one's own whose ears are tiny."""
    store.save(network(), tmp_path, made_from={})
    shutil.copy(MINI / NGRAM_FILE, tmp_path)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    return tmp_path


def test_without_a_head_words_are_heard_and_no_feeling(question):
    known, plain = ears(head()).listen(question), ears(None).listen(question)
    assert (known.text, known.speech_s) == (plain.text, plain.speech_s)
    assert sum(known.voice.values()) == pytest.approx(1.0)
    assert known.own_voice.shape == (VOICE,)
    assert (plain.voice, plain.own_voice) == (None, None)


def test_two_speakers_are_heard_each_against_their_own(question, statement):
    listening = ears(head())
    first = VoiceBaseline().updated(listening.listen(question).own_voice)
    second = VoiceBaseline().updated(listening.listen(statement).own_voice)
    to_first, to_second = listening.listen(question, first), listening.listen(question, second)
    assert to_first.voice != to_second.voice
    assert listening.listen(question, first).voice == to_first.voice
    assert sum(to_first.voice.values()) == pytest.approx(1.0)
    # What a turn tells of its speaker hangs on nothing known before.
    assert (to_first.own_voice == to_second.own_voice).all()


def test_silence_tells_nothing_of_a_voice():
    silence = audio.Audio(np.zeros(16_000, np.float32), 16_000)
    heard = ears(head()).listen(silence, VoiceBaseline().updated(np.ones(VOICE)))
    assert (heard.voice, heard.own_voice) == (None, None)


def test_a_baseline_of_other_ears_is_one_sentence(question):
    with pytest.raises(BadInput, match="other ears"):
        ears(head()).listen(question, VoiceBaseline().updated(np.ones(3)))


def test_the_head_beside_the_ears_is_used(folder, question):
    head().save(folder)
    engine = Engine.load(str(folder), with_mind=False)
    assert engine.notices == ()
    first = engine.hear(question)
    known = VoiceBaseline().updated(first.own_voice)
    for baseline in (VoiceBaseline(), known):
        # Stored in eight bits, the network is nearly the same.
        expected = ears(head()).listen(question, baseline).voice
        assert engine.hear(question, baseline).emotion.voice == pytest.approx(expected, rel=2e-2)
    assert engine.hear(question, known).emotion.voice != pytest.approx(first.emotion.voice, rel=0.1)


def test_ears_without_one_do_without_a_word(folder, question):
    engine = Engine.load(str(folder), with_mind=False)
    assert engine.notices == ()
    assert engine.hear(question).own_voice is None


@pytest.mark.parametrize("harm", ["foreign", "cut", "text", "incomplete"])
def test_a_head_that_cannot_be_used_is_a_notice_and_the_ears_hear(folder, question, harm):
    head().save(folder)
    path = folder / FEELING_FILE
    match harm:
        case "foreign":
            store.save(network(seed=1), folder, made_from={})
        case "cut":
            path.write_bytes(path.read_bytes()[:1000])
        case "text":
            path.write_text("PK, but no head")
        case "incomplete":
            np.savez(path, format=1)
    engine = Engine.load(str(folder), with_mind=False)
    [notice] = engine.notices
    assert notice.part == "feeling"
    assert "train feeling" in notice.message
    heard = engine.hear(question, VoiceBaseline().updated(np.ones(VOICE)))
    assert heard.emotion.voice is None
    assert remember_voice(VoiceBaseline(), heard).count == 0


def test_a_voice_means_the_same_to_ears_of_the_same_head_only(folder, question):
    head().save(folder)
    engine = Engine.load(str(folder), with_mind=False)
    assert engine.ears.voice_space == ears(head()).voice_space
    assert engine.ears.voice_space.width == engine.hear(question).own_voice.shape[0]
    assert replace(head(), population=np.ones(VOICE)).space != head().space
    assert ears(None).voice_space == VoiceSpace()
