"""Whether a page is opened on the very machine that serves it."""

from urllib.parse import urlsplit

from starlette.requests import Request

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
"""How a machine calls itself."""

OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""What proxies tell of whom they serve. Some tell nothing and ask for "localhost" themselves, but pass on
which site a browser's request comes from."""


def is_local(request: Request) -> bool:
    """By the name in the address, the site that asks, and no sign of a proxy in between.

    A program behind a silent proxy can pretend to be a local page: whoever has one starts with `--root-path`.
    """
    headers = request.headers
    origin = urlsplit(headers.get("origin", "//localhost")).hostname
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    return {origin, host} <= LOOPBACK and not any(name in headers for name in OF_PROXIES)
