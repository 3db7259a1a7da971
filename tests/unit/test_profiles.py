from dataclasses import replace

import pytest

from engine.artifacts import ARTIFACTS
from engine.errors import BadInput
from engine.profiles import (
    AUTO_ORDER,
    BUILT_IN,
    Machine,
    Needs,
    Part,
    choose_profile,
    known_profiles,
    load_profile,
    select_profile,
)

LAPTOP = Machine(memory_gb=16)
WORKSTATION = Machine(memory_gb=64, gpu_name="GPU X", gpu_memory_gb=24)

MINIMAL = """
ears: {kind: mini, folder: ../ears}
mind: {kind: local, weights: smollm2-135m-instruct, temperature: 0.5}
voice: [{kind: kokoro, weights: kokoro-*}, {kind: espeak}]
turns: {activity: {kind: webrtcvad}, end: {kind: silence, wait_ms: 700}}
"""


def nothing_at_hand(part):
    return False


def all_at_hand(part):
    return True


@pytest.fixture
def candidates():
    return [load_profile(name) for name in AUTO_ORDER]


def test_every_known_profile_loads():
    assert known_profiles() == ("auto", "blsp-emo-7b", "mini", "standard")
    for name in known_profiles()[1:]:
        assert load_profile(name).name == name


def test_mini_is_complete_without_a_hub():
    mini = load_profile("mini")
    assert mini.mind == (Part("local", artifacts=(ARTIFACTS["smollm2-135m-instruct"],)),)
    assert [part.kind for part in mini.voice] == ["kokoro", "espeak"]
    required = [part for part, is_required in mini.parts() if is_required]
    assert all(artifact.wheel for part in required for artifact in part.artifacts)
    assert not any(part.repository for part, _ in mini.parts())


@pytest.mark.parametrize("name", known_profiles()[1:])
def test_every_job_ends_on_a_rung_that_needs_no_hub(name):
    for part, is_required in load_profile(name).parts():
        if is_required:
            assert part.repository is None
            assert all(artifact.wheel for artifact in part.artifacts)


def test_a_folder_with_a_profile_and_a_file_both_load(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "profile.yaml").write_text(MINIMAL)
    profile = load_profile(folder)
    assert profile == load_profile(str(folder / "profile.yaml"))
    assert profile.name == "mine"
    assert profile.mind[0].options == {"temperature": 0.5}
    assert profile.turns.end == (Part("silence", {"wait_ms": 700}),)
    assert profile.needs == Needs()
    kokoro = profile.voice[0].artifacts
    assert kokoro[0].name == "kokoro-82m"
    assert len(kokoro) > 1
    assert profile.ears[0].path("folder") == (tmp_path / "ears").resolve()


def test_a_profile_may_extend_a_built_in_one(tmp_path):
    (tmp_path / "profile.yaml").write_text("extends: mini\nfeeling: .\nvoice: {kind: espeak}")
    mini, mine = load_profile("mini"), load_profile(tmp_path)
    assert mine == replace(mini, name=tmp_path.name, feeling=tmp_path, voice=(Part("espeak"),))
    # What comes from the other one keeps its place.
    assert mine.ears[0].path("folder") == mini.ears[0].path("folder") == BUILT_IN.parent / "mini"
    assert mini.feeling is None


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match="no profile 'tiny': use auto, blsp-emo-7b, mini, standard"):
        load_profile("tiny")


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("ears: [", r"not YAML .* line 1"),
        ("just words", "the profile must be a mapping"),
        ("", "the profile must be a mapping"),
        (MINIMAL.replace("voice", "voices"), "the profile lacks voice"),
        (MINIMAL + "speed: 3", "unknown key speed"),
        (
            MINIMAL.replace("ears: {kind: mini, folder: ../ears}", "ears: mini"),
            "each entry of ears must be a mapping",
        ),
        (MINIMAL.replace("ears: {kind: mini, folder: ../ears}", "ears: []"), "ears is empty"),
        (MINIMAL.replace("activity: {kind: webrtcvad}, ", ""), "turns lacks activity"),
        (MINIMAL.replace("smollm2-135m-instruct", "gpt-9"), "unknown weights gpt-9"),
        (MINIMAL.replace("kind: local", "kind: local, licence: none"), "unknown licence none"),
        (MINIMAL + "needs: {memory_gb: much}", "needs must be numbers"),
        (b"\xff\xfe\x00", "cannot be read|not YAML"),
        ("extends: auto", "extends the unknown profile auto"),
        ("extends: [mini]", "extends the unknown profile"),
        ("extends: mini\nspeed: 3", "unknown key speed"),
        ("extends: mini\nears: []", "ears is empty"),
    ],
)
def test_a_broken_profile_is_one_sentence(tmp_path, written, complaint):
    path = tmp_path / "broken.yaml"
    path.write_bytes(written if isinstance(written, bytes) else written.encode())
    with pytest.raises(BadInput, match=complaint) as caught:
        load_profile(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_without_a_gpu_auto_takes_mini_and_says_why(candidates):
    choice = choose_profile(LAPTOP, all_at_hand, candidates)
    assert choice.profile.name == "mini"
    assert choice.reason == (
        "Profile mini: blsp-emo-7b needs a GPU with 8 GB and there is none; "
        "standard needs a GPU with 5 GB and there is none."
    )


def test_with_gpu_and_weights_auto_takes_the_best(candidates):
    assert choose_profile(WORKSTATION, all_at_hand, candidates).profile.name == "blsp-emo-7b"
    small_gpu = Machine(64, "GPU X", 6)
    assert choose_profile(small_gpu, all_at_hand, candidates).profile.name == "standard"


@pytest.mark.parametrize("lacking", ["faster-whisper", "transformers"])
def test_auto_takes_standard_only_with_both_its_downloads(candidates, lacking):
    choice = choose_profile(WORKSTATION, lambda part: part.kind not in {lacking, "blsp-emo"}, candidates)
    assert choice.profile.name == "mini"


def test_auto_never_begins_a_large_download(candidates):
    choice = choose_profile(WORKSTATION, nothing_at_hand, candidates)
    assert choice.profile.name == "mini"
    assert "--profile blsp-emo-7b" in choice.reason
    assert "--profile standard" in choice.reason


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (Machine(64, "GPU X", 4), "needs a GPU with 5 GB and GPU X has 4 GB"),
        (Machine(6, "GPU X", 24), "standard needs 8 GB of memory and there are 6.0 GB"),
        (Machine(1), "but mini needs 2 GB of memory and there are 1.0 GB"),
    ],
)
def test_a_machine_too_small_is_told_what_it_lacks(candidates, machine, reason):
    choice = choose_profile(machine, all_at_hand, candidates)
    assert choice.profile.name == "mini"
    assert reason in choice.reason


def test_the_flag_goes_before_the_environment():
    environment = {"PROFILE": "blsp-emo-7b"}
    assert select_profile("standard", environment, nothing_at_hand).profile.name == "standard"
    assert select_profile(None, environment, nothing_at_hand).profile.name == "blsp-emo-7b"


def test_auto_looks_at_this_machine():
    choice = select_profile("auto", {"PROFILE": "blsp-emo-7b"}, nothing_at_hand)
    assert choice.profile.name == "mini"
    assert Machine.probe().memory_gb > 0.5
