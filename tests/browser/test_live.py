"""Hands-free talk in a browser whose microphone is a recording: who has the word, and when."""

import numpy as np

from tests.browser.conftest import await_state, replies, said
from tests.browser.live import await_replies, clip, short, start, taps


def test_three_turns_in_one_go_get_three_answers(talker, tiny):
    tiny.voice.pace_s = 0.01
    page = talker(1.0, clip("homesick"), 3.5, clip("glad"), 3.5, clip("sad"))
    start(page)
    await_replies(page, 3)
    assert [words.startswith("I spoke for ") for words in said(page)] == [True] * 3
    assert replies(page)[1].startswith(f"Before, you said {said(page)[0]}.")
    assert page.locator(".timeline-turns .felt").count() == 3


CAPTIONS = """() => {
    window.captions = [];
    const look = () => {
        const words = document.querySelector(".turn.user.is-captioned .words");
        const unsettled = words?.querySelector(".unsettled")?.textContent;
        if (!unsettled) return;
        const { left, height } = words.getBoundingClientRect();
        const isLive = Boolean(words.closest("[aria-live], [role=log], [role=status]"));
        window.captions.push([words.textContent, unsettled, left, height, words.ariaBusy, isLive]);
    };
    new MutationObserver(look).observe(document.querySelector(".attune"), { subtree: true, childList: true });
}"""


def test_captions_grow_in_place_and_are_no_news_until_they_are_final(talker):
    page = talker(1.0, clip("sad"))
    page.evaluate(CAPTIONS)
    start(page)
    await_replies(page, 1)
    words, unsettled, lefts, heights, busy, live = zip(*page.evaluate("window.captions"), strict=True)
    assert len(set(words)) > 5
    assert all(f"heard{rest}" == whole for whole, rest in zip(words, unsettled, strict=True))
    assert len(set(lefts)) == len(set(heights)) == 1
    assert set(busy) == {"true"} and not any(live)
    assert page.get_attribute(".turn.user .words", "aria-busy") is None
    assert page.locator(".is-captioned, .unsettled").count() == 0


def test_whoever_wants_time_is_waited_for(talker, tiny):
    tiny.voice.pace_s = 0.01
    page = talker(1.0, short(1.0), 1.0, clip("sad"))
    page.click('[data-do="settings"]')
    page.select_option("#attune-patience", "relaxed")
    page.click("dialog.settings .strong")
    start(page)
    await_replies(page, 1)
    assert len(said(page)) == 1
    assert int(said(page)[0].split()[3]) >= 4


def test_a_pause_inside_a_sentence_does_not_end_the_turn(talker, tiny):
    tiny.voice.pace_s = 0.01
    page = talker(1.0, clip("glad"), 0.5, clip("sad"))
    start(page)
    await_replies(page, 1)
    page.wait_for_timeout(1500)
    assert len(said(page)) == 1
    assert int(said(page)[0].split()[3]) >= 5


def test_speech_during_the_reply_lowers_it_at_once_and_takes_the_word(talker, tiny):
    tiny.voice.pace_s = 0.2
    page = talker(1.0, short(1.0), 3.0, clip("homesick"))
    start(page)
    page.wait_for_selector(".stopped")
    tiny.voice.pace_s = 0.01
    await_replies(page, 2)
    now, microphone, loudspeaker = taps(page)
    full = np.median(loudspeaker[loudspeaker > 0.01])
    onset = now[(microphone > 0.02) & (now > now[np.flatnonzero(loudspeaker > 0.01)[0]])][0]
    after = now >= onset
    lowered_s = now[after & (loudspeaker < 0.5 * full)][0] - onset
    silent_s = now[after & (loudspeaker < 0.02 * full)][0] - onset
    print(f"lowered after {lowered_s * 1e3:.0f} ms, silent after {silent_s * 1e3:.0f} ms")
    assert lowered_s < 0.1
    assert silent_s < 0.5
    kept = replies(page)[0].removesuffix("stopped here")
    assert "You said I spoke for".startswith(kept[:8])
    assert len(said(page)) == 2


LOWERED = """() => {
    const { dataset } = document.querySelector(".attune");
    window.lowered = [];
    const look = () => dataset.low !== (window.lowered.at(-1) ?? "false") && window.lowered.push(dataset.low);
    const seen = { attributeFilter: ["data-low"] };
    new MutationObserver(look).observe(document.querySelector(".attune"), seen);
}"""


