"""The owner of one conversation: what was said, how the person sounds, what its turn is doing right now.

One `Session` per browser tab, made and found through `Sessions`. Whoever works for a
turn holds a `Stale` made from the session's generation number: a new turn, stop or
clear raises the number, and older work ends at its next step.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from app.said import INTERRUPTED, Phrase, said_of
from engine import cores
from engine.baseline import VoiceBaseline
from engine.conversation import Heard, Stale, Turn, never
from engine.errors import BadInput
from engine.facade import Engine, remember, remember_voice
from engine.turn import Event, Finished, SpeechPiece, TextPiece

MAX_SESSIONS = 500
"""Conversations kept at once; the one unused for longest is forgotten. About 30 kB each."""

GONE = "This conversation is no longer on the server; start a new one, please."

SOUNDS_KEPT = 8
"""A mind that listens for itself hears so many turns again, and reads those before: 2.6 MB at 5 s a turn."""


Listen = Callable[[VoiceBaseline, Sequence[Turn]], Heard]
"""Hears the person, given what is known of their voice and the conversation so far."""


class State(Enum):
    """What the program's side of the turn is doing."""

    READY = "ready"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True)
class Exchange:
    """A user turn and its answer. `was_stopped` answers hold only what the person got to hear or read."""

    heard: Heard
    reply: str = ""
    style: str = "neutral"
    strength: float = 1.0
    timings_ms: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    was_stopped: bool = False
    phrases: tuple[Phrase, ...] = field(default=(), repr=False)


