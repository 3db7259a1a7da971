"""Whole folders of published files: a folder of the user's, the hub library's cache, the hub.

What `engine.weights` is for single files that we know by their checksum, this is for models
that other libraries load by their folder. Called by the builders of such parts, and by
`engine.prepare`.
"""

from pathlib import Path, PurePosixPath

from engine import downloads, licences
from engine.downloads import Unavailable
from engine.errors import PartMissing
from engine.licences import Licence
from engine.weights import OnProgress, Progress, Sources, unwatched


def locate(name: str, sources: Sources) -> Path | None:
    """The repository's folder if it is complete on this machine. `name` may also be a folder's path."""
    given = [sources.folder / _base(name)] if sources.folder else []
    for folder in (*given, Path(name).expanduser()):
        if folder.is_dir():
            return folder
    try:
        return downloads.cached_repository(name)
    except Unavailable:
        return None


def fetch(
    name: str, sources: Sources, on_progress: OnProgress = unwatched, licence: Licence | None = None
) -> Path:
    """The repository's folder, downloaded unless it is here already.

    Raises `PartMissing`, also where its licence was not accepted.
    """
    if found := locate(name, sources):
        return found
    if licence:
        licences.require(licence, name, sources)

    def report(done_bytes: int, total_bytes: int) -> None:
        on_progress(Progress(name, done_bytes, total_bytes, "hub"))

    try:
        if sources.hub_off:
            raise Unavailable(sources.hub_off)
        return downloads.repository(name, sources.hub_endpoint, report)
    except Unavailable as error:
        raise PartMissing(
            f"{name} could not be had from the hub ({error}): connect and start again, or put its files into "
            f"a folder {_base(name)} inside one that ATTUNE_WEIGHTS names."
        ) from error
    except OSError as error:
        raise PartMissing(
            f"{name} cannot be kept in the hub's cache ({error.strerror or error}); make room there, or set "
            "HF_HOME to a folder on another disk."
        ) from error


def _base(name: str) -> str:
    return PurePosixPath(name).name
