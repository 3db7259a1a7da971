"""How soon things are seen and heard: the page itself, the first word, the first sound."""

from statistics import median

from tests.browser.conftest import await_state, open_page

LOAD_MS = 1500
FIRST_WORD_MS = 100
FIRST_SOUND_MS = 300


def test_the_page_is_there_within_a_second_and_a_half(browser, address, tiny):
    open_page(browser, address).context.close()
    page = open_page(browser, address)
    loads = []
    for _ in range(3):
        page.reload()
        await_state(page, "ready")
        loads.append(page.evaluate("performance.now()"))
    assert min(loads) <= LOAD_MS, loads
    page.context.close()


def test_words_show_soon_after_the_mind_gives_them_and_sound_after_the_voice(page, tiny):
    page.evaluate(
        """() => {
            window.seen = {};
            const note = (key) => window.seen[key] ??= performance.timeOrigin + performance.now();
            const everything = { subtree: true, childList: true, attributes: true };
            new MutationObserver(() => {
                const reply = document.querySelector(".turn.assistant .words")?.textContent;
                if (reply) note("word");
                if (document.querySelector('.attune[data-state="speaking"]')) note("sound");
            }).observe(document.querySelector(".attune"), everything);
        }"""
    )
    words_ms, sounds_ms = [], []
    for _ in range(5):
        tiny.mind.reset()
        tiny.mind.pause_s = 0.05
        page.evaluate("() => { window.seen = {}; }")
        page.fill("#attune-text", "one two three. four five six seven eight")
        page.press("#attune-text", "Enter")
        await_state(page, "speaking")
        await_state(page, "ready")
        seen = page.evaluate("window.seen")
        words_ms.append(seen["word"] - tiny.mind.yielded_at[0] * 1e3)
        # "speaking" is entered when the first sample is scheduled, 30 ms ahead.
        made_at = next(at for at in tiny.voice.made_at if at >= tiny.mind.yielded_at[0])
        sounds_ms.append(seen["sound"] + 30 - made_at * 1e3)
        page.click('[data-do="clear"]')
        page.wait_for_selector(".turn", state="detached")
    assert median(words_ms) <= FIRST_WORD_MS, words_ms
    assert median(sounds_ms) <= FIRST_SOUND_MS, sounds_ms
