"""Corrections kept by consent alone, the list of everything that is kept, and what erasing leaves."""

import io
import json
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile
from gradio_client import Client, handle_file

from app.page.host import Host
from app.page.routes import EXAMPLES
from app.record.corrections import LOCK, MANIFEST
from app.record.stored import Places
from engine.artifacts import ARTIFACTS
from tests.browser.conftest import (
    WIDE,
    launch,
    launch_hearing,
    open_page,
    open_tab,
    record,
    said,
    say,
    serve,
)
from tests.browser.live import await_replies, clip, start, write_scene
from tests.browser.test_accessible import NARROW, violations

MODEL = ARTIFACTS["smollm2-135m-instruct"].file_name
OURS = """() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter(
    (key) => key.startsWith("attune."))"""


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    home = tmp_path_factory.mktemp("home")
    return Places(home / "cache", home / "uploads")


@pytest.fixture(scope="module")
def private(shared_engine, places):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRADIO_TEMP_DIR", str(places.uploads))
        page, address = serve(Host(lambda choice, on_progress: shared_engine), places=places)
        yield address
        page.close(verbose=False)


@pytest.fixture
def page(browser, private, tiny, places):
    places.cache.mkdir()
    (places.cache / MODEL).write_bytes(bytes(2_000_000))
    (places.cache / f"{MODEL}.verified").write_text("x")
    page = open_page(browser, private)
    yield page
    page.context.close()
    for folder in (places.cache, places.uploads):
        shutil.rmtree(folder, ignore_errors=True)
    assert page.errors == []


@pytest.fixture
def hosted(browser, address, tiny):
    page = open_page(browser, address)
    yield page
    page.context.close()
    assert page.errors == []


def correct(page, label: str = "happy", turn: int = 0) -> None:
    """Open that turn unless it is open, and say what was felt."""
    of_person = page.locator(".turn.user").nth(turn)
    chip = of_person.locator(".chip")
    if chip.get_attribute("aria-expanded") == "false":
        chip.click()
    with page.expect_response("**/attune/correct"):
        of_person.locator(f'.choice[data-feeling="{label}"]').click()


def agree(page, folder: Path, speaker: str | None = None) -> None:
    page.click(".keep >> text=Choose a folder")
    page.fill("#attune-kept-folder", str(folder))
    if speaker is not None:
        page.fill("#attune-kept-speaker", speaker)
    page.click("dialog.consent >> text=Keep them")
    page.wait_for_selector("dialog.consent", state="hidden")


@contextmanager
def held(page, path: str, times: int = 1):
    """So many requests to that path wait until the block ends."""
    waiting = []
    page.route(path, lambda route: waiting.append(route), times=times)
    yield
    assert waiting
    for route in waiting:
        route.continue_()


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines()]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {LOCK}


def show_kept(page) -> None:
    page.click('[data-do="settings"]')
    page.click(".settings >> text=What is kept, and where")
    page.wait_for_selector(".kept[open] .things section")


def erase(page, name: str) -> None:
    page.get_by_role("button", name=f"Erase: {name}").click()
    page.wait_for_selector(".kept .message:not([hidden])")


def listed(page, place: str) -> list[str]:
    return page.locator(f'.things [data-place="{place}"] .what').all_inner_texts()


def test_nothing_is_kept_before_a_person_agrees(page, tmp_path):
    record(page)
    correct(page)
    page.wait_for_selector(".keep >> text=It stays on this computer")
    page.click(".keep >> text=Choose a folder")
    assert page.input_value("#attune-kept-folder") == str(Path.home() / "attune-corrections")
    assert page.input_value("#attune-kept-speaker") == "me"
    page.keyboard.press("Escape")
    page.wait_for_selector(".keep >> text=It stays on this computer")
    assert not (Path.home() / "attune-corrections").exists()
    assert "attune.corrections" not in page.evaluate(OURS)


