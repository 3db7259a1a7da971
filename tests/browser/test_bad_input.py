"""What can go wrong, through the page: one clear message in its own words, and the conversation goes on."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

from tests.browser.conftest import await_state, launch, open_page, replies, said, say


def choose(page, path) -> None:
    page.set_input_files(".file", path)


def message(page) -> str:
    page.wait_for_selector(".message:not([hidden])")
    return page.inner_text(".message p").strip()


def goes_on(page) -> None:
    say(page, "still here")
    assert replies(page)[-1].endswith("You said still here.")
    assert page.locator(".message").is_hidden()
    assert page.locator(".toast-body").count() == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"this is not sound", "not a sound file"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a sound file"),
    ],
    ids=["text", "truncated"],
)
def test_a_file_that_is_not_sound(page, tmp_path, content, expected):
    (tmp_path / "broken.wav").write_bytes(content)
    choose(page, tmp_path / "broken.wav")
    assert expected in message(page)
    assert said(page) == []
    goes_on(page)


def test_an_empty_file_does_not_travel(page, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    choose(page, tmp_path / "empty.wav")
    assert message(page) == "empty.wav is empty. Choose another file."
    assert requests == []
    goes_on(page)


def test_a_file_of_500_mb_does_not_travel(page, tmp_path):
    with (tmp_path / "long.wav").open("wb") as file:
        file.truncate(500 * 2**20)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    choose(page, tmp_path / "long.wav")
    assert "long.wav has 500 MB, and at most 200 MB" in message(page)
    assert requests == []
    goes_on(page)


@pytest.mark.parametrize("samples", [np.zeros(16_000), np.zeros(1)], ids=["silence", "one sample"])
def test_silence_is_answered_as_silence(page, tmp_path, samples):
    soundfile.write(tmp_path / "silence.wav", samples, 16_000)
    choose(page, tmp_path / "silence.wav")
    page.wait_for_selector(".turn.assistant .tool")
    assert said(page) == ["(nothing I could make out)"]
    assert replies(page) == ["I didn't hear anything."]
    assert page.locator(".chip").count() == 0
    goes_on(page)


def test_sound_of_values_that_are_not_numbers(page, tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    choose(page, tmp_path / "nan.wav")
    assert "not numbers" in message(page)
    goes_on(page)


def test_a_text_of_100000_characters(page):
    page.fill("#attune-text", "word " * 20_000)
    page.press("#attune-text", "Enter")
    assert "at most 5,000 can be answered at once" in message(page)
    goes_on(page)


def test_what_is_said_never_becomes_markup(page):
    say(page, "<img src=x onerror=alert(1)> <b>bold</b>")
    assert page.locator(".talk img, .talk b").count() == 0
    assert "<b>bold</b>" in replies(page)[0]


def test_a_mind_that_breaks_off(page, tiny):
    tiny.mind.failure = "The server at example does not answer; see whether it runs."
    say(page, "hello")
    assert "does not answer" in page.inner_text(".failure")
    tiny.mind.failure = ""
    goes_on(page)


def test_the_server_is_gone(page):
    page.route("**/attune/turn*", lambda route: route.abort())
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    assert "server does not answer" in message(page)
    page.unroute("**/attune/turn*")
    goes_on(page)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NotAllowedError", "microphone is blocked"),
        ("NotFoundError", "no microphone"),
        ("NotReadableError", "another program"),
    ],
)
def test_the_microphone_cannot_be_had(page, name, expected):
    page.evaluate(
        """name => navigator.mediaDevices.getUserMedia = async () => {
            throw new DOMException("", name);
        }""",
        name,
    )
    page.click('[data-do="talk"]')
    assert expected in message(page)
    await_state(page, "ready")
    goes_on(page)


def test_a_microphone_that_the_browser_denies(playwright, address, tiny):
    browser = launch(playwright, "--deny-permission-prompts")
    page = open_page(browser, address)
    page.click('[data-do="talk"]')
    assert "microphone" in message(page)
    goes_on(page)
    browser.close()


def test_plain_http_on_another_machine(playwright, address, tiny):
    browser = launch(playwright, "--host-resolver-rules=MAP attune.test 127.0.0.1")
    page = open_page(browser, address.replace("127.0.0.1", "attune.test"))
    page.click('[data-do="talk"]')
    assert "only to https pages" in message(page)
    goes_on(page)
    browser.close()


def test_a_frame_that_does_not_pass_the_microphone_on(browser, address, tiny, around):
    page = browser.new_page()
    page.goto(around(f'<iframe src="{address}" style="width: 100%; height: 600px"></iframe>'))
    frame = page.frame_locator("iframe")
    frame.locator('.attune[data-state="ready"]').wait_for()
    frame.locator('[data-do="talk"]').click()
    assert "does not pass the microphone on" in frame.locator(".remedy").inner_text()
    assert frame.locator(".remedy a").get_attribute("target") == "_blank"
    page.close()


@pytest.fixture
def around():
    """A site of another origin: its page → its address."""
    servers = []

    def serve(html: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html.encode())

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://localhost:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
