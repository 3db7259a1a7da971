"""`train finetune` on a person's own recordings: what it refuses and makes, and that Attune hears with it."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.record import corrections
from app.record.corrections import Correction
from engine import audio
from engine.ears import store
from engine.ears.feeling import FEELING_FILE, HEAD_EMOTIONS, FeelingHead
from engine.errors import AttuneError, PartMissing
from engine.facade import MINI, Engine
from train import feeling_spread, recipe, result_folder
from train.__main__ import main
from train.corpus import Clip, read_manifest
from train.evaluation.corrections import Setting, measure
from train.feeling_fit import FeelingRecipe, Turn
from train.finetune import FILES, REPORT, FinetuneRecipe
from train.finetune_feeling import FeelingOptions, tuned
from train.voices import Voice

WIDTH = 12
OPTIONS = FeelingOptions(pull=0.3, others=10.0, turns=(0, 1, 3), histories=4, steps=60)
UNHELD = np.zeros((1, WIDTH + 1))


def finetune(manifest: Path, out: Path) -> int:
    return main(["finetune", "--recipe", "tiny", "--manifest", str(manifest), "--out", str(out)])


@pytest.fixture(scope="module")
def kept(data, tmp_path_factory) -> Path:
    """A folder as the page keeps it: of an actress who sounds angry where she was happy, and now and then is
    sad."""
    folder = tmp_path_factory.mktemp("kept") / "attune-corrections"
    clips = [clip for clip in read_manifest(data / "emotion.jsonl") if clip.speaker == "ravdess_02"]
    angry, sad = ([clip for clip in clips if clip.emotion == label][:6] for label in ("angry", "sad"))
    for number, clip in enumerate([*angry, *sad]):
        said = Correction("", "happy" if clip.emotion == "angry" else "sad", clip.emotion, "1")
        corrections.save(folder, f"{number:012x}", said, audio.read(clip.path))
    return folder


@pytest.fixture(scope="module")
def mine(kept, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "mine"
    assert finetune(kept, out) == 0
    return out


def report_of(out: Path) -> dict:
    return json.loads((out / REPORT).read_text(encoding="utf-8"))


def test_it_makes_a_profile_and_says_what_it_is_worth(mine, kept):
    assert {path.name for path in mine.iterdir()} == set(FILES)
    report, count = report_of(mine), len(corrections.keys(kept))
    assert report["ears"] == store.read_record(MINI)["sha256"]
    assert report["recipe"]["seed"] == 1
    agreement = report["agreement"]
    assert agreement["n"] == count == len(report["recordings"])
    assert {label: each["n"] for label, each in agreement["by_label"].items()} == {"happy": 6, "sad": 6}
    assert agreement["by_label"]["happy"]["before"] == 0
    assert agreement["by_label"]["happy"]["after"] > 0
    assert agreement["after"] > agreement["before"]
    assert "non-commercial" in (mine / "README.md").read_text(encoding="utf-8")


def test_the_engine_hears_with_it_wherever_the_folder_is(mine, kept, tmp_path):
    moved = tmp_path / "elsewhere" / "mine"
    shutil.copytree(mine, moved)
    engine = Engine.load(str(moved), with_mind=False)
    assert engine.profile == "mine"
    assert "feeling" not in {notice.part for notice in engine.notices}
    sound = audio.read(next(kept.glob("*.wav")))
    heard, shipped = (
        each.hear(sound).emotion.voice for each in (engine, Engine.load("mini", with_mind=False))
    )
    assert heard != pytest.approx(shipped, abs=0.02)
    own = Engine.load(str(mine), with_mind=False).hear(sound).emotion.voice
    assert heard == pytest.approx(own, abs=1e-6)


def test_the_same_recordings_make_the_same_folder_in_its_place(mine, kept):
    before = {name: (mine / name).read_bytes() for name in FILES}
    assert finetune(kept / corrections.MANIFEST, mine) == 0
    assert {name: (mine / name).read_bytes() for name in FILES} == before
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_made_for_other_ears_it_is_refused_and_the_shipped_head_hears(mine, tmp_path):
    other = tmp_path / "mine"
    shutil.copytree(mine, other)
    with np.load(mine / FEELING_FILE) as file:
        arrays = dict(file) | {"ears": "0" * 64}
    np.savez(other / FEELING_FILE, **arrays)
    with pytest.raises(PartMissing, match=r"other ears than those in .* train finetune --from"):
        FeelingHead.load(other, MINI)
    engine = Engine.load(str(other), with_mind=False)
    [notice] = [each for each in engine.notices if each.part == "feeling"]
    assert "other ears" in notice.message
    assert engine.ears.feeling is not None


def test_it_goes_with_the_ears_it_was_made_for(clip, tmp_path):
    ears, out = tmp_path / "ears", tmp_path / "mine"
    shutil.copytree(MINI, ears)
    store.write_record(ears, store.read_record(ears) | {"sha256": "f" * 64})
    for name, load in ((FEELING_FILE, FeelingHead.load), (feeling_spread.SPREAD_FILE, feeling_spread.load)):
        with np.load(ears / name) as file:
            arrays = dict(file) | {"ears": "f" * 64}
        np.savez(ears / name, **arrays)
        load(ears)
    (tmp_path / "own.jsonl").write_text(json.dumps({"audio": str(clip("statement.wav")), "emotion": "sad"}))
    assert (
        main(["finetune", "--manifest", str(tmp_path / "own.jsonl"), "--from", str(ears), "--out", str(out)])
        == 0
    )
    engine = Engine.load(str(out), with_mind=False)
    assert "feeling" not in {notice.part for notice in engine.notices}


@pytest.fixture
def sound(clip) -> np.ndarray:
    samples, _ = soundfile.read(clip("statement.wav"), dtype="float32")
    return samples


def test_every_problem_is_told_with_its_line_and_nothing_is_made(sound, clip, tmp_path, capsys):
    folder, out = tmp_path / "own", tmp_path / "mine"
    folder.mkdir()
    soundfile.write(folder / "a.wav", sound, 16_000)
    soundfile.write(folder / "same.wav", sound, 16_000)
    soundfile.write(folder / "silence.wav", np.zeros(16_000), 16_000)
    soundfile.write(folder / "long.wav", np.zeros(16_000 * 130), 16_000)
    (folder / "text.wav").write_text("no sound")
    rows = [
        ({"audio": "a.wav", "emotion": "sad"}, None),
        ({"audio": "gone.wav", "emotion": "sad"}, "no such file"),
        ({"audio": "text.wav", "emotion": "sad"}, "not a sound file"),
        ({"audio": str(clip("question.wav")), "emotion": "lonely"}, "emotion 'lonely' is unknown"),
        ({"audio": "silence.wav", "emotion": "sad"}, "nobody speaks"),
        ({"audio": "long.wav", "emotion": "sad"}, "130 s are too long"),
        ({"audio": "same.wav", "emotion": "angry"}, "the same recording as in line 1"),
        ("{broken", "not JSON"),
        ([1], "not an object"),
        ({"emotion": "sad"}, "lacks audio"),
        ({"audio": "a.wav"}, "lacks emotion"),
        ({"audio": "a\nb.wav", "emotion": "sad", "text": 3}, "text is not a text"),
    ]
    lines = [row if isinstance(row, str) else json.dumps(row) for row, _ in rows]
    (folder / "corrections.jsonl").write_text("\n".join(lines))
    assert finetune(folder, out) == 2
    told = capsys.readouterr().err
    for number, (_, problem) in enumerate(rows, start=1):
        found = [line for line in told.splitlines() if f"line {number}: " in line]
        assert bool(found) == (problem is not None)
        assert problem is None or any(problem in line for line in found)
    assert "Traceback" not in told
    assert not out.exists()


def test_what_does_not_get_better_is_said(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ATTUNE_TRAIN_CACHE", str(tmp_path / "cache"))
    rows = [{"audio": str(clip("statement.wav")), "emotion": "disgust"}]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert finetune(tmp_path / "own.jsonl", tmp_path / "mine") == 0
    told = capsys.readouterr().err
    assert "does not get better: of 1 recordings, 0 were" in told
    assert "All are labelled disgust" in told
    assert report_of(tmp_path / "mine")["agreement"]["after"] == 0
    # Nothing of a person's voice is left anywhere else.
    assert {path.name for path in tmp_path.iterdir()} == {"own.jsonl", "mine"}


@pytest.mark.parametrize("name", ["notes.txt", "README.md"])
def test_a_folder_with_anything_else_is_left_alone(name, kept, tmp_path, capsys):
    (tmp_path / name).write_text("mine")
    assert finetune(kept, tmp_path) == 2
    assert "holds other things" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert finetune(kept, tmp_path / name) == 2
    assert "is a file" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_whatever_stops_it_leaves_the_earlier_result_whole(error, tmp_path):
    out = tmp_path / "mine"
    with result_folder.replacing(out) as folder:
        (folder / "a").write_text("first")
    with pytest.raises((KeyboardInterrupt, AttuneError)), result_folder.replacing(out) as folder:
        (folder / "a").write_text("half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (out / "a").read_text() == "first"


def test_what_a_killed_run_left_is_put_right(tmp_path):
    (tmp_path / ".mine.old").mkdir()
    (tmp_path / ".mine.old" / "a").write_text("first")
    (tmp_path / ".mine.part").mkdir()
    with pytest.raises(KeyboardInterrupt), result_folder.replacing(tmp_path / "mine"):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine" / "a").read_text() == "first"


def test_a_recipe_is_known_by_its_bare_name():
    assert recipe.load(Path("tiny"), FinetuneRecipe).seed == 1


def toy_head() -> FeelingHead:
    """A feeling is one dimension of a voice: that of its place among the labels."""
    weights = np.eye(len(HEAD_EMOTIONS), WIDTH, dtype=np.float32)
    nothing = np.zeros(WIDTH, dtype=np.float32)
    return FeelingHead(nothing, 0 * weights, weights, np.zeros(8, dtype=np.float32), prior_turns=2.0)


def said(emotion: str, dimension: int, count: int = 6, seed: int = 0) -> list[Turn]:
    """One person, who shows that feeling in that dimension."""
    rng, clip = np.random.default_rng(seed), Clip(Path("x"), "1", "own", "en", "", emotion, "train", 1.0)
    shift = np.where(np.arange(WIDTH) == dimension, 3.0, 0.0)
    return [Turn(clip, (shift + 0.3 * rng.normal(size=WIDTH)).astype(np.float32)) for _ in range(count)]


def right(head: FeelingHead, turns: list[Turn]) -> float:
    return np.mean([HEAD_EMOTIONS[head.hear(turn.voice).argmax()] == turn.clip.emotion for turn in turns])


def test_a_few_recordings_teach():
    angry, happy = (HEAD_EMOTIONS.index(label) for label in ("angry", "happy"))
    # This person is sad as others are angry, and angry in a way of their own.
    taught = said("sad", angry) + said("angry", 10)
    fitted = tuned(toy_head(), taught, UNHELD, OPTIONS, seed=1)
    assert right(toy_head(), taught) < 0.2
    assert right(fitted, said("sad", angry, seed=1) + said("angry", 10, seed=1)) > 0.9
    assert right(fitted, said("happy", happy, seed=1)) == 1.0
    assert np.array_equal(fitted.weights, tuned(toy_head(), taught, UNHELD, OPTIONS, seed=1).weights)


def test_nothing_is_learned_about_feelings_that_were_neither_named_nor_heard():
    sad, angry = HEAD_EMOTIONS.index("sad"), HEAD_EMOTIONS.index("angry")
    moved = tuned(toy_head(), said("sad", angry), UNHELD, OPTIONS, seed=1).weights - toy_head().weights
    assert set(np.flatnonzero(np.abs(moved).max(axis=1) > 1e-6)) == {sad, angry}


def test_without_recordings_the_head_stays_as_it_is():
    assert np.array_equal(tuned(toy_head(), [], UNHELD, OPTIONS, seed=1).weights, toy_head().weights)


def test_the_more_it_is_pulled_the_less_it_moves():
    taught = said("sad", 3) + said("angry", 10)

    def moved(**changes: float) -> float:
        options = dataclasses.replace(OPTIONS, **changes)
        return float(
            np.abs(tuned(toy_head(), taught, UNHELD, options, seed=1).weights - toy_head().weights).sum()
        )

    assert moved(pull=0.1) > moved(pull=1.0) > moved(pull=100.0)


def test_what_is_common_to_people_is_held():
    taught = said("sad", 3) + said("angry", 10)
    common = np.eye(1, WIDTH + 1, 10)
    free, held = (
        tuned(toy_head(), taught, spread, OPTIONS, seed=1).weights[:, 10] for spread in (UNHELD, 10 * common)
    )
    assert np.abs(held).max() < 0.1 * np.abs(free).max()


def test_corrections_are_simulated_with_people_who_gain_by_them():
    """Two people who are sad as others are angry; a third, and a reader, are as the head expects."""
    usual = {"sad": HEAD_EMOTIONS.index("sad"), "happy": HEAD_EMOTIONS.index("happy")}
    strangers = []
    for speaker, sad in (("1", 3), ("2", 3), ("3", usual["sad"])):
        turns = said("sad", sad, 15, seed=int(speaker)) + said("happy", usual["happy"], 15, seed=int(speaker))
        strangers += [(dataclasses.replace(t.clip, speaker=speaker), Voice(t.voice, 1.0)) for t in turns]
    read = [(turn.clip, Voice(turn.voice, 1.0)) for turn in said("neutral", 0)]
    rows = measure(Setting(toy_head(), UNHELD, strangers, read), OPTIONS, 1, [5], draws=1)
    assert [row["kind"] for row in rows] == ["all", "one label", "wrong"]
    assert [row["people"] for row in rows] == [3, 2, 2]
    assert all(row["corrections"] == 5 and row["read"][1] < 0.1 for row in rows)
    for row in rows[1:]:
        assert row["own"][1] > row["own"][0] + 0.2


def test_the_spread_is_how_much_a_change_would_move_what_is_heard():
    settings = recipe.load(Path("feeling"), FeelingRecipe)
    strangers = [
        dataclasses.replace(turn, clip=dataclasses.replace(turn.clip, speaker=str(number)))
        for number, turn in enumerate(said("sad", 3, 20))
    ]
    change = np.random.default_rng(1).normal(size=WIDTH + 1)
    moved = [change @ [*turn.voice, 1.0] for turn in strangers]
    spread = feeling_spread.spread(toy_head(), strangers, settings)
    assert np.sum((spread @ change) ** 2) == pytest.approx(np.mean(np.square(moved)), rel=1e-4)


def test_the_shipped_spread_fits_the_shipped_head():
    spread = feeling_spread.load(MINI)
    assert spread.shape == (feeling_spread.RANK, FeelingHead.load(MINI).weights.shape[1] + 1)
    # Every voice has the constant that the bias is the weight of.
    assert np.sum(spread[:, -1] ** 2) == pytest.approx(1.0, abs=0.05)
