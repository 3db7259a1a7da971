"""A hands-free conversation at work: microphone frames in, captions, replies and commands out.

One `LiveTalk` per microphone, run by one thread that handles one message after the other, so that nothing
here needs a lock and no sound of a reply can leave after the command to hush it. The machine
(`app.live.machine`) decides; this does.
"""

import logging
import queue
import time
from collections.abc import Callable, Iterator

import numpy as np

from app.live.capture import Capture
from app.live.evidence import onset_of, pause_of
from app.live.machine import UNHEARD, Action, Manners, State, TurnMachine
from app.live.messages import (
    AnswerNow,
    Caption,
    Close,
    Hush,
    Inbox,
    Muted,
    Nothing,
    Outbox,
    Played,
    Problem,
    Reopened,
    Sound,
    Standing,
    Stop,
    Typed,
    Volume,
)
from app.live.reply import BROKE, Answer, Make, Reply, ReplyEvent
from app.live.ways import Strategies
from app.session import Session
from engine import cores
from engine.conversation import Heard, Stale
from engine.errors import AttuneError
from engine.facade import Engine
from engine.turn import Event, SpeechPiece
from engine.turns import Verdict

ECHO_S = 0.3
"""After the reply's last sample: loudspeakers are late, and rooms answer."""

WORTH_ANSWERING_S = 0.5
"""Speech without a word is answered from this length on; less is a cough or a chair."""


