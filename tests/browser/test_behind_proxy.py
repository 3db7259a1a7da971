"""`--root-path /x`: the page behind a reverse proxy that serves it under a path of its own."""

import http.client
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from app.page.host import Host
from tests.browser import tiny_engine
from tests.browser.conftest import open_page, replies, say, serve
from tests.browser.live import await_replies, start

PREFIX = "/x"


@pytest.fixture
def proxied():
    """The address of a proxy that takes `PREFIX` away and passes on what it gets as it comes."""
    engine = tiny_engine.engine()
    page, behind = serve(Host(lambda choice, on_progress: engine), root_path=PREFIX)
    port = urlsplit(behind).port

    class Proxy(BaseHTTPRequestHandler):
        def pass_on(self):
            if not self.path.startswith(PREFIX):
                self.send_error(404)
                return
            if "Upgrade" in self.headers:
                self.tunnel()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = http.client.HTTPConnection("127.0.0.1", port)
            asked.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
            answer = asked.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            while block := answer.read1(65_536):
                self.wfile.write(block)
                self.wfile.flush()

        def tunnel(self):
            """Bytes both ways, until either side has no more."""
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                request = self.raw_requestline.replace(PREFIX.encode(), b"", 1)
                upstream.sendall(request + self.headers.as_bytes())
                threading.Thread(target=self.copy, args=(self.connection, upstream), daemon=True).start()
                self.copy(upstream, self.connection)
            self.close_connection = True

        @staticmethod
        def copy(from_socket, to_socket):
            with suppress(OSError):
                while block := from_socket.recv(65_536):
                    to_socket.sendall(block)

        do_GET = do_POST = do_HEAD = pass_on

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
    server.shutdown()
    page.close(verbose=False)


def test_a_turn_under_a_path_of_its_own(browser, proxied):
    page = open_page(browser, proxied)
    say(page, "hello")
    assert replies(page) == ["You said hello."]
    assert page.errors == []
    page.context.close()


def test_a_hands_free_talk_under_a_path_of_its_own(browser, proxied):
    page = open_page(browser, proxied, "free")
    start(page)
    page.click('[data-do="mute"]')
    page.fill("#attune-text", "hello")
    page.press("#attune-text", "Enter")
    await_replies(page, 1)
    assert replies(page) == ["You said hello."]
    assert page.errors == []
    page.context.close()