def test_consent_keeps_this_correction_and_each_later_one(page, tmp_path):
    folder = tmp_path / "mine"
    record(page)
    correct(page, "happy")
    agree(page, folder, "Ada")
    page.wait_for_selector(f".keep >> text=Kept in {folder}")
    (row,) = rows(folder)
    heard = page.locator(".turn.user .words").first.inner_text()
    assert row == {"audio": row["audio"], "text": heard, "emotion": "happy", "heard": "sad", "speaker": "Ada"}
    sound = soundfile.info(folder / row["audio"])
    assert (sound.samplerate, sound.channels, sound.subtype) == (16_000, 1, "PCM_16")
    assert sound.duration == pytest.approx(2.5, abs=0.7)
    assert page.evaluate("document.activeElement.className") == "choice"

    with page.expect_response("**/corrections/save"):
        correct(page, "angry")
    assert [row["emotion"] for row in rows(folder)] == ["angry"]

    record(page)
    with page.expect_response("**/corrections/save"):
        correct(page, "fearful", turn=1)
    assert [row["emotion"] for row in rows(folder)] == ["angry", "fearful"]

    with page.expect_response("**/corrections/save"):
        correct(page, "angry")
    assert [row["emotion"] for row in rows(folder)] == ["fearful"]
    assert files(folder) == {MANIFEST, rows(folder)[0]["audio"]}


def test_after_a_reload_a_kept_correction_can_still_be_changed(page, tmp_path):
    record(page)
    correct(page, "happy")
    agree(page, tmp_path / "mine")
    page.reload()
    page.wait_for_selector(".turn.user .chip")
    page.click(".chip")
    page.wait_for_selector(".keep >> text=Kept in")
    with page.expect_response("**/corrections/save"):
        correct(page, "surprised")
    assert [row["emotion"] for row in rows(tmp_path / "mine")] == ["surprised"]


def test_a_refusal_is_not_asked_again_until_it_is_taken_back(page):
    record(page)
    correct(page)
    page.click(".keep >> text=No, do not keep it")
    assert page.locator(".keep p").count() == 0
    assert page.evaluate("document.activeElement.className") == "choice"
    record(page)
    correct(page, turn=1)
    page.wait_for_timeout(300)
    assert page.locator(".keep p").count() == 0
    show_kept(page)
    told = page.inner_text('.things [data-place="corrections"]')
    assert "No new ones are kept, as you wished." in told and "Those below" not in told
    page.click(".kept >> text=Ask me again")
    page.wait_for_selector('.things [data-place="corrections"] >> text=You are asked')
    page.click(".kept .actions >> text=Close")
    page.wait_for_selector(".keep >> text=It stays on this computer")


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "left"])
def test_consent_is_withdrawn_and_what_there_is_goes_or_stays(page, tmp_path, is_deleted):
    folder = tmp_path / "mine"
    record(page)
    correct(page)
    agree(page, folder)
    show_kept(page)
    assert listed(page, "corrections") == ["One recording, with its words and feeling"]
    page.click(".kept >> text=Stop keeping them")
    page.click(f".kept >> text=Stop, and {'delete' if is_deleted else 'leave'}")
    page.wait_for_selector(".kept .message:not([hidden])")
    page.click(".kept .actions >> text=Close")
    correct(page, "angry")
    record(page)
    correct(page, "angry", turn=1)
    page.wait_for_timeout(300)
    if is_deleted:
        assert not folder.exists()
        return
    assert [row["emotion"] for row in rows(folder)] == ["happy"]
    show_kept(page)
    assert "Those below stay" in page.inner_text('.things [data-place="corrections"]')
    erase(page, "One recording")
    assert not folder.exists()


@pytest.mark.parametrize("path", ["**/attune/corrections", "**/corrections/save"])
def test_what_is_being_saved_when_consent_is_withdrawn_does_not_come_back(page, tmp_path, path):
    folder = tmp_path / "mine"
    record(page)
    correct(page)
    agree(page, folder)
    record(page)
    # The turn that is opened asks as well, before the one that is corrected is saved.
    with held(page, path, times=2 if path.endswith("/corrections") else 1):
        with page.expect_request(path):
            correct(page, "angry", turn=1)
        show_kept(page)
        page.click(".kept >> text=Stop keeping them")
        page.click(".kept >> text=Stop, and delete")
        page.wait_for_function("localStorage['attune.corrections'].includes('refused')")
        page.wait_for_timeout(500)
    page.wait_for_selector(".kept .message >> text=are deleted")
    page.wait_for_timeout(500)
    assert not folder.exists()


