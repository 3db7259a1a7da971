"""One answered turn: text and speech as they come, side by side.

The mind writes in one thread, the voice speaks finished phrases in another, and
the caller reads one stream of events, so that a slow voice never holds up the
text and the first phrase is heard while the second is being written.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from engine import cores
from engine.conversation import Stale, never
from engine.errors import AttuneError
from engine.tts import AudioChunk, Style

CLAUSE_MARKS = (",", ";", ":")


class Origin(Enum):
    """What the words of a reply are due to."""

    MIND = "mind"
    SAFETY = "safety"
    UNHEARD = "unheard"
    FOREIGN = "foreign"
    NOBODY = "nobody"


@dataclass(frozen=True)
class TextPiece:
    """The next characters of the reply."""

    text: str


@dataclass(frozen=True, eq=False)
class SpeechPiece:
    """The next stretch of the reply's sound."""

    chunk: AudioChunk


@dataclass(frozen=True)
class Finished:
    """The whole reply and when its parts came, in ms after `started`.

    `failure` is a sentence when a part broke off; `text` then holds what was said until there. `origin` is
    what the words are due to.
    """

    text: str
    style: Style
    timings_ms: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    origin: Origin = Origin.MIND


Event = TextPiece | SpeechPiece | Finished
Speak = Callable[[Iterable[str], Style, Stale], Iterator[AudioChunk]]

_END = object()


def answer(
    pieces: Iterator[str],
    speak: Speak,
    style: Style,
    *,
    origin: Origin = Origin.MIND,
    stale: Stale = never,
    started: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Event]:
    """Run the reply `pieces` through `speak`; events in order, `Finished` last.

    `started` is when the person stopped speaking, by `clock`. When `stale()` turns
    true, or the caller closes the iterator, both threads stop at their next step
    and are waited for: no work outlives its turn.
    """
    started = clock() if started is None else started
    abandoned = threading.Event()

    def stopped() -> bool:
        return abandoned.is_set() or stale()

    events: queue.Queue = queue.Queue()
    phrases: queue.Queue = queue.Queue()
    workers = [
        threading.Thread(target=_guarded, args=(work, events), name=name, daemon=True)
        for name, work in {
            "mind": lambda: _write(pieces, events, phrases, stopped),
            "voice": lambda: _voice(speak, phrases, events, style, stopped),
        }.items()
    ]
    for worker in workers:
        worker.start()
    try:
        yield from _collect(events, len(workers), style, origin, lambda: (clock() - started) * 1e3)
    finally:
        abandoned.set()
        phrases.put(_END)
        for worker in workers:
            worker.join()


def _collect(
    events: queue.Queue, workers: int, style: Style, origin: Origin, elapsed_ms: Callable[[], float]
) -> Iterator[Event]:
    written: list[str] = []
    timings: dict[str, float] = {}
    failure = ""
    while workers:
        event = events.get()
        match event:
            case TextPiece(text):
                timings.setdefault("first_text", elapsed_ms())
                written.append(text)
            case SpeechPiece():
                timings.setdefault("first_audio", elapsed_ms())
            case AttuneError():
                failure = failure or str(event)
                continue
            case Exception():
                raise event
            case _:
                workers -= 1
                continue
        yield event
    timings["total"] = elapsed_ms()
    yield Finished(_closed("".join(written)), style, timings, failure, origin)


def _closed(text: str) -> str:
    """A first clause that is spoken before the rest may turn out to have been all: it ends with a stop."""
    text = text.strip()
    return f"{text[:-1]}." if text.endswith(CLAUSE_MARKS) else text


def _guarded(work: Callable[[], None], events: queue.Queue) -> None:
    """Errors travel to the caller's thread; the end of a worker is always announced."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 (raised again by `_collect`, in the caller's thread)
        events.put(error)
    finally:
        events.put(_END)


def _write(pieces: Iterator[str], events: queue.Queue, phrases: queue.Queue, stopped: Stale) -> None:
    cores.take_most()
    try:
        for piece in pieces:
            if stopped():
                return
            events.put(TextPiece(piece))
            phrases.put(piece)
    finally:
        phrases.put(_END)


def _voice(speak: Speak, phrases: queue.Queue, events: queue.Queue, style: Style, stopped: Stale) -> None:
    for chunk in speak(iter(phrases.get, _END), style, stopped):
        if stopped():
            return
        events.put(SpeechPiece(chunk))
