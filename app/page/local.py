"""Whether a page is opened on the very machine that serves it."""

from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import Request

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
"""How a machine calls itself."""


def is_local(request: Request) -> bool:
    """By the name in the address: neither a proxy in front of the server nor another site calls it so."""
    with suppress(ValueError):
        return urlsplit(f"//{request.headers.get('host', '')}").hostname in LOOPBACK
    return False
