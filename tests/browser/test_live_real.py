"""Hands-free talk with the parts that are shipped: words are shown while spoken, heard, and answered."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page

from app.page.host import Host
from app.page.routes import EXAMPLES
from engine.audio import Audio
from engine.ears.alphabet import normalise
from tests.browser.conftest import replies, said, serve
from tests.browser.live import RATE_HZ, await_replies, clip, start

pytestmark = pytest.mark.slow

SAYS = {
    example["file"].removesuffix(".ogg"): example["says"]
    for example in json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))
}
QUIET_DBFS = -45.0
GAP_S = 7.0
ANSWERED_WITHIN_MS = 120_000


@pytest.fixture(scope="module")
def address(engine) -> Iterator[str]:
    """Takes the place of the tiny engine's page."""
    assert engine.mind is not None, engine.notices
    server, address = serve(Host(lambda choice, on_progress: engine))
    yield address
    server.close(verbose=False)


def listen_in(page: Page) -> list[dict]:
    """What the page is told from now on, sound apart."""
    told = []

    def keep(frame: str | bytes) -> None:
        if isinstance(frame, str):
            told.append(json.loads(frame))

    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    return told


def in_common(expected: str, text: str) -> float:
    """The share of the expected words that are in a text."""
    words = normalise(expected).split()
    return sum(word in normalise(text).split() for word in words) / len(words)


def test_three_spoken_turns_are_shown_while_spoken_heard_and_answered(talker):
    names = ("homesick", "sad", "miracle")
    first, *others = (clip(name) for name in names)
    page = talker(1.0, first, *(part for sound in others for part in (GAP_S, sound)))
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    told = listen_in(page)
    start(page)
    page.wait_for_selector('.attune[data-state="talking"] .turn.user.is-waiting .words:not(:empty)')
    await_replies(page, len(names))
    for name, text in zip(names, said(page), strict=True):
        assert in_common(SAYS[name], text) >= 0.5, text
    assert all(len(reply.split()) >= 2 for reply in replies(page))
    captions: list[list[str]] = [[]]
    for event in told:
        if event["type"] == "attune.caption":
            captions[-1].append(event["text"])
        elif event["type"] == "heard":
            assert in_common(event["text"], captions[-1][-1]) >= 0.5
            captions.append([])
    assert all(len(set(shown)) >= 3 for shown in captions[: len(names)])


def test_a_very_quiet_voice_is_heard(talker):
    voice = clip("glad")
    page = talker(1.0, voice * 10 ** (QUIET_DBFS / 20) / np.sqrt((voice**2).mean()))
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    start(page)
    page.wait_for_selector(".turn.assistant")
    assert in_common(SAYS["glad"], said(page)[0]) >= 0.5


def test_a_second_of_thought_inside_a_sentence_ends_nothing(talker, engine):
    voice = clip("homesick")
    words = engine.ears.listen(Audio(voice, RATE_HZ)).words
    before = next(place for place, word in enumerate(words) if word.text.startswith("almost"))
    middle = round((words[before].end_s + words[before + 1].start_s) / 2 * RATE_HZ)
    page = talker(1.0, voice[:middle], 1.0, voice[middle:])
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    start(page)
    await_replies(page, 1)
    [text] = said(page)
    assert in_common(SAYS["homesick"], text) >= 0.5, text
