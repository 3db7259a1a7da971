"""`ServerMind`: any OpenAI-compatible server (Ollama, llama.cpp, vLLM, …) as a `Responder`.

The prompt is the same as for a local mind, so what was felt travels in it. Each reply
runs its own small event loop in the caller's thread: a wait for a slow server then
ends within `_CHECK_EVERY_S` of going stale, and the connection is closed with it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing

import openai

from engine.conversation import Stale, Turn, never
from engine.errors import PartMissing
from engine.llm.prompt import Message, chat_messages
from engine.llm.shaping import ReplyShaper

CONVERSATION_TOKENS = 3000
"""Servers run larger models, which make use of a longer memory."""

_MAX_REPLY_TOKENS = 200
_TEMPERATURE = 0.7
_CHECK_EVERY_S = 0.05

_Delta = tuple[str, str | None]
"""A piece of text, and on the last one why the model stopped."""


class ServerMind:
    """A model behind `base_url` (which usually ends in /v1). Nothing is asked of it before `reply`."""

    listens_s = 0.0

    def __init__(
        self, base_url: str, model: str, *, api_key: str | None = None, timeout_s: float = 30
    ) -> None:
        self.name = f"{model} at {base_url}"
        self._base_url = base_url
        self._model = model
        self._api_key = api_key or "none"
        self._timeout_s = timeout_s

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        """See `Responder`. `timeout_s` is the longest wait for the next piece."""
        messages = chat_messages(conversation, _estimated_tokens, CONVERSATION_TOKENS)
        shaper = ReplyShaper()
        has_said = False
        has_begun = False
        finish_reason = None
        with closing(asyncio.new_event_loop()) as loop:
            deltas = self._deltas(messages)
            try:
                while not shaper.is_done and (delta := _next(loop, deltas, stale)):
                    has_begun = True
                    text, finish_reason = delta
                    if piece := shaper.feed(text):
                        has_said = True
                        yield piece
            except openai.OpenAIError as error:
                raise PartMissing(self._sentence(error, has_begun=has_begun)) from error
            finally:
                loop.run_until_complete(deltas.aclose())
        if stale():
            return
        if finish_reason is None and not shaper.is_done:
            raise PartMissing(self._sentence(None, has_begun=has_begun))
        if rest := shaper.close(is_complete=finish_reason != "length"):
            yield rest
        elif not has_said:
            raise PartMissing(f"{self.name} gave an empty answer; try again, or choose another model.")

    async def _deltas(self, messages: list[Message]) -> AsyncIterator[_Delta]:
        async with (
            openai.AsyncOpenAI(
                base_url=self._base_url, api_key=self._api_key, timeout=self._timeout_s, max_retries=0
            ) as client,
            await client.chat.completions.create(
                model=self._model,
                messages=messages,
                stream=True,
                max_tokens=_MAX_REPLY_TOKENS,
                temperature=_TEMPERATURE,
            ) as stream,
        ):
            async for chunk in stream:
                for choice in chunk.choices[:1]:
                    yield choice.delta.content or "", choice.finish_reason

    def _sentence(self, error: Exception | None, *, has_begun: bool) -> str:
        """What to tell the person; None is an answer that ended without its end."""
        match error:
            case openai.APITimeoutError():
                what = f"did not answer within {self._timeout_s:g} s; try again, or choose a smaller model"
            case openai.APIConnectionError() if not has_begun:
                what = "cannot be reached; start it, or check its address"
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                what = "does not accept the API key; check the key"
            case openai.NotFoundError():
                what = (
                    f"does not know the model {self._model}; check the name, and that the address ends in /v1"
                )
            case openai.RateLimitError():
                what = "is asked too much just now; wait a little and try again"
            case openai.APIStatusError(status_code=status):
                what = f"answered with error {status}; look into its log"
            case _:
                what = (
                    "broke off in the middle of the answer; try again, and look into its log if this goes on"
                )
        return f"The server {self._base_url} {what}."


def _next(loop: asyncio.AbstractEventLoop, deltas: AsyncIterator[_Delta], stale: Stale) -> _Delta | None:
    """The next piece, or None at the end or as soon as it is stale."""
    task = loop.create_task(anext(deltas, None))
    while not task.done():
        if stale():
            task.cancel()
        loop.run_until_complete(asyncio.wait({task}, timeout=_CHECK_EVERY_S))
    return None if task.cancelled() else task.result()


def _estimated_tokens(text: str) -> int:
    return len(text) // 4 + 1
