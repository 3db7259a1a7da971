"""What the page shows while parts are fetched, when they cannot be had, and when others are chosen."""

import threading

from app.page.host import Choice, Host
from engine.errors import PartMissing
from engine.weights import Progress
from tests.browser import tiny_engine
from tests.browser.conftest import await_state, open_page, replies, say, serve


def visit(browser, address):
    page = browser.new_context().new_page()
    page.goto(address)
    return page


def test_the_page_is_there_while_the_parts_are_fetched(browser):
    may_end = threading.Event()

    def load(choice, on_progress):
        on_progress(Progress("SmolLM2-135M-Instruct", 49_000_000, 98_000_000, "hub"))
        may_end.wait(60)
        return tiny_engine.engine()

    server, address = serve(Host(load), wait=False)
    page = visit(browser, address)
    page.wait_for_selector(".download")
    assert page.inner_text(".download") == "SmolLM2-135M-Instruct: 49 of 98 MB from the hub"
    assert page.get_attribute(".download progress", "value") == "49000000"
    assert page.is_disabled('[data-do="talk"]')
    assert page.inner_text(".state") == "Getting ready…"
    assert "not therapy" in page.inner_text(".safety")
    may_end.set()
    await_state(page, "ready")
    page.click(".standing summary")
    assert "Profile tiny: made for the tests." in page.inner_text(".standing")
    assert "Kokoro could not be had: connect once." in page.inner_text(".standing")
    say(page, "hello")
    assert replies(page) == ["You said hello."]
    page.context.close()
    server.close(verbose=False)


def test_a_start_that_fails_says_why(browser):
    def load(choice, on_progress):
        raise PartMissing("There are no ears: connect once.")

    server, address = serve(Host(load))
    page = visit(browser, address)
    await_state(page, "failed")
    assert "There are no ears: connect once." in page.inner_text(".start")
    assert page.inner_text(".state") == "Not ready"
    page.context.close()
    server.close(verbose=False)


def test_profile_and_mind_can_be_changed_and_a_failure_keeps_the_old_ones(browser):
    asked, engine = [], tiny_engine.engine()

    def load(choice, on_progress):
        asked.append(choice)
        if choice.profile == "standard":
            raise PartMissing("standard needs 8 GB of memory.")
        return engine

    server, address = serve(Host(load))
    page = open_page(browser, address)
    page.click('[data-do="settings"]')
    page.fill("#attune-llm_model", "qwen3")
    page.fill("#attune-llm_url", "http://localhost:11434/v1")
    page.click("dialog .strong")
    page.wait_for_function("JSON.parse(localStorage['attune.settings']).llm_model === 'qwen3'")
    say(page, "hello")
    assert asked[1] == Choice("", "http://localhost:11434/v1", "qwen3")
    page.click('[data-do="settings"]')
    page.select_option("#attune-profile", "standard")
    page.click("dialog .strong")
    page.wait_for_selector(".message:not([hidden]):not(.is-calm)")
    assert "standard needs 8 GB of memory." in page.inner_text(".message")
    say(page, "still here")
    page.context.close()
    server.close(verbose=False)


def test_another_sites_script_cannot_change_the_mind(browser):
    asked = []
    server, address = serve(Host(lambda choice, on_progress: asked.append(choice) or tiny_engine.engine()))
    page = open_page(browser, address)
    answer = page.evaluate(
        """async () => (await fetch("attune/engine", {
            method: "POST", body: '{"llm_url": "http://elsewhere.test", "llm_model": "x"}',
        })).text()"""
    )
    assert "problem" in answer
    assert asked == [Choice()]
    page.context.close()
    server.close(verbose=False)


def test_a_shared_server_is_not_for_visitors_to_change(browser):
    engine = tiny_engine.engine()
    server, address = serve(Host(lambda choice, on_progress: engine), may_choose=False)
    page = open_page(browser, address)
    page.click('[data-do="settings"]')
    assert page.is_disabled("#attune-profile")
    assert page.is_disabled("#attune-llm_url")
    answer = page.evaluate(
        """async () => (await fetch("attune/engine", {
            method: "POST", body: '{"profile": "mini"}', headers: {"Content-Type": "application/json"},
        })).text()"""
    )
    assert "not for visitors" in answer
    page.context.close()
    server.close(verbose=False)
