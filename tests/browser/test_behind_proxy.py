"""`--root-path /x`: the page behind a reverse proxy that serves it under a path of its own."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from app.page.host import Host
from tests.browser import tiny_engine
from tests.browser.conftest import open_page, replies, say, serve

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
