"""A blocking iterator as server-sent events that end when the reader leaves.

Used by every route whose answer takes time. The iterator runs in a thread of its own
and is told through a `Stale` when the browser tab is closed, so no work outlives its reader.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.responses import StreamingResponse

from engine.conversation import Stale

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second one keeps nginx from holding events back."""

_END = object()

Make = Callable[[Stale], Iterator[dict[str, Any]]]
"""Given "has the reader left?", the events."""


def respond(make: Make) -> StreamingResponse:
    return events_response(_from_thread(make))


def events_response(events: AsyncIterator[dict[str, Any]]) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async for event in events:
            yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)


async def _from_thread(make: Make) -> AsyncIterator[dict[str, Any]]:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue = asyncio.Queue()
    left = threading.Event()

    def hand_over(event: object) -> None:
        if not left.is_set():
            loop.call_soon_threadsafe(events.put_nowait, event)

    def work() -> None:
        try:
            for event in make(left.is_set):
                hand_over(event)
        finally:
            hand_over(_END)

    threading.Thread(target=work, name="answer", daemon=True).start()
    try:
        while (event := await events.get()) is not _END:
            yield event
    finally:
        left.set()
