"""Whole repositories: from a folder, from a small hub of our own, and what stands in their way."""

import json
from dataclasses import replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlparse

import pytest
from huggingface_hub import constants

from engine import downloads, repositories
from engine.errors import PartMissing
from engine.licences import RECORD, TONGYI_QIANWEN, require
from engine.profiles import load_profile
from engine.weights import Sources

NAME = "acme/chat"
SHA = "a" * 40
FILES = {"config.json": b"{}", "model.safetensors": bytes(200_000), "onnx/model.onnx": bytes(900_000)}


class RepositoryHub(BaseHTTPRequestHandler):
    """As much of a model hub as the download of one repository takes."""

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, *, with_body):
        path = urlparse(self.path).path
        self.server.asked.append(path)
        name = path.removeprefix(f"/{NAME}/resolve/{SHA}/")
        if name in FILES:
            self._send(FILES[name], with_body, {"ETag": f'"{name}"', "X-Repo-Commit": SHA})
        elif path.startswith(f"/api/models/{NAME}/tree/"):
            tree = [{"type": "file", "path": n, "size": len(c), "oid": n} for n, c in FILES.items()]
            self._send(json.dumps(tree).encode(), with_body)
        elif path.startswith(f"/api/models/{NAME}"):
            self._send(json.dumps({"id": NAME, "sha": SHA}).encode(), with_body)
        else:
            self.send_error(404)

    def _send(self, body, with_body, headers=None):
        self.send_response(200)
        for header, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(header, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), RepositoryHub)
    server.asked = []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def sources(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    environment = {
        "ATTUNE_CACHE": str(tmp_path / "cache"),
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
    }
    return Sources.from_environment(environment)


def test_a_repository_is_fetched_once_with_progress_and_without_what_nobody_reads(sources, hub, capsys):
    assert repositories.locate(NAME, sources) is None
    seen = []
    folder = repositories.fetch(NAME, sources, seen.append)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert not (folder / "onnx").exists()
    total = len(FILES["config.json"]) + len(FILES["model.safetensors"])
    assert {(progress.name, progress.total_bytes, progress.source) for progress in seen} == {
        (NAME, total, "hub")
    }
    assert seen[-1].done_bytes == total
    assert capsys.readouterr() == ("", "")
    hub.asked.clear()
    assert repositories.fetch(NAME, replace(sources, hub_off="HF_HUB_OFFLINE is set")) == folder
    assert repositories.fetch(NAME, sources) == folder
    assert hub.asked == []


def test_half_a_repository_is_not_at_hand(sources):
    folder = repositories.fetch(NAME, sources)
    (folder / "model.safetensors").unlink()
    assert repositories.locate(NAME, sources) is None
    assert (repositories.fetch(NAME, sources) / "model.safetensors").is_file()


def test_a_folder_of_the_users_goes_first(sources, hub, tmp_path):
    (tmp_path / "mine" / "chat").mkdir(parents=True)
    given = replace(sources, folder=tmp_path / "mine")
    assert repositories.fetch(NAME, given, licence=TONGYI_QIANWEN) == tmp_path / "mine" / "chat"
    assert repositories.locate(str(tmp_path / "mine" / "chat"), sources) == tmp_path / "mine" / "chat"
    assert hub.asked == []


def test_what_cannot_be_had_is_one_sentence(sources, monkeypatch):
    with pytest.raises(
        PartMissing, match=r"acme/none could not be had from the hub \(.*404.*connect"
    ) as caught:
        repositories.fetch("acme/none", sources)
    assert "\n" not in str(caught.value)
    with pytest.raises(PartMissing, match=r"\(HF_HUB_OFFLINE is set\).* a folder chat inside"):
        repositories.fetch(NAME, replace(sources, hub_off="HF_HUB_OFFLINE is set"))
    full = type("Usage", (), {"free": 100_000})
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: full)
    with pytest.raises(PartMissing, match=r"acme/chat cannot be kept .* GB are needed.*HF_HOME"):
        repositories.fetch(NAME, sources)


def test_a_licence_is_accepted_before_the_first_download_and_recorded(sources, hub):
    with pytest.raises(
        PartMissing, match="must not be used to improve other large language models"
    ) as caught:
        repositories.fetch(NAME, sources, licence=TONGYI_QIANWEN)
    assert "--accept-licence tongyi-qianwen" in str(caught.value)
    assert hub.asked == []
    assert not (sources.cache / RECORD).exists()

    accepting = replace(sources, accepted_licences=frozenset({"tongyi-qianwen"}))
    require(TONGYI_QIANWEN, NAME, accepting, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))
    (line,) = (sources.cache / RECORD).read_text().splitlines()
    assert json.loads(line) == {
        "licence": "tongyi-qianwen",
        "title": TONGYI_QIANWEN.title,
        "artifact": NAME,
        "accepted_at": "2026-01-02T03:04:05+00:00",
    }
    assert repositories.fetch(NAME, sources, licence=TONGYI_QIANWEN).is_dir()
    require(TONGYI_QIANWEN, NAME, accepting)
    assert len((sources.cache / RECORD).read_text().splitlines()) == 1
    with pytest.raises(PartMissing, match="acme/other stands under"):
        require(TONGYI_QIANWEN, "acme/other", sources)


def test_a_record_that_cannot_be_kept_is_one_sentence(sources, tmp_path):
    (tmp_path / "file").write_text("")
    accepting = replace(
        sources, accepted_licences=frozenset({"tongyi-qianwen"}), cache=tmp_path / "file" / "cache"
    )
    with pytest.raises(PartMissing, match="ATTUNE_CACHE"):
        require(TONGYI_QIANWEN, NAME, accepting)
    sources.cache.mkdir()
    (sources.cache / RECORD).write_text("broken\n")
    with pytest.raises(PartMissing, match="delete that file"):
        require(TONGYI_QIANWEN, NAME, sources)


def test_the_environment_accepts_too_and_the_profile_names_the_licence():
    sources = Sources.from_environment({"ATTUNE_ACCEPT_LICENCE": "tongyi-qianwen"})
    assert "tongyi-qianwen" in sources.accepted_licences
    assert "mit" in Sources.from_environment({}, accepted_licences=["mit"]).accepted_licences
    assert load_profile("blsp-emo-7b").mind[0].licence is TONGYI_QIANWEN