def test_who_thinks_better_of_it_while_it_is_saved_has_agreed_to_nothing(page, tmp_path):
    folder = tmp_path / "mine"
    record(page)
    correct(page)
    page.click(".keep >> text=Choose a folder")
    page.fill("#attune-kept-folder", str(folder))
    with page.expect_response("**/corrections/remove"), held(page, "**/corrections/save"):
        with page.expect_request("**/corrections/save"):
            page.click("dialog.consent >> text=Keep them")
        assert page.locator("dialog.consent button:disabled").count() == 2
        assert page.locator(".keep p").count() == 0
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.consent", state="hidden")
    page.wait_for_selector(".keep >> text=It stays on this computer")
    assert rows(folder) == [] and files(folder) == {MANIFEST}
    assert "attune.corrections" not in page.evaluate(OURS)


def test_what_one_tab_decides_counts_in_the_others(page, private, tmp_path):
    folder = tmp_path / "mine"
    other = open_tab(page.context, private)
    for tab in (page, other):
        record(tab)
        correct(tab)
    agree(page, folder)
    other.wait_for_selector(".keep >> text=This one is not kept")
    show_kept(page)
    page.click(".kept >> text=Stop keeping them")
    page.click(".kept >> text=Stop, and delete")
    page.wait_for_selector(".kept .message:not([hidden])")
    other.wait_for_function("!document.querySelector('.keep').textContent")
    correct(other, "angry")
    other.wait_for_timeout(500)
    assert not folder.exists()
    assert other.errors == []


def test_a_turn_that_was_corrected_and_then_went_on_is_not_kept_in_half(playwright, private, tiny, tmp_path):
    folder = tmp_path / "mine"
    decision = json.dumps({"answer": "given", "folder": str(folder), "speaker": "me"})
    scene = write_scene(tmp_path / "scene.wav", 3.0, clip("glad"), 4.0, clip("sad"), 60.0)
    tiny.mind.pause_s = 6.0
    browser = launch_hearing(playwright, f"{scene}%noloop")
    script = f"localStorage['attune.corrections'] = {json.dumps(decision)}"
    page = open_tab(browser.new_context(), private, "free", script)
    start(page)
    page.wait_for_selector(".turn.user .chip")
    with page.expect_response("**/corrections/save"):
        correct(page, "angry")
    assert [row["emotion"] for row in rows(folder)] == ["angry"]
    with page.expect_response("**/corrections/remove"):
        page.wait_for_selector(".chip", state="detached")
    assert rows(folder) == [] and files(folder) == {MANIFEST}
    tiny.mind.pause_s = 0.0
    await_replies(page, 1)
    assert len(said(page)) == 1
    assert page.errors == []
    browser.close()


def test_what_was_corrected_before_the_consent_is_kept_when_asked_for(page, tmp_path):
    record(page)
    correct(page, "happy")
    record(page)
    correct(page, "angry", turn=1)
    second = page.locator(".turn.user").nth(1)
    second.locator(".keep >> text=Choose a folder").click()
    page.fill("#attune-kept-folder", str(tmp_path / "mine"))
    page.click("dialog.consent >> text=Keep them")
    page.click(".keep >> text=Keep this one too")
    page.wait_for_function("document.querySelectorAll('.keep').length == 2")
    page.locator(".keep >> text=Kept in").nth(1).wait_for()
    assert [row["emotion"] for row in rows(tmp_path / "mine")] == ["angry", "happy"]


