"""BLSP-Emo as the mind: tiny checkpoints in the published layout, from the profile to the spoken reply."""

import gc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from app.spoken_turns import answer
from engine import audio, parts
from engine.audio import Audio
from engine.blsp_emo.mind import BlspEmoMind
from engine.conversation import Turn
from engine.emotion import Emotion
from engine.errors import PartMissing
from engine.facade import MINI, Engine, remember
from engine.profiles import Machine, load_profile
from engine.weights import Sources
from tests.tiny_blsp import ENDOFTEXT, write_checkpoint

PROFILE = """
ears: {{kind: mini, folder: {mini}}}
mind: [{{kind: blsp-emo, {mind}}}, {{kind: transformers, folder: nowhere}}]
voice: {{kind: espeak}}
turns: {{activity: {{kind: webrtcvad}}, end: {{kind: silence, wait_ms: 700}}}}
"""
REPLY = "Oh, dear."
IM_END = ENDOFTEXT + 2
ANGRY = Emotion({"neutral": 0, "happy": 0, "sad": 0, "angry": 1, "fearful": 0, "disgust": 0, "surprised": 0})


def write_answering(folder: Path, reply: str) -> Path:
    """A checkpoint that answers `reply`, in which no byte may come twice, whatever it hears.

    Its layers add nothing, so that the last token alone decides what comes next; the "t" is that of
    "assistant", with which every prompt ends.
    """
    write_checkpoint(folder)
    path = folder / "pytorch_model.bin"
    weights = torch.load(path)
    for name, tensor in weights.items():
        if name.startswith("qwen_model.") and ("c_proj" in name or "lm_head" in name):
            tensor.zero_()
    vectors, head = (weights[f"qwen_model.model.{name}.weight"] for name in ("transformer.wte", "lm_head"))
    for token, following in pairwise([*f"t{reply}".encode(), IM_END]):
        head[following] = vectors[token]
    torch.save(weights, path)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_answering(tmp_path_factory.mktemp("weights") / "blsp-emo", REPLY)


@pytest.fixture
def mind(checkpoint):
    return BlspEmoMind.load(checkpoint, "float32")


@pytest.fixture(scope="module")
def question(clip):
    return audio.read(clip("question.wav"))


def profile(folder: Path, mind: str) -> Path:
    path = folder / "profile.yaml"
    path.write_text(PROFILE.format(mini=MINI, mind=mind))
    return path


def sources(folder: Path, weights: Path | None = None) -> Sources:
    environment = {"ATTUNE_CACHE": str(folder / "cache"), "ATTUNE_OFFLINE": "1"}
    return Sources.from_environment(environment, folder=weights)


@pytest.fixture(scope="module")
def tiny(checkpoint, tmp_path_factory):
    """The engine of a profile that names the checkpoint's folder."""
    folder = tmp_path_factory.mktemp("profile")
    return Engine.load(profile(folder, f"folder: {checkpoint}"), sources=sources(folder))


def climbed(folder: Path, mind: str, weights: Path | None = None):
    """The mind of such a profile, and the notices."""
    site = parts.Site(load_profile(profile(folder, mind)), sources(folder, weights))
    return parts.climb("mind", site.profile.mind, parts.MINDS, site)


def test_hears_replies_and_speaks_two_turns(tiny, question):
    assert tiny.notices == ()
    assert tiny.mind.name == "BLSP-Emo in float32"
    conversation = ()
    for _ in range(2):
        answered = answer(tiny, conversation, question)
        assert answered.finished.text == REPLY
        assert answered.heard.text
        assert answered.heard.emotion.voice is not None
        assert answered.speech.duration_s > 0.2
        conversation = remember(conversation, answered.heard, answered.finished.text)
    assert [turn.audio is not None for turn in conversation] == [True, False, True, False]
    assert "".join(tiny.reply(conversation, tiny.read("thank you"))) == f"{REPLY} "
    assert "emergency" in "".join(tiny.reply(conversation, tiny.read("I want to kill myself")))


def test_a_folder_of_weights_takes_the_place_of_the_hub(checkpoint, tmp_path):
    mind, notices = climbed(tmp_path, "repository: cwang621/blsp-emo", weights=checkpoint.parent)
    assert (mind.name, notices) == ("BLSP-Emo in float32", [])


@pytest.mark.skipif(torch.accelerator.is_available(), reason="this machine has a GPU")
def test_a_machine_without_a_gpu_is_told_so_before_anything_is_asked_of_the_hub(tmp_path):
    mind, notices = climbed(tmp_path, "repository: cwang621/blsp-emo")
    assert mind is None
    assert "17 GB of disk" in notices[0].message
    assert "--profile standard" in notices[0].message