def test_a_listening_sign_during_the_reply_costs_nothing(talker, tiny):
    tiny.voice.pace_s = 0.15
    page = talker(1.0, short(1.0), 3.0, short(0.3))
    page.evaluate(LOWERED)
    start(page)
    await_replies(page, 1)
    page.wait_for_timeout(1000)
    assert page.locator(".stopped").count() == 0
    assert len(said(page)) == 1
    assert page.evaluate("window.lowered") == ["true", "false"]
    now, _, loudspeaker = taps(page)
    full = np.median(loudspeaker[loudspeaker > 0.01])
    sounding = now[loudspeaker > 0.1 * full]
    assert any(loudspeaker[(now > sounding[0] + 0.5) & (now < sounding[-1] - 0.5)] < 0.5 * full)
    # All of it came out, in one stretch.
    assert abs((sounding[-1] - sounding[0]) - tiny.voice.made_samples[-1] / 24_000) < 0.1
    assert np.diff(sounding).max() < 0.02


def test_muting_by_space_and_button(talker):
    page = talker(3.0, clip("glad"))
    start(page)
    page.keyboard.press("Space")
    page.wait_for_selector('.attune[data-muted="true"]')
    assert page.inner_text(".state").startswith("Muted")
    assert page.get_attribute('[data-do="mute"]', "aria-pressed") == "true"
    page.wait_for_timeout(6_000)
    assert said(page) == []
    page.click('[data-do="mute"]')
    page.wait_for_selector('.attune[data-muted="false"]')
    assert page.get_attribute(".attune", "data-live") == "free"


def test_typing_and_files_go_on_in_the_same_talk(talker, tmp_path):
    page = talker()
    start(page)
    page.fill("#attune-text", "hello there")
    page.press("#attune-text", "Enter")
    await_replies(page, 1)
    page.set_input_files(".file", "assets/examples/sad.ogg")
    await_replies(page, 2)
    assert said(page) == ["hello there", "I spoke for 2 seconds"]
    assert replies(page)[1] == "Before, you said hello there. You said I spoke for 2 seconds."
    page.click('.turn.assistant >> nth=0 >> .tool[title="Play again"]')
    await_state(page, "speaking")
    await_state(page, "open")
    page.fill("#attune-text", "x" * 6000)
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".message:not([hidden])")
    assert "at most 5,000" in page.inner_text(".message")
    assert len(said(page)) == 2
    page.click('[data-do="talk"]')
    await_state(page, "ready")


def test_stop_silences_the_reply_and_the_talk_goes_on(talker, tiny):
    tiny.voice.pace_s = 0.2
    page = talker()
    start(page)
    page.fill("#attune-text", "tell me something long")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.wait_for_timeout(500)
    page.click('[data-do="stop"]')
    page.wait_for_selector(".stopped")
    await_state(page, "open")
    page.wait_for_timeout(300)
    now, _, loudspeaker = taps(page)
    assert loudspeaker[now > now[-1] - 0.1].max() < 1e-3


def test_two_tabs_are_two_talks(talker, tiny):
    tiny.voice.pace_s = 0.01
    one, other = talker(1.0, clip("glad")), talker(1.0, clip("glad"), clip("sad"))
    start(one)
    start(other)
    await_replies(one, 1)
    await_replies(other, 1)
    assert len(said(one)) == len(said(other)) == 1
    assert said(one) != said(other)


def test_held_to_talk_it_listens_only_then(talker):
    page = talker(1.5, clip("homesick"), mode="push")
    start(page)
    assert page.inner_text(".state").startswith("Hold the button")
    page.wait_for_timeout(1000)
    page.keyboard.down("Space")
    page.wait_for_timeout(2500)
    assert page.locator(".turn.assistant").count() == 0
    page.keyboard.up("Space")
    await_replies(page, 1)
    assert said(page)[0].startswith("I spoke for ")
    page.click('[data-do="cancel"]')
    await_state(page, "ready")


