"""Words that the ears are not sure of are marked, for eyes and for screen readers."""

import pytest

from app.page.routes import EXAMPLES
from tests.browser.conftest import await_state, open_page

DOUBTED = ".turn.user .doubted"


def speak(page) -> None:
    page.set_input_files(".file", EXAMPLES / "homesick.ogg")
    page.locator(".turn.assistant .why-open").wait_for()
    await_state(page, "ready")


@pytest.fixture
def doubting(page, tiny, monkeypatch):
    monkeypatch.setattr(tiny.ears, "doubted", "seconds")
    speak(page)
    return page


def test_only_the_doubted_word_is_marked_and_says_so(doubting):
    assert doubting.locator(DOUBTED).count() == 1
    assert doubting.get_attribute(DOUBTED, "title") == "I am not sure that I heard this right"
    assert doubting.locator(DOUBTED).text_content() == "seconds (not sure)"
    line = doubting.eval_on_selector(DOUBTED, "node => getComputedStyle(node).textDecorationStyle")
    assert line == "dotted"


def test_it_is_still_marked_after_a_reload(doubting):
    doubting.reload()
    await_state(doubting, "ready")
    assert doubting.locator(DOUBTED).count() == 1


def test_words_that_are_sure_are_not_marked(page):
    speak(page)
    assert page.locator(DOUBTED).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mark_can_be_read_in_light_and_dark(browser, address, tiny, monkeypatch, axe, scheme):
    monkeypatch.setattr(tiny.ears, "doubted", "seconds")
    page = open_page(browser, address, color_scheme=scheme)
    speak(page)
    page.evaluate(axe)
    found = page.evaluate(f"axe.run('{DOUBTED}', {{runOnly: ['color-contrast']}})")
    assert found["violations"] == []
    assert found["passes"]
    page.context.close()
