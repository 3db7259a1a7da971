"""The page with the parts that are shipped: a spoken turn, a typed one, and the sound of the answers.

With ATTUNE_PICTURES=DIR it also leaves the README's pictures there.
"""

import base64
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from app.page.host import Host
from engine import audio
from engine.ears.alphabet import normalise
from engine.facade import Engine
from tests.browser.conftest import await_state, open_page, replies, said, serve

ANSWERED_WITHIN_MS = 180_000
VIEW = {"width": 1280, "height": 800}
GIF_S, GIF_EVERY_S, GIF_SIZE = 20, 0.2, (800, 500)


@pytest.mark.slow
def test_a_conversation_with_the_shipped_parts(browser, engine):
    assert engine.mind is not None, engine.notices
    server, address = serve(Host(lambda choice, on_progress: engine))
    page = open_page(browser, address, viewport=VIEW)
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    pictures = os.environ.get("ATTUNE_PICTURES")
    film = Film(page) if pictures else None
    try:
        page.click('[data-do="talk"]')
        await_state(page, "recording")
        page.wait_for_timeout(4000)
        page.click('[data-do="talk"]')
        page.wait_for_selector(".turn.assistant .tool")
        assert "homesick" in said(page)[0]
        await_state(page, "ready")
        assert words_in_common(engine, download(page), replies(page)[0]) >= 0.5

        page.fill("#attune-text", "My dog died this morning and I miss him so much.")
        page.press("#attune-text", "Enter")
        page.locator(".turn.assistant").nth(1).locator(".tool").first.wait_for()
        await_state(page, "ready")
        assert len(replies(page)[1].split()) >= 2
        assert page.locator(".timeline-turns .felt").nth(1).inner_text() != ""
        if pictures:
            film.save(Path(pictures) / "page.gif")
            page.screenshot(path=Path(pictures) / "page.png")
            page.set_viewport_size({"width": 1280, "height": 1900})
            page.locator(".chip").first.click()
            page.locator(".panel").first.screenshot(path=Path(pictures) / "turn.png")
    finally:
        page.context.close()
        server.close(verbose=False)


def download(page) -> Path:
    with page.expect_download() as download:
        page.locator('.tool[title="Download"]').first.click()
    return download.value.path()


def words_in_common(engine: Engine, speech: Path, reply: str) -> float:
    """The share of the reply's words that our own ears hear in its sound."""
    expected = set(normalise(reply).split())
    heard = set(normalise(engine.ears.listen(audio.decode(speech.read_bytes())).text).split())
    return len(expected & heard) / len(expected)


class Film:
    """What the page shows from now on, for a GIF of its first seconds."""

    def __init__(self, page) -> None:
        self._frames = []
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._keep)
        self._session.send("Page.startScreencast", {"format": "png"})

    def _keep(self, frame: dict) -> None:
        self._frames.append((frame["metadata"]["timestamp"], frame["data"]))
        self._session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    def save(self, path: Path) -> None:
        begins_s, due_s, pictures, moments_s = self._frames[0][0], 0.0, [], []
        for timestamp_s, data in self._frames:
            moment_s = timestamp_s - begins_s
            if due_s <= moment_s <= GIF_S:
                picture = Image.open(io.BytesIO(base64.b64decode(data)))
                pictures.append(picture.resize(GIF_SIZE, Image.Resampling.LANCZOS).quantize(256))
                moments_s.append(moment_s)
                due_s = moment_s + GIF_EVERY_S
        ends_s = [*moments_s[1:], GIF_S]
        durations_ms = [int((end - begin) * 1000) for begin, end in zip(moments_s, ends_s, strict=True)]
        pictures[0].save(
            path, save_all=True, append_images=pictures[1:], duration=durations_ms, loop=0, optimize=True
        )
