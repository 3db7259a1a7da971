"""A turn looked at closely: what was heard in it, whether that is right, and why it was answered so."""

import re

import numpy as np
import pytest
import soundfile

from app.page.routes import EXAMPLES
from engine import audio
from tests.browser.conftest import WIDE, await_state, open_page, replies, say
from tests.browser.live import await_replies, clip, start
from tests.browser.test_accessible import NARROW, violations

RATE_HZ = 16_000


def hear(page, sound=EXAMPLES / "homesick.ogg") -> None:
    """A spoken turn, answered."""
    before = page.locator(".why-open").count()
    page.set_input_files(".file", sound)
    page.locator(".why-open").nth(before).wait_for()
    await_state(page, "ready")


def look(page, place: int = 0):
    """The panel of a turn, opened from its chip."""
    turn = page.locator(".turn.user").nth(place)
    turn.locator(".chip").click()
    return turn.locator(".panel")


def part(page, name: str, place: int = 0) -> str:
    return page.locator(f".turn.user >> nth={place} >> .panel .{name}").inner_text()


def choose(page, feeling: str, place: int = 0) -> None:
    panel = page.locator(".turn.user").nth(place).locator(".panel")
    button = panel.locator(f'.choice[data-feeling="{feeling}"]')
    was = button.get_attribute("aria-pressed")
    button.click()
    panel.locator(f'.choice[data-feeling="{feeling}"]:not([aria-pressed="{was}"])').wait_for()


def chips(page) -> list[str]:
    return page.locator(".chip").all_inner_texts()


def timeline(page) -> list[str]:
    return page.locator(".timeline .felt").all_inner_texts()


@pytest.fixture
def sentence(tmp_path):
    """The same sentence so many times as high and as loud, as a file."""
    speech = audio.read(EXAMPLES / "homesick.ogg", RATE_HZ)

    def made(height: float, level: float):
        path = tmp_path / f"{height}-{level}.wav"
        soundfile.write(path, level * speech.samples, round(height * RATE_HZ))
        return path

    return made


def test_a_voice_is_shown_against_how_it_usually_sounds(page, sentence):
    hear(page, sentence(1.0, 0.9))
    look(page)
    first = part(page, "sound")
    assert "182 Hz" in first and "first turn" in first and "usual" not in first
    hear(page, sentence(1.25, 0.45))
    look(page, 1)
    second = part(page, "sound", 1)
    higher = re.search(r"Higher than usual for you: (\d+) Hz, usually 182 Hz", second)
    assert int(higher[1]) == pytest.approx(1.25 * 182, rel=0.03)
    assert "Quieter than usual for you, by 6 dB" in second
    assert "Compared with the turn before" in second
    hear(page, sentence(1.12, 0.65))
    look(page, 2)
    third = part(page, "sound", 2)
    assert "As usual for you: 20" in third
    assert "About as loud as usual" in third
    assert "Compared with 2 turns before" in third


def test_the_outline_has_the_loudness_and_the_pitch_with_gaps(page):
    hear(page)
    panel = look(page)
    assert panel.locator(".waveform .loudness").get_attribute("d").count("M") == 120
    assert 1 < panel.locator(".waveform .melody").get_attribute("d").count("M") < 60
    described = panel.locator(".waveform").get_attribute("aria-label")
    assert described.startswith("The sound of 2.") and "Its pitch lies between" in described


def test_one_hears_oneself_again_until_the_page_is_loaded_anew(page):
    hear(page)
    play = '.panel .tool[title="Play what you said"]'
    look(page)
    page.evaluate("Audio.prototype.play = function () { window.played = this.src; }")
    page.click(play)
    assert page.evaluate("window.played").startswith("blob:")
    page.reload()
    await_state(page, "ready")
    look(page)
    assert page.locator(".panel .waveform").is_visible()
    assert page.locator(play).count() == 0


def test_every_word_shows_how_sure_it_is(page, tiny, monkeypatch):
    monkeypatch.setattr(tiny.ears, "doubted", "seconds")
    hear(page)
    panel = look(page)
    words = panel.locator(".sure-word")
    assert words.all_text_contents() == ["I 90 %", "spoke 90 %", "for 90 %", "3 90 %", "seconds 30 %"]
    opacity = "node => getComputedStyle(node.querySelector('.how-sure')).opacity"
    page.mouse.move(0, 0)
    assert [word.evaluate(opacity) for word in words.all()] == ["0", "0", "0", "0", "1"]
    panel.locator(".sure-words").focus()
    assert [word.evaluate(opacity) for word in words.all()] == ["1"] * 5


