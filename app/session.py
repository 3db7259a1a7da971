"""The owner of one conversation: what was said, how the person sounds, what its turn is doing right now.

One `Session` per browser tab, made and found through `app.sessions`. Whoever works for a
turn holds a `Stale` made from the session's generation number: a new turn, stop or
clear raises the number, and older work ends at its next step.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import Enum

from app.exchange import Exchange, with_newest_sounds
from app.said import INTERRUPTED, Phrase, said_of
from engine import cores
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.conversation import Heard, Stale, Turn, never
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from engine.facade import Engine, remember, remember_voice
from engine.turn import Event, Finished, SpeechPiece, TextPiece

Listen = Callable[[VoiceBaseline, Sequence[Turn], Calibration], Heard]
"""Hears the person, given what is known of their voice, the conversation so far, and what they corrected."""


NO_TURN = "That turn is not part of this conversation any more; load the page again."


class State(Enum):
    """What the program's side of the turn is doing."""

    READY = "ready"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Session:
    """One conversation. Safe to use from several threads; only the newest turn may change it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._state = State.READY
        self._exchanges: tuple[Exchange, ...] = ()
        self._baseline = self._known = VoiceBaseline()
        self._speaker = self._heard_speaker = 1
        self._calibrated = Calibration()

    @property
    def state(self) -> State:
        return self._state

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        return self._exchanges

    def exchange(self, key: str | None) -> Exchange:
        """The one of that name. Raises `BadInput` when there is none."""
        for exchange in self._exchanges:
            if exchange.key == key:
                return exchange
        raise BadInput(NO_TURN)

    @property
    def baseline(self) -> VoiceBaseline:
        """What is known of the person's own voice, from the spoken turns that are over."""
        return self._baseline

    @property
    def speaker(self) -> int:
        """Who talks now: the first, or the second since somebody said that another one does."""
        return self._speaker

    @property
    def calibrated(self) -> Calibration:
        """The part of `taught` that is due to conversations before this one."""
        return self._calibrated

    @property
    def taught(self) -> Calibration:
        """What the corrections of the person who talks have taught."""
        calibration = self._calibrated
        for exchange in self._exchanges:
            if exchange.correction and exchange.speaker == self._speaker:
                calibration = calibration.after(exchange.heard.emotion.scores, exchange.correction)
        return calibration

    @property
    def calibration(self) -> Calibration:
        """How the next turn is to be heard: what was taught, and what was corrected just now."""
        match self._exchanges[-1:]:
            case [Exchange(correction=label, speaker=speaker)] if label and speaker == self._speaker:
                return self.taught.carrying(label)
        return self.taught

    @property
    def conversation(self) -> tuple[Turn, ...]:
        """What the mind is given."""
        turns: tuple[Turn, ...] = ()
        for exchange in self._exchanges:
            # What the person said counts, even if they stopped the answer before its first word.
            unanswered = INTERRUPTED if exchange.was_stopped else ""
            heard = replace(exchange.heard, emotion=exchange.felt)
            turns = remember(turns, heard, exchange.reply or unanswered)
        return turns

    def answer(
        self,
        engine: Engine,
        listen: Listen,
        *,
        started: float | None = None,
        gone: Stale = never,
    ) -> Iterator[Exchange | Event]:
        """Hear the person and answer: the `Exchange` as it begins, then the events of `Engine.turn`.

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
            heard = listen(known, before, self.calibration)
            if stale() or (begun := self.think(heard, mine)) is None:
                return
            yield begun
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
            self._known, self._heard_speaker = self._baseline, self._speaker
            return self._generation

    def is_stale(self, mine: int) -> bool:
        """Whether another turn, stop or clear has ended the one of that generation."""
        return self._generation != mine

    def think(self, heard: Heard, mine: int) -> Exchange | None:
        """The person said that. None, and nothing happens, when the turn is stale."""
        with self._lock:
            if self.is_stale(mine):
                return None
            self._state = State.THINKING
            exchange = Exchange(
                heard, speaker=self._heard_speaker, usual=self._known.usual, usual_turns=self._known.count
            )
            self._exchanges = (*with_newest_sounds(self._exchanges), exchange)
            return exchange

    def note(self, event: Event, mine: int) -> Event | None:
        """The reply goes on: the event, with the ears' timings at its end; None when the turn is stale."""
        with self._lock:
            if self.is_stale(mine):
                return None
            *earlier, last = self._exchanges
            match event:
                case TextPiece(text):
                    last = replace(last, reply=last.reply + text, written=last.reply + text)
                case SpeechPiece(chunk):
                    self._state = State.SPEAKING
                    last = replace(last, phrases=(*last.phrases, Phrase.of(chunk)))
                case Finished(text, style, timings_ms, failure, origin):
                    event = replace(event, timings_ms={**last.heard.timings_ms, **timings_ms})
                    self._know(last.heard)
                    last = replace(
                        last,
                        heard=replace(last.heard, own_voice=None, ending=None),
                        reply=text,
                        written=text,
                        style=style.name,
                        strength=style.strength,
                        timings_ms=event.timings_ms,
                        failure=failure,
                        origin=origin,
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
            heard = replace(last.heard, own_voice=None, ending=None)
            self._exchanges = (*earlier, replace(last, heard=heard, reply=said, was_stopped=True))
            return said

    def correct(self, key: str | None, label: str | None) -> Exchange:
        """That is what the person felt in that turn; an empty label takes a correction back.

        Raises `BadInput` where there is no such turn, feeling or label.
        """
        with self._lock:
            exchange = self.exchange(key)
            if exchange.heard.is_silence:
                raise BadInput("There is no feeling to correct in that turn.")
            if label not in ("", *EMOTIONS):
                raise BadInput(f"Only these are feelings that I know: {', '.join(EMOTIONS)}.")
            corrected = replace(exchange, correction=label)
            self._exchanges = tuple(corrected if each is exchange else each for each in self._exchanges)
            return corrected

    def clear(self) -> None:
        """Forget what was said; a running turn ends. The person stays the same, so the voice stays known."""
        with self._lock:
            self._generation += 1
            self._state = State.READY
            self._calibrated = self.taught
            self._exchanges = ()

    def forget(self) -> None:
        """The same, and what the corrections in it have taught."""
        with self._lock:
            self._exchanges = ()
        self.clear()

    def forget_voice(self) -> None:
        """The same person goes on, as one whose voice is met for the first time."""
        with self._lock:
            self._baseline = VoiceBaseline()

    def forget_taught(self) -> None:
        """Corrections of conversations before this one teach nothing any more."""
        with self._lock:
            self._calibrated = Calibration()

    def reset_baseline(self) -> None:
        """Somebody else talks from now on. A turn still being answered was the person's before."""
        with self._lock:
            self._baseline, self._calibrated = VoiceBaseline(), Calibration()
            self._speaker += 1

    def restore(
        self, exchanges: Sequence[Exchange], baseline: VoiceBaseline, calibration: Calibration, speaker: int
    ) -> None:
        """An earlier conversation takes the place of this one; a running turn ends.

        `calibration` is what was known besides the corrections in `exchanges`.
        """
        with self._lock:
            self._generation += 1
            self._state = State.READY
            self._exchanges = tuple(exchanges)
            self._baseline, self._calibrated, self._speaker = baseline, calibration, speaker

    def _know(self, heard: Heard) -> None:
        # Another object means that it was reset while this turn was answered.
        if self._baseline is self._known:
            self._baseline = remember_voice(self._known, heard)
