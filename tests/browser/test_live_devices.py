"""Hands-free talk when the devices do what devices do: go away, fall asleep, are not wanted."""

from tests.browser.conftest import await_state, replies
from tests.browser.live import await_replies, short, start, taps

DEVICES = """() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
    window.unplug = () => {
        const [track] = window.stream.getTracks();
        track.stop();
        track.dispatchEvent(new Event("ended"));
    };
}"""


def test_an_unplugged_microphone_is_replaced_and_the_talk_goes_on(talker):
    page = talker(1.0, short(1.0))
    page.evaluate(DEVICES)
    start(page)
    page.evaluate("window.unplug()")
    page.wait_for_selector(".message:not([hidden])")
    assert "I hear you through “Fake" in page.inner_text(".message")
    await_replies(page, 1)


def test_without_any_microphone_left_the_talk_ends_with_the_remedy(talker):
    page = talker()
    page.evaluate(DEVICES)
    start(page)
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error()) }")
    page.evaluate("window.unplug()")
    await_state(page, "ready")
    assert "Plug it in" in page.inner_text(".message")


CONTEXTS = """() => {
    const { resume } = AudioContext.prototype;
    AudioContext.prototype.resume = function () {
        window.context = this;
        return window.isStuck ? new Promise(() => {}) : resume.call(this);
    };
}"""


def test_sound_that_the_system_took_comes_back_or_the_page_says_how(talker):
    page = talker()
    page.evaluate(CONTEXTS)
    start(page)
    page.evaluate("window.context.suspend()")
    page.wait_for_function("window.context.state === 'running'")
    assert page.get_attribute(".attune", "data-live") == "free"
    page.evaluate("() => { window.isStuck = true; window.context.suspend(); }")
    await_state(page, "ready")
    assert "paused while you were away" in page.inner_text(".message")


def test_replies_that_are_not_to_be_spoken_are_only_shown(talker):
    page = talker()
    page.evaluate("localStorage['attune.settings'] = '{\"aloud\": false}'")
    page.reload()
    await_state(page, "ready")
    start(page)
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    await_replies(page, 1)
    assert replies(page) == ["You said hello."]
    _, _, loudspeaker = taps(page)
    assert loudspeaker.max() == 0
    assert page.inner_text(".announcer") == "Attune: You said hello."
