"""A report of a defect says where it happened, and nothing that its message says."""

import subprocess
import sys
from pathlib import Path

import pytest

from app import defects

ROOT = Path(__file__).parents[2]
SAID = "what the person said"

WAYS = {
    "a log line of ours": 'logging.getLogger("app.page").exception("A turn broke off.")',
    "a log line of a library": 'logging.getLogger("uvicorn.error").exception("Exception: %s", error)',
    "a printed traceback": "traceback.print_exc()",
    "a thread": "threading.Thread(target=broken).start()",
    "a task that nobody awaits": "asyncio.run(forget(later()))",
    "a callback": "asyncio.run(forget(call()))",
    "a destructor": "Broken()",
    "the end of the program": "broken()",
}
SCRIPT = """
import asyncio, gc, logging, sys, threading, traceback
from app import defects
logging.basicConfig(level=logging.DEBUG, format="%(message)s")
if {is_installed}:
    defects.install()

def broken(*_):
    raise ValueError(sys.argv[1])

class Broken:
    __del__ = broken

async def later():
    broken()

async def call():
    asyncio.get_running_loop().call_soon(broken, sys.argv[1])

async def forget(work):
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

try:
    try:
        broken()
    except ValueError as error:
        raise LookupError(sys.argv[1]) from error
except LookupError as error:
    {way}
"""


def report(way: str, *, is_installed: bool = True) -> str:
    script = SCRIPT.format(way=way, is_installed=is_installed)
    run = subprocess.run([sys.executable, "-c", script, SAID], cwd=ROOT, capture_output=True, text=True)
    return run.stdout + run.stderr


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_every_way_to_report_tells_the_place_and_keeps_the_message(way):
    told = report(way)
    assert SAID not in told
    assert "in broken" in told
    assert "builtins.ValueError" in told


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_each_of_them_would_tell_what_was_said(way):
    assert SAID in report(way, is_installed=False)


def test_a_line_of_ours_keeps_its_sentence():
    assert "A turn broke off." in report(WAYS["a log line of ours"])


def test_what_libraries_carry_is_not_logged_below_a_warning():
    line = 'logging.getLogger("openai._base_client").{}("Request: %s", [sys.argv[1]])'
    assert SAID not in report(line.format("debug"))
    assert SAID in report(line.format("debug"), is_installed=False)
    assert "Request" in report('logging.getLogger("engine.llm").debug("Request")')


def test_ctrl_c_ends_as_it_always_does():
    assert "KeyboardInterrupt" in report("raise KeyboardInterrupt")


def test_all_that_led_to_an_error_is_told_and_a_circle_ends():
    class Group(Exception):
        def __init__(self, *inner: Exception) -> None:
            self.exceptions = inner

    first, second = ValueError(SAID), KeyError(SAID)
    first.__cause__, second.__cause__ = second, first
    told = defects.where(Group(first, OSError(SAID)))
    assert SAID not in told
    assert [line.split(".")[-1] for line in told.splitlines() if line != "which came of"] == [
        "Group",
        "OSError",
        "ValueError",
        "KeyError",
    ]
