"""Looking back on a conversation, saving it, and opening what was saved: here, elsewhere, on a new server."""

import base64
import io
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.page.host import Host
from app.page.routes import EXAMPLES
from tests.browser.conftest import WIDE, await_state, open_page, replies, said, say, serve
from tests.browser.live import start
from tests.browser.test_accessible import NARROW, violations
from tests.browser.test_look import choose, hear, look

DIALOG = "dialog.look-back"
CHOOSER = f"{DIALOG} input[type=file]"
MESSAGE = f"{DIALOG} .message:not([hidden]) p"
PLAY_OWN = '.panel .tool[title="Play what you said"]'


def look_back(page) -> None:
    page.click('[data-do="look-back"]')
    page.wait_for_selector(f"{DIALOG}[open]")


def press(page, name: str) -> None:
    page.click(f'{DIALOG} >> role=button[name="{name}"]')


def await_closed(page) -> None:
    page.wait_for_selector(f"{DIALOG}:not([open])", state="attached")


def reflection(page) -> str:
    """The words in the frame, when they have come."""
    frame = page.frame_locator(f"{DIALOG} iframe").locator("main")
    frame.wait_for()
    return frame.inner_text()


def save(page, folder: Path, *, with_sound: bool = False) -> Path:
    """The conversation as a file."""
    look_back(page)
    if with_sound:
        page.check(".with-sound input")
    with page.expect_download() as download:
        press(page, "Save the conversation")
    press(page, "Close")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def bring_back(page, file: Path | dict) -> None:
    """Open a saved conversation, in place of one that may be there."""
    is_asked = page.locator(".turn").count() > 0
    look_back(page)
    page.set_input_files(CHOOSER, file)
    if is_asked:
        press(page, "Open it")
    await_closed(page)


def as_file(content: object) -> dict:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"name": "saved.json", "mimeType": "application/json", "buffer": data}


def shown(page) -> dict:
    """All that the page tells of the conversation, with every turn looked at anew."""
    # What may be kept hangs on the sound, which a reload takes away.
    page.add_style_tag(content=".attune .keep { display: none !important; }")
    page.locator('.chip[aria-expanded="true"]').evaluate_all("chips => chips.forEach((chip) => chip.click())")
    page.locator(".chip").evaluate_all("chips => chips.forEach((chip) => chip.click())")
    parts = (".turn.user", ".turn.assistant", ".timeline li", ".known-voice", ".panel")
    pictures = page.locator(".timeline svg, .waveform").evaluate_all("all => all.map((one) => one.innerHTML)")
    return {"pictures": pictures, **{part: page.locator(part).all_inner_texts() for part in parts}}


def goes_on(page, before: list[str]) -> None:
    """The conversation is as it was, and can be continued."""
    assert said(page) == before
    say(page, "still here")
    assert replies(page)[-1] == f"Before, you said {before[-1]}. You said still here."


@pytest.fixture
def talked(page, tiny):
    """A page with turns of every kind: typed, spoken and corrected, silent, and stopped."""
    say(page, "I am sad that my mother is in the hospital")
    hear(page)
    look(page, 1)
    choose(page, "angry", 1)
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(16_000), 16_000, format="WAV")
    page.set_input_files(".file", {"name": "s.wav", "mimeType": "audio/wav", "buffer": silence.getvalue()})
    page.locator(".turn.assistant:has(.tool)").nth(2).wait_for()
    await_state(page, "ready")
    say(page, "we will be happy together in the <b>garden</b>")
    tiny.mind.pause_s = 0.2
    page.fill("#attune-text", "one two three. four five six. seven eight nine. ten eleven twelve. thirteen")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    page.wait_for_timeout(300)
    page.click('[data-do="stop"]')
    page.wait_for_selector(".stopped")
    tiny.mind.pause_s = 0.0
    return page


