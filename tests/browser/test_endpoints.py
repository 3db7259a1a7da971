"""The same functions for programs: `gradio_client`, and MCP tools."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from app.page.host import Host
from app.page.routes import EXAMPLES
from tests.browser import tiny_engine
from tests.browser.conftest import serve

TOOLS = {"hear", "reply", "speak", "turn"}
CLIP = str(EXAMPLES / "sad.ogg")


@pytest.fixture
def client(address, tiny) -> Client:
    return Client(address, verbose=False)


def test_only_what_is_documented_is_public(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert {name.lstrip("/") for name in endpoints} == TOOLS
    assert all(endpoint["description"] for endpoint in endpoints.values())


def test_the_page_shows_how_to_use_them(page):
    page.click('[data-do="settings"]')
    page.click("dialog .link >> text=from a program")
    page.get_by_text("4 API endpoints").wait_for()
    assert page.evaluate(
        """() => {
            const { left, top } = document.querySelector(".api-docs h2").getBoundingClientRect();
            return document.elementFromPoint(left + 5, top + 5).closest(".api-docs") !== null;
        }"""
    )


def test_a_conversation_through_the_client(client):
    heard = client.predict(handle_file(CLIP), api_name="/hear")
    assert heard["emotion"]["label"] == "sad"
    result, speech = client.predict(handle_file(CLIP), [], api_name="/turn")
    assert result["reply"] == f"You said {heard['text']}."
    assert soundfile.info(speech).samplerate == 24_000
    answer = client.predict("hello", result["conversation"], api_name="/reply")
    assert answer == f"Before, you said {heard['text']}. You said hello."
    assert soundfile.info(client.predict("Hello.", "warm", api_name="/speak")).frames > 1000


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("", []), "the text is empty"), (("hello", [{"role": "system", "text": "x"}]), "user or assistant")],
)
def test_bad_input_is_a_sentence(client, arguments, expected):
    with pytest.raises(AppError, match=expected):
        client.predict(*arguments, api_name="/reply")


def test_the_same_functions_are_mcp_tools():
    pytest.importorskip("mcp", reason="MCP needs: pip install 'gradio[mcp]'")
    page, address = serve(Host(lambda choice, on_progress: tiny_engine.engine()), mcp=True)
    try:
        # In a thread of its own, since the browser's event loop runs in this one.
        with ThreadPoolExecutor() as pool:
            tools, answer = pool.submit(asyncio.run, _ask(f"{address}gradio_api/mcp/")).result()
    finally:
        page.close(verbose=False)
    assert tools >= TOOLS
    assert answer == "You said hello."


async def _ask(url: str) -> tuple[set[str], str]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        names = [tool.name for tool in (await session.list_tools()).tools]
        reply = next(name for name in names if name.endswith("reply"))
        result = await session.call_tool(reply, {"text": "hello", "conversation": []})
        text = result.content[0].text
        answer = json.loads(text) if text.startswith('"') else text
        return {name.split("_")[-1] for name in names}, answer