def test_half_duplex_lets_itself_finish(talker, tiny):
    tiny.voice.pace_s = 0.15
    page = talker(1.0, short(1.0), 2.5, short(1.0))
    page.evaluate("localStorage['attune.settings'] = '{\"hears_while_speaking\": false}'")
    page.reload()
    await_state(page, "ready")
    start(page)
    await_replies(page, 1)
    page.wait_for_timeout(1500)
    assert page.locator(".stopped").count() == 0
    assert len(said(page)) == 1


def test_where_sockets_are_blocked_a_recording_takes_over(talker):
    page = talker(0.5, clip("homesick"))
    page.route_web_socket("**/attune/live", lambda socket: socket.close())
    page.click('[data-do="talk"]')
    await_state(page, "recording")
    assert "turn by turn" in page.inner_text(".message")
    page.wait_for_timeout(1500)
    page.click('[data-do="talk"]')
    page.wait_for_selector(".turn.assistant .why-open")
    assert said(page)[0].startswith("I spoke for ")


def test_where_sockets_hang_it_does_not_wait_for_long(talker):
    page = talker()
    page.route_web_socket("**/attune/live", lambda socket: None)
    page.click('[data-do="talk"]')
    await_state(page, "preparing")
    page.wait_for_selector('.attune[data-state="recording"]', timeout=6_000)


def test_a_cut_connection_comes_back_with_the_same_conversation(talker, tiny):
    sockets = []

    def pass_on(socket):
        socket.connect_to_server()
        sockets.append(socket)

    tiny.voice.pace_s = 0.1
    page = talker()
    page.route_web_socket("**/attune/live", pass_on)
    start(page)
    page.fill("#attune-text", "remember this")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.wait_for_timeout(1000)
    sockets[0].close(code=1001)
    await_state(page, "lost")
    await_state(page, "open")
    assert len(sockets) == 2
    page.wait_for_selector(".stopped")
    tiny.voice.pace_s = 0.04
    page.fill("#attune-text", "and now")
    page.press("#attune-text", "Enter")
    await_replies(page, 2)
    assert replies(page)[1] == "Before, you said remember this. You said and now."


def test_the_same_conversation_in_another_window(talker):
    page = talker()
    start(page)
    page.evaluate(
        """async () => {
            const socket = new WebSocket(new URL("attune/live", document.baseURI).href.replace("http", "ws"));
            const conversation = JSON.parse(sessionStorage["attune.conversation"]);
            socket.onopen = () => socket.send(JSON.stringify({ type: "attune.begin", conversation }));
        }"""
    )
    await_state(page, "ready")
    assert "another window" in page.inner_text(".message")


def test_settings_change_while_talking(talker, tiny):
    page = talker()
    start(page)
    page.click('[data-do="settings"]')
    page.select_option("#attune-voice", "high")
    assert page.locator("#attune-end option").all_inner_texts() == ["it is silent"]
    page.wait_for_function("document.querySelector('#attune-input').options.length > 1")
    page.click("dialog.settings .strong")
    await_state(page, "open")
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    await_replies(page, 1)
    assert tiny.voice.styles[-1].voice == "high"


def test_closing_the_tab_ends_the_talk_on_the_server(talker, tiny):
    tiny.mind.pause_s = 0.3
    page = talker()
    start(page)
    page.fill("#attune-text", "a long sentence that would be answered for several seconds from now on")
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".turn.assistant")
    page.close()
    assert tiny.mind.stopped.wait(5)


def test_a_new_conversation_begins_in_the_same_talk(talker, tiny):
    tiny.voice.pace_s = 0.2
    page = talker()
    start(page)
    page.fill("#attune-text", "forget this")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.click('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    await_state(page, "open")
    tiny.voice.pace_s = 0.04
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    await_replies(page, 1)
    assert replies(page) == ["You said hello."]


def test_ending_the_talk_keeps_what_was_heard_of_the_reply(talker, tiny):
    tiny.voice.pace_s = 0.1
    page = talker()
    start(page)
    page.fill("#attune-text", "one two three. four five six. seven eight nine. ten eleven twelve")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.wait_for_timeout(1500)
    page.click('[data-do="talk"]')
    await_state(page, "ready")
    page.wait_for_selector(".stopped")
    kept = replies(page)[0].removesuffix("stopped here")
    assert kept.startswith("You said one") and kept.endswith("—") and "twelve" not in kept
    page.reload()
    await_state(page, "ready")
    assert replies(page)[0].removesuffix("stopped here") == kept