def test_a_typed_turn_goes_by_its_words(page):
    say(page, "I am so happy")
    panel = look(page)
    assert "You typed this" in part(page, "heard")
    assert panel.locator("thead th").all_inner_texts()[1:] == ["words"]
    assert panel.locator(".sound").count() == panel.locator(".sureness").count() == 0


def test_what_is_not_sure_says_so(page):
    say(page, "well then")
    look(page)
    assert chips(page) == ["not sure"]
    assert "I am not sure" in part(page, "heard")
    assert "none, I went by the words alone" in part(page, "why")


def test_words_and_voice_that_disagree(page, tiny, monkeypatch):
    hear(page)
    assert page.locator(".split").count() == 0
    monkeypatch.setattr(tiny.ears, "says", "I am happy")
    hear(page)
    chip = page.locator(".chip").nth(1)
    assert chip.locator(".split").is_visible()
    assert "Your words and your voice say different things." in chip.get_attribute("aria-label")
    panel = look(page, 1)
    assert "Your words sound happy, your voice sounds sad." in part(page, "heard", 1)
    assert panel.locator("thead th").all_inner_texts()[1:] == ["voice", "words", "both"]
    choose(page, "happy", 1)
    assert chip.locator(".split").count() == 0


def test_why_a_reply_is_as_it_is(page):
    say(page, "I am so happy")
    page.click(".why-open")
    told = part(page, "why")
    for fact in ("“I am so happy”", "\nhappy\n", "the chat model", "cheerful, at 80 % of its strength"):
        assert fact in told
    assert "all of it\n" in told
    assert page.locator(".panel .stage").count() == 2
    assert page.evaluate("document.activeElement.textContent") == "Why this reply"


def test_a_reply_of_fixed_words_says_so(page, tmp_path):
    say(page, "Are you a human being?")
    page.click(".why-open")
    assert "a fixed answer" in part(page, "why")
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE_HZ), RATE_HZ)
    hear(page, tmp_path / "silence.wav")
    page.click(".why-open >> nth=1")
    assert page.locator(".panel:visible >> nth=1 >> section").count() == 1
    assert "nothing I could make out" in part(page, "why", 1)
    assert "a fixed answer to silence" in part(page, "why", 1)


def test_a_stopped_reply_shows_what_was_not_said_any_more(page, tiny):
    tiny.mind.pause_s = 0.1
    page.fill("#attune-text", "one two three. four five six. seven eight nine. ten eleven twelve. thirteen")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.locator(".turn.assistant >> text=twelve").wait_for()
    page.click('[data-do="stop"]')
    page.wait_for_selector(".stopped")
    kept = replies(page)[0].removesuffix(" —stopped here")
    page.click(".why-open")
    unsaid = page.locator(".panel del").text_content()
    assert "twelve" in unsaid and "twelve" not in kept
    told = page.locator(".panel dd:has(del)").text_content()
    assert told == f"{kept} (not said any more:) {unsaid}"
    page.reload()
    await_state(page, "ready")
    page.click(".why-open")
    assert page.locator(".panel del").text_content() == unsaid


def test_a_reply_stopped_before_its_end_tells_only_what_is_known(page, tiny):
    tiny.mind.pause_s = 0.4
    page.fill("#attune-text", "one two three four five six seven eight nine ten")
    page.press("#attune-text", "Enter")
    page.locator(".turn.assistant >> text=two").wait_for()
    page.click('[data-do="stop"]')
    page.wait_for_selector(".stopped")
    page.reload()
    await_state(page, "ready")
    page.click(".why-open")
    told = part(page, "why")
    assert "Tone" not in told and "Made by" not in told
    assert "“one two three" in told and "Said" in told
    assert page.locator(".timeline .tone").inner_text() == ""


def test_a_turn_of_a_hands_free_talk_can_be_opened_and_heard_again(talker, tiny):
    page = talker(0.5, clip("homesick"))
    start(page)
    await_replies(page, 1)
    look(page)
    assert page.locator(".panel .stage").count() == 4
    assert "sure that you were done" in part(page, "why")
    assert page.locator('.panel .tool[title="Play what you said"]').is_visible()
    choose(page, "sad")
    assert chips(page) == ["sad, as you said"]


def test_an_opened_turn_fills_when_the_reply_comes(page, tiny):
    tiny.mind.pause_s = 0.4
    page.fill("#attune-text", "hello there")
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".chip")
    look(page)
    assert "still coming" in part(page, "why")
    await_state(page, "ready")
    assert "still coming" not in part(page, "why")
    assert "first word" in part(page, "why")


