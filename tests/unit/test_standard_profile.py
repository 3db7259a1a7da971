"""The profile `standard` on tiny models in the files and folders of the real ones."""

from pathlib import Path

import pytest
from huggingface_hub import constants
from tiny_models import write_chat_model, write_whisper

from app.spoken_turns import answer
from engine import audio
from engine.facade import Engine
from engine.weights import Sources

PROFILE = """
ears:
  - {{kind: faster-whisper, {whisper}, feeling: {mini}, language: en}}
  - {{kind: mini, folder: {mini}}}
mind:
  - {{kind: transformers, {chat}}}
voice: {{kind: silent}}
turns: {{activity: {{kind: webrtcvad}}, end: {{kind: silence, wait_ms: 700}}}}
"""
MINI = Path(__file__).parents[2] / "assets" / "mini"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder of weights, as for `--weights`: named like the repositories."""
    folder = tmp_path_factory.mktemp("weights")
    write_whisper(folder / "faster-whisper-small", " I lost my keys.", doubts=False)
    write_chat_model(folder / "Qwen2.5-1.5B-Instruct", "I am sorry about your keys.")
    return folder


@pytest.fixture(autouse=True)
def no_hub(tmp_path, monkeypatch):
    """Nothing in the hub library's cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return {"ATTUNE_CACHE": str(tmp_path / "cache"), "ATTUNE_OFFLINE": "1"}


def profile(folder: Path, whisper: str, chat: str) -> Path:
    path = folder / "profile.yaml"
    path.write_text(PROFILE.format(whisper=whisper, chat=chat, mini=MINI))
    return path


def check_two_turns(engine, clip):
    for _ in range(2):
        # Without the conversation: its words would go before the sounds, and the tiny model counts places.
        answered = answer(engine, (), audio.read(clip("question.wav")))
        assert answered.heard.text == "I lost my keys."
        assert answered.heard.emotion.voice is not None
        assert answered.finished.text == "I am sorry about your keys."


def test_folders_that_the_profile_names(published, no_hub, tmp_path, clip):
    folders = [f"folder: {published / name}" for name in ("faster-whisper-small", "Qwen2.5-1.5B-Instruct")]
    sources = Sources.from_environment(no_hub)
    engine = Engine.load(profile(tmp_path, *folders), sources=sources)
    assert engine.notices == ()
    assert (engine.ears.name, engine.mind.name) == ("faster-whisper-small", "Qwen2.5-1.5B-Instruct")
    check_two_turns(engine, clip)


def test_repositories_in_a_folder_of_weights(published, no_hub, tmp_path, clip):
    names = ("Systran/faster-whisper-small", "Qwen/Qwen2.5-1.5B-Instruct")
    sources = Sources.from_environment(no_hub, folder=published)
    engine = Engine.load(profile(tmp_path, *(f"repository: {name}" for name in names)), sources=sources)
    assert engine.notices == ()
    assert (engine.ears.name, engine.mind.name) == names
    check_two_turns(engine, clip)


def test_without_a_hub_the_next_rung_is_taken_and_said(no_hub):
    engine = Engine.load("standard", sources=Sources.from_environment(no_hub), with_mind=False)
    assert engine.ears.name == "mini"
    (notice,) = [notice for notice in engine.notices if notice.part == "ears"]
    assert "could not be had from the hub (ATTUNE_OFFLINE is set)" in notice.message
    assert "folder faster-whisper-small inside" in notice.message
