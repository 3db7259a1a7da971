"""Values out of a file that anybody may have written, taken one by one and checked.

Used by `app.record.document`. Whatever is wrong is one `BadInput` that names the place, in words of ours.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from engine.errors import BadInput

Value = TypeVar("Value")

LONGEST_NUMBER = 30
"""Digits. Python takes seconds for an integer of a million of them."""

FOREIGN = "That file is not a conversation that Attune saved, or it is damaged; choose another."

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def parse(data: bytes) -> Any:
    """The JSON in UTF-8 `data`: every key once, numbers finite and short. Raises `BadInput`."""
    try:
        return json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise BadInput(FOREIGN) from error


class Fields:
    """An object, and where it stands in the file."""

    def __init__(self, value: Any, *where: str) -> None:
        self._where = where
        if not isinstance(value, Mapping):
            raise damaged(*where)
        self._value = value

    def text(self, name: str, most: int) -> str:
        """At most that many characters; what nobody says (control characters, halves of pairs) is dropped."""
        value = self._get(name)
        if not isinstance(value, str) or len(value) > most:
            raise self.damaged(name)
        return _CONTROL.sub("", value.encode("utf-8", "ignore").decode())

    def one_of(self, name: str, choices: Collection[str]) -> str:
        value = self._get(name)
        if not isinstance(value, str) or value not in choices:
            raise self.damaged(name)
        return value

    def number(self, name: str, low: float, high: float) -> float:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise self.damaged(name)
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        number = self.number(name, low, high)
        if not number.is_integer():
            raise self.damaged(name)
        return int(number)

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.damaged(name)
        return value

    def fields(self, name: str) -> "Fields":
        return Fields(self._get(name), *self._where, name)

    def each(self, name: str, most: int) -> list["Fields"]:
        """A list of at most that many objects."""
        value = self._get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.damaged(name)
        return [Fields(each, *self._where, f"{name} {place}") for place, each in enumerate(value, 1)]

    def made(self, name: str, make: Callable[[Mapping[str, Any]], Value]) -> Value:
        """What a `from_dict` makes of an object."""
        try:
            return make(self.fields(name)._value)
        except BadInput as error:
            raise self.damaged(name) from error

    def names(self) -> list[str]:
        return list(self._value)

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._value.get(name) is not None

    def _get(self, name: str) -> Any:
        if name not in self._value:
            raise self.damaged(name)
        return self._value[name]

    def damaged(self, name: str) -> BadInput:
        return damaged(*self._where, name)


def damaged(*where: str) -> BadInput:
    return BadInput(f"That saved conversation is damaged ({', '.join(where)}); open another copy of it.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("too long for a number")
    return int(digits)
