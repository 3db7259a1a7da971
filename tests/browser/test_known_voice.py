"""What the page says of knowing the person's voice, and the way to start anew."""

import pytest

from app.page.routes import EXAMPLES
from tests.browser.conftest import await_state, say

LINE = ".known-voice"
RESET = '[data-do="forget-voice"]'


def speak(page) -> None:
    """A spoken turn, answered."""
    before = page.locator(".turn.assistant .why-open").count()
    page.set_input_files(".file", EXAMPLES / "homesick.ogg")
    page.locator(".turn.assistant .why-open").nth(before).wait_for()
    await_state(page, "ready")


def told(page) -> str:
    return page.inner_text(f"{LINE} span")


def test_spoken_turns_are_counted_and_typed_ones_are_not(page):
    say(page, "hello")
    assert page.locator(LINE).is_hidden()
    speak(page)
    assert told(page) == "Getting to know your voice: 1 turn"
    say(page, "hello again")
    assert told(page) == "Getting to know your voice: 1 turn"
    speak(page)
    assert told(page) == "Getting to know your voice: 2 turns"


def test_the_voice_stays_known_after_a_reload_and_in_a_new_conversation(page):
    speak(page)
    page.reload()
    await_state(page, "ready")
    assert told(page) == "Getting to know your voice: 1 turn"
    page.click('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    speak(page)
    assert told(page) == "Getting to know your voice: 2 turns"


def test_when_someone_else_talks_it_starts_anew_and_the_talk_goes_on(page):
    speak(page)
    speak(page)
    page.focus(RESET)
    page.keyboard.press("Enter")
    page.wait_for_selector(LINE, state="hidden")
    assert page.evaluate("document.activeElement.dataset.do") == "talk"
    assert "new voice" in page.inner_text(".announcer")
    assert page.locator(".turn.user").count() == 2
    speak(page)
    assert told(page) == "Getting to know your voice: 1 turn"


def test_a_turn_still_being_answered_was_the_person_before(page, tiny):
    speak(page)
    tiny.mind.pause_s = 0.3
    page.set_input_files(".file", EXAMPLES / "homesick.ogg")
    await_state(page, "thinking", "speaking")
    page.click(RESET)
    page.wait_for_selector(LINE, state="hidden")
    page.locator(".turn.assistant .why-open").nth(1).wait_for()
    assert page.locator(LINE).is_hidden()


def test_the_server_is_gone_when_it_should_forget(page):
    speak(page)
    page.route("**/attune/forget-voice", lambda route: route.abort())
    page.click(RESET)
    page.wait_for_selector(".message:not([hidden])")
    assert "server does not answer" in page.inner_text(".message")
    assert told(page) == "Getting to know your voice: 1 turn"


@pytest.mark.parametrize("header", ["", "never heard of"])
def test_nobody_elses_voice_can_be_forgotten(page, header):
    speak(page)
    answer = page.evaluate(
        """async (header) => (await fetch("attune/forget-voice", {
            method: "POST", headers: {"X-Attune-Conversation": header}
        })).text()""",
        header,
    )
    assert "no longer on the server" in answer
    page.reload()
    await_state(page, "ready")
    assert told(page) == "Getting to know your voice: 1 turn"
