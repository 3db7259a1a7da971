"""A conversation → the chat messages that every mind is given.

The opening (who is speaking, and a few examples of short, warm, spoken replies) is
the same in every conversation, so a local mind reads it once. The examples do most of
the work for small models. What was felt travels as words in front of the user's own.
"""

import re
from collections.abc import Callable, Sequence

from engine.conversation import Turn

Message = dict[str, str]
"""`{"role": …, "content": …}`, as chat templates and OpenAI-compatible servers take it."""

CONVERSATION_TOKENS = 600
"""Budget for the turns: about fifteen spoken exchanges, and under a second to read on two cores."""

_LONGEST_TURN_CHARS = 1500
_TURNS_DROPPED_AT_ONCE = 4

SYSTEM = (
    "You are Attune, a kind voice companion and a program. Answer in one or two short spoken sentences about "
    "what was just said. Notice the feeling. Answer a plain question plainly."
)

EXAMPLES = (("neutral", "thanks for listening", "You're welcome. I'm glad we talked."),)
"""Emotion, what was said, a good reply. Small models copy their form, and the last ones most."""

_FEELING = {
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fearful": "afraid",
    "disgust": "disgusted",
    "surprised": "surprised",
}

# What chat templates use to mark turns: <|im_end|>, <start_of_turn>, </s>, [INST]. A space makes them text.
_CONTROL = re.compile(r"<(?=[^\s\d])|\[(?=/?[A-Za-z_]+\])")


def opening() -> list[Message]:
    """The messages before the first turn, the same in every conversation."""
    examples = [
        message
        for emotion, said, reply in EXAMPLES
        for message in (_message("user", said, emotion), _message("assistant", reply))
    ]
    return [{"role": "system", "content": SYSTEM}, *examples]


def chat_messages(
    conversation: Sequence[Turn],
    count_tokens: Callable[[str], int],
    budget_tokens: int = CONVERSATION_TOKENS,
) -> list[Message]:
    """The opening and as many of the newest whole turns as fit; the last user turn is always there.

    The oldest turns go several at a time, so that the beginning stays the same over
    some turns and a local mind need not read it again.
    """
    turns = _alternating(conversation)
    costs = [count_tokens(turn["content"]) for turn in turns]
    starts = [*range(0, len(turns), _TURNS_DROPPED_AT_ONCE), len(turns) - 1]
    start = next((start for start in starts if sum(costs[start:]) <= budget_tokens), len(turns) - 1)
    return [*opening(), *turns[start:]]


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The same for chat templates that know no system role: its text goes in front of the first turn."""
    system, first, *rest = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _alternating(conversation: Sequence[Turn]) -> list[Message]:
    """One message for each change of speaker, the user first: many chat templates insist on it."""
    messages: list[Message] = []
    for turn in conversation:
        emotion = turn.emotion.label if turn.emotion and not turn.emotion.abstained else None
        message = _message(turn.role, turn.text, emotion)
        if not turn.text.strip() or (not messages and turn.role == "assistant"):
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += " " + message["content"]
        else:
            messages.append(message)
    return messages


def _message(role: str, text: str, emotion: str | None = None) -> Message:
    line = " ".join(_CONTROL.sub(r"\g<0> ", text[-_LONGEST_TURN_CHARS:]).split())
    feeling = _FEELING.get(emotion)
    return {"role": role, "content": f"I feel {feeling}. {line}" if feeling else line}
