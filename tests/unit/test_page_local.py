"""Who counts as being at this very machine: its own browser, and nobody whom a proxy or a site sends."""

import pytest
from starlette.requests import Request

from app.page.local import is_local


def asked(**headers: str) -> bool:
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return is_local(Request({"type": "http", "headers": encoded}))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:7860"},
        {"host": "localhost:7860", "origin": "http://localhost:7860"},
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
        {"host": "localhost"},
    ],
)
def test_a_browser_on_this_machine_is_at_home(headers):
    assert asked(**headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "attune.example.org"},
        {"host": "evil.example:7860", "origin": "http://evil.example:7860"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1:7860", "origin": "https://attune.example.org"},
        {"host": "127.0.0.1:7860", "origin": "null"},
        {"host": "127.0.0.1:7860", "x_forwarded_for": "203.0.113.9"},
        {"host": "127.0.0.1:7860", "x_forwarded_host": "attune.example.org"},
        {"host": "127.0.0.1:7860", "forwarded": "for=203.0.113.9"},
        {"host": "127.0.0.1:7860", "via": "1.1 proxy"},
        {"host": ""},
        {},
    ],
)
def test_whoever_comes_from_elsewhere_is_not(headers):
    assert not asked(**headers)
