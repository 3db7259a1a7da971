"""The folder of kept corrections: what is in it, what never is, and what deleting it touches."""

import io
import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from app.record import corrections
from app.record.corrections import LOCK, MANIFEST, Correction
from engine.audio import Audio
from engine.errors import AttuneError, BadInput

KEYS = [f"{number:012x}" for number in range(4)]
SAID = Correction("I am fine", "sad", "neutral", "me")
HOSTILE = [
    b'{"audio": "../../outside.wav", "text": "x", "emotion": "sad", "heard": "sad", "speaker": "me"}\n',
    b'{"audio": "/etc/passwd"}\n',
    b'{"audio": "..\\\\outside.wav"}\n',
    b'{"audio": "000000000000.wav/../../outside.wav"}\n',
    b'{"audio": ["000000000009.wav"]}\n',
    b'{"audio": 12}\n',
    b'["000000000000.wav"]\n',
    b"null\n",
    b"[" * 100_000 + b"\n",
    b"\xff\xfe not text\r\n",
    b"\n",
    b'{"audio": "mine.wav", "text": "of another program"}\n',
]


def sound(duration_s: float = 0.1, rate_hz: int = 24_000) -> Audio:
    seconds = np.arange(int(duration_s * rate_hz)) / rate_hz
    return Audio(0.2 * np.sin(2 * np.pi * 200 * seconds).astype(np.float32), rate_hz)


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / MANIFEST).read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "corrections"


def test_a_correction_is_a_sound_and_a_line(folder):
    corrections.save(folder, KEYS[0], SAID, sound())
    assert rows(folder) == [
        {
            "audio": f"{KEYS[0]}.wav",
            "text": "I am fine",
            "emotion": "sad",
            "heard": "neutral",
            "speaker": "me",
        }
    ]
    info = soundfile.info(folder / f"{KEYS[0]}.wav")
    assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
    assert info.duration == pytest.approx(0.1, abs=0.001)
    assert {path.name for path in folder.iterdir()} == {MANIFEST, LOCK, f"{KEYS[0]}.wav"}


def test_another_label_takes_the_place_of_the_first_and_needs_no_sound(folder):
    for key in KEYS:
        corrections.save(folder, key, SAID, sound())
    corrections.save(folder, KEYS[1], Correction("I am fine", "angry", "neutral", "me"), None)
    assert [row["emotion"] for row in rows(folder)] == ["sad", "angry", "sad", "sad"]
    assert corrections.keys(folder) == KEYS


def test_without_sound_there_is_nothing_to_keep(folder):
    with pytest.raises(BadInput, match="sound of that turn is gone"):
        corrections.save(folder, KEYS[0], SAID, None)
    assert not folder.exists()


def test_one_that_is_taken_back_is_gone(folder):
    for key in KEYS[:2]:
        corrections.save(folder, key, SAID, sound())
    corrections.remove(folder, KEYS[0])
    corrections.remove(folder, KEYS[3])
    assert corrections.keys(folder) == [KEYS[1]]
    assert not (folder / f"{KEYS[0]}.wav").exists()


def test_taking_back_where_nothing_was_kept_makes_no_folder(folder):
    corrections.remove(folder, KEYS[0])
    corrections.delete(folder)
    assert not folder.exists()


@pytest.mark.parametrize("key", ["", "../../etc", "0" * 11, "0" * 13, "G" * 12, f"{KEYS[0]}\n", "٠" * 12])
def test_a_key_that_names_no_turn_names_no_file(folder, key):
    with pytest.raises(BadInput, match="no such turn"):
        corrections.save(folder, key, SAID, sound())
    with pytest.raises(BadInput, match="no such turn"):
        corrections.remove(folder, key)
    assert not folder.exists()


def test_size_is_that_of_what_is_deleted(folder):
    for key in KEYS[:2]:
        corrections.save(folder, key, SAID, sound())
    files = [*folder.glob("*.wav"), folder / MANIFEST]
    assert corrections.size(folder) == corrections.Size(2, sum(path.stat().st_size for path in files))
    assert corrections.size(folder / "nowhere") == corrections.Size()


def test_deleting_leaves_nothing_of_ours_and_everything_else(folder, tmp_path):
    for key in KEYS[:2]:
        corrections.save(folder, key, SAID, sound())
    corrections.delete(folder)
    assert list(tmp_path.iterdir()) == []

    for key in KEYS[:2]:
        corrections.save(folder, key, SAID, sound())
    (folder / "notes.txt").write_text("the person's own")
    corrections.delete(folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_what_a_program_left_that_was_ended_while_it_wrote_is_found_and_deleted(folder, tmp_path):
    folder.mkdir()
    (folder / f"{KEYS[0]}.wav").write_bytes(b"in no manifest yet")
    (folder / f"{KEYS[1]}.wav.part").write_bytes(b"half a recording")
    assert corrections.chosen(str(folder)) == folder
    assert corrections.size(folder) == corrections.Size(1, len(b"in no manifest yet" + b"half a recording"))
    corrections.delete(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_whose_line_cannot_be_written_does_not_stay(folder, monkeypatch):
    write = corrections._write

    def full(path, content):
        if path.name == MANIFEST:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(corrections, "_write", full)
    with pytest.raises(AttuneError, match="No space left"):
        corrections.save(folder, KEYS[0], SAID, sound())
    assert not list(folder.glob("*.wav"))


def test_hostile_lines_lead_nowhere_and_stay_as_they_are(folder, tmp_path):
    outside = tmp_path / "outside.wav"
    outside.write_bytes(b"somebody else's")
    folder.mkdir()
    (folder / "mine.wav").write_bytes(b"another program's")
    (folder / MANIFEST).write_bytes(b"".join(HOSTILE))
    corrections.save(folder, KEYS[0], SAID, sound())
    assert (folder / MANIFEST).read_bytes().startswith(b"".join(HOSTILE))
    assert corrections.keys(folder) == [KEYS[0]]
    corrections.delete(folder)
    assert outside.read_bytes() == b"somebody else's"
    assert [path.name for path in folder.iterdir()] == ["mine.wav"]


def test_a_link_is_removed_and_what_it_leads_to_stays(folder, tmp_path):
    corrections.save(folder, KEYS[0], SAID, sound())
    outside = tmp_path / "outside.wav"
    outside.write_bytes(b"somebody else's")
    (folder / f"{KEYS[0]}.wav").unlink()
    (folder / f"{KEYS[0]}.wav").symlink_to(outside)
    corrections.save(folder, KEYS[0], SAID, sound())
    assert outside.read_bytes() == b"somebody else's"
    (folder / f"{KEYS[0]}.wav").unlink()
    (folder / f"{KEYS[0]}.wav").symlink_to(outside)
    corrections.delete(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["outside.wav"]


LINES = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=20).map(lambda line: line + b"\n"), max_size=5)
STEPS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["sad", "happy", ""])), max_size=8)


