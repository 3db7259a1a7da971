"""What is listed as kept, and what erasing it leaves behind."""

from pathlib import Path

import numpy as np
import pytest

from app.record import corrections, stored
from app.record.corrections import Correction
from app.record.stored import Places
from app.session import Session
from engine.artifacts import ARTIFACTS
from engine.audio import Audio
from engine.conversation import Heard
from tests.browser import tiny_engine

LM = ARTIFACTS["smollm2-135m-instruct"].file_name
UNPACKED = f"{Path(LM).stem}-{'0123456789abcdef'}"


def write(folder: Path, **sizes: int) -> None:
    for name, size_bytes in sizes.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size_bytes))


@pytest.fixture
def places(tmp_path) -> Places:
    """As the engine, its training and Gradio leave them."""
    places = Places(tmp_path / "cache", tmp_path / "uploads")
    weights = {LM: 100, f"{LM}.verified": 1, f"{LM}.lock": 0, f"{LM}.part-x1__wheel": 20}
    unpacked = {f"{UNPACKED}__model.safetensors": 400, f"{UNPACKED}.lock": 0}
    earlier = {"model-of-last-year.bin": 7, "model-of-last-year.bin.verified": 1}
    others = {"licences.jsonl": 3, "train__voices__one.npz": 5, "silero_vad.onnx.part": 9}
    write(places.cache, **weights, **unpacked, **earlier, **others)
    write(places.uploads, **{"0a1b__question.wav": 50})
    return places


def sizes(items: list[stored.Stored]) -> dict[str, int]:
    return {item.id: item.size_bytes for item in items}


def test_the_cache_is_listed_by_what_each_file_is_for(places):
    items = stored.of_places(places)
    assert sizes(items) == {
        "uploads": 50,
        f"cache/{LM}": 521,
        "cache/licences.jsonl": 3,
        "cache/model-of-last-year.bin": 8,
        "cache/silero_vad.onnx": 9,
        "cache/train": 5,
    }
    assert {item.name for item in items} >= {"smollm2-135m-instruct", "silero-vad"}


def test_one_is_erased_and_the_others_stay(places):
    items = {item.id: item for item in stored.of_places(places)}
    assert stored.erase([items[f"cache/{LM}"]]) == []
    assert sizes(stored.of_places(places)) == sizes(items[key] for key in items if key != f"cache/{LM}")


def test_erasing_all_leaves_nothing_on_disk(places, tmp_path):
    assert stored.erase(stored.of_places(places)) == []
    assert list(tmp_path.iterdir()) == []
    assert stored.of_places(places) == []


def test_a_folder_that_others_use_too_keeps_what_is_theirs(places):
    """ATTUNE_CACHE may name any folder, even a home."""
    theirs = {
        "photos__one.jpg": 5,
        "pip__wheel": 5,
        "pip.lock": 0,
        "thesis.docx": 5,
        "model-0123456789abcdef__x": 5,
    }
    write(places.cache, **theirs)
    assert stored.erase(stored.of_places(places)) == []
    left = {str(path.relative_to(places.cache)) for path in places.cache.rglob("*") if path.is_file()}
    assert left == {name.replace("__", "/") for name in theirs}


def test_links_are_erased_and_what_they_lead_to_stays(places, tmp_path):
    outside = tmp_path / "elsewhere"
    write(outside, **{"precious.bin": 5})
    (places.cache / "train" / "linked").symlink_to(outside)
    (places.cache / f"{LM}.part").symlink_to(outside / "precious.bin")
    (places.uploads / "linked").symlink_to(outside)
    assert stored.erase(stored.of_places(places)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert (outside / "precious.bin").stat().st_size == 5


def test_what_cannot_be_erased_is_a_sentence_and_the_rest_goes_on(places, monkeypatch):
    held, unlink = places.cache / LM, Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self == held:
            raise PermissionError(13, "The process cannot access the file")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    (problem,) = stored.erase(stored.of_places(places))
    assert problem.startswith(
        "smollm2-135m-instruct could not be erased (The process cannot access the file)"
    )
    assert [path.name for path in places.cache.rglob("*")] == [LM]


def test_folders_that_are_not_there_hold_nothing(tmp_path):
    assert stored.of_places(Places(tmp_path / "no", tmp_path / "none")) == []
    assert stored.of_corrections(tmp_path / "nowhere") == []


def test_the_corrections_are_one_item(tmp_path):
    folder = tmp_path / "kept"
    corrections.save(
        folder, "0" * 12, Correction("x", "sad", "happy", "me"), Audio(np.zeros(1600, np.float32), 16_000)
    )
    (item,) = stored.of_corrections(folder)
    assert (item.name, item.count) == (str(folder), 1)
    assert item.size_bytes == corrections.size(folder).size_bytes > 3200
    assert stored.erase([item]) == []
    assert not folder.exists()


@pytest.fixture
def talked() -> Session:
    session = Session()
    sound = Audio(np.ones(16_000, dtype=np.float32), 16_000)
    engine = tiny_engine.engine()
    for text in ("I am sad", "now I am happy"):
        heard = Heard(text, audio=sound, own_voice=np.ones(4), speech_s=1.0)
        list(session.answer(engine, lambda *_, heard=heard: heard))
    return session


def test_a_conversation_and_what_is_known_of_a_voice(talked):
    said, voice = stored.of_session(talked)
    assert (said.id, said.count, said.place) == ("conversation", 2, "memory")
    assert said.size_bytes > 4 * 16_000
    assert (voice.id, voice.count) == ("voice", 2)
    assert 0 < voice.size_bytes < 1000


def test_each_of_them_is_forgotten_alone(talked):
    talked.correct(talked.exchanges[0].key, "happy")
    _, voice = stored.of_session(talked)
    stored.erase([voice])
    assert [item.id for item in stored.of_session(talked)] == ["conversation"]
    assert talked.speaker == 1
    said, *_ = stored.of_session(talked)
    stored.erase([said])
    assert stored.of_session(talked) == []


def test_what_corrections_taught_is_kept_over_a_new_conversation_listed_and_forgotten(talked):
    talked.correct(talked.exchanges[0].key, "happy")
    talked.clear()
    [*_, taught] = stored.of_session(talked)
    assert (taught.id, talked.calibration.of("happy") > 0) == ("taught", True)
    stored.erase([taught])
    assert talked.calibration.of("happy") == 0


def test_a_conversation_that_is_erased_leaves_nothing_that_it_taught(talked):
    talked.correct(talked.exchanges[0].key, "happy")
    stored.erase(stored.of_session(talked))
    assert stored.of_session(talked) == []
    assert talked.calibration.of("happy") == 0
