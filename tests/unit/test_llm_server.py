"""`ServerMind` against a real HTTP server that streams as OpenAI-compatible ones do."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.conversation import Turn
from engine.emotion import EMOTIONS, Emotion
from engine.errors import PartMissing
from engine.llm.server import ServerMind

SAD = Emotion({name: 0.9 if name == "sad" else 0.1 / 6 for name in EMOTIONS})
CONVERSATION = [Turn("user", "i lost my job", SAD)]


class Script(BaseHTTPRequestHandler):
    """One answer of the server: what it sends is the test's `play`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        try:
            self.server.play(self)
        except OSError:
            self.server.hung_up.set()

    def start(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, text: str, finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
        self.raw(
            "data: "
            + json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})
            + "\n\n"
        )

    def raw(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def refuse(self, status: int) -> None:
        body = json.dumps({"error": {"message": "no"}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server(play: Callable[[Script], None]) -> Iterator[ThreadingHTTPServer]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    http.play, http.requests, http.hung_up = play, [], threading.Event()
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield http
    finally:
        http.shutdown()
        http.server_close()


def mind(http: ThreadingHTTPServer, timeout_s: float = 5) -> ServerMind:
    return ServerMind(f"http://127.0.0.1:{http.server_port}/v1", "tiny", timeout_s=timeout_s)


def says(*texts: str, finish_reason: str = "stop") -> Callable[[Script], None]:
    def play(script: Script) -> None:
        script.start()
        for text in texts:
            script.send(text)
        script.send("", finish_reason)
        script.raw("data: [DONE]\n\n")
        script.raw("")

    return play


def test_a_reply_streams_shaped_and_the_feeling_is_in_the_prompt() -> None:
    with server(says("**I'm so", " sorry**, ", "that hurts. ", "What happened?")) as http:
        assert "".join(mind(http).reply(CONVERSATION)) == "I'm so sorry, that hurts. What happened? "
        [request] = http.requests
    assert request["stream"] is True
    assert request["model"] == "tiny"
    assert request["messages"][0]["role"] == "system"
    assert request["messages"][-1] == {"role": "user", "content": "I feel sad. i lost my job"}


def test_a_reply_cut_by_the_token_limit_ends_at_a_sentence() -> None:
    with server(says("I hear you. And then the", finish_reason="length")) as http:
        assert "".join(mind(http).reply(CONVERSATION)) == "I hear you. "


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "API key"),
        (403, "API key"),
        (404, "does not know the model tiny"),
        (429, "too much"),
        (500, "error 500"),
    ],
)
def test_refusals_are_one_sentence(status: int, hint: str) -> None:
    with (
        server(lambda script: script.refuse(status)) as http,
        pytest.raises(PartMissing, match=hint) as raised,
    ):
        list(mind(http).reply(CONVERSATION))
    assert str(raised.value).count("\n") == 0


def test_nobody_there() -> None:
    with server(says("x")) as http:
        gone = mind(http)
    with pytest.raises(PartMissing, match="cannot be reached"):
        list(gone.reply(CONVERSATION))


def test_a_server_that_never_answers() -> None:
    with (
        server(lambda script: script.server.hung_up.wait(3)) as http,
        pytest.raises(PartMissing, match=r"did not answer within 0\.2 s"),
    ):
        list(mind(http, timeout_s=0.2).reply(CONVERSATION))


def breaks_off(script: Script) -> None:
    script.start()
    script.send("I'm so sorry. That")
    script.connection.shutdown(socket.SHUT_RDWR)


def stops_early(script: Script) -> None:
    script.start()
    script.send("I'm so sorry. That")
    script.raw("")


@pytest.mark.parametrize("play", [breaks_off, stops_early])
def test_an_answer_that_breaks_off_keeps_what_was_said(play: Callable[[Script], None]) -> None:
    with server(play) as http:
        pieces = mind(http).reply(CONVERSATION)
        assert next(pieces) == "I'm so sorry. "
        with pytest.raises(PartMissing, match="broke off"):
            list(pieces)


def test_an_empty_answer() -> None:
    with server(says("  ")) as http, pytest.raises(PartMissing, match="empty answer"):
        list(mind(http).reply(CONVERSATION))


def test_stale_ends_the_wait_and_hangs_up() -> None:
    def slow(script: Script) -> None:
        script.start()
        script.send("I am listening. ")
        for _ in range(200):
            time.sleep(0.02)
            script.raw(": still thinking\n\n")

    is_stale = threading.Event()
    with server(slow) as http:
        pieces = mind(http).reply(CONVERSATION, is_stale.is_set)
        assert next(pieces) == "I am listening. "
        threading.Timer(0.2, is_stale.set).start()
        started = time.perf_counter()
        assert list(pieces) == []
        assert time.perf_counter() - started < 1.5
        assert http.hung_up.wait(3)
