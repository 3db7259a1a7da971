"""The page's functions for programs: named endpoints for `gradio_client`, and MCP tools with `--mcp`.

    from gradio_client import Client, handle_file
    client = Client("http://127.0.0.1:7860")
    heard = client.predict(handle_file("question.wav"), api_name="/hear")
    result, speech = client.predict(handle_file("question.wav"), [], api_name="/turn")

Nothing is held between calls: a conversation is a list of `{"role", "text"}` that the caller passes in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.api_component import Api

from app.page import events
from app.page.host import Host
from app.page.limits import typed
from engine import audio
from engine.conversation import Heard, Turn
from engine.errors import AttuneError, BadInput
from engine.facade import remember
from engine.tts import SAMPLE_RATE_HZ, STYLES, AudioChunk, Style
from engine.turn import Finished, SpeechPiece

Sound = tuple[int, np.ndarray]
"""What `gr.Audio` makes a WAV file of: a sample rate and 16-bit samples."""


CONVERSATION_SCHEMA = {"type": "array", "items": {"type": "object"}, "title": "the turns before"}
"""Given by hand, because the schema of `gr.JSON` is refused by MCP clients."""


@dataclass(frozen=True, eq=False)
class Endpoints:
    """Each method is one endpoint; its docstring is what API page and MCP clients show."""

    host: Host

    def hear(self, recording: str) -> dict[str, Any]:
        """The words and the feeling of a recording.

        Args:
            recording: a sound file with one spoken turn.
        """
        heard = self.host.in_use().hear(audio.read(recording))
        return {"text": heard.text, "emotion": heard.emotion.to_dict(), "duration_s": heard.duration_s}

    def reply(self, text: str, conversation: list[dict[str, str]]) -> str:
        """The written answer to a typed turn.

        Args:
            text: what the person says.
            conversation: the turns before, each {"role": "user" or "assistant", "text": …}.
        """
        engine = self.host.in_use()
        return "".join(engine.reply(_turns(conversation), engine.read(typed(text)))).strip()

    def speak(self, text: str, style: str) -> Sound | None:
        """A text as speech.

        Args:
            text: what to say.
            style: how to say it: neutral, warm, cheerful, gentle, calm, excited, concerned or playful.
        """
        return _joined(self.host.in_use().speak(typed(text), Style(style)))

    def turn(self, recording: str, conversation: list[dict[str, str]]) -> tuple[dict[str, Any], Sound | None]:
        """A spoken turn, heard and answered, with its times and the conversation after it.

        Args:
            recording: a sound file with one spoken turn.
            conversation: the turns before, each {"role": "user" or "assistant", "text": …}.
        """
        engine, before = self.host.in_use(), _turns(conversation)
        heard = engine.hear(audio.read(recording), conversation=before)
        chunks = []
        for event in engine.turn(before, heard):
            if isinstance(event, SpeechPiece):
                chunks.append(event.chunk)
            elif isinstance(event, Finished):
                result = _result(before, heard, event)
        return result, _joined(chunks)

    def add(self) -> None:
        """Name the endpoints, inside the `gr.Blocks` of the page. Their components are never shown."""
        with gr.Column(visible=False):
            recording = gr.Audio(type="filepath", label="recording")
            conversation = Api([], CONVERSATION_SCHEMA, "conversation")
            text = gr.Textbox(label="text")
            style = gr.Dropdown(STYLES, value="neutral", label="style")
            answer, result, speech = (
                gr.Textbox(label="reply"),
                gr.JSON(label="result"),
                gr.Audio(label="speech"),
            )
            for method, inputs, outputs in (
                (self.hear, [recording], [result]),
                (self.reply, [text, conversation], [answer]),
                (self.speak, [text, style], [speech]),
                (self.turn, [recording, conversation], [result, speech]),
            ):
                gr.Button().click(_in_plain_words(method), inputs, outputs, api_name=method.__name__)


def _in_plain_words(method: Callable) -> Callable:
    """Errors reach the caller as their sentence."""

    @wraps(method)
    def guarded(*args: object) -> object:
        try:
            return method(*args)
        except AttuneError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return guarded


def _turns(conversation: Sequence[dict[str, str]] | None) -> tuple[Turn, ...]:
    try:
        turns = tuple(Turn(turn["role"], str(turn["text"])) for turn in conversation or ())
    except (TypeError, KeyError) as error:
        raise BadInput('A conversation is a list of {"role": …, "text": …}.') from error
    if unknown := {turn.role for turn in turns} - {"user", "assistant"}:
        raise BadInput(f"A turn's role is user or assistant, not {sorted(unknown)[0]!r}.")
    return turns


def _result(before: tuple[Turn, ...], heard: Heard, finished: Finished) -> dict[str, Any]:
    after = remember(before, heard, finished.text)
    return {
        "transcript": heard.text,
        "emotion": heard.emotion.to_dict(),
        "reply": finished.text,
        "style": finished.style.name,
        "timings_ms": events.rounded({**heard.timings_ms, **finished.timings_ms}),
        "failure": finished.failure,
        "conversation": [{"role": turn.role, "text": turn.text} for turn in after],
    }


def _joined(chunks: Sequence[AudioChunk]) -> Sound | None:
    stretches = [events.samples_16_bit(chunk) for chunk in chunks]
    return (SAMPLE_RATE_HZ, np.concatenate(stretches)) if stretches else None
