"""A page with the tiny engine behind it, and a Chromium whose microphone is a recording."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from app.page import blocks
from app.page.host import Choice, Host
from app.page.routes import EXAMPLES, Routes
from app.record.stored import Places
from app.sessions import Sessions
from engine import audio
from engine.facade import Engine
from tests.browser import live, tiny_engine

WAIT_MS = 30_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
AXE = "axe-core@4.11.0"
WIDE = {"width": 1280, "height": 800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="there is no Chromium here"))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def microphone(tmp_path_factory) -> Path:
    """What Chromium hears: a sentence, then a second of silence, over and over."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    speech = audio.read(EXAMPLES / "homesick.ogg", 48_000)
    soundfile.write(path, [*speech.samples, *[0.0] * 48_000], 48_000)
    return path


def launch(playwright: Playwright, *arguments: str) -> Browser:
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-background-networking", *arguments],
    )


def launch_hearing(playwright: Playwright, microphone: str) -> Browser:
    """A browser whose microphone is a file, heard over and over; with "%noloop" behind its name, once."""
    return launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--autoplay-policy=no-user-gesture-required",
    )


@pytest.fixture(scope="session")
def browser(playwright, microphone) -> Iterator[Browser]:
    browser = launch_hearing(playwright, str(microphone))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def silent_browser(playwright, tmp_path_factory) -> Iterator[Browser]:
    """One in whose room nobody speaks."""
    scene = live.write_scene(tmp_path_factory.mktemp("microphone") / "silence.wav", 60.0)
    browser = launch_hearing(playwright, f"{scene}%noloop")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def shared_engine() -> Engine:
    return tiny_engine.engine()


@pytest.fixture
def tiny(shared_engine) -> Iterator[Engine]:
    """The engine behind `address`; a test may slow its mind and its voice down."""
    tiny_engine.reset(shared_engine)
    yield shared_engine
    tiny_engine.reset(shared_engine)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def serve(
    host: Host,
    *,
    wait: bool = True,
    may_choose: bool = True,
    places: Places | None = None,
    root_path: str = "",
    mcp: bool = False,
):
    """A running page and its address; `wait` until its engine is loaded."""
    page = blocks.build(host)
    routes = Routes(host, Sessions(), may_choose=may_choose, places=places)
    address = blocks.launch(
        page, routes, port=free_port(), root_path=root_path, share=False, open_browser=False, mcp=mcp
    )
    loading = host.start(Choice())
    if wait:
        loading.join()
    return page, address


@pytest.fixture(scope="session")
def address(shared_engine) -> Iterator[str]:
    page, address = serve(Host(lambda choice, on_progress: shared_engine))
    yield address
    page.close(verbose=False)


def open_page(browser: Browser, address: str, mode: str = "record", **context: object) -> Page:
    """A new tab of a new person, ready to talk in that way. A script error of the page fails the test."""
    return open_tab(browser.new_context(**{"viewport": WIDE, **context}), address, mode)


def open_tab(context: BrowserContext, address: str, mode: str = "record", script: str = "") -> Page:
    """The same in a browser that was there before. `script` runs before the page's own."""
    page = context.new_page()
    # A frame without an origin has no storage.
    page.add_init_script(
        f"self.origin !== 'null' && (localStorage['attune.settings'] ??= '{{\"mode\": \"{mode}\"}}')"
    )
    page.add_init_script(script)
    page.set_default_timeout(WAIT_MS)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(address)
    await_state(page, "ready")
    return page


def close_tabs(context: BrowserContext) -> None:
    """The next person finds only what the browser has fetched, which halves the time of loading."""
    for page in context.pages:
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture(scope="session")
def used_context(browser) -> BrowserContext:
    return browser.new_context(viewport=WIDE)


@pytest.fixture(scope="session")
def silent_context(silent_browser) -> BrowserContext:
    return silent_browser.new_context(viewport=WIDE)


@pytest.fixture
def page(used_context, address, tiny) -> Iterator[Page]:
    page = open_tab(used_context, address)
    yield page
    close_tabs(used_context)
    assert page.errors == []


Talker = Callable[..., Page]


@pytest.fixture
def talker(playwright, silent_context, address, tiny, tmp_path) -> Iterator[Talker]:
    """Scene → a page whose microphone hears it once, from the moment it is opened; no scene is silence."""
    browsers, pages = [], []

    def open_talker(*parts: np.ndarray | float, mode: str = "free", **context: object) -> Page:
        where = silent_context
        if parts:
            scene = live.write_scene(tmp_path / f"scene-{len(browsers)}.wav", *parts, 60.0)
            browsers.append(launch_hearing(playwright, f"{scene}%noloop"))
            where = browsers[-1].new_context(**{"viewport": WIDE, **context})
        pages.append(open_tab(where, address, mode, live.TAP))
        return pages[-1]

    yield open_talker
    close_tabs(silent_context)
    for browser in browsers:
        browser.close()
    assert [error for page in pages for error in page.errors] == []


def await_state(page: Page, *states: str) -> None:
    page.wait_for_selector(",".join(f'.attune[data-state="{state}"]' for state in states))


def say(page: Page, text: str) -> None:
    """Type a turn and wait until its answer has been spoken."""
    answered = page.locator(".turn.assistant:has(.tool)")
    before = answered.count()
    page.fill("#attune-text", text)
    page.press("#attune-text", "Enter")
    answered.nth(before).wait_for()
    await_state(page, "ready")


def record(page: Page, duration_s: float = 2.5) -> None:
    page.click('[data-do="talk"]')
    await_state(page, "recording")
    page.wait_for_timeout(duration_s * 1000)
    page.click('[data-do="talk"]')
    await_state(page, "hearing", "thinking", "speaking")
    await_state(page, "ready")


def replies(page: Page) -> list[str]:
    return page.locator(".turn.assistant .words").all_inner_texts()


def said(page: Page) -> list[str]:
    return page.locator(".turn.user .words").all_inner_texts()


@pytest.fixture(scope="session")
def axe(request) -> str:
    """The source of axe-core, fetched once from npm into pytest's cache."""
    folder = Path(request.config.cache.mkdir("axe"))
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    npm = shutil.which("npm")
    if not source.exists() and npm:
        subprocess.run([npm, "install", "--silent", "--prefix", str(folder), AXE], check=False, timeout=120)
    if not source.exists() and not os.environ.get("CI"):
        pytest.skip("axe-core could not be had from npm")
    return source.read_text(encoding="utf-8")
