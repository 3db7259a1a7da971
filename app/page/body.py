"""What a request of the page holds: bytes, or the fields of a JSON object; or a sentence why not."""

import json
import math
from typing import Any

from starlette.requests import Request

from engine.errors import BadInput

MAX_FIELDS_BYTES = 64 * 1024
"""Of a JSON object without sound: a typed turn of which every character is an escape."""

STRANGE = "The page sent something that this version of Attune does not understand; load the page again."


async def raw(request: Request, max_bytes: int, what: str = "That file") -> bytes:
    """The request's body. Raises `BadInput` at the first byte that is too many."""
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > max_bytes:
            raise BadInput(f"{what} is too large: at most {max_bytes // 2**20} MB can be taken.")
    return bytes(body)


async def fields(request: Request, *, max_bytes: int = MAX_FIELDS_BYTES, **kinds: type) -> Any:
    """The named fields of the JSON object, each of its kind or None where it is missing, in that order.

    One field comes alone, several as a tuple. Raises `BadInput` for anything else.
    """
    return of(await raw(request, max_bytes, "That"), **kinds)


def of(body: bytes, **kinds: type) -> Any:
    """The same of a body that was read before."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(STRANGE) from error
    if not isinstance(given, dict):
        raise BadInput(STRANGE)
    found = tuple(_of_kind(given.get(name), kind) for name, kind in kinds.items())
    return found if len(found) > 1 else found[0]


def _of_kind(value: Any, kind: type) -> Any:
    if value is None:
        return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e15:
        value = float(value)
    # For Python a bool is a number.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadInput(STRANGE)
    if kind is float and not math.isfinite(value):
        raise BadInput(STRANGE)
    return value