def test_a_correction_changes_chip_timeline_and_panel_and_can_be_taken_back(page):
    say(page, "I am so happy")
    look(page)
    choose(page, "sad")
    assert chips(page) == timeline(page) == ["sad, as you said"]
    assert page.locator(".timeline circle").get_attribute("data-feeling") == "sad"
    assert "I heard: clearly happy. You say: sad." in part(page, "correct")
    assert "80 %" in part(page, "heard")
    page.reload()
    await_state(page, "ready")
    assert chips(page) == timeline(page) == ["sad, as you said"]
    look(page)
    assert page.locator('.choice[aria-pressed="true"]').all_inner_texts() == ["sad"]
    assert "happy (before you corrected it)" in part(page, "why")
    choose(page, "sad")
    assert chips(page) == timeline(page) == ["clearly happy"]
    assert page.locator('.choice[aria-pressed="true"]').count() == 0
    assert "You say" not in part(page, "correct")


def test_only_the_turn_that_is_corrected_changes(page):
    hear(page)
    say(page, "I am so happy")
    look(page)
    choose(page, "angry")
    assert timeline(page) == chips(page) == ["angry, as you said", "clearly happy"]


def test_nothing_changes_when_the_server_is_away(page):
    say(page, "I am so happy")
    look(page)
    page.route("**/attune/correct", lambda route: route.abort())
    page.click('.choice[data-feeling="sad"]')
    page.wait_for_selector(".message:not([hidden])")
    assert "server does not answer" in page.inner_text(".message")
    assert chips(page) == timeline(page) == ["clearly happy"]
    assert page.locator('.choice[aria-pressed="true"]').count() == 0


def test_a_turn_is_opened_corrected_and_closed_by_keyboard(page, tiny):
    say(page, "I am so happy")
    page.focus(".chip")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector('.choice[data-feeling="neutral"][aria-pressed="true"]')
    assert page.evaluate("document.activeElement.textContent") == "neutral"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "chip"
    assert page.get_attribute(".chip", "aria-expanded") == "false"
    assert page.locator(".panel").is_hidden()
    page.focus(".why-open")
    page.keyboard.press("Space")
    page.locator(".panel > .quiet").press("Enter")
    assert page.evaluate("document.activeElement.className") == "why-open"


def test_escape_closes_the_turn_and_leaves_the_reply_alone(page, tiny):
    say(page, "hello")
    tiny.mind.pause_s = 0.3
    page.fill("#attune-text", "go on")
    page.press("#attune-text", "Enter")
    await_state(page, "thinking", "speaking")
    look(page)
    page.keyboard.press("Escape")
    await_state(page, "ready")
    assert page.locator(".stopped").count() == 0


def test_who_reads_further_up_stays_there_until_the_next_turn(page):
    for _ in range(4):
        say(page, "hello")
    look(page)
    place = "document.querySelector('.scroll').scrollTop"
    page.route("**/attune/correct", lambda route: route.abort())
    page.locator('.choice[data-feeling="sad"]').scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    before = page.evaluate(place)
    page.click('.choice[data-feeling="sad"]')
    page.wait_for_selector(".message:not([hidden])")
    page.wait_for_timeout(200)
    assert page.evaluate(place) == before
    say(page, "and on")
    assert page.evaluate(place) > before


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_is_for_everyone(browser, address, tiny, axe, monkeypatch, viewport):
    page = open_page(browser, address, viewport=viewport, reduced_motion="reduce")
    hear(page)
    monkeypatch.setattr(tiny.ears, "says", "I am happy " + "without-any-place-to-break-it-" * 6)
    monkeypatch.setattr(tiny.ears, "doubted", "happy")
    hear(page)
    look(page, 1)
    assert violations(page, axe) == []
    choose(page, "fearful", 1)
    assert violations(page, axe) == []
    assert page.evaluate("document.querySelector('.scroll').scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    page.click(".why-open >> nth=0")
    assert violations(page, axe) == []
    page.context.close()


def test_nothing_said_becomes_markup(page, tiny, monkeypatch):
    hostile = '<img src=x onerror="window.hurt=1"> <script>window.hurt=1</script> happy'
    monkeypatch.setattr(tiny.ears, "says", hostile)
    hear(page)
    panel = look(page)
    assert panel.locator("img, script").count() == 0
    assert hostile in part(page, "why")
    choose(page, "sad")
    assert page.evaluate("window.hurt") is None


def test_the_next_reply_goes_by_the_correction(page, tiny):
    say(page, "hello")
    assert tiny.voice.styles[-1].name == "warm"
    page.click(".turn.user .chip")
    page.click('.choice[data-feeling="sad"]')
    page.wait_for_selector('.choice[data-feeling="sad"][aria-pressed="true"]')
    say(page, "hello again")
    assert tiny.voice.styles[-1].name == "gentle"
