"""Everything a profile needs, fetched at once: `python -m engine weights --fetch`, and the first start.

`engine.weights` finds and fetches one file; here is what belongs to a whole profile.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from engine import repositories, weights
from engine.errors import PartMissing
from engine.profiles import Part, Profile
from engine.weights import OnProgress, Progress, Sources, unwatched


@dataclass(frozen=True)
class Result:
    """One file or repository of a profile. `problem` is a sentence where it could not be had."""

    name: str
    is_required: bool
    path: Path | None = None
    problem: str = ""


def fetch_all(profile: Profile, sources: Sources, on_progress: OnProgress = unwatched) -> list[Result]:
    """Fetch what every part of the profile needs. A part that cannot be had is a result, not an error."""
    return [
        result
        for part, is_required in profile.parts()
        for result in _fetch_part(part, is_required, sources, on_progress)
    ]


def _fetch_part(part: Part, is_required: bool, sources: Sources, on_progress: OnProgress) -> Iterator[Result]:
    for artifact in part.artifacts:
        try:
            path = weights.fetch(artifact, sources, on_progress)
        except PartMissing as error:
            yield Result(artifact.name, is_required, problem=str(error))
            # Of no use alone, and an unreachable hub is waited for only once.
            return
        yield Result(artifact.name, is_required, path)
    if part.repository:
        try:
            path = repositories.fetch(part.repository, sources, on_progress, part.licence)
            yield Result(part.repository, is_required, path)
        except PartMissing as error:
            yield Result(part.repository, is_required, problem=str(error))


def is_at_hand(part: Part, sources: Sources) -> bool:
    """Whether the part could start without any network."""
    if part.repository and not repositories.locate(part.repository, sources):
        return False
    with suppress(PartMissing):
        return all(weights.locate(artifact, sources) for artifact in part.artifacts)
    return False


class ProgressLine:
    """An `OnProgress` for people: a line kept up to date on a terminal, elsewhere a line for every tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def __call__(self, progress: Progress) -> None:
        is_terminal = self._stream.isatty()
        step = 1 if is_terminal else 10
        percent = 100 * progress.done_bytes // progress.total_bytes // step * step
        size_mb = progress.total_bytes / 1e6
        line = f"{progress.name} from the {progress.source}: {percent} % of {size_mb:.0f} MB"
        if line == self._shown:
            return
        self._shown = line
        # The carriage return comes last, so that whatever is printed next starts at the margin.
        self._stream.write(f"{line:<79}\r" if is_terminal and percent < 100 else f"{line}\n")
        self._stream.flush()
