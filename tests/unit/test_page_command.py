"""`python app.py`: what is wrong is one sentence and the exit code 2; Ctrl-C ends it cleanly."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from app.page import command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--profile", "nope"], "There is no profile 'nope'"),
        (["--weights", "no/such/folder"], "there is no such folder"),
        (["--port", "99999"], "99999 is not a port"),
    ],
)
def test_wrong_flags(arguments, expected, capsys):
    assert command.main([*arguments, "--no-browser"]) == 2
    message = capsys.readouterr().err
    assert expected in message
    assert message.count("\n") == 1


def test_a_busy_port(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command.main(["--port", str(port), "--no-browser"]) == 2
    assert capsys.readouterr().err == f"Port {port} is taken; choose another with --port.\n"
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent there")
def test_the_page_opens_before_the_engine_is_there_and_ctrl_c_ends_it(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ATTUNE_CACHE": str(tmp_path), "ATTUNE_OFFLINE": "1"}
    arguments = [sys.executable, "app.py", "--profile", "mini", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().startswith("Attune is at http://127.0.0.1:")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
        assert "attune" in response.read().decode()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.endswith("Stopped.\n")


def test_only_a_server_of_ones_own_lets_visitors_choose_its_parts(monkeypatch):
    def is_private(*flags):
        return command._is_private(command._parser().parse_args(flags))

    for name in ("SPACE_ID", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert is_private()
    assert not is_private("--share")
    assert not is_private("--root-path", "/x")
    assert not is_private("--root-path", "/")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/x")
    assert not is_private()
    monkeypatch.delenv("GRADIO_ROOT_PATH")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert not is_private()
    monkeypatch.setenv("GRADIO_SERVER_NAME", "127.0.0.1")
    monkeypatch.setenv("SPACE_ID", "me/talk")
    assert not is_private()
