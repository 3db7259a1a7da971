"""A conversation taken along and brought back, and the page to look back on it.

Joined to the other routes in `app.page.routes`. Nothing is written to this machine's disk.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.page import body, events
from app.page.host import Host
from app.record import document
from app.record.reflection import Theme, reflection
from app.record.telling import Everyday
from app.session import Session
from engine.baseline import VoiceBaseline
from engine.ears.ngram import NGRAM_FILE
from engine.errors import BadInput
from engine.facade import MINI
from engine.hearing import VoiceSpace

MAX_SHARED_BYTES = 2 * 2**20
"""About 300 turns: in the memory of a server that many share, a document takes four times its size."""

OTHER_EARS = "The voice in it was learned by other ears than I have now, so I get to know it anew."


@dataclass(frozen=True, eq=False)
class LookBack:
    """The handlers. `session_of` finds the conversation that a request is about."""

    host: Host
    session_of: Callable[[Request], Session]
    is_private: bool
    """Whether only people at this machine reach the page."""

    def routes(self) -> list[Route]:
        return [
            Route("/attune/export", self.export, methods=["POST"]),
            Route("/attune/import", self.bring_back, methods=["POST"]),
            Route("/attune/reflection", self.reflect, methods=["POST"]),
        ]

    async def export(self, request: Request) -> Response:
        """→ the document. The page adds the recordings that it has, if it is to."""
        session, engine = self.session_of(request), self.host.in_use()
        saved = document.Saved(
            session.exchanges,
            session.baseline,
            engine.ears.voice_space,
            session.calibrated,
            session.speaker,
        )
        written = await run_in_threadpool(lambda: json.dumps(document.write(saved)))
        return Response(written, media_type="application/json")

    async def bring_back(self, request: Request) -> Response:
        """A document as the body, without sounds → what it holds takes the place of the conversation."""
        session, engine = self.session_of(request), self.host.in_use()
        given = await body.raw(request, document.MAX_BYTES if self.is_private else MAX_SHARED_BYTES)
        answer = await run_in_threadpool(_bring_back, session, engine.ears.voice_space, given)
        return Response(answer, media_type="application/json")

    async def reflect(self, request: Request) -> Response:
        """`{"theme": "auto", "light" or "dark", "day": ISO date, where the person is}` → a page of HTML."""
        session = self.session_of(request)
        theme, day = await body.fields(request, theme=str, day=str)
        try:
            today = date.fromisoformat(day or "")
        except ValueError as error:
            raise BadInput(body.STRANGE) from error
        if theme not in get_args(Theme):
            raise BadInput(body.STRANGE)

        def page() -> str:
            return reflection(session.exchanges, Everyday.load(MINI / NGRAM_FILE), day=today, theme=theme)

        return HTMLResponse(await run_in_threadpool(page))


def _bring_back(session: Session, space: VoiceSpace, given: bytes) -> bytes:
    """The answer to the page, once the document has taken the place of the conversation."""
    saved = document.read(given)
    is_known = saved.knows_voice_for(space)
    baseline = saved.baseline if is_known else VoiceBaseline()
    session.restore(saved.exchanges, baseline, saved.calibrated, saved.speaker)
    note = OTHER_EARS if saved.baseline.count and not is_known else ""
    return json.dumps({**events.conversation(saved.exchanges, baseline.count), "note": note}).encode()