class Session:
    """One conversation. Safe to use from several threads; only the newest turn may change it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._state = State.READY
        self._exchanges: tuple[Exchange, ...] = ()
        self._baseline = self._known = VoiceBaseline()

    @property
    def state(self) -> State:
        return self._state

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        return self._exchanges

    @property
    def baseline(self) -> VoiceBaseline:
        """What is known of the person's own voice, from the spoken turns that are over."""
        return self._baseline

    @property
    def conversation(self) -> tuple[Turn, ...]:
        """What the mind is given."""
        turns: tuple[Turn, ...] = ()
        for exchange in self._exchanges:
            # What the person said counts, even if they stopped the answer before its first word.
            unanswered = INTERRUPTED if exchange.was_stopped else ""
            turns = remember(turns, exchange.heard, exchange.reply or unanswered)
        return turns

    def answer(
        self,
        engine: Engine,
        listen: Listen,
        *,
        started: float | None = None,
        gone: Stale = never,
    ) -> Iterator[Heard | Event]:
        """Hear the person and answer: `Heard`, then the events of `Engine.turn`.

        Takes the place of a turn still running, and ends early, without `Finished`, when
        another takes its place or `gone()` turns true. `started` as in `Engine.turn`.
        """
        started = time.perf_counter() if started is None else started
        mine = self.begin()

        def stale() -> bool:
            return self.is_stale(mine) or gone()

        try:
            cores.take_one()
            before, known = self.conversation, self._baseline
            heard = listen(known, before)
            if stale() or not self.think(heard, mine):
                return
            yield heard
            for event in engine.turn(before, heard, stale=stale, started=started):
                if stale() or (noted := self.note(event, mine)) is None:
                    return
                yield noted
        finally:
            self.end(mine)

    def begin(self) -> int:
        """A turn of the person's begins: its generation. A turn still running becomes stale."""
        with self._lock:
            self._generation += 1
            self._state = State.HEARING
            self._known = self._baseline
            return self._generation

    def is_stale(self, mine: int) -> bool:
        """Whether another turn, stop or clear has ended the one of that generation."""
        return self._generation != mine

    def think(self, heard: Heard, mine: int) -> bool:
        """The person said that. False, and nothing happens, when the turn is stale."""
        with self._lock:
            if self.is_stale(mine):
                return False
            self._state = State.THINKING
            exchange = Exchange(heard)
            self._exchanges = (*_with_newest_sounds(self._exchanges), exchange)
            return True

    def note(self, event: Event, mine: int) -> Event | None:
        """The reply goes on: the event, with the ears' timings at its end; None when the turn is stale."""
        with self._lock:
            if self.is_stale(mine):
                return None
            *earlier, last = self._exchanges
            match event:
                case TextPiece(text):
                    last = replace(last, reply=last.reply + text)
                case SpeechPiece(chunk):
                    self._state = State.SPEAKING
                    last = replace(last, phrases=(*last.phrases, Phrase.of(chunk)))
                case Finished(text, style, timings_ms, failure):
                    event = replace(event, timings_ms={**last.heard.timings_ms, **timings_ms})
                    self._know(last.heard)
                    last = replace(
                        last,
                        heard=replace(last.heard, own_voice=None, ending=None),
                        reply=text,
                        style=style.name,
                        strength=style.strength,
                        timings_ms=event.timings_ms,
                        failure=failure,
                    )
            self._exchanges = (*earlier, last)
            return event

    def withdraw(self, mine: int) -> None:
        """The turn was not over: what was taken for all of it is unsaid, and nothing was answered."""
        with self._lock:
            if not self.is_stale(mine):
                self._exchanges = self._exchanges[:-1]
                self._generation += 1
                self._state = State.HEARING

    def end(self, mine: int) -> None:
        """Nothing more comes of the turn."""
        with self._lock:
            if not self.is_stale(mine):
                self._state = State.READY

    def stop(self, played_s: float | None = None, mine: int | None = None) -> str:
        """End the turn, or nothing where that of generation `mine` is stale. Its reply, or one that still
        sounds, shrinks to what the person got, which is returned.

        `played_s` is how much of its sound they heard; None where nothing was played aloud,
        so that the text they saw counts.
        """
        with self._lock:
            if mine is not None and self.is_stale(mine):
                return ""
            self._generation += 1
            is_unheard, self._state = self._state is State.HEARING, State.READY
            if is_unheard or not self._exchanges or self._exchanges[-1].was_stopped:
                return ""
            *earlier, last = self._exchanges
            said = last.reply.strip() if played_s is None else said_of(last.reply, last.phrases, played_s)
            heard = replace(last.heard, ending=None)
            self._exchanges = (*earlier, replace(last, heard=heard, reply=said, was_stopped=True))
            return said

    def clear(self) -> None:
        """Forget what was said; a running turn ends. The person stays the same, so the voice stays known."""
        with self._lock:
            self._generation += 1
            self._state = State.READY
            self._exchanges = ()

    def reset_baseline(self) -> None:
        """Somebody else talks from now on. A turn still being answered was the person's before."""
        with self._lock:
            self._baseline = VoiceBaseline()

    def _know(self, heard: Heard) -> None:
        # Another object means that it was reset while this turn was answered.
        if self._baseline is self._known:
            self._baseline = remember_voice(self._known, heard)


class Sessions:
    """The conversations of this process, found by an identifier that cannot be guessed."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._kept: OrderedDict[str, Session] = OrderedDict()

    def open(self, identifier: str | None = None) -> tuple[str, Session]:
        """The session of that identifier, or a new one under a new identifier."""
        with self._lock:
            if identifier in self._kept:
                self._kept.move_to_end(identifier)
                return identifier, self._kept[identifier]
            identifier = secrets.token_urlsafe(16)
            self._kept[identifier] = Session()
            while len(self._kept) > self._capacity:
                _, forgotten = self._kept.popitem(last=False)
                forgotten.clear()
            return identifier, self._kept[identifier]

    def find(self, identifier: str) -> Session | None:
        with self._lock:
            if identifier in self._kept:
                self._kept.move_to_end(identifier)
            return self._kept.get(identifier)

    def need(self, identifier: str) -> Session:
        """Raises `BadInput` when it was forgotten, or never was."""
        session = self.find(identifier)
        if session is None:
            raise BadInput(GONE)
        return session


def _with_newest_sounds(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """The exchanges before a new one, without the sound of those that are too old."""
    before = max(0, len(exchanges) - SOUNDS_KEPT + 1)
    old = (replace(each, heard=replace(each.heard, audio=None)) for each in exchanges[:before])
    return (*old, *exchanges[before:])
