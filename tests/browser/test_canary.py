"""What a person says reaches no log and no file, but for the folder that they chose: a talk with a canary.

The server is `python app.py` in a process of its own, with every log line on. The same talk with a part that
gives away what it hears shows that this would be found.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import websockets.sync.client as sockets
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from app.page.routes import CONVERSATION_HEADER, EXAMPLES
from engine import audio
from tests.browser.canary_server import BREAK_MIND, BREAK_VOICE, ROOT, SPOKEN
from tests.browser.conftest import await_state, free_port, open_page, record, say
from tests.browser.test_kept import agree, correct

CANARY = "the plum heron sings in the attic"
CLIP = EXAMPLES / "sad.ogg"
UNTIL_ANSWERED_S = 20.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent there")


@dataclass
class Talk:
    """A server with a home of its own, which is looked through for what was said."""

    home: Path
    leak: str = "none"
    port: int = field(default_factory=free_port)
    output: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> "Talk":
        for name in ("tmp", "cache", "chosen"):
            (self.home / name).mkdir(parents=True)
        places = {"HOME": self.home, "TMPDIR": self.home / "tmp", "ATTUNE_CACHE": self.home / "cache"}
        script = [sys.executable, "-u", str(ROOT / "tests" / "browser" / "canary_server.py"), self.leak]
        self._process = subprocess.Popen(
            [*script, "--port", str(self.port), "--no-browser"],
            cwd=self.home,
            env={**os.environ, **{name: str(path) for name, path in places.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        wait(lambda: b"Attune is at" in self.output)
        # The server hangs up on who sends a body that is not read.
        alone = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=f"{self.address}/attune/", timeout=UNTIL_ANSWERED_S, limits=alone)
        self.id = self.http.post("conversation", json={}).json()["id"]
        self.http.headers[CONVERSATION_HEADER] = self.id
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(UNTIL_ANSWERED_S)
        self._process.kill()
        self._reader.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chosen(self) -> Path:
        return self.home / "chosen" / "corrections"

    def found(self) -> list[str]:
        """Where what was said can be read, besides the folder that the person chose."""
        files = [path for path in self.home.rglob("*") if path.is_file() and self.chosen not in path.parents]
        said = [phrase.encode() for phrase in (CANARY, SPOKEN)]
        texts = {"output": bytes(self.output), **{str(path): path.read_bytes() for path in files}}
        return [name for name, text in texts.items() if any(phrase in text for phrase in said)]

    def _read(self) -> None:
        for line in self._process.stdout:
            self.output += line


def wait(until: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 4 * UNTIL_ANSWERED_S
    while not until():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_what_is_said_is_written_down_nowhere(browser, tmp_path):
    with Talk(tmp_path / "home") as talk:
        over_http(talk)
        over_the_socket(talk)
        over_endpoints(talk)
        on_the_page(talk, browser)
        assert talk.found() == []
    assert talk.found() == []
    text = talk.output.decode()
    for defect in ("RuntimeError", "ValueError", "in reply", "in speak", "A turn broke off."):
        assert defect in text, "a defect's place is told"
    assert text.count("DEBUG") > 10, "and little else is held back"
    row = json.loads((talk.chosen / "corrections.jsonl").read_text())
    assert row["text"] == SPOKEN, "the folder that they chose is another matter"


@pytest.mark.parametrize(("leak", "place"), [("log", "output"), ("file", "/tmp/tmp"), ("careless", "output")])
def test_it_would_be_found(tmp_path, leak, place):
    with Talk(tmp_path / "home", leak) as talk:
        over_http(talk)
        found = talk.found()
    assert found and all(place in name for name in found)


def over_http(talk: Talk) -> None:
    """Turns and everything around them, as the page does it, with what it never would."""

    def post(path: str, **body: object) -> str:
        answer = talk.http.post(path, **body)
        assert answer.status_code < 500
        return answer.text

    def turn(text: str) -> str:
        return post("turn", json={"text": text})

    assert CANARY in turn(CANARY)
    assert SPOKEN in post("turn", content=CLIP.read_bytes())
    for trigger in (BREAK_MIND, BREAK_VOICE):
        assert "Something broke" in turn(f"{CANARY} {trigger}")
    [key] = {exchange["key"] for exchange in json.loads(post("export", json={}))["exchanges"][:1]}
    assert CANARY in post("correct", json={"key": key, "label": "sad"})
    saved = post("export", json={})
    assert CANARY in saved
    assert CANARY in post("import", content=saved)
    assert CANARY in post("reflection", json={"theme": "auto", "day": "2026-07-29"})
    post("again", json={"key": key})

    broken = saved.replace('"key"', CANARY, 1)
    of_corrections = ("corrections", "corrections/save", "corrections/remove")
    for path in ("import", "turn", "correct", "stop", "again", "engine", "kept", *of_corrections):
        post(path, content=broken)
        post(path, content=f"{CANARY} {{", headers={"Content-Type": "application/json"})
        post(path, json={CANARY: CANARY})
        post(path, json=[CANARY])
    post("correct", json={"key": CANARY, "label": CANARY})
    post("stop", json={"played_s": CANARY})
    post("again", json={"key": CANARY})
    post("engine", json={"profile": "", "llm_url": "", CANARY: ""})
    post("kept/erase", json={"ids": [CANARY], "folder": CANARY})
    post(f"turn?voice={CANARY}&speed={CANARY}", json={"text": CANARY})
    talk.http.get(f"static/{CANARY}.js")
    talk.http.post("turn", json={"text": CANARY}, headers={CONVERSATION_HEADER: CANARY.replace(" ", "-")})
    post("clear", json={})


def over_the_socket(talk: Talk) -> None:
    """A typed turn, one that breaks, one in sound, and what is no message at all."""
    with sockets.connect(f"ws://127.0.0.1:{talk.port}/attune/live") as socket:
        socket.send(json.dumps({"type": "attune.begin", "conversation": talk.id}))

        def until(*kinds: str) -> dict:
            while True:
                frame = socket.recv(UNTIL_ANSWERED_S)
                if isinstance(frame, str) and (message := json.loads(frame))["type"] in kinds:
                    return message

        for text in (CANARY, f"{CANARY} {BREAK_MIND}", f"{CANARY} {BREAK_VOICE}"):
            socket.send(json.dumps({"type": "attune.typed", "text": text}))
            assert CANARY in until("heard")["text"]
            until("finished", "problem")
            socket.send(json.dumps({"type": "attune.stop"}))
        for frame in (
            CANARY,
            json.dumps({"type": CANARY}),
            json.dumps({"type": "attune.typed", "text": [CANARY]}),
        ):
            socket.send(frame)
            until("problem")
        sound = audio.read(CLIP).samples
        for at in range(0, len(sound), 320):
            socket.send((sound[at : at + 320] * 32767).astype("<i2").tobytes())
        for _ in range(100):
            socket.send(bytes(640))
        assert until("heard")["text"] == SPOKEN


def over_endpoints(talk: Talk) -> None:
    """What programs ask, and what Gradio itself refuses."""
    client = Client(talk.address, verbose=False)
    clip = handle_file(str(CLIP))
    assert client.predict(clip, api_name="/hear")["text"] == SPOKEN
    result, _ = client.predict(clip, [{"role": "user", "text": CANARY}], api_name="/turn")
    assert result["transcript"] == SPOKEN
    assert CANARY in client.predict(CANARY, [], api_name="/reply")
    client.predict(CANARY, "warm", api_name="/speak")
    for arguments, name in (
        ((f"{CANARY} {BREAK_MIND}", []), "/reply"),
        ((CANARY, [{"role": CANARY, "text": CANARY}]), "/reply"),
        ((CANARY, CANARY), "/reply"),
        ((f"{CANARY} {BREAK_VOICE}", "warm"), "/speak"),
        ((CANARY, CANARY), "/speak"),
    ):
        with pytest.raises(AppError):
            client.predict(*arguments, api_name=name)
    for body in (
        {"data": [CANARY]},
        {"data": [CANARY] * 9},
        {"data": {CANARY: CANARY}},
        {CANARY: CANARY},
        CANARY,
    ):
        for name in ("reply", "speak", "hear"):
            talk.http.post(f"{talk.address}/gradio_api/call/{name}", json=body)
            talk.http.post(f"{talk.address}/gradio_api/run/{name}", json=body)


def on_the_page(talk: Talk, browser) -> None:
    """A person who types, speaks, corrects a feeling and keeps it."""
    page = open_page(browser, talk.address)
    say(page, CANARY)
    record(page)
    correct(page, turn=1)
    agree(page, talk.chosen)
    page.fill("#attune-text", f"{CANARY} {BREAK_MIND}")
    page.press("#attune-text", "Enter")
    page.wait_for_selector(".message >> text=Something broke")
    await_state(page, "ready")
    page.context.close()
