"""A folder of corrections that a person agreed to keep: what they said, and what they say they felt.

`corrections.jsonl` and its sounds are what `python -m train finetune` reads. The folder is the person's own
choice and may hold what is not ours: only files whose names we could have given are written or removed.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.errors import AttuneError, BadInput, reason

MANIFEST = "corrections.jsonl"
LOCK = f"{MANIFEST}.lock"
SUGGESTED = "attune-corrections"
"""The name of the folder in a zip, and of the one that is suggested."""

_KEY = re.compile(r"[0-9a-f]{12}")
_SOUND = re.compile(rf"{_KEY.pattern}\.wav")
_OUR_NAME = re.compile(rf"{_SOUND.pattern}(\.part)?|{re.escape(MANIFEST)}(\.lock|\.part)?")
"""What a folder of ours may hold; the parts are of a program that was ended while it wrote."""


@dataclass(frozen=True)
class Correction:
    """`emotion` is what the person says they felt, `heard` what Attune took it for."""

    text: str
    emotion: str
    heard: str
    speaker: str


@dataclass(frozen=True)
class Size:
    count: int = 0
    size_bytes: int = 0


def chosen(named: str) -> Path:
    """The folder a person names, which need not be there yet. Raises `BadInput` where it cannot be ours."""
    try:
        folder = Path(named.strip()).expanduser()
        if not folder.is_absolute() or not named.isprintable():
            raise BadInput(f"Give the whole path of the folder, such as {suggestion()}.")
        if folder.is_symlink():
            raise BadInput(f"{folder} is a link; give the folder that it leads to.")
        if not folder.parent.is_dir():
            raise BadInput(f"There is no folder {folder.parent} to put it in; choose another place.")
        if not folder.exists():
            return folder
        if not folder.is_dir():
            raise BadInput(f"{folder} is a file; choose a folder.")
        manifest = folder / MANIFEST
        is_ours = manifest.is_file() and not manifest.is_symlink()
        if not is_ours and not all(map(_is_ours, folder.iterdir())):
            raise BadInput(f"{folder} holds other things; choose an empty folder or a new one.")
    # A path may hold what no system takes: a home that is nobody's, a name too long.
    except (OSError, RuntimeError) as error:
        raise BadInput(f"That folder cannot be used ({reason(error)}); choose another.") from error
    return folder


def suggestion() -> Path:
    return Path.home() / SUGGESTED


def save(folder: Path, key: str, correction: Correction, sound: Audio | None) -> None:
    """Keep it under the 12 hex digits of `key`, in place of what was kept under them.

    Without `sound` only what is said of one already kept changes. Raises `BadInput` where there is none, and
    `AttuneError` where the folder cannot be written.
    """
    name = _file_name(key)
    if sound is None and not (folder / name).is_file():
        raise BadInput("The sound of that turn is gone, so that there is nothing to keep.")
    with _opened(folder):
        is_new = not (folder / name).is_file()
        try:
            if sound is not None:
                _write(folder / name, sound.resampled(SPEECH_RATE_HZ).wav_bytes())
            _write(folder / MANIFEST, _with_line(_manifest(folder), name, _line(name, correction)))
        except OSError:
            # No recording stays that the person is told could not be kept.
            if is_new:
                _unlink(folder / name)
            raise


def remove(folder: Path, key: str) -> None:
    """The correction was taken back: neither its sound nor its line stays. Raises `AttuneError`."""
    name = _file_name(key)
    if not (folder / MANIFEST).is_file():
        return
    with _opened(folder):
        _write(folder / MANIFEST, _with_line(_manifest(folder), name, b""))
        _unlink(folder / name)


def keys(folder: Path) -> list[str]:
    """Of what is kept there, in the order in which it came."""
    return [Path(name).stem for name in _sounds(folder)]


def size(folder: Path) -> Size:
    """Of all that `delete` removes; `count` recordings."""
    ours = _ours(folder)
    sounds = [path for path in ours if _SOUND.fullmatch(path.name)]
    return Size(len(sounds), sum(path.lstat().st_size for path in ours))


def delete(folder: Path) -> None:
    """Remove everything that has a name of ours, and the folder where nothing else is in it. Raises
    `AttuneError` where something cannot be removed."""
    if not _ours(folder):
        return
    with _opened(folder):
        for path in _ours(folder):
            _unlink(path)
    with _explained(folder):
        # Another process that waits for the lock sees that it is gone, and makes its own.
        (folder / LOCK).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def archive(entries: Iterable[tuple[str, Correction, Audio]]) -> bytes:
    """A zip of such a folder, for where none may be written: (key, correction, sound) of each."""
    out = io.BytesIO()
    lines = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as files:
        for key, correction, sound in entries:
            name = _file_name(key)
            files.writestr(f"{SUGGESTED}/{name}", sound.resampled(SPEECH_RATE_HZ).wav_bytes())
            lines.append(_line(name, correction))
        files.writestr(f"{SUGGESTED}/{MANIFEST}", b"".join(lines))
    return out.getvalue()


def _file_name(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise BadInput("There is no such turn in this conversation.")
    return f"{key}.wav"


def _line(name: str, correction: Correction) -> bytes:
    fields = {"audio": name, **asdict(correction)}
    # A lone surrogate, which JSON may carry, is written as its escape.
    return (json.dumps(fields, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _manifest(folder: Path) -> list[bytes]:
    """Its lines as they are, each with its end; foreign and damaged ones too."""
    path = folder / MANIFEST
    return path.read_bytes().splitlines(keepends=True) if path.is_file() else []


def _with_line(lines: list[bytes], name: str, line: bytes) -> bytes:
    """The manifest with that line in place of those about `name`, at the end where there are none."""
    places = [place for place, each in enumerate(lines) if _named(each) == name]
    place = places[0] if places else len(lines)
    before = b"".join(lines[:place])
    after = b"".join(each for at, each in enumerate(lines) if at >= place and at not in places)
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    return before + gap + line + after


def _named(line: bytes) -> str:
    """The sound that a line of ours is about, else an empty text."""
    try:
        name = json.loads(line)["audio"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return name if isinstance(name, str) and _SOUND.fullmatch(name) else ""


def _sounds(folder: Path) -> list[str]:
    """The sounds that are there and that the manifest names."""
    named = dict.fromkeys(filter(None, map(_named, _manifest(folder))))
    return [name for name in named if (folder / name).is_file() or (folder / name).is_symlink()]


def _ours(folder: Path) -> list[Path]:
    """What `delete` removes, in a folder of ours."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.name != LOCK and _OUR_NAME.fullmatch(path.name)]


def _is_ours(path: Path) -> bool:
    return bool(_OUR_NAME.fullmatch(path.name)) and not path.is_symlink()


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a reader, or a crash, never meets half a file."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _unlink(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()


@contextmanager
def _opened(folder: Path) -> Iterator[None]:
    """Nobody else changes the folder meanwhile."""
    with _explained(folder):
        folder.mkdir(exist_ok=True)
        with FileLock(folder / LOCK):
            yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AttuneError(
            f"The corrections in {folder} cannot be changed ({error.strerror or reason(error)}); see "
            "whether there is room and the right to write there, or choose another folder."
        ) from error
