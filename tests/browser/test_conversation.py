"""What a person does on the page, done by a browser."""

import io

import soundfile

from app.page.routes import EXAMPLES
from tests.browser.conftest import await_state, open_page, record, replies, said, say


def test_a_recorded_turn_is_heard_answered_and_spoken(page, tiny):
    record(page)
    assert said(page)[0].startswith("I spoke for ")
    assert replies(page) == [f"You said {said(page)[0]}."]
    assert "sad, a little fearful" in page.inner_text(".turn.user .chip")
    with page.expect_download() as download:
        page.click('.tool[title="Download"]')
    samples, rate_hz = soundfile.read(io.BytesIO(download.value.path().read_bytes()))
    assert rate_hz == 24_000
    assert len(samples) == tiny.voice.made_samples[-1]


def test_the_second_turn_builds_on_the_first_and_a_new_conversation_forgets(page):
    say(page, "I am sad")
    say(page, "it is raining")
    assert replies(page)[1] == "Before, you said I am sad. You said it is raining."
    page.click('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    assert page.locator(".welcome").is_visible()
    say(page, "hello")
    assert replies(page) == ["You said hello."]


def test_the_reply_appears_word_by_word_and_sounds_before_it_is_complete(page, tiny):
    tiny.mind.pause_s = 0.25
    page.fill("#attune-text", "first sentence here. And a much longer second one that takes its time to come")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    assert 0 < len(replies(page)[0]) < len("You said first sentence here. And a much longer second one")
    await_state(page, "ready")


def test_a_dropped_file_is_a_turn(page):
    page.evaluate(
        """async () => {
            const sound = await (await fetch("attune/examples/sad.ogg")).blob();
            const dropped = new DataTransfer();
            dropped.items.add(new File([sound], "sad.ogg"));
            document.querySelector(".attune").dispatchEvent(
                new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_selector(".turn.assistant .tool")
    assert said(page) == ["I spoke for 2 seconds"]


def test_every_example_can_be_pressed(page):
    assert page.locator(".example").count() == len(list(EXAMPLES.glob("*.ogg")))
    page.locator(".example").nth(1).dblclick()
    page.wait_for_selector(".turn.assistant .tool")
    assert page.locator(".welcome").is_hidden()
    assert len(replies(page)) == 1


def test_stop_ends_the_work_and_keeps_what_was_heard(page, tiny):
    tiny.mind.pause_s = 0.2
    page.fill("#attune-text", "one two three. four five six. seven eight nine. ten eleven twelve. thirteen")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.wait_for_timeout(300)
    page.click('[data-do="stop"]')
    await_state(page, "ready")
    assert tiny.mind.stopped.wait(5)
    page.wait_for_selector(".stopped")
    kept = replies(page)[0].removesuffix("stopped here")
    assert kept.startswith("You said") and kept.endswith(" —") and "thirteen" not in kept
    tiny.mind.pause_s = 0.0
    say(page, "and now")
    assert replies(page)[1].endswith("You said and now.")


def test_two_tabs_are_two_conversations_even_when_one_is_a_copy(browser, address, page):
    say(page, "only here")
    other = open_page(browser, address)
    say(other, "only there")
    assert replies(other) == ["You said only there."]
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    copy = opened.value
    await_state(copy, "ready")
    assert copy.locator(".turn").count() == 0
    other.context.close()


def test_a_reload_keeps_the_talk_and_can_still_be_heard(page, tiny):
    say(page, "remember me")
    page.reload()
    await_state(page, "ready")
    assert said(page) == ["remember me"]
    assert replies(page) == ["You said remember me."]
    assert page.locator(".timeline-turns .felt").count() == 1
    page.click('.tool[title="Play again"]')
    await_state(page, "speaking")
    await_state(page, "ready")
    say(page, "again")
    assert replies(page)[1].startswith("Before, you said remember me.")


def test_closing_the_tab_stops_the_work(browser, address, tiny):
    page = open_page(browser, address)
    tiny.mind.pause_s = 0.3
    page.fill("#attune-text", "a long sentence that would be answered for several seconds from now on")
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".turn.assistant")
    page.context.close()
    assert tiny.mind.stopped.wait(5)


def test_two_fast_clicks_are_harmless(page):
    page.dblclick('[data-do="talk"]')
    await_state(page, "recording")
    page.wait_for_timeout(1500)
    page.click('[data-do="talk"]')
    page.wait_for_selector(".turn.assistant .tool")
    page.dblclick('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    assert page.locator(".message").is_hidden()


def test_talking_interrupts_the_reply(page, tiny):
    tiny.mind.pause_s = 0.2
    page.fill("#attune-text", "one two three. four five six. seven eight nine. ten eleven twelve")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.click('[data-do="talk"]')
    await_state(page, "recording")
    assert tiny.mind.stopped.wait(5)
    page.press("body", "Escape")
    page.focus('[data-do="talk"]')
    page.press('[data-do="talk"]', "Escape")
    await_state(page, "ready")


def test_feeling_timeline_and_timing_can_be_opened(page):
    say(page, "I am so happy")
    page.click(".chip")
    assert page.locator(".panel tbody tr").count() == 7
    assert "80 %" in page.inner_text(".panel")
    assert "clearly happy" in page.inner_text(".timeline")
    assert "meant cheerful" in page.inner_text(".timeline")
    assert "first word" in page.inner_text(".latency ul")


def test_one_hears_oneself_again_without_the_sound_being_stored(page):
    record(page)
    page.click(".chip")
    page.click('.tool[title="Play what you said"]')
    assert page.evaluate("Object.keys(localStorage)") == ["attune.settings"]
    assert page.evaluate("Object.values(sessionStorage).join('').length") < 100


def test_settings_are_kept_in_the_browser_and_reach_the_voice(page, tiny):
    page.click('[data-do="settings"]')
    page.select_option("#attune-voice", "high")
    page.fill("#attune-speed", "1.3")
    page.click("dialog .strong")
    say(page, "hello")
    assert (tiny.voice.styles[-1].voice, tiny.voice.styles[-1].speed) == ("high", 1.3)
    page.reload()
    await_state(page, "ready")
    page.click('[data-do="settings"]')
    assert page.input_value("#attune-voice") == "high"
