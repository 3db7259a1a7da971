"""What is kept, and where: the routes under `/attune/corrections` and `/attune/kept`.

Corrections go into a folder only where the page and the server are one person's own machine; elsewhere they
leave as a download, and nothing of the server is listed. What a person said, and what they corrected, is read
from the conversation in memory: the page brings only the sound, which the server does not keep.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.exchange import Exchange
from app.page import body
from app.page.local import is_local
from app.record import corrections, stored
from app.record.corrections import Correction
from app.record.stored import Places, Stored
from app.session import Session
from engine import audio
from engine.audio import Audio
from engine.errors import BadInput

HOSTED = "On a shared page nothing is written to the server's disk; download your corrections instead."

MAX_SPEAKER = 60
"""Characters of a name."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The handlers. `session_of` finds the conversation of a request; `places` is None on a page that others
    reach too."""

    session_of: Callable[[Request], Session]
    places: Places | None

    def routes(self) -> list[Route]:
        return [
            Route("/attune/corrections", self.corrections, methods=["POST"]),
            Route("/attune/kept", self.kept, methods=["POST"]),
            Route("/attune/kept/erase", self.erase, methods=["POST"]),
            Route("/attune/corrections/save", self.save, methods=["POST"]),
            Route("/attune/corrections/remove", self.remove, methods=["POST"]),
            Route("/attune/corrections/archive", self.archive, methods=["POST"]),
        ]

    async def corrections(self, request: Request) -> Response:
        """`{"folder": path or null}` → whether they may be kept in a folder, which one is suggested, and
        which turns of this conversation are in that one."""
        session, places = self.session_of(request), self._at_home(request)
        folder = await body.fields(request, folder=str)
        return JSONResponse(await run_in_threadpool(_corrections, session, places, folder))

    async def kept(self, request: Request) -> Response:
        """`{"folder": path or null}` → what is kept outside of the browser, and what `corrections` says."""
        session, places = self.session_of(request), self._at_home(request)
        folder = await body.fields(request, folder=str)
        return JSONResponse(await run_in_threadpool(_kept, session, places, folder))

    async def erase(self, request: Request) -> Response:
        """`{"ids": of items, "folder": path or null}` → `{"problems": a sentence each}`."""
        session, places = self.session_of(request), self._at_home(request)
        ids, folder = await body.fields(request, ids=list, folder=str)

        def erase() -> list[str]:
            return stored.erase(item for item in _items(session, places, folder) if item.id in (ids or ()))

        return JSONResponse({"problems": await run_in_threadpool(erase)})

    async def save(self, request: Request) -> Response:
        """A line of JSON, `{"folder", "speaker", "key"}`, and the sound, if the page has it → `{"folder": its
        whole path, "keys": those kept of this conversation}`. A turn whose correction was taken back is
        removed."""
        session = self.session_of(request)
        if self._at_home(request) is None:
            raise BadInput(HOSTED)
        head, _, sound = (await body.raw(request, audio.MAX_FILE_BYTES)).partition(b"\n")
        folder, speaker, key = body.of(head, folder=str, speaker=str, key=str)
        return JSONResponse(await run_in_threadpool(_save, session, folder or "", speaker or "", key, sound))

    async def remove(self, request: Request) -> Response:
        """`{"folder", "key": of the turn}` → as `save`. For one that was not to be kept after all, or whose
        turn went on and is another by now."""
        session = self.session_of(request)
        if self._at_home(request) is None:
            raise BadInput(HOSTED)
        folder, key = await body.fields(request, folder=str, key=str)
        return JSONResponse(await run_in_threadpool(_remove, session, folder or "", key or ""))

    async def archive(self, request: Request) -> Response:
        """A line of JSON, `{"speaker", "sizes": {key: bytes}}`, and the sounds one after the other → a zip of
        what would be kept in a folder."""
        session = self.session_of(request)
        head, _, sounds = (await body.raw(request, audio.MAX_FILE_BYTES)).partition(b"\n")
        speaker, sizes = body.of(head, speaker=str, sizes=dict)
        entries = _entries(session, speaker or "", sizes or {}, sounds)
        return Response(await run_in_threadpool(corrections.archive, entries), media_type="application/zip")

    def _at_home(self, request: Request) -> Places | None:
        return self.places if is_local(request) else None


def _kept(session: Session, places: Places | None, folder: str | None) -> dict[str, Any]:
    shown = ("id", "place", "name", "count", "size_bytes")
    return {
        **_corrections(session, places, folder),
        "paths": {"cache": str(places.cache), "uploads": str(places.uploads)} if places else {},
        "items": [{name: getattr(item, name) for name in shown} for item in _items(session, places, folder)],
    }


def _corrections(session: Session, places: Places | None, folder: str | None) -> dict[str, Any]:
    return {
        "is_private": places is not None,
        "suggestion": str(corrections.suggestion()) if places else "",
        "keys": _keys(session, folder) if places and folder else [],
    }


def _items(session: Session, places: Places | None, folder: str | None) -> list[Stored]:
    items = stored.of_session(session)
    if places:
        with suppress(BadInput, OSError):
            items += stored.of_corrections(corrections.chosen(folder or ""))
        items += stored.of_places(places)
    return items


def _save(session: Session, named: str, speaker: str, key: str | None, sound: bytes) -> dict[str, Any]:
    folder, exchange = corrections.chosen(named), session.exchange(key)
    if exchange.correction:
        spoken = audio.decode(sound) if sound else None
        corrections.save(folder, exchange.key, _correction(exchange, speaker), spoken)
    else:
        corrections.remove(folder, exchange.key)
    return {"folder": str(folder), "keys": _keys(session, str(folder))}


def _remove(session: Session, named: str, key: str) -> dict[str, Any]:
    folder = corrections.chosen(named)
    corrections.remove(folder, key)
    return {"folder": str(folder), "keys": _keys(session, str(folder))}


def _entries(
    session: Session, speaker: str, sizes: dict[str, Any], sounds: bytes
) -> Iterator[tuple[str, Correction, Audio]]:
    """Of each announced turn that is corrected; decoded one at a time, as they are packed."""
    at, duration_s = 0, 0.0
    for key, size_bytes in sizes.items():
        if not isinstance(size_bytes, int) or size_bytes <= 0:
            raise BadInput(body.STRANGE)
        exchange = session.exchange(key)
        spoken = audio.decode(sounds[at : at + size_bytes])
        at, duration_s = at + size_bytes, duration_s + spoken.duration_s
        if duration_s > audio.MAX_DURATION_S:
            raise BadInput(f"More than {audio.MAX_DURATION_S // 60} minutes cannot be packed at once.")
        if exchange.correction:
            yield exchange.key, _correction(exchange, speaker), spoken


def _keys(session: Session, folder: str) -> list[str]:
    """Of this conversation's turns, those whose corrections lie in that folder."""
    with suppress(BadInput, OSError):
        kept = set(corrections.keys(corrections.chosen(folder)))
        return [exchange.key for exchange in session.exchanges if exchange.key in kept]
    return []


def _correction(exchange: Exchange, speaker: str) -> Correction:
    name = "".join(filter(str.isprintable, speaker)).strip()[:MAX_SPEAKER] or "me"
    # Whoever else talked in this conversation has another voice.
    name = name if exchange.speaker == 1 else f"{name}-{exchange.speaker}"
    return Correction(exchange.heard.text, exchange.correction, exchange.heard.emotion.label, name)