def test_what_it_needs_and_its_licence_are_said_before_the_download(tmp_path, monkeypatch):
    monkeypatch.setattr(Machine, "probe", lambda: Machine(64, "GPU X", 24))
    _, notices = climbed(tmp_path, "repository: cwang621/blsp-emo, licence: tongyi-qianwen")
    assert "17 GB of disk and a GPU with 19 GB" in notices[0].message
    assert "--accept-licence tongyi-qianwen" in notices[0].message


def test_what_cannot_be_loaded_costs_only_the_mind(tmp_path):
    write_checkpoint(tmp_path / "damaged")
    (tmp_path / "damaged" / "pytorch_model.bin").write_bytes(b"")
    for folder, complaint in (("damaged", "fetch the file again"), ("nowhere", "no such folder")):
        mind, notices = climbed(tmp_path, f"folder: {folder}")
        assert mind is None
        assert complaint in notices[0].message


def test_the_sound_is_in_the_prompt_and_what_our_ears_made_of_it_is_not(mind, question):
    spoken = Turn("user", "the captions", ANGRY, question)
    prompt = mind._prompt([spoken])
    mel = mind._extractor([question])
    expected = mind._model.hear(mel.frames, mel.lengths).embeds[0]
    torch.testing.assert_close(prompt.embeds[0, prompt.is_speech[0]], expected)
    assert torch.equal(prompt.embeds, mind._prompt([Turn("user", "", None, question)]).embeds)
    typed = mind._prompt([Turn("user", "the captions", ANGRY)])
    assert not typed.is_speech.any()
    assert torch.equal(typed.embeds, mind._prompt([Turn("user", "the captions")]).embeds)


def test_every_utterance_is_encoded_once(mind, question):
    encoded = []
    mind._model.encoder.register_forward_hook(lambda *_: encoded.append(1))
    first = Turn("user", "one", None, question)
    second = Turn("user", "two", None, Audio(question.samples[:16_000], 16_000))
    "".join(mind.reply([first]))
    assert len(encoded) == 1
    conversation = [first, Turn("assistant", REPLY), second]
    "".join(mind.reply(conversation))
    "".join(mind.reply([*conversation, Turn("assistant", REPLY), Turn("user", "typed")]))
    assert len(encoded) == 2
    del second, conversation
    gc.collect()
    assert list(mind._heard) == [question]


def test_long_turns_are_heard_in_windows_and_very_long_ones_read(tiny, mind, question):
    window_s = mind._extractor.window_s
    long = Audio(np.tile(question.samples, 4), 16_000)
    assert window_s < long.duration_s < mind.listens_s
    prompt = mind._prompt([Turn("user", "", None, long)])
    assert int(prompt.is_speech.sum()) >= long.duration_s * 6.25
    silence = np.zeros(int(mind.listens_s + 1) * 16_000, dtype=np.float32)
    assert tiny.hear(Audio(silence[:16_000], 16_000)).audio is not None
    assert tiny.hear(Audio(silence, 16_000)).audio is None


def test_old_turns_give_way(mind, question):
    turns = [Turn("user", "", None, question), Turn("assistant", REPLY)] * 100
    prompt = mind._prompt([*turns, Turn("user", "x" * 5000)])
    assert prompt.real.shape[1] < 2048
    "".join(mind.reply([*turns, Turn("user", "x" * 5000)]))


@pytest.mark.parametrize("precision", ["bfloat16", "int8", "int4"])
def test_every_precision_answers(checkpoint, question, precision):
    mind = BlspEmoMind.load(checkpoint, precision)
    assert "".join(mind.reply([Turn("user", "", None, question)])) == f"{REPLY} "


def test_answers_at_the_same_time_do_not_touch_each_other(mind, question):
    talks = [[Turn("user", f"talk {number}", None, question)] for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda talk: "".join(mind.reply(talk)), talks)) == [f"{REPLY} "] * 4


def test_stale_and_dropped_replies_leave_a_working_mind(mind, question):
    talk = [Turn("user", "", None, question)]
    assert list(mind.reply(talk, lambda: True)) == []
    pieces = mind.reply(talk)
    next(pieces)
    assert "".join(mind.reply(talk)) == f"{REPLY} "
    pieces.close()
    assert "".join(mind.reply(talk)) == f"{REPLY} "


def test_a_model_that_finds_no_words_says_so(tmp_path, question):
    mind = BlspEmoMind.load(write_answering(tmp_path, ""), "float32")
    with pytest.raises(PartMissing, match="nothing to say"):
        "".join(mind.reply([Turn("user", "", None, question)]))
