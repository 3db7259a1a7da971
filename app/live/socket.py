"""The WebSocket `/attune/live`: a hands-free conversation on the page.

Up come JSON messages and the microphone (PCM, 16 bits, little-endian, 16 kHz), down go JSON messages and the
reply's sound (the same at 24 kHz); `app.live.wire` knows their forms. The first message names the
conversation: an address would carry the secret into logs. Per connection there is one task that reads, one
that sends, and the thread of `LiveTalk`; none of them waits for another.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from anyio import ClosedResourceError
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.live import wire
from app.live.messages import Close, Outbox
from app.live.talk import LiveTalk
from app.live.ways import strategies
from app.page import events
from app.page.host import Host
from app.preferences import with_preferences
from app.session import Session
from app.sessions import Sessions
from engine.errors import AttuneError, BadInput

BEGIN_WITHIN_S = 10.0
"""Who says nothing for so long is not a page."""

MAX_WAITING = 3_000
"""Messages not yet handled, a minute of sound. A page cannot get there; a flood would fill the memory."""

REFUSED, TAKEN_OVER = 4000, 4001
"""Why we close: the page must not try again."""

GONE = (WebSocketDisconnect, RuntimeError, ClosedResourceError)
"""How servers, and Starlette itself, tell that nobody is there any more."""

ELSEWHERE = "This conversation goes on in another window."
FIRST = "The first message must be attune.begin."
TOO_MUCH = "More sound came than time has passed; start again, please."


@dataclass(eq=False)
class LiveSocket:
    """The handler. Holds which connection has which conversation: the newest."""

    host: Host
    sessions: Sessions
    _held: dict[str, "Line"] = field(default_factory=dict)

    async def serve(self, websocket: WebSocket) -> None:
        if not _is_same_site(websocket):
            # Before it is accepted, closing is an answer of HTTP: 403.
            await websocket.close()
            return
        await websocket.accept()
        line = Line(asyncio.get_running_loop())
        sending = asyncio.create_task(line.send_to(websocket))
        try:
            await self._converse(_frames(websocket), line)
        except AttuneError as error:
            line.tell(events.problem(str(error)))
            line.end(REFUSED)
        finally:
            await line.leave()
            await sending

    async def _converse(self, frames: AsyncIterator[wire.Frame], line: "Line") -> None:
        """Raises `AttuneError` when the conversation cannot be held."""
        begin = await _begin(frames)
        session = self.sessions.need(begin.conversation)
        engine = with_preferences(self.host.in_use(), begin.preferences)
        before, self._held[begin.conversation] = self._held.get(begin.conversation), line
        if before is not None:
            before.tell(events.problem(ELSEWHERE))
            before.end(TAKEN_OVER)
            await before.leave()
        try:
            ways = strategies(
                engine.ends,
                begin.end,
                hears_while_speaking=begin.hears_while_speaking,
                patience=begin.patience,
            )
            talk = LiveTalk(session, engine, ways, lambda message: line.say(message, session))
            line.begin(talk, session)
            async for frame in frames:
                _hand_over(frame, talk, line)
        finally:
            if self._held.get(begin.conversation) is line:
                del self._held[begin.conversation]


class Line:
    """One connection's way down, and the conversation it carries."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._frames: asyncio.Queue[wire.Frame | int] = asyncio.Queue()
        self._talk: LiveTalk | None = None
        self._worker: threading.Thread | None = None

    def begin(self, talk: LiveTalk, session: Session) -> None:
        """Tell what was said before, for a page that lost the connection, and listen."""
        said = events.conversation(session.exchanges, session.baseline.count)
        self.tell({"type": "attune.begun", **said})
        self._talk = talk
        self._worker = threading.Thread(target=talk.run, name="talk", daemon=True)
        self._worker.start()

    def say(self, message: Outbox, session: Session) -> None:
        """From the thread of the talk."""
        for frame in wire.write(message, session.baseline.count):
            # The loop is closed where the server has ended meanwhile.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._frames.put_nowait, frame)

    def tell(self, value: dict[str, Any]) -> None:
        self._frames.put_nowait(wire.said(value))

    def end(self, code: int) -> None:
        """Close once everything told so far has been sent."""
        self._frames.put_nowait(code)

    async def leave(self) -> None:
        """Nothing is at work for this connection when this returns."""
        if self._worker is not None:
            self._talk.post(Close())
            await asyncio.to_thread(self._worker.join)
        self.end(1000)

    async def send_to(self, websocket: WebSocket) -> None:
        """Until the end, or until nobody is there."""
        with suppress(*GONE):
            while not isinstance(frame := await self._frames.get(), int):
                if isinstance(frame, bytes):
                    await websocket.send_bytes(frame)
                else:
                    await websocket.send_text(frame)
            await websocket.close(frame)


async def _frames(websocket: WebSocket) -> AsyncIterator[wire.Frame]:
    """What the page sends until it leaves, or has been told to."""
    while (message := await websocket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        yield message["bytes"] if text is None else text


async def _begin(frames: AsyncIterator[wire.Frame]) -> wire.Begin:
    try:
        frame = await asyncio.wait_for(anext(frames), BEGIN_WITHIN_S)
    except (asyncio.TimeoutError, StopAsyncIteration) as error:
        raise BadInput(FIRST) from error
    if not isinstance(begin := wire.read(frame), wire.Begin):
        raise BadInput(FIRST)
    return begin


def _hand_over(frame: wire.Frame, talk: LiveTalk, line: Line) -> None:
    """A bad frame costs a sentence, and nothing else."""
    if talk.waiting > MAX_WAITING:
        raise BadInput(TOO_MUCH)
    try:
        message = wire.read(frame)
        if isinstance(message, wire.Begin):
            raise BadInput("This conversation has begun; open another socket for other wishes.")
        talk.post(message)
    except BadInput as error:
        line.tell(events.problem(str(error)))


def _is_same_site(websocket: WebSocket) -> bool:
    """Browsers let any site open a socket here, and say which one does; programs say nothing."""
    origin = urlsplit(websocket.headers.get("origin", ""))
    if not origin.netloc:
        return "origin" not in websocket.headers
    hosts = (websocket.headers.get(name, "") for name in ("host", "x-forwarded-host"))
    # Proxies often pass the name on without its port.
    return any(host in (origin.netloc, origin.hostname) for host in hosts if host)
