"""Hands-free talk in a terminal: one line that changes while somebody talks, whole ones for what was said."""

import math
import shutil
from typing import TextIO

from app.exchange import Exchange
from app.live.machine import State
from app.live.messages import Caption, Hush, Nothing, Outbox, Problem, Reopened, Standing
from engine.conversation import Heard
from engine.turn import Finished, TextPiece

METER_CELLS = 10
QUIETEST_DB, LOUDEST_DB = -60.0, -10.0

WORDS = {
    State.LISTENING: "listening",
    State.HEARING: "hearing you",
    State.PAUSING: "hearing you",
    State.DECIDING: "go on, or wait",
    State.THINKING: "thinking",
    State.REPLYING: "thinking",
    State.SPEAKING: "speaking",
    State.DOUBTING: "yes?",
}


class Terminal:
    """Draws on a stream that understands carriage returns; where it is no terminal, only whole lines."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_live = out.isatty()
        self._state, self._caption, self._reply = State.LISTENING, "", ""
        self._level_db = QUIETEST_DB

    def level(self, rms: float) -> None:
        """Of the microphone, 0 to 1."""
        self._level_db = max(QUIETEST_DB, 20 * math.log10(rms + 1e-9))
        self._draw()

    def show(self, message: Outbox) -> None:
        match message:
            case Standing(state):
                self._state = state
                if state is State.LISTENING:
                    self._answered()
            case Caption(text):
                self._caption = text
            case Nothing():
                self._caption = ""
            case Exchange(heard):
                self._caption = self._reply = ""
                self._line(f"You ({_feeling(heard)}): {heard.text or '…'}")
            case Reopened():
                self._reply = ""
                self._line("(you went on)")
            case TextPiece(text):
                self._reply += text
            case Finished(text):
                self._reply = text
            case Hush(reply):
                self._reply = reply
                self._answered()
            case Problem(sentence):
                self._line(sentence)
        self._draw()

    def end(self) -> None:
        """Leave the live line behind."""
        self._line("")

    def _answered(self) -> None:
        """All of the reply has sounded that ever will."""
        if self._reply:
            self._line(f"Attune: {self._reply}")
        self._reply = ""

    def _line(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}\n" if self._is_live else f"{text}\n")
        self._out.flush()

    def _draw(self) -> None:
        if not self._is_live:
            return
        share = (self._level_db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)
        cells = round(METER_CELLS * min(1.0, share))
        words = self._reply or self._caption
        line = f"[{'#' * cells}{'.' * (METER_CELLS - cells)}] {WORDS[self._state]}  {words}".rstrip()
        columns = shutil.get_terminal_size().columns - 1
        # Of a long caption the end is what one wants to see.
        shown = line if len(line) <= columns else f"{line[: columns // 2]}…{line[-(columns // 2 - 1) :]}"
        self._out.write(f"\r\x1b[K{shown}")
        self._out.flush()


def _feeling(heard: Heard) -> str:
    emotion = heard.emotion
    return "not sure" if emotion.abstained else f"{emotion.label} {emotion.confidence:.0%}"
