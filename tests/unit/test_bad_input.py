"""What people give by mistake: one sentence, exit code 2, nothing half-written, and the talk goes on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]


def run(*args: str, **environment: str) -> subprocess.CompletedProcess:
    import os

    return subprocess.run(
        [sys.executable, "-m", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **environment},
    )


def rows(result: subprocess.CompletedProcess) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, engine) -> Path:
    """A folder of bad and odd recordings. Asks for `engine` so that its weights are fetched by now."""
    folder = tmp_path_factory.mktemp("bad")
    rng = np.random.default_rng(0)
    soundfile.write(folder / "silent.wav", np.zeros(32_000), 16_000)
    soundfile.write(folder / "one.wav", np.zeros(1), 16_000)
    soundfile.write(folder / "hiss.wav", rng.normal(scale=0.01, size=48_000), 16_000)
    soundfile.write(folder / "nan.wav", np.full(1600, np.nan, np.float32), 16_000, subtype="FLOAT")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is not sound " * 100)
    speech, rate_hz = soundfile.read(ROOT / "tests" / "audio" / "question.wav")
    soundfile.write(folder / "clipped.wav", np.clip(speech * 10, -1, 1), rate_hz)
    (folder / "cut.wav").write_bytes((ROOT / "tests" / "audio" / "question.wav").read_bytes()[:40_000])
    return folder


def test_bad_files_among_good_ones(recordings):
    names = [
        "empty.wav",
        "text.wav",
        "nan.wav",
        "silent.wav",
        "one.wav",
        "hiss.wav",
        "clipped.wav",
        "cut.wav",
    ]
    result = run("engine", "transcribe", *(str(recordings / name) for name in (*names, "none.wav")), "--json")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    found = {Path(row["audio"]).name: row for row in rows(result)}
    assert list(found) == [*names, "none.wav"]
    for bad in ("empty.wav", "text.wav", "nan.wav", "none.wav"):
        assert found[bad]["error"].endswith(".")
        assert "text" not in found[bad]
    for quiet in ("silent.wav", "one.wav", "hiss.wav"):
        assert found[quiet]["text"] == ""
    assert "manage" in found["clipped.wav"]["text"]


def test_silence_alone_is_good(recordings):
    result = run("engine", "transcribe", str(recordings / "silent.wav"), "--json")
    assert result.returncode == 0
    assert rows(result)[0]["text"] == ""


def test_a_bad_turn_does_not_end_the_conversation(recordings, clip, tmp_path):
    files = [str(clip("question.wav")), str(recordings / "text.wav"), str(recordings / "silent.wav")]
    result = run("app", "turn", *files, "--out", str(tmp_path / "reply.wav"), "--json")
    assert result.returncode == 2
    first, bad, silent = rows(result)
    assert first["reply"]
    assert Path(first["reply_audio"]).stat().st_size > 10_000
    assert bad.keys() == {"audio", "error"}
    assert silent["transcript"] == ""
    assert not (tmp_path / "reply-2.wav").exists()


@pytest.mark.parametrize(
    "args",
    [
        ("engine", "say", "", "--out", "x.wav"),
        ("engine", "say", "a" * 100_000, "--out", "x.wav"),
        ("engine", "transcribe", "x.wav", "--profile", "nonesuch"),
        ("engine", "convert", "no/such/folder", "x"),
        ("engine", "transcribe", "x.wav", "--weights", "no/such/folder"),
        ("app", "turn", "x.wav", "--out", "no/such/folder/reply.wav"),
        ("engine", "nonsense"),
        ("train", "ears", "--from", "no/such/folder"),
        ("train", "evaluate", "captions", "--manifest", "none.jsonl"),
    ],
)
def test_wrong_use_is_exit_2_and_a_sentence(args, tmp_path):
    result = run(*args, ATTUNE_DATA=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr
    assert not (ROOT / "x.wav").exists()


def test_without_a_chat_model_it_still_hears_and_speaks(clip, tmp_path):
    environment = {"ATTUNE_OFFLINE": "1", "ATTUNE_CACHE": str(tmp_path / "empty"), "PROFILE": "mini"}
    result = run(
        "app", "turn", str(clip("question.wav")), "--out", str(tmp_path / "r.wav"), "--json", **environment
    )
    assert result.returncode == 0
    [row] = rows(result)
    assert "alone" in row["transcript"]
    assert "missing" in row["reply"]
    assert (tmp_path / "r.wav").stat().st_size > 10_000
    assert "smollm2" in result.stderr.lower()
