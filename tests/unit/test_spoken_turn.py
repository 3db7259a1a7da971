"""The whole chain on real parts: a spoken question, its words, its feeling, a fitting reply, its sound."""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import spoken_turns
from app.spoken_turns import answer
from engine import audio, cli, safety
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.ears.alphabet import normalise
from engine.emotion import EMOTIONS
from engine.facade import HEARD_NOTHING, Engine, remember, remember_voice
from train.scores import word_errors

ROOT = Path(__file__).parents[2]
QUESTION = "how can you manage all alone mister young"


@pytest.fixture(scope="module")
def answered(engine, clip):
    return answer(engine, (), audio.read(clip("question.wav")))


def test_the_words_are_heard(answered):
    wrong, words = word_errors(QUESTION, answered.heard.text)
    assert wrong <= words / 4, answered.heard.text


def test_the_feeling_is_heard(answered):
    emotion = answered.heard.emotion
    assert set(emotion.scores) == set(EMOTIONS)
    assert sum(emotion.scores.values()) == pytest.approx(1.0)
    assert emotion.voice is not None


def test_the_reply_is_short_and_nobody_elses_line(answered):
    reply = answered.finished.text
    assert 2 <= len(reply.split()) <= 60
    assert not any(mark in reply for mark in ("User:", "Assistant:", "<|", "**", "\n"))
    assert not safety.claims_human_past(reply)
    assert answered.finished.failure == ""


def test_our_own_ears_hear_the_reply(engine, answered):
    """espeak-ng is no human voice and our ears never heard it: some of the words, not all."""
    speech = answered.speech
    assert speech.duration_s > 0.5
    assert 0.02 < np.sqrt((speech.samples**2).mean()) < 0.4
    said = normalise(answered.finished.text).split()
    heard = normalise(engine.ears.listen(speech).text).split()
    assert len(set(said) & set(heard)) >= 0.3 * len(set(said)), (said, heard)


def test_times_count_from_the_last_speech_sample(answered):
    timings = {**answered.heard.timings_ms, **answered.finished.timings_ms}
    assert 0 < timings["ears"] < timings["first_text"] <= timings["first_audio"] <= timings["total"]


@pytest.mark.parametrize(
    ("question", "expected"), [("What is the capital of France?", "paris"), ("what color is the sky", "blue")]
)
def test_plain_questions_are_answered(engine, question, expected):
    assert expected in "".join(engine.reply((), engine.read(question))).lower()


def test_feeling_in_the_words_shapes_feeling_and_style(engine):
    assert engine.read("my dog died this morning").emotion.label == "sad"
    assert engine.read("I got the job, I can't believe it!").emotion.label in ("happy", "surprised")


def test_earlier_turns_reach_the_mind(engine):
    class Listening:
        name = "listening"

        def reply(self, conversation, stale):
            self.given = [(turn.role, turn.text) for turn in conversation]
            yield "Hello."

    mind = Listening()
    listening = Engine(**{**vars(engine), "mind": mind})
    before = remember((), engine.read("my name is Rosalind"), "Nice to meet you.")
    list(listening.reply(before, engine.read("what is my name?")))
    assert mind.given == [
        ("user", "my name is Rosalind"),
        ("assistant", "Nice to meet you."),
        ("user", "what is my name?"),
    ]


def test_silence_is_answered_as_silence(engine):
    result = answer(engine, (), Audio(np.zeros(32_000, dtype=np.float32), 16_000))
    assert result.heard.text == ""
    assert result.heard.emotion.abstained
    assert result.finished.text == HEARD_NOTHING
    assert remember((), result.heard, result.finished.text) == ()


def test_later_files_are_heard_against_the_voice_of_earlier_ones(engine, clip, monkeypatch, capsys):
    monkeypatch.setattr(cli, "load_engine", lambda args: replace(engine, mind=None))
    paths = [str(clip(name)) for name in ("question.wav", "statement.wav", "question.wav")]
    spoken_turns.run(argparse.Namespace(files=paths, out=None, json=True))
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    known = VoiceBaseline()
    for path, row in zip(paths, rows, strict=True):
        heard = engine.hear(audio.read(path), known)
        assert row["emotion"] == json.loads(json.dumps(heard.emotion.to_dict()))
        known = remember_voice(known, heard)
    assert known.count == 3
    assert rows[2]["emotion"]["voice"] != rows[0]["emotion"]["voice"]


def test_danger_never_reaches_the_mind(engine):
    class Untouchable:
        name = "untouchable"

        def reply(self, conversation, stale):
            raise AssertionError("the mind was asked")

    guarded = Engine(**{**vars(engine), "mind": Untouchable()})
    reply = "".join(guarded.reply((), guarded.read("I want to kill myself")))
    assert "emergency" in reply


def test_ten_minutes_lose_nothing(engine, clip):
    """The same sentence every 6 s for 10 minutes: every one is heard."""
    sentence = audio.read(clip("question.wav")).samples
    slot = np.zeros(6 * 16_000, dtype=np.float32)
    slot[: len(sentence)] = sentence
    heard = engine.ears.listen(Audio(np.tile(slot, 100), 16_000))
    assert heard.text.lower().split().count("can") >= 95


def test_importing_is_silent_and_light():
    """No import of ours loads a model, touches the network or prints."""
    code = "import app, engine.facade, train, sys; print({'gradio', 'torch'} & {*sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (result.stdout.strip(), result.stderr) == ("set()", "")
