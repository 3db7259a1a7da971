"""Everything that Attune keeps, wherever it lies: one value per thing, with its size and how to erase it.

Asked by the page "What is kept" (`app.page.kept`). In a folder that others may use too, only what Attune
itself put there is listed and erased. What the browser keeps is the page's own to list.
"""

import pickle
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from app.record import corrections
from app.session import Session
from engine.artifacts import ARTIFACTS
from engine.downloads import folder_bytes
from engine.errors import AttuneError, reason
from engine.licences import RECORD

Place = Literal["memory", "corrections", "uploads", "cache"]

_MARK = ".verified"
"""What `engine.weights` ends the name of its marker of a file with."""

_BESIDE = re.compile(r"(.+)\.(?:verified|lock|part|part-.*)")
"""A file with which `engine.weights` and `engine.llm.gguf` go about another one."""

_UNPACKED = re.compile(r"(.+)-[0-9a-f]{16}")
"""The folder that `engine.llm.gguf` unpacks a model into: the file's stem and the start of its checksum."""

_OTHERS_OF_OURS = {RECORD, "train"}
"""What else the engine and the training keep in the cache."""


@dataclass(frozen=True)
class Places:
    """The folders of a server that nobody but its own person reaches: the cache of weights, and where Gradio
    puts the files of the named endpoints."""

    cache: Path
    uploads: Path


@dataclass(frozen=True)
class Stored:
    """`id` is unique and lasts; `count` is how many there are of what it consists of: turns, recordings."""

    id: str
    place: Place
    name: str
    size_bytes: int
    erase: Callable[[], None]
    count: int = 1


def of_session(session: Session) -> list[Stored]:
    """What the server remembers of this conversation, in its memory alone."""
    exchanges, baseline = session.exchanges, session.baseline
    said = Stored("conversation", "memory", "", _bytes_of(exchanges), session.forget, len(exchanges))
    voice = Stored("voice", "memory", "", _bytes_of(baseline), session.forget_voice, baseline.count)
    bias = session.calibrated.bias
    taught = Stored("taught", "memory", "", _bytes_of(bias), session.forget_taught, len(bias))
    return [item for item in (said, voice, taught) if item.count]


def of_corrections(folder: Path) -> list[Stored]:
    """What `app.record.corrections` keeps in a folder that the person chose."""
    kept = corrections.size(folder)
    erase = partial(corrections.delete, folder)
    stored = Stored("corrections", "corrections", str(folder), kept.size_bytes, erase, kept.count)
    return [stored] if kept.size_bytes else []


def of_places(places: Places) -> list[Stored]:
    """What lies in the server's own folders."""
    uploads = _entries(places.uploads)
    sent = Stored(
        "uploads",
        "uploads",
        str(places.uploads),
        sum(map(_bytes, uploads)),
        partial(_remove_all, uploads, places.uploads),
        len(uploads),
    )
    return [*([sent] if uploads else []), *_of_cache(places.cache)]


def erase(items: Iterable[Stored]) -> list[str]:
    """Erase them all; a sentence for each that could not be, while the rest goes on."""
    problems = []
    for item in items:
        try:
            item.erase()
        except AttuneError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(
                f"{item.name} could not be erased ({error.strerror or reason(error)}); end what uses it, or "
                "remove it yourself."
            )
    return problems


def _of_cache(folder: Path) -> list[Stored]:
    """The weights, each with everything that was made of it and for it."""
    entries = _entries(folder)
    names = {artifact.file_name: artifact.name for artifact in ARTIFACTS.values()}
    # Those of an earlier version are in the table no more, but marked all the same.
    earlier = {path.name.removesuffix(_MARK) for path in entries if path.name.endswith(_MARK)}
    ours = {*names, *earlier, *_OTHERS_OF_OURS}
    stems = {Path(name).stem: name for name in ours}
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in entries:
        beside = _BESIDE.fullmatch(path.name)
        about = beside[1] if beside else path.name
        unpacked = _UNPACKED.fullmatch(about)
        groups[stems.get(unpacked[1], about) if unpacked else about].append(path)
    return [
        Stored(
            f"cache/{group}",
            "cache",
            names.get(group, group),
            sum(map(_bytes, paths)),
            partial(_remove_all, paths, folder),
        )
        for group, paths in sorted(groups.items())
        if group in ours
    ]


def _entries(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def _bytes(path: Path) -> int:
    with suppress(OSError):
        is_folder = path.is_dir() and not path.is_symlink()
        return folder_bytes(path) if is_folder else path.lstat().st_size
    return 0


def _bytes_of(value: object) -> int:
    return len(pickle.dumps(value))


def _remove_all(paths: Iterable[Path], folder: Path) -> None:
    """And the folder they lie in, where nothing else does. Raises the first `OSError`, after the rest."""
    failed = []
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            failed.append(error)
    with suppress(OSError):
        folder.rmdir()
    if failed:
        raise failed[0]
