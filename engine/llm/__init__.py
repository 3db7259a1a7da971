"""The mind: conversation → reply, as a stream of text. `Responder` is its seam."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from engine.conversation import Stale, Turn, never


class Responder(Protocol):
    """Answers the last turn of a conversation, which is the user's.

    Yields pieces of text as they are written; their concatenation is the reply.
    Stops at once, without error, when `stale()` turns true. Raises `PartMissing`
    with a sentence when no reply can be had (server gone, model missing).

    `listens_s` is the longest user turn that it wants as sound as well; 0 for one that only reads.
    """

    name: str
    listens_s: float

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]: ...