@pytest.fixture
def saved(page, tmp_path) -> Path:
    """A short conversation, saved; the page is empty again."""
    say(page, "I am sad about the rain")
    hear(page)
    path = save(page, tmp_path, with_sound=True)
    page.click('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    page.click('[data-do="forget-voice"]')
    page.wait_for_selector(".known-voice", state="hidden")
    return path


def changed(path: Path, *place: str | int, value: object) -> dict:
    """The file with something else in one place."""
    document = json.loads(path.read_text(encoding="utf-8"))
    node = document
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = value
    return as_file(document)


# There and back


def test_a_saved_conversation_comes_back_as_it_was(talked, tmp_path):
    page, before = talked, shown(talked)
    path = save(page, tmp_path)
    assert re.fullmatch(r"attune-conversation-\d{4}-\d\d-\d\d\.json", path.name)
    page.click('[data-do="clear"]')
    page.wait_for_selector(".turn", state="detached")
    bring_back(page, path)
    assert shown(page) == before
    page.reload()
    await_state(page, "ready")
    assert shown(page) == before
    assert page.locator('.choice[data-feeling="angry"][aria-pressed="true"]').count() == 1
    say(page, "and now")
    assert replies(page)[-1] == f"Before, you said {said(page)[-2]}. You said and now."


def test_it_comes_back_on_a_new_server_and_in_another_tab(talked, tmp_path, browser, shared_engine):
    before = shown(talked)
    path = save(talked, tmp_path)
    server, address = serve(Host(lambda choice, on_progress: shared_engine))
    other = open_page(browser, address)
    bring_back(other, path)
    assert shown(other) == before
    say(other, "and now")
    assert replies(other)[-1].startswith("Before, you said one two three.")
    assert other.errors == []
    other.context.close()
    server.close(verbose=False)
    assert shown(talked) == before


def test_what_was_said_is_heard_again(page, saved):
    bring_back(page, saved)
    look(page, 1)
    page.evaluate("Audio.prototype.play = function () { window.played = this.src; }")
    page.click(PLAY_OWN)
    heard = page.evaluate(
        """async () => {
            const sound = await (await fetch(window.played)).blob();
            return { type: sound.type, bytes: [...new Uint8Array(await sound.arrayBuffer())] };
        }"""
    )
    assert bytes(heard["bytes"]) == (EXAMPLES / "homesick.ogg").read_bytes()
    assert heard["type"].endswith("/ogg")


def test_sound_is_saved_only_when_wished_and_never_sent_back(page, saved, tmp_path):
    [sound] = json.loads(saved.read_text(encoding="utf-8"))["sounds"]
    assert sound["exchange"] == 1
    sent = []
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    bring_back(page, saved)
    assert not any(sound["base64"][:100].encode() in body for body in sent)
    assert "sounds" not in json.loads(save(page, tmp_path).read_text(encoding="utf-8"))


def test_a_known_voice_comes_back_where_the_ears_are_the_same(page, saved):
    bring_back(page, saved)
    assert page.inner_text(".known-voice span") == "Getting to know your voice: 1 turn"
    hear(page)
    assert page.inner_text(".known-voice span") == "Getting to know your voice: 2 turns"


def test_a_voice_learned_by_other_ears_is_learned_anew(page, saved):
    bring_back(page, changed(saved, "baseline", "kept_by", value={"ears": "others", "width": 4}))
    assert "learned by other ears" in page.inner_text(".message p")
    assert page.locator(".known-voice").is_hidden()
    hear(page)
    assert page.inner_text(".known-voice span") == "Getting to know your voice: 1 turn"


def test_it_asks_before_a_conversation_goes(page, saved):
    say(page, "only here")
    look_back(page)
    page.set_input_files(CHOOSER, saved)
    page.wait_for_selector(MESSAGE)
    assert said(page) == ["only here"]
    press(page, "Keep this one")
    assert page.locator(MESSAGE).count() == 0
    press(page, "Close")
    assert said(page) == ["only here"]
    bring_back(page, saved)
    assert said(page)[0] == "I am sad about the rain"


def test_a_hands_free_talk_ends_first(talker, page, saved):
    talking = talker()
    start(talking)
    look_back(talking)
    talking.set_input_files(CHOOSER, saved)
    await_closed(talking)
    await_state(talking, "ready")
    assert talking.get_attribute(".attune", "data-live") == "off"
    assert said(talking)[0] == "I am sad about the rain"


def test_a_hands_free_talk_goes_on_when_the_file_is_none_of_ours(talker):
    page = talker()
    start(page)
    look_back(page)
    for content, sentence in NO_CONVERSATION.items():
        page.set_input_files(CHOOSER, as_file(content))
        page.wait_for_selector(f"{MESSAGE} >> text={sentence}")
    assert page.get_attribute(".attune", "data-live") == "free"


def test_a_turn_still_being_answered_does_not_come_after_it(page, saved, tiny):
    tiny.mind.pause_s = 0.3
    page.fill("#attune-text", "a long sentence that would be answered for several seconds from now on")
    page.press("#attune-text", "Enter")
    await_state(page, "speaking")
    bring_back(page, saved)
    await_state(page, "ready")
    tiny.mind.pause_s = 0.0
    assert len(said(page)) == 2
    goes_on(page, said(page))


# What is no saved conversation


NO_CONVERSATION = {
    b"\x00\xff\x13": "not a conversation that Attune saved",
    b"": "not a conversation that Attune saved",
    b'{"title": "my shopping list"}': "not a conversation that Attune saved",
    b"[" * 100_000: "not a conversation that Attune saved",
    b'{"format": "attune-conversation", "version": 7}': "exported by a newer Attune (version 7",
}


def test_a_file_that_cannot_be_opened_is_a_sentence(page):
    say(page, "only here")
    look_back(page)
    for content, sentence in NO_CONVERSATION.items():
        page.set_input_files(CHOOSER, as_file(content))
        press(page, "Open it")
        page.wait_for_selector(f".message:not(.is-calm) >> text={sentence}")
    press(page, "Close")
    goes_on(page, ["only here"])


def test_a_damaged_copy_is_a_sentence_on_an_empty_page_too(page, saved):
    look_back(page)
    page.set_input_files(CHOOSER, as_file(saved.read_bytes()[:-200]))
    assert "not a conversation that Attune saved" in page.inner_text(MESSAGE)
    page.set_input_files(CHOOSER, changed(saved, "exchanges", 0, "style", value="shouting"))
    page.wait_for_selector(f"{MESSAGE} >> text=damaged (exchanges 1, style)")
    page.set_input_files(CHOOSER, saved)
    await_closed(page)
    assert len(said(page)) == 2


def test_a_huge_file_does_not_travel(page, tmp_path):
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(500 * 2**20)
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(21 * 2**20)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    look_back(page)
    page.set_input_files(CHOOSER, tmp_path / "huge.json")
    page.wait_for_selector(f"{MESSAGE} >> text=at most 100 MB")
    page.set_input_files(CHOOSER, tmp_path / "large.json")
    page.wait_for_selector(f"{MESSAGE} >> text=without its sounds a saved conversation has at most 20 MB")
    assert requests == []


def test_the_server_is_gone(page, saved):
    page.route("**/attune/import", lambda route: route.abort())
    page.route("**/attune/export", lambda route: route.abort())
    say(page, "only here")
    look_back(page)
    press(page, "Save the conversation")
    assert "server does not answer" in page.inner_text(MESSAGE)
    page.set_input_files(CHOOSER, saved)
    press(page, "Open it")
    page.wait_for_selector(f"{MESSAGE} >> text=server does not answer")
    press(page, "Close")
    goes_on(page, ["only here"])


SCRIPT = "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'></style>\"'"


def test_whatever_is_in_a_file_stays_text(page, saved):
    document = json.loads(saved.read_text(encoding="utf-8"))
    first, second = document["exchanges"]
    first["heard"]["text"] = first["reply"] = first["written"] = first["failure"] = SCRIPT
    second["heard"]["words"] = [{"text": SCRIPT, "start_s": 0, "end_s": 1, "confidence": 0.2}]
    second["heard"]["text"] = SCRIPT
    document["exported_at"] = document["__proto__"] = SCRIPT
    document["sounds"] = [
        {"exchange": 0, "type": "text/html", "base64": base64.b64encode(SCRIPT.encode()).decode()},
        {"exchange": 1, "type": "audio/wav", "base64": "../../etc/passwd?"},
        {"exchange": "__proto__", "type": "audio/wav", "base64": "AAAA"},
        {"exchange": 99, "type": "audio/wav", "base64": "AAAA"},
        None,
        "../../etc/passwd",
    ]
    bring_back(page, as_file(document))
    assert said(page)[0] == replies(page)[0] == SCRIPT
    assert page.locator(".talk img, .talk script").count() == 0
    shown(page)
    assert page.locator(PLAY_OWN).count() == 0
    look_back(page)
    assert "<script>" in reflection(page)
    assert page.frame_locator(f"{DIALOG} iframe").locator("script, img").count() == 0
    assert page.evaluate("[window.harmed, [].own, {}.own]") == [None, None, None]


def test_a_path_as_a_name_is_refused(page, saved):
    look_back(page)
    for key in ("../../../tmp/x", "0123456789ab/../x", "", "/etc/passwd"):
        page.set_input_files(CHOOSER, changed(saved, "exchanges", 0, "key", value=key))
        page.wait_for_selector(f"{MESSAGE} >> text=damaged (exchanges 1, key)")


def test_nobody_elses_conversation_can_be_had(page):
    say(page, "only mine")
    for path, header in itertools.product(("export", "import", "reflection"), ("", "never heard of")):
        answer = page.evaluate(
            """async ([path, header]) => (await fetch(`attune/${path}`, {
                method: "POST", headers: {"X-Attune-Conversation": header}, body: "{}"
            })).text()""",
            [path, header],
        )
        assert "no longer on the server" in answer and "mine" not in answer


# Looking back


def test_the_conversation_is_looked_back_on_in_a_frame_that_can_do_nothing(page):
    say(page, "I am sad that my mother is in the hospital")
    say(page, "we are happy together in the garden")
    look_back(page)
    told = reflection(page)
    assert "Two turns; it began heavy, with sadness, and grew lighter, with joy." in told
    assert "“I am sad that my mother is in the hospital”" in told
    assert page.get_attribute(f"{DIALOG} iframe", "sandbox") == ""
    assert page.get_attribute(f"{DIALOG} iframe", "title")


def test_a_correction_is_seen_when_looking_back(page):
    hear(page)
    look(page)
    choose(page, "happy")
    look_back(page)
    told = reflection(page)
    assert "there was joy in it" in told and "as you said it was" in told


def test_the_page_is_saved_and_needs_nothing(page, browser, tmp_path):
    say(page, "I am sad that my mother is in the hospital")
    look_back(page)
    told = reflection(page)
    with page.expect_download() as download:
        press(page, "Save this page")
    name = download.value.suggested_filename
    assert re.fullmatch(r"attune-look-back-\d{4}-\d\d-\d\d\.html", name)
    download.value.save_as(tmp_path / name)
    context = browser.new_context(offline=True, color_scheme="dark")
    alone, asked = context.new_page(), []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto((tmp_path / name).as_uri())
    assert alone.inner_text("main") == told
    assert asked == [(tmp_path / name).as_uri()]
    assert alone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(29, 25, 22)"
    context.close()


def test_before_anything_was_said_there_is_a_sentence(page, saved):
    look_back(page)
    assert "Nothing has been said yet" in page.inner_text(DIALOG)
    assert page.locator(f"{DIALOG} iframe").count() == 0
    assert page.locator(f'{DIALOG} >> role=button[name="Save the conversation"]').count() == 0
    page.set_input_files(CHOOSER, saved)
    await_closed(page)
    assert len(said(page)) == 2


def test_by_keyboard(page):
    say(page, "hello")
    page.focus('[data-do="look-back"]')
    page.keyboard.press("Enter")
    reflection(page)
    page.keyboard.press("Escape")
    await_closed(page)
    assert page.evaluate("document.activeElement.dataset.do") == "look-back"


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_serious_violation(browser, address, tiny, axe, viewport):
    page = open_page(browser, address, viewport=viewport, reduced_motion="reduce")
    look_back(page)
    assert violations(page, axe) == []
    press(page, "Close")
    say(page, "I am sad today")
    hear(page)
    look_back(page)
    reflection(page)
    page.set_input_files(CHOOSER, as_file(b"nothing"))
    page.wait_for_selector(MESSAGE)
    assert violations(page, axe) == []
    press(page, "Open it")
    page.wait_for_selector(f"{DIALOG} .message:not(.is-calm)")
    assert violations(page, axe) == []
    assert page.evaluate("document.querySelector('.bar').scrollWidth <= innerWidth")
    assert page.evaluate(f"document.querySelector('{DIALOG}').scrollWidth <= innerWidth")
    page.context.close()
