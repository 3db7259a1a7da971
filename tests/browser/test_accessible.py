"""For everyone: axe-core in every state, light and dark, wide and narrow; the whole page by keyboard."""

import pytest

from app.page.routes import EXAMPLES
from tests.browser.conftest import WIDE, await_state, open_page, replies, say
from tests.browser.live import clip, start

NARROW = {"width": 390, "height": 780}


LIGHT_THEN_DARK = """async () => {
    const attune = document.querySelector(".attune");
    const light = await axe.run(attune);
    document.body.classList.add("dark");
    const dark = await axe.run(attune, { runOnly: ["color-contrast"] });
    document.body.classList.remove("dark");
    return [...light.violations, ...dark.violations];
}"""
"""Dark, nothing but the colours is another."""


def violations(page, axe: str) -> list[str]:
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(axe)
    return [
        f"{v['id']}: {v['nodes'][0]['html']}"
        for v in page.evaluate(LIGHT_THEN_DARK)
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_serious_violation_in_any_state(browser, address, tiny, axe, viewport):
    # A colour on its way from light to dark is neither.
    page = open_page(browser, address, viewport=viewport, reduced_motion="reduce")
    assert violations(page, axe) == []
    page.click('[data-do="talk"]')
    await_state(page, "recording")
    assert violations(page, axe) == []
    page.click('[data-do="cancel"]')
    tiny.mind.pause_s = 0.2
    page.fill("#attune-text", "I am sad today")
    page.press("#attune-text", "Enter")
    await_state(page, "thinking")
    assert violations(page, axe) == []
    await_state(page, "ready")
    page.click(".chip")
    assert violations(page, axe) == []
    page.set_input_files(".file", EXAMPLES / "homesick.ogg")
    page.wait_for_selector(".known-voice:not([hidden])")
    assert violations(page, axe) == []
    assert page.evaluate("document.querySelector('.known-voice').scrollWidth <= innerWidth")
    page.fill("#attune-text", "x" * 6000)
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".message:not([hidden])")
    assert violations(page, axe) == []
    page.click('[data-do="settings"]')
    assert violations(page, axe) == []
    page.context.close()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_serious_violation_while_talking(talker, tiny, axe, viewport):
    tiny.voice.pace_s = 0.2
    page = talker(2.0, clip("glad"), viewport=viewport, reduced_motion="reduce")
    start(page)
    assert violations(page, axe) == []
    await_state(page, "talking")
    assert violations(page, axe) == []
    await_state(page, "speaking")
    assert violations(page, axe) == []
    page.click('[data-do="mute"]')
    page.wait_for_selector('.attune[data-muted="true"]')
    assert violations(page, axe) == []
    assert page.evaluate("document.querySelector('.composer').scrollWidth <= innerWidth")
    page.click('[data-do="settings"]')
    assert violations(page, axe) == []
    page.click("dialog .link >> text=Check microphone")
    page.wait_for_selector('.checks [data-found="ok"] >> nth=4')
    assert violations(page, axe) == []


def test_hands_free_by_keyboard_alone(talker):
    page = talker()
    page.focus('[data-do="talk"]')
    page.keyboard.press("Enter")
    await_state(page, "open")
    assert page.get_attribute(".state", "aria-live") == "off"
    page.keyboard.press("Space")
    page.wait_for_selector('.attune[data-muted="true"]')
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("a b")
    assert page.input_value("#attune-text") == "a b"
    page.focus('[data-do="talk"]')
    page.wait_for_timeout(600)
    page.keyboard.press("Enter")
    await_state(page, "ready")
    assert page.inner_text(".announcer") == "The talk has ended"


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_is_wider_than_the_window(browser, address, tiny, viewport):
    tiny.voice.pace_s = 0.001
    page = open_page(browser, address, viewport=viewport)
    say(page, "a-word-without-any-place-to-break-it-" * 6)
    page.click(".chip")
    assert page.evaluate("document.querySelector('.scroll').scrollWidth <= innerWidth")
    page.context.close()


def test_a_turn_by_keyboard_alone(page):
    reached = []
    while "file" not in reached and len(reached) < 20:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.do ?? document.activeElement.className"))
    assert reached.index("clear") < reached.index("settings") < reached.index("example")
    assert reached.index("example") < reached.index("talk") < reached.index("file")
    page.focus('[data-do="talk"]')
    page.keyboard.press("Enter")
    await_state(page, "recording")
    page.wait_for_timeout(1500)
    page.keyboard.press("Space")
    page.wait_for_selector(".turn.assistant .tool")
    await_state(page, "ready")
    page.focus(".chip")
    page.keyboard.press("Enter")
    assert page.get_attribute(".chip", "aria-expanded") == "true"


def test_the_answer_is_announced_once_and_the_state_is_a_status(page):
    say(page, "hello")
    assert page.inner_text(".announcer") == f"Attune: {replies(page)[0]}"
    assert page.get_attribute(".state", "role") == "status"
    assert page.inner_text(".state") == "Ready when you are"


def test_reduced_motion_is_respected(browser, address, tiny):
    page = open_page(browser, address, reduced_motion="reduce")
    tiny.mind.pause_s = 0.5
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".turn.is-waiting .words")
    motion = page.evaluate(
        "getComputedStyle(document.querySelector('.turn.is-waiting .words'), '::after').animationName"
    )
    assert motion == "none"
    page.context.close()