def test_the_keyboard_keeps_its_place(page, tmp_path):
    asked = []
    record(page)
    correct(page, "happy")
    agree(page, tmp_path / "mine")
    record(page)
    page.on("request", lambda request: asked.append(request.url.partition("/attune/")[2]))
    page.locator(".keep >> text=What is kept, and where").focus()
    page.evaluate("window.place = document.activeElement")
    # As a finger does, which leaves the keyboard where it is.
    with page.expect_response("**/corrections/save"):
        page.evaluate("document.querySelectorAll('.chip')[1].click()")
        page.evaluate("document.querySelectorAll('.choice[data-feeling=angry]')[1].click()")
    page.locator(".keep >> text=Kept in").nth(1).wait_for()
    assert page.evaluate("document.activeElement === window.place")
    assert "corrections" in asked and "kept" not in asked
    show_kept(page)
    erase(page, "2 recordings")
    page.click(".kept .actions >> text=Close")
    page.locator(".keep >> text=Keep this one too").first.focus()
    with page.expect_response("**/corrections/save"):
        page.keyboard.press("Enter")
    page.wait_for_selector(".keep >> text=Kept in")
    assert page.evaluate("document.activeElement.className") == "choice"


def test_a_folder_that_cannot_be_used_is_explained_and_nothing_is_decided(page, tmp_path):
    (tmp_path / "photo.jpg").write_text("x")
    record(page)
    correct(page)
    page.click(".keep >> text=Choose a folder")
    for named, expected in ((str(tmp_path), "holds other things"), ("mine", "Give the whole path")):
        page.fill("#attune-kept-folder", named)
        page.click("dialog.consent >> text=Keep them")
        page.wait_for_selector(f".consent .message >> text={expected}")
    assert "attune.corrections" not in page.evaluate(OURS)
    assert files(tmp_path) == {"photo.jpg"}
    page.click("dialog.consent >> text=Do not keep")
    page.wait_for_selector("dialog.consent", state="hidden")
    assert json.loads(page.evaluate("localStorage['attune.corrections']")) == {"answer": "refused"}


def test_a_typed_turn_has_no_sound_to_keep(page):
    say(page, "I am sad today")
    correct(page)
    page.wait_for_selector(".keep >> text=no sound of this turn")
    assert page.locator(".keep button").count() == 0


def test_a_folder_that_went_bad_is_told_and_the_talk_goes_on(page, tmp_path):
    folder = tmp_path / "mine"
    record(page)
    correct(page)
    agree(page, folder)
    for path in folder.iterdir():
        path.unlink()
    (folder / "photo.jpg").write_text("x")
    with page.expect_response("**/corrections/save"):
        correct(page, "angry")
    page.wait_for_selector(".message >> text=holds other things")
    say(page, "still here")


def test_each_thing_is_listed_with_its_size_and_erased_alone(page, tmp_path, places):
    record(page)
    correct(page)
    agree(page, tmp_path / "mine")
    show_kept(page)
    assert listed(page, "page") == ["2 sounds of this conversation"]
    assert set(listed(page, "browser")) == {
        "Your settings",
        "Your answer about corrections",
        "Which conversation this tab is in",
    }
    assert listed(page, "memory") == ["What was said, in one turn", "How your voice sounds, from one turn"]
    assert listed(page, "cache") == ["smollm2-135m-instruct"]
    assert str(places.cache) in page.inner_text('.things [data-place="cache"]')
    assert page.locator('.things [data-place="cache"] .size').inner_text() == "2.0 MB"

    erase(page, "2 sounds")
    assert listed(page, "page") == []
    erase(page, "How your voice")
    assert listed(page, "memory") == ["What was said, in one turn"]
    erase(page, "One recording")
    assert not (tmp_path / "mine").exists()
    erase(page, "smollm2")
    assert not places.cache.exists()
    erase(page, "Your settings")
    assert "attune.settings" not in page.evaluate(OURS)
    erase(page, "What was said")
    assert page.locator(".turn").count() == 0
    assert page.locator(".known-voice").is_hidden()


