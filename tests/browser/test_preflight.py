"""Before the first word: what is in order costs no time, what is not is said with its remedy."""

import time

import pytest

from tests.browser.conftest import await_state, launch, open_page, replies, say
from tests.browser.live import clip, start


def remedy(page) -> str:
    page.wait_for_selector("dialog.preflight[open] .remedy:not(:empty)")
    return page.inner_text("dialog.preflight .remedy")


def found(page, state: str) -> list[str]:
    return page.locator(f'.checks [data-found="{state}"] b').all_inner_texts()


def test_when_all_is_well_it_goes_straight_on(talker):
    page = talker()
    began = time.monotonic()
    start(page)
    assert time.monotonic() - began < 2.5
    assert page.locator("dialog[open]").count() == 0
    assert page.inner_text(".state") == "Listening. Just talk"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NotAllowedError", "microphone is blocked"),
        ("NotFoundError", "no microphone"),
        ("NotReadableError", "another program"),
    ],
)
def test_no_microphone_and_then_one(talker, name, expected):
    page = talker()
    page.evaluate(
        """name => {
            const { mediaDevices } = navigator;
            window.ask = mediaDevices.getUserMedia.bind(mediaDevices);
            mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
        }""",
        name,
    )
    page.click('[data-do="talk"]')
    assert expected in remedy(page)
    assert found(page, "failed") == ["Microphone"]
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.ask; }")
    page.wait_for_timeout(500)
    page.click("dialog.preflight .strong")
    await_state(page, "open")


def test_plain_http_on_another_machine(playwright, address, tiny):
    browser = launch(playwright, "--host-resolver-rules=MAP attune.test 127.0.0.1")
    page = open_page(browser, address.replace("127.0.0.1", "attune.test"), "free")
    page.click('[data-do="talk"]')
    assert "only to https pages" in remedy(page)
    assert found(page, "failed") == ["Secure page"]
    page.keyboard.press("Escape")
    await_state(page, "ready")
    say(page, "still here")
    assert replies(page) == ["You said still here."]
    assert page.errors == []
    browser.close()


def test_no_sound_may_leave_the_page(talker):
    page = talker()
    page.evaluate("() => { AudioContext.prototype.resume = () => new Promise(() => {}); }")
    page.click('[data-do="talk"]')
    assert "lets no sound out" in remedy(page)
    assert found(page, "failed") == ["Sound"]


def test_without_echo_cancelling_it_advises_headphones_and_goes_on(talker):
    page = talker()
    page.evaluate("() => { MediaStreamTrack.prototype.getSettings = () => ({ echoCancellation: false }); }")
    start(page)
    assert "headphones" in page.inner_text(".message")


def test_a_microphone_that_gives_nothing_is_told(talker):
    page = talker()
    start(page)
    page.wait_for_selector(".message:not([hidden])", timeout=15_000)
    assert "no sound at all" in page.inner_text(".message")


def test_every_check_can_be_looked_at(talker):
    page = talker(0.5, clip("glad"), clip("sad"))
    page.click('[data-do="settings"]')
    page.click("dialog .link >> text=Check microphone")
    page.wait_for_function("document.querySelectorAll('.checks [data-found=ok]').length === 6")
    assert page.evaluate("document.querySelector('.preflight meter').value") > -60
    page.click("dialog.preflight .strong")
    page.wait_for_selector('.attune[data-live="free"]')


def test_a_conversation_that_the_server_forgot(talker):
    page = talker()
    page.route_web_socket("**/attune/live", lambda socket: refuse(socket))
    page.click('[data-do="talk"]')
    await_state(page, "ready")
    assert "no longer on the server" in page.inner_text(".message")


def refuse(socket) -> None:
    socket.on_message(
        lambda _: socket.send(
            '{"type": "problem", "message": "This conversation is no longer on the server."}'
        )
    )
