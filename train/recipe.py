"""A YAML recipe becomes a frozen dataclass; what it does not know is refused by name."""

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import yaml

from engine.errors import BadInput

Recipe = TypeVar("Recipe")

RECIPES = Path(__file__).parent / "recipes"


def load(path: Path, kind: type[Recipe]) -> Recipe:
    """Read `path`, or the recipe of that bare name in `train/recipes`, into the dataclass `kind`.

    Raises `BadInput` for a missing file or an unknown key.
    """
    named = RECIPES / f"{path}.yaml"
    path = named if named.is_file() and not path.is_file() else path
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise BadInput(f"{path}: the recipe cannot be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: the recipe is not valid YAML ({str(error).splitlines()[0]}).") from error
    if not isinstance(values, dict):
        raise BadInput(f"{path}: a recipe is a list of `key: value` lines.")
    return build(values, kind, where=str(path))


def build(values: dict[str, Any], kind: type[Recipe], *, where: str) -> Recipe:
    """The dataclass `kind` from a mapping; lists become tuples, as frozen values want."""
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := sorted(set(values) - known):
        raise BadInput(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    try:
        return kind(**frozen)
    except TypeError as error:
        raise BadInput(f"{where}: {error}.") from error