def test_erased_sounds_cannot_be_played_any_more(page):
    record(page)
    page.click(".chip")
    page.evaluate("""() => {
        const { createObjectURL } = URL;
        URL.createObjectURL = (blob) => window.played = createObjectURL(blob);
    }""")
    page.click('[data-do="play-own"]')
    read = "fetch(window.played).then(() => true, () => false)"
    assert page.evaluate(read)
    show_kept(page)
    erase(page, "2 sounds")
    assert page.locator('[data-do="play-own"]').count() == 0
    assert not page.evaluate(read)


def test_the_sound_of_a_running_talk_is_listed_and_erased(talker):
    page = talker()
    start(page)
    page.wait_for_timeout(1500)
    page.click('[data-do="mute"]')
    show_kept(page)
    assert listed(page, "page") == ["One sound of this conversation"]
    assert page.inner_text('.things [data-place="page"] .size').endswith(" kB")
    erase(page, "One sound")
    assert listed(page, "page") == []


def test_sounds_do_not_fill_the_memory(page):
    """Four turns with 45 MB each: the two newest stay within 100 MB."""
    kept = page.evaluate(
        """async () => {
            const { Transcript } = await import(new URL("attune/static/transcript.js", document.baseURI));
            const transcript = new Transcript(document.querySelector(".attune"), {}, () => {});
            const emotion = { label: "sad", scores: {}, abstained: false, voice: null, words: null };
            for (let i = 0; i < 4; i++) {
                const turn = transcript.begin(new Blob([new Uint8Array(4e7)]));
                turn.exchange.speech(new Int16Array(25e5));
                const heard = { type: "heard", words: [], text: "", emotion, is_silence: true };
                transcript.take({ ...heard, key: String(i) }, turn);
                transcript.take({ type: "finished", reply: "", timings_ms: {}, voice_turns: 0 }, turn);
            }
            return transcript.exchanges.map(({ own, stretches }) => [Boolean(own), stretches.length]);
        }"""
    )
    assert kept == [[False, 0], [False, 0], [True, 1], [True, 1]]


def test_without_the_server_what_the_browser_keeps_is_still_erased(page):
    say(page, "hello")
    for path in ("**/attune/kept", "**/attune/corrections"):
        page.route(path, lambda route: route.abort())
    show_kept(page)
    assert "server does not answer" in page.inner_text(".kept .message")
    places = page.locator(".things section").evaluate_all("(all) => all.map((one) => one.dataset.place)")
    assert places == ["page", "browser"]
    assert page.locator(".kept >> text=Erase everything").count() == 0
    erase(page, "Your settings")
    page.wait_for_selector(".kept .message >> text=It is erased")
    assert page.evaluate(OURS) == ["attune.conversation"]


def test_what_programs_sent_is_listed_and_erased(page, private, places):
    client = Client(private, verbose=False)

    def send() -> None:
        assert client.predict(handle_file(str(EXAMPLES / "sad.ogg")), api_name="/hear")["text"]

    send()
    show_kept(page)
    assert listed(page, "uploads") == ["One file, erased by itself within two hours"]
    erase(page, "One file")
    assert listed(page, "uploads") == []
    assert not places.uploads.exists()
    send()


def test_erasing_everything_leaves_nothing_on_disk_and_nothing_in_the_browser(page, tmp_path, places):
    record(page)
    correct(page)
    agree(page, tmp_path / "mine")
    say(page, "and one that is typed")
    show_kept(page)
    page.click(".kept >> text=Erase everything")
    page.click(".kept >> text=Leave it")
    assert len(rows(tmp_path / "mine")) == 1
    page.click(".kept >> text=Erase everything")
    page.click(".kept .strong >> text=Erase everything")
    page.wait_for_selector(".kept >> text=Everything is erased")
    assert list(tmp_path.iterdir()) == []
    assert list(places.cache.parent.iterdir()) == []
    assert page.evaluate(OURS) == []
    assert page.locator(".turn").count() == 0
    with page.expect_navigation():
        page.click(".kept .actions >> text=Close")
    page.wait_for_selector('.attune[data-state="ready"]')
    assert page.locator(".turn").count() == 0
    show_kept(page)
    assert listed(page, "memory") == []
    assert "None are kept unless you agree" in page.inner_text('.things [data-place="corrections"]')


