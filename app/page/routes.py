"""What the page's scripts talk to, under `/attune` of Gradio's own server.

A turn is one POST whose answer is a stream of events (`app.page.events`), so it works
wherever plain HTTP does; hands-free talk is a socket (`app.live.socket`). Every request
names its conversation in a header: another site's script cannot send that header, nor
guess the identifier.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from app.live.reply import BROKE
from app.live.socket import LiveSocket
from app.page import body, events, stream
from app.page.host import Choice, Host
from app.page.kept import Kept
from app.page.limits import typed
from app.page.local import is_local
from app.page.look_back import LookBack
from app.preferences import Preferences, with_preferences
from app.record.stored import Places
from app.session import Listen, Session
from app.sessions import Sessions
from engine import audio
from engine.errors import AttuneError, BadInput
from engine.facade import Engine
from engine.tts import Style

CONVERSATION_HEADER = "X-Attune-Conversation"
STATIC = Path(__file__).parent.parent / "static"
EXAMPLES = Path(__file__).parent.parent.parent / "assets" / "examples"

_STATUS_EVERY_S = 0.2


@dataclass(frozen=True, eq=False)
class Routes:
    """The handlers. `may_choose`: whether visitors may change profile and mind of this server; `places` are
    its folders, where they may look into them and erase what is there."""

    host: Host
    sessions: Sessions
    may_choose: bool
    places: Places | None = None

    def for_app(self) -> dict[str, Any]:
        """What Gradio's server is made with to have these routes.

        All of them flat: behind a proxy that takes the root path away, Starlette finds
        nothing inside a `Mount`.
        """
        routes = [
            Route("/attune/conversation", self.open, methods=["POST"]),
            Route("/attune/turn", self.turn, methods=["POST"]),
            Route("/attune/again", self.again, methods=["POST"]),
            Route("/attune/correct", self.correct, methods=["POST"]),
            Route("/attune/stop", self.stop, methods=["POST"]),
            Route("/attune/clear", self.clear, methods=["POST"]),
            Route("/attune/forget-voice", self.forget_voice, methods=["POST"]),
            Route("/attune/status", self.status),
            Route("/attune/engine", self.choose, methods=["POST"]),
            *LookBack(self.host, self._session, is_private=self.may_choose).routes(),
            *Kept(self._session, self.places).routes(),
            WebSocketRoute("/attune/live", LiveSocket(self.host, self.sessions).serve),
            Route("/attune/static/{path:path}", _files(STATIC)),
            Route("/attune/examples/{path:path}", _files(EXAMPLES)),
        ]
        return {"routes": routes, "exception_handlers": {AttuneError: _problem, ClientDisconnect: _left}}

    async def open(self, request: Request) -> Response:
        """`{"id": …}` of a saved conversation, or `{}` → its id, its turns, and turns that tell the voice."""
        identifier, session = self.sessions.open(await body.fields(request, id=str))
        return JSONResponse(
            {"id": identifier, **events.conversation(session.exchanges, session.baseline.count)}
        )

    async def turn(self, request: Request) -> Response:
        """A recording as the body, or `{"text": …}` → the events of a turn."""
        started = time.perf_counter()
        session, engine = self._session(request), self._engine(request)
        listen = await _listener(request, engine)
        return stream.respond(
            lambda gone: _guarded(
                events.of_turn(event, session.baseline.count)
                for event in session.answer(engine, listen, started=started, gone=gone)
            )
        )

    async def again(self, request: Request) -> Response:
        """`{"key": of the turn}` → the sound of that reply once more, for a page that was loaded again."""
        session, engine = self._session(request), self._engine(request)
        said = session.exchange(await body.fields(request, key=str))
        style = Style(said.style, said.strength)
        return stream.respond(
            lambda gone: _guarded(events.speech(chunk) for chunk in engine.speak(said.reply, style, gone))
        )

    async def correct(self, request: Request) -> Response:
        """`{"key": of the turn, "label": what was felt, or ""}` → that turn as it is remembered now."""
        key, label = await body.fields(request, key=str, label=str)
        return JSONResponse(events.exchange(self._session(request).correct(key, label)))

    async def stop(self, request: Request) -> Response:
        """`{"played_s": seconds of sound that were heard, or null}` → the last turn, cut to that."""
        session = self._session(request)
        session.stop(await body.fields(request, played_s=float))
        last = session.exchanges[-1:]
        return JSONResponse(events.exchange(last[0]) if last else None)

    async def clear(self, request: Request) -> Response:
        self._session(request).clear()
        return Response(status_code=204)

    async def forget_voice(self, request: Request) -> Response:
        """Another person talks from now on, in the same conversation."""
        self._session(request).reset_baseline()
        return Response(status_code=204)

    async def status(self, request: Request) -> Response:
        """Events until nothing more is being loaded."""
        return stream.events_response(self._statuses(self._may_choose(request)))

    async def _statuses(self, may_choose: bool) -> AsyncIterator[dict[str, Any]]:
        shown = None
        while True:
            current = events.status(self.host, may_choose=may_choose)
            if current != shown:
                shown = current
                yield current
            if current["phase"] != "loading":
                return
            await asyncio.sleep(_STATUS_EVERY_S)

    async def choose(self, request: Request) -> Response:
        """A `Choice` → the status events of loading it."""
        if not self._may_choose(request):
            raise BadInput("Profile and mind of this shared server are not for visitors to change.")
        # Another site's script must not be able to point the mind at a server of its own.
        self._session(request)
        profile, url, model = await body.fields(request, profile=str, llm_url=str, llm_model=str)
        self.host.start(Choice(profile or "", url or "", model or ""))
        return await self.status(request)

    def _may_choose(self, request: Request) -> bool:
        return self.may_choose and is_local(request)

    def _session(self, request: Request) -> Session:
        return self.sessions.need(request.headers.get(CONVERSATION_HEADER, ""))

    def _engine(self, request: Request) -> Engine:
        return with_preferences(self.host.in_use(), _preferences(request))


def _files(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    files = StaticFiles(directory=folder)

    async def respond(request: Request) -> Response:
        return await files.get_response(request.path_params["path"], request.scope)

    return respond


def _preferences(request: Request) -> Preferences:
    """`?voice=…&speed=…` of a request; what is missing or no number is left to the voice."""
    with suppress(ValueError):
        speed = float(request.query_params.get("speed", 1))
        return Preferences.wished(request.query_params.get("voice", ""), speed)
    return Preferences()


async def _listener(request: Request, engine: Engine) -> Listen:
    """What turns the request into `Heard`; decoding and listening happen when it is called."""
    said = await body.raw(request, audio.MAX_FILE_BYTES)
    if request.headers.get("content-type", "").startswith("application/json"):
        text = typed(body.of(said, text=str) or "")
        return lambda _, __, calibration: engine.read(text, calibration)
    return lambda *known: engine.hear(audio.decode(said), *known)


def _guarded(results: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Errors become a sentence for the person; defects also a traceback in the terminal."""
    try:
        yield from results
    except AttuneError as error:
        yield events.problem(str(error))
    except Exception:
        logging.getLogger(__name__).exception("A turn broke off.")
        yield events.problem(BROKE)


async def _left(_: Request, __: ClientDisconnect) -> Response:
    """The tab was closed while it sent something: nobody reads this, and it is no defect."""
    return Response(status_code=400)


async def _problem(_: Request, error: AttuneError) -> StreamingResponse:
    """The same form for every route, so that the scripts need to know only one."""

    async def only() -> AsyncIterator[dict[str, Any]]:
        yield events.problem(str(error))

    return stream.events_response(only())
