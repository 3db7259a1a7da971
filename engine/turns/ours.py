"""Attune's own end of turn: from what the ears have computed anyway to how long to wait.

A small network reads the ears' states where the voice fell silent, how it fell, and whether the words can end
a sentence; its answer is P(the turn is over). How long to wait at that P was chosen on validation speakers.
Made by `python -m train turns`. It computes once in every pause; as the silence grows, patience with the
feeling in the voice, and with this person's own pauses, is weighed anew.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.ears import beside
from engine.errors import PartMissing
from engine.turns import Pause
from engine.turns.prosody import fall
from engine.turns.words import CanEnd

TURNS_FILE = "turns.npz"
FORMAT = 1

FALL_S = 4.0
"""So much of the sound before the pause shows how the voice falls."""

LONGEST_WAIT_S = 1.7
"""Of a person in any mood, at any probability."""

PATIENCE_S = 0.5
"""More than that is never added for a low voice, or for a person who pauses long."""
LOW = ("sad", "fearful")
LOW_FROM = 0.5
"""The probability of these from which on a voice is waited for longer."""
USUAL_PAUSE_S = 0.5
"""Within a turn; who pauses longer is waited for longer."""
PAUSES_KNOWN = 3
"""Of this person, before their pauses say something about them."""

SHORT_ANSWER_WORDS = 3
ASKED_LOG_ODDS = 1.0
"""How much likelier a few words are to be all, when they answer a question."""


class EndModel:
    """Safe to use from several threads."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Raises `KeyError` when one is missing. D features, H hidden units, K levels of probability:

        `mean`, `scale` (D,); `hidden` (H, D), `hidden_bias` (H,); `out` (H,), `out_bias` (); `levels` (K,)
        log odds, falling, and `waits_s` (K,), the silence that ends a turn at these and above; and those of
        `CanEnd`.
        """
        self._can_end = CanEnd(tensors)
        self._mean, self._scale = tensors["mean"], tensors["scale"]
        self._hidden, self._hidden_bias = tensors["hidden"].astype(np.float32), tensors["hidden_bias"]
        self._out, self._out_bias = tensors["out"], float(tensors["out_bias"])
        self._levels = list(zip(tensors["levels"].tolist(), tensors["waits_s"].tolist(), strict=True))

    @classmethod
    def load(cls, folder: Path) -> "EndModel":
        """From a folder of ears. Raises `PartMissing` when the file is missing, damaged or of other ears."""
        try:
            return cls(beside.load(folder / TURNS_FILE, FORMAT, made_by="python -m train turns"))
        except (KeyError, ValueError) as error:
            raise PartMissing(f"{folder / TURNS_FILE}: it is damaged; restore the folder.") from error

    def log_odds(self, pause: Pause) -> float:
        """ln of how much likelier the turn is over than not, of a pause whose `ending` is known.

        Raises `PartMissing` when the ears that made it are not those the model was made for.
        """
        x = features(pause, self._can_end)
        if x.shape != self._mean.shape:
            raise PartMissing(
                "The end-of-turn model belongs to other ears; choose another one in the settings."
            )
        is_answer = pause.was_asked and len(pause.text.split()) <= SHORT_ANSWER_WORDS
        return float(self.judge(x)) + ASKED_LOG_ODDS * is_answer

    def judge(self, x: np.ndarray) -> np.ndarray:
        """(…, D) features → (…) log odds, whatever was asked before."""
        hidden = np.tanh((x - self._mean) / self._scale @ self._hidden.T + self._hidden_bias)
        return hidden @ self._out + self._out_bias

    def wait_s(self, log_odds: float) -> float:
        """The silence that ends a turn which is over with that probability."""
        return next((wait_s for least, wait_s in self._levels if log_odds >= least), LONGEST_WAIT_S)


def features(pause: Pause, can_end: CanEnd) -> np.ndarray:
    """(D,): the ears' states, the fall of the voice, the words, and how long the turn was."""
    words = can_end.log_odds(pause.text)
    said = [words, float(bool(words)), np.log(pause.speech_s + 0.1)]
    return np.concatenate([pause.ending, fall(pause.samples, FALL_S), said]).astype(np.float32)


class Ours:
    """One conversation's: it remembers what it made of a pause for as long as that lasts."""

    name = "ours"

    def __init__(self, model: EndModel) -> None:
        self._model = model
        self._asked_of, self._wait_s = -1.0, LONGEST_WAIT_S

    def needed_silence_s(self, pause: Pause) -> float:
        if pause.ending is None:
            self._asked_of = -1.0
            return LONGEST_WAIT_S
        if pause.speech_s != self._asked_of:
            self._asked_of = pause.speech_s
            self._wait_s = self._model.wait_s(self._model.log_odds(pause))
        return min(LONGEST_WAIT_S, self._wait_s + patience_s(pause))


def patience_s(pause: Pause) -> float:
    """What a low voice, and a person who pauses long, get on top."""
    low = sum(pause.emotion.scores[label] for label in LOW) if pause.emotion else 0.0
    for_mood_s = PATIENCE_S * max(0.0, low - LOW_FROM) / (1 - LOW_FROM)
    for_habit_s = 0.0
    if len(pause.own_pauses_s) >= PAUSES_KNOWN:
        for_habit_s = max(0.0, float(np.median(pause.own_pauses_s)) - USUAL_PAUSE_S)
    return min(PATIENCE_S, for_mood_s + for_habit_s)