def test_what_cannot_be_erased_is_told_and_the_rest_goes(page, places, monkeypatch):
    unlink = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name == MODEL:
            raise PermissionError(13, "held by another program")
        unlink(self, missing_ok)

    say(page, "hello")
    show_kept(page)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        page.click(".kept >> text=Erase everything")
        page.click(".kept .strong >> text=Erase everything")
        page.wait_for_selector('.kept .message[role="alert"] >> text=held by another program')
    assert page.evaluate(OURS) == []
    assert [path.name for path in places.cache.iterdir()] == [MODEL]


def test_on_a_shared_page_corrections_leave_only_as_a_download(hosted):
    record(hosted)
    correct(hosted, "happy")
    say(hosted, "typed, so without a sound")
    correct(hosted, "angry", turn=1)
    hosted.wait_for_selector(".keep >> text=Nothing of this is written to the server's disk")
    assert hosted.locator(".keep >> text=Choose a folder").count() == 0
    with hosted.expect_download() as of_turn:
        hosted.click(".keep >> text=Download my corrections")
    show_kept(hosted)
    with hosted.expect_download() as of_dialog:
        hosted.click(".kept >> text=Download my corrections")
    for download in (of_turn.value, of_dialog.value):
        assert download.suggested_filename == "attune-corrections.zip"
        with zipfile.ZipFile(io.BytesIO(download.path().read_bytes())) as packed:
            (line,) = packed.read(f"attune-corrections/{MANIFEST}").decode().splitlines()
            row = json.loads(line)
            assert (row["emotion"], row["speaker"]) == ("happy", "me")
            sound = soundfile.info(io.BytesIO(packed.read(f"attune-corrections/{row['audio']}")))
            assert sound.duration == pytest.approx(2.5, abs=0.7)


def test_on_a_shared_page_nothing_of_the_server_is_listed_or_erased(hosted, tmp_path):
    say(hosted, "hello")
    show_kept(hosted)
    places = hosted.locator(".things section").evaluate_all("(all) => all.map((one) => one.dataset.place)")
    assert places == ["page", "browser", "memory", "corrections"]
    answers = hosted.evaluate(
        """async (folder) => {
            const { Server } = await import(new URL("attune/static/server.js", document.baseURI));
            const server = new Server();
            await server.open(JSON.parse(sessionStorage["attune.conversation"]));
            const told = await server.erase(["uploads", "corrections", "cache/train"], folder);
            const saved = server.keepCorrection(folder, "me", "0".repeat(12), null);
            return [told, await saved.catch((error) => error.message)];
        }""",
        str(tmp_path / "mine"),
    )
    assert answers == [
        [],
        "On a shared page nothing is written to the server's disk; download your corrections instead.",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_reached_by_another_name_is_a_shared_one(playwright, private, tiny, places):
    """Through a proxy, or a site whose name was made to lead here."""
    browser = launch(playwright, "--host-resolver-rules=MAP attune.test 127.0.0.1")
    page = open_page(browser, private.replace("127.0.0.1", "attune.test"))
    show_kept(page)
    assert page.locator('.things [data-place="cache"]').count() == 0
    browser.close()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_serious_violation_and_nothing_too_wide(browser, private, tiny, axe, viewport, tmp_path):
    page = open_page(browser, private, viewport=viewport, reduced_motion="reduce")
    record(page)
    correct(page)
    page.wait_for_selector(".keep p")
    assert violations(page, axe) == []
    page.click(".keep >> text=Choose a folder")
    page.fill("#attune-kept-folder", "mine")
    page.click("dialog.consent >> text=Keep them")
    page.wait_for_selector(".consent .message:not([hidden])")
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    agree(page, tmp_path / ("a-name-without-any-place-to-break-" * 4))
    show_kept(page)
    assert violations(page, axe) == []
    assert page.evaluate("document.querySelector('dialog.kept').scrollWidth <= innerWidth")
    page.click(".kept >> text=Stop keeping them")
    page.click(".kept >> text=Erase everything")
    assert violations(page, axe) == []
    page.context.close()
