"""Who has the word: the state machine of a hands-free conversation.

Fed by `app.live.talk` with every frame of the microphone and with what becomes of the reply; answers with
what is to be done. It keeps no time of its own (`now_s` is passed in) and does no work, so that turn
taking is tested in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine.turns import GUESS_AFTER_S, Verdict


class State(Enum):
    """LISTENING → HEARING → PAUSING → DECIDING → THINKING → SPEAKING → LISTENING, and ways back."""

    LISTENING = "listening"
    """Nobody speaks."""
    HEARING = "hearing"
    """The person speaks."""
    PAUSING = "pausing"
    """The person has just fallen silent."""
    DECIDING = "deciding"
    """The silence lasts: an answer is prepared, in case the turn is over."""
    THINKING = "thinking"
    """The turn is over; nothing of the reply sounds yet."""
    REPLYING = "replying"
    """The same for something typed, which no speech can be a part of."""
    SPEAKING = "speaking"
    """The reply sounds."""
    DOUBTING = "doubting"
    """The person makes a sound while the reply does; it is quieter until it is clear what that was."""


class Action(Enum):
    """What the owner of the machine must do, in this order."""

    BEGIN = "begin"
    """A new turn of the person has begun: the ears listen, from a little earlier than now."""
    GUESS = "guess"
    """Prepare the answer, unseen."""
    FORGET = "forget"
    """The person goes on: throw away what was prepared."""
    ANSWER = "answer"
    """The turn is over: answer it."""
    REOPEN = "reopen"
    """The turn was not over: throw the answer away, the ears go on with the same turn."""
    DROP = "drop"
    """What was heard is no turn: forget it."""
    DUCK = "duck"
    """Lower the reply's volume; the ears listen."""
    RESTORE = "restore"
    """Raise it again."""
    YIELD = "yield"
    """Stop the reply for good; what has sounded of it stays in the conversation."""


@dataclass(frozen=True)
class Manners:
    """What the machine asks of others, and its own times."""

    needed_silence_s: Callable[[float], float]
    """Silence so far → how much of it ends the turn. Asked anew at every frame of a pause."""
    judge: Callable[[float], Verdict]
    """Seconds since a sound began during the reply → what it is."""
    guess_after_s: float = GUESS_AFTER_S
    hushed_after_s: float = 0.35
    """A sound during the reply that ends so long ago without being called speech was nothing."""


UNHEARD = {State.THINKING, State.REPLYING}
"""A turn is being answered, and the person hears nothing yet."""

_OF_THE_PERSON = {State.HEARING, State.PAUSING, State.DECIDING}


class TurnMachine:
    """Not safe for several threads: its owner feeds it from one."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self.state = State.LISTENING
        self._onset_s = 0.0
        self._last_speech_s = 0.0

    def sound(self, is_speech: bool, now_s: float) -> list[Action]:
        """A frame of the microphone, which ends at `now_s`."""
        if is_speech:
            self._last_speech_s = now_s
        match self.state:
            case State.LISTENING if is_speech:
                return self._enter(State.HEARING, Action.BEGIN)
            case State.HEARING if not is_speech:
                return self._enter(State.PAUSING)
            case State.PAUSING | State.DECIDING:
                return self._pause(is_speech, now_s)
            case State.THINKING if is_speech:
                return self._enter(State.HEARING, Action.REOPEN)
            case State.REPLYING if is_speech:
                return self._enter(State.HEARING, Action.YIELD, Action.BEGIN)
            case State.SPEAKING if is_speech:
                self._onset_s = now_s
                return self._enter(State.DOUBTING, Action.DUCK)
            case State.DOUBTING:
                return self._doubt(is_speech, now_s)
        return []

    def reply_sounds(self) -> list[Action]:
        """The first sound of the reply leaves."""
        return self._enter(State.SPEAKING) if self.state in UNHEARD else []

    def reply_over(self, now_s: float) -> list[Action]:
        """All of the reply has sounded, or there was nothing to sound."""
        match self.state:
            case State.DOUBTING if self._silence_s(now_s) < self._manners.hushed_after_s:
                # What was said into the reply's last words is a turn: nothing is left to interrupt.
                return self._enter(State.HEARING, Action.RESTORE, Action.BEGIN)
            case State.DOUBTING:
                return self._enter(State.LISTENING, Action.RESTORE, Action.DROP)
            case State.THINKING | State.REPLYING | State.SPEAKING:
                return self._enter(State.LISTENING)
        return []

    def drop(self) -> list[Action]:
        """The microphone is muted or gone: what was begun is given up, a reply goes on."""
        if self.state in _OF_THE_PERSON:
            return self._enter(State.LISTENING, Action.DROP)
        if self.state is State.DOUBTING:
            return self._enter(State.SPEAKING, Action.RESTORE, Action.DROP)
        return []

    def stop(self) -> list[Action]:
        """The person wants silence: by a button, or by leaving."""
        if self.state in UNHEARD | {State.SPEAKING, State.DOUBTING}:
            return self._enter(State.LISTENING, Action.YIELD, Action.DROP)
        return self.drop()

    def give_up(self) -> list[Action]:
        """There was nothing to answer in the turn that is over."""
        return self._enter(State.LISTENING, Action.DROP) if self.state is State.THINKING else []

    def answer_now(self) -> list[Action]:
        """The person says by a button that the turn is over."""
        return self._enter(State.THINKING, Action.ANSWER) if self.state in _OF_THE_PERSON else []

    def read(self) -> list[Action]:
        """Something typed is answered from now on."""
        before = self.stop()
        return before + self._enter(State.REPLYING)

    def _pause(self, is_speech: bool, now_s: float) -> list[Action]:
        is_prepared = self.state is State.DECIDING
        if is_speech:
            return self._enter(State.HEARING, *[Action.FORGET] * is_prepared)
        silence_s = self._silence_s(now_s)
        if silence_s >= self._manners.needed_silence_s(silence_s):
            return self._enter(State.THINKING, Action.ANSWER)
        if silence_s >= self._manners.guess_after_s and not is_prepared:
            return self._enter(State.DECIDING, Action.GUESS)
        return []

    def _doubt(self, is_speech: bool, now_s: float) -> list[Action]:
        verdict = self._manners.judge(now_s - self._onset_s)
        if verdict is Verdict.SPEECH:
            return self._enter(State.HEARING, Action.YIELD, Action.BEGIN)
        is_hushed = self._silence_s(now_s) >= self._manners.hushed_after_s
        if is_hushed or (verdict is Verdict.BACKCHANNEL and not is_speech):
            return self._enter(State.SPEAKING, Action.RESTORE, Action.DROP)
        return []

    def _silence_s(self, now_s: float) -> float:
        return now_s - self._last_speech_s

    def _enter(self, state: State, *actions: Action) -> list[Action]:
        self.state = state
        return list(actions)