@given(foreign=LINES, steps=STEPS, text=st.text(max_size=20), ends=st.booleans())
def test_whatever_is_kept_and_taken_back_the_manifest_tells_the_last_of_it(
    tmp_path_factory, foreign, steps, text, ends
):
    folder = tmp_path_factory.mktemp("kept")
    before = b"".join(foreign)
    before = before if ends else before.rstrip(b"\r\n")
    (folder / MANIFEST).write_bytes(before)
    expected: dict[str, str] = {}
    for key, emotion in steps:
        if emotion:
            corrections.save(folder, key, Correction(text, emotion, "neutral", "me"), sound(0.01))
            expected[key] = emotion
        else:
            corrections.remove(folder, key)
            expected.pop(key, None)
    content = (folder / MANIFEST).read_bytes()
    assert content.startswith(before)
    ours = [json.loads(line) for line in content[len(before) :].splitlines() if line.strip()]
    assert {row["audio"]: row["emotion"] for row in ours} == {f"{key}.wav": v for key, v in expected.items()}
    assert all(row["text"] == text for row in ours)
    assert {path.name for path in folder.glob("*.wav")} == {f"{key}.wav" for key in expected}


def test_a_disk_that_fails_leaves_what_was_there(folder, monkeypatch):
    corrections.save(folder, KEYS[0], SAID, sound())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(AttuneError, match="No space left"):
        corrections.save(folder, KEYS[0], Correction("other", "happy", "sad", "me"), sound())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_many_at_once_lose_nothing(folder):
    keys = [f"{number:012x}" for number in range(16)]
    threads = [threading.Thread(target=corrections.save, args=(folder, key, SAID, sound())) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(corrections.keys(folder)) == keys


def test_the_folder_is_named_as_a_person_would(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert corrections.chosen(" ~/attune-corrections ") == tmp_path / "attune-corrections"
    assert corrections.chosen(str(corrections.suggestion())) == tmp_path / "attune-corrections"
    corrections.save(tmp_path / "kept", KEYS[0], SAID, sound())
    assert corrections.chosen(str(tmp_path / "kept")) == tmp_path / "kept"
    (tmp_path / "empty").mkdir()
    assert corrections.chosen(str(tmp_path / "empty")) == tmp_path / "empty"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("", "Give the whole path"),
        ("corrections", "Give the whole path"),
        ("../corrections", "Give the whole path"),
        ("~nobody-of-that-name/corrections", "cannot be used|Give the whole path"),
        ("{}/null\0", "Give the whole path"),
        ("{}/" + "long" * 200, "cannot be used"),
        ("{}/file", "is a file"),
        ("{}/link", "is a link"),
        ("{}/full", "holds other things"),
        ("{}/linked", "holds other things"),
        ("{}/no/such/place", "There is no folder"),
        ("{}/file/below", "There is no folder"),
    ],
)
def test_a_folder_that_cannot_be_ours_is_refused_with_a_sentence(tmp_path, named, expected):
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.jpg").write_text("x")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / MANIFEST).symlink_to(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    with pytest.raises(BadInput, match=expected) as refused:
        corrections.chosen(named.format(tmp_path))
    assert str(refused.value).endswith((".", "…"))
    assert "\n" not in str(refused.value)


def test_a_place_that_cannot_be_written_is_a_sentence():
    with pytest.raises(AttuneError, match="cannot be changed"):
        corrections.save(Path("/proc/attune"), KEYS[0], SAID, sound())


def test_the_archive_is_such_a_folder():
    packed = corrections.archive((key, SAID, sound()) for key in KEYS[:2])
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        assert files.namelist() == [
            *(f"attune-corrections/{key}.wav" for key in KEYS[:2]),
            f"attune-corrections/{MANIFEST}",
        ]
        lines = files.read(f"attune-corrections/{MANIFEST}").decode().splitlines()
        assert [json.loads(line)["audio"] for line in lines] == [f"{key}.wav" for key in KEYS[:2]]
        info = soundfile.info(io.BytesIO(files.read(f"attune-corrections/{KEYS[0]}.wav")))
        assert info.samplerate == 16_000
