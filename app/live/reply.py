"""An answer in the making: heard turn → the events of `Engine.turn`, in a thread of its own.

Begun by `app.live.talk` at the first silence, before anybody knows whether the turn is over. Its events come
back through the owner's inbox and are held there until the turn is.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from app.live.capture import Span
from engine.conversation import Heard, Stale
from engine.errors import AttuneError
from engine.turn import Event, SpeechPiece

BROKE = "Something broke while I was answering; the terminal shows where. You can simply go on."


Make = Callable[[Stale], Iterator[Event]]
"""Given "is it forgotten?", the events."""


@dataclass(frozen=True, eq=False)
class ReplyEvent:
    """`event` is None once nothing more comes; a str is a sentence about what went wrong."""

    reply: "Reply"
    event: Event | str | None


class Reply:
    """Runs until it is over or forgotten; `tell` is called from its thread."""

    def __init__(self, make: Make, tell: Callable[[ReplyEvent], None]) -> None:
        self._forgotten = threading.Event()
        self._make, self._tell = make, tell
        self._thread = threading.Thread(target=self._run, name="reply", daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Nobody wants it any more: it ends at its next step."""
        self._forgotten.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            for event in self._make(self._forgotten.is_set):
                self._tell(ReplyEvent(self, event))
        except AttuneError as error:
            self._tell(ReplyEvent(self, str(error)))
        except Exception:
            logging.getLogger(__name__).exception("A reply broke off.")
            self._tell(ReplyEvent(self, BROKE))
        finally:
            self._tell(ReplyEvent(self, None))


@dataclass(eq=False)
class Answer:
    """What is being answered, by whom, and what the person may not see yet."""

    heard: Heard
    reply: Reply
    started: float
    """When its last speech was, by the clock of the talk."""
    span: Span | None = None
    """Where it lies in the sound of the microphone, for a spoken turn."""
    held: list[Event | str | None] = field(default_factory=list)
    generation: int | None = None
    """Of the session, once the turn is known to be over."""
    is_complete: bool = False
    played_s: float = 0.0
    phrases: list[str] = field(default_factory=list)

    def decided(self, now: float) -> Heard:
        """What was heard, with how long after its last speech the turn is known to be over; a typed one is
        over when it comes."""
        if self.heard.is_typed:
            return self.heard
        timings_ms = {**self.heard.timings_ms, "decided": (now - self.started) * 1e3}
        return replace(self.heard, timings_ms=timings_ms)

    def sounds(self, piece: SpeechPiece) -> None:
        self.phrases.append(piece.chunk.text)

    def sounding(self) -> str:
        """The words that an echo could hold."""
        return " ".join(self.phrases)