class LiveTalk:
    """`send` is called from the thread that runs `run`, and must not block."""

    def __init__(
        self,
        session: Session,
        engine: Engine,
        strategies: Strategies,
        send: Callable[[Outbox], None],
        clock: Callable[[], float] = time.perf_counter,
        start: Callable[[Make, Callable[[ReplyEvent], None]], Reply] = Reply,
    ) -> None:
        self._session, self._engine, self._strategies = session, engine, strategies
        self._send, self._clock, self._start = send, clock, start
        self._inbox: queue.SimpleQueue[Inbox] = queue.SimpleQueue()
        self._capture = Capture(engine)
        self._machine = self._new_machine()
        self._answer: Answer | None = None
        self._at_work: set[Reply] = set()
        self._is_muted = False
        self._deaf_until_s = 0.0
        self._standing = Standing(State.LISTENING)

    def post(self, message: Inbox) -> None:
        """From any thread."""
        self._inbox.put(message)

    @property
    def waiting(self) -> int:
        """Messages that are not handled yet."""
        return self._inbox.qsize()

    def run(self) -> None:
        """Handle messages until `Close`; then nothing of this conversation is still at work."""
        cores.take_one()
        while not isinstance(message := self._inbox.get(), Close):
            try:
                self.handle(message)
            except AttuneError as error:
                self._start_anew(str(error))
            except Exception:
                logging.getLogger(__name__).exception("A hands-free turn broke off.")
                self._start_anew(BROKE)
        try:
            self._do(self._machine.stop())
        finally:
            for reply in self._at_work:
                reply.join()

    def handle(self, message: Inbox) -> None:
        """One message, whose answers have left when this returns."""
        match message:
            case Sound(samples):
                self._hear(samples)
            case ReplyEvent():
                self._reply(message)
            case Played(duration_s, is_over):
                self._played(duration_s, is_over)
            case Muted(is_on):
                self._mute(is_on)
            case Typed(text):
                self._do(self._machine.read())
                self._release(self._prepare(self._engine.read(text, self._session.calibration)))
            case Stop():
                self._do(self._machine.stop())
            case AnswerNow():
                self._do(self._machine.answer_now())
        if self._machine.state is not self._standing.state:
            self._stand(Standing(self._machine.state))

    def _new_machine(self) -> TurnMachine:
        return TurnMachine(Manners(self._needed_silence_s, self._judge))

    def _start_anew(self, problem: str) -> None:
        """Whatever the turn was, it is given up, and what sounds falls silent."""
        if self._answer and self._answer.generation is not None:
            self._yield()
        self._forget()
        self._capture.drop()
        self._machine = self._new_machine()
        self._send(Problem(problem))
        self._send(Nothing())
        self._stand(Standing(State.LISTENING))

    def _mute(self, is_on: bool) -> None:
        self._is_muted = is_on
        if is_on:
            self._do(self._machine.drop())
            self._capture.forget_before()

    def _hear(self, samples: np.ndarray) -> None:
        if self._is_muted:
            return
        said = self._capture.text
        is_deaf = self._is_deaf()
        for frame in self._capture.feed(samples):
            self._do(self._machine.sound(frame.is_speech and not is_deaf, frame.end_s))
        if self._capture.text != said and self._machine.state in (State.HEARING, State.PAUSING):
            self._send(Caption(self._capture.text, self._capture.settled))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Action.BEGIN:
                    self._listen()
                case Action.GUESS:
                    self._answer = self._prepare(self._capture.heard())
                case Action.FORGET:
                    self._forget()
                case Action.ANSWER:
                    self._over()
                case Action.REOPEN:
                    self._session.withdraw(self._answer.generation)
                    self._forget()
                    self._send(Reopened())
                case Action.DROP:
                    self._drop()
                case Action.DUCK:
                    self._listen()
                    self._send(Volume(is_low=True))
                case Action.RESTORE:
                    self._send(Volume(is_low=False))
                case Action.YIELD:
                    self._yield()

    def _listen(self) -> None:
        session = self._session
        self._capture.begin(session.baseline, session.conversation, session.calibration)

    def _over(self) -> None:
        """The turn is over: what was prepared is shown, or made now."""
        answer = self._answer or self._prepare(self._capture.heard())
        if answer.heard.is_silence and answer.heard.speech_s < WORTH_ANSWERING_S:
            answer.reply.forget()
            self._do(self._machine.give_up())
        else:
            self._release(answer)

    def _prepare(self, heard: Heard) -> Answer:
        before = self._session.conversation
        started = self._clock() - (0.0 if heard.is_typed else self._capture.silence_s)

        def events(stale: Stale) -> Iterator[Event]:
            return self._engine.turn(before, heard, stale=stale, started=started)

        reply = self._start(events, self.post)
        self._at_work.add(reply)
        return Answer(heard, reply, started, None if heard.is_typed else self._capture.span)

    def _release(self, answer: Answer) -> None:
        """Show what is being answered, and what there is of the answer."""
        self._answer = answer
        answer.generation = self._session.begin()
        begun = self._session.think(answer.decided(self._clock()), answer.generation)
        if begun is None:
            # The conversation was cleared, or goes on elsewhere, in this very moment.
            self._do(self._machine.stop())
            return
        if answer.span:
            self._send(answer.span)
        self._send(begun)
        held, answer.held = answer.held, []
        for event in held:
            self._forward(answer, event)

    def _reply(self, message: ReplyEvent) -> None:
        answer = self._answer
        if message.event is None:
            self._at_work.discard(message.reply)
        if answer is None or message.reply is not answer.reply:
            return
        if answer.generation is None:
            answer.held.append(message.event)
        else:
            self._forward(answer, message.event)

    def _forward(self, answer: Answer, event: Event | str | None) -> None:
        match event:
            case None:
                answer.is_complete = True
                if self._machine.state in UNHEARD:
                    self._finish()
            case str(sentence):
                self._send(Problem(sentence))
            case _ if (noted := self._session.note(event, answer.generation)) is not None:
                if isinstance(event, SpeechPiece):
                    answer.sounds(event)
                    if self._machine.state in UNHEARD:
                        self._capture.drop()
                        self._do(self._machine.reply_sounds())
                self._send(noted)
            case _:
                # Another page of the same conversation answers by now, or it was cleared.
                self._do(self._machine.stop())

    def _played(self, duration_s: float, is_over: bool) -> None:
        if (answer := self._answer) is None or answer.generation is None:
            return
        answer.played_s = duration_s
        if is_over and answer.is_complete:
            self._finish()

    def _finish(self) -> None:
        """The whole reply has sounded, or nothing of it can."""
        self._session.end(self._answer.generation)
        self._answer = None
        if self._machine.state in UNHEARD:
            self._capture.drop()
        if not self._strategies.hears_while_speaking:
            self._deaf_until_s = self._capture.now_s + ECHO_S
            self._capture.forget_before()
        self._do(self._machine.reply_over(self._capture.now_s))

    def _is_deaf(self) -> bool:
        """Half duplex: until the reply, and what the room makes of it, is over."""
        if self._strategies.hears_while_speaking:
            return False
        return self._machine.state is State.SPEAKING or self._capture.now_s < self._deaf_until_s

    def _yield(self) -> None:
        """The person has the word: what has sounded of the reply is what was said."""
        answer = self._answer
        self._forget()
        self._send(Hush(self._session.stop(answer.played_s, answer.generation)))

    def _drop(self) -> None:
        # While a reply sounds, the answer is what sounds, and no guess at a turn.
        if self._answer and self._answer.generation is None:
            self._forget()
        self._capture.drop()
        self._send(Nothing())

    def _forget(self) -> None:
        if self._answer:
            self._answer.reply.forget()
            self._answer = None

    def _needed_silence_s(self, silence_s: float) -> float:
        pause = pause_of(self._capture, self._answer, self._session, silence_s)
        needed_s = self._strategies.end.needed_silence_s(pause)
        self._stand(Standing(self._machine.state, round(needed_s, 1)))
        return needed_s

    def _judge(self, duration_s: float) -> Verdict:
        onset = onset_of(self._capture, self._answer, duration_s)
        return self._strategies.interruption.judge(onset)

    def _stand(self, standing: Standing) -> None:
        if standing != self._standing:
            self._standing = standing
            self._send(standing)
