"""A folder that holds the result of one command: it appears whole, in place of an earlier one."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import AttuneError, BadInput, reason


def check(folder: Path, files: Collection[str], mark: str) -> None:
    """Raises `BadInput` where `folder` holds anything but such a result: those files, `mark` among them."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; choose a folder for --out.")
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if found and (mark not in found or found - set(files)):
        raise BadInput(f"{folder} holds other things; choose an empty folder or a new one for --out.")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to write into, which becomes `folder` when the block ends well, and else is gone.

    Raises `AttuneError` when it cannot be written.
    """
    folder = folder.resolve()
    part, old = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "old"))
    try:
        _tidy(folder, part, old)
        part.mkdir(parents=True)
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except OSError as error:
        raise AttuneError(f"{folder} could not be written ({reason(error)}).") from error
    finally:
        _tidy(folder, part, old)


def _tidy(folder: Path, part: Path, old: Path) -> None:
    """Whenever the work stopped, there is the new folder or the earlier one."""
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left_over in (part, old):
        shutil.rmtree(left_over, ignore_errors=True)
