"""A conversation → the chat messages that every mind is given.

What was felt shapes them twice: as words in front of the user's own, and in the
examples shown before the first turn. The beginning depends on the emotion only, so a
local mind reads it once for each.
"""

import re
from collections.abc import Callable, Sequence

from engine.conversation import Turn
from engine.llm.examples import BY_EMOTION, FIRST, PLAIN

Message = dict[str, str]
"""`{"role": …, "content": …}`, as chat templates and OpenAI-compatible servers take it."""

CONVERSATION_TOKENS = 300
"""Budget for the turns: about eight spoken exchanges, read in 0.4 s by the mini mind on two cores."""

LONGEST_TURN_CHARS = 1000
_TURNS_DROPPED_AT_ONCE = 4

SYSTEM = (
    "You are Attune, a kind voice companion and a program. Answer in one or two short spoken sentences about "
    "what was just said. Notice the feeling. Answer a plain question plainly."
)

FEELING = {
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fearful": "worried",
    "disgust": "disgusted",
    "surprised": "surprised",
}

# What chat templates use to mark turns: <|im_end|>, <start_of_turn>, </s>, [INST]. A space makes them text.
_CONTROL = re.compile(r"<(?=[^\s\d])|\[(?=/?[A-Za-z_]+\])")


def felt(turn: Turn) -> str | None:
    """The emotion a turn is answered with: None when it is neutral or not sure."""
    if turn.emotion is None or turn.emotion.abstained or turn.emotion.label not in FEELING:
        return None
    return turn.emotion.label


def opening(emotion: str | None) -> list[Message]:
    """The messages before the first turn, for the emotion that is answered."""
    messages = [{"role": "system", "content": SYSTEM}]
    for feeling, examples in ((None, FIRST), (emotion, BY_EMOTION.get(emotion, PLAIN))):
        for said, reply in examples:
            messages += [_message("user", said, feeling), _message("assistant", reply)]
    return messages


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
    starts = range(0, len(turns), _TURNS_DROPPED_AT_ONCE)
    start = next((start for start in starts if sum(costs[start:]) <= budget_tokens), len(turns) - 1)
    return [*opening(felt(conversation[-1])), *turns[start:]]


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The same for chat templates that know no system role: its text goes in front of the first turn."""
    system, first, *rest = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _alternating(conversation: Sequence[Turn]) -> list[Message]:
    """One message for each change of speaker, the user first: many chat templates insist on it."""
    messages: list[Message] = []
    for turn in conversation:
        message = _message(turn.role, turn.text, felt(turn))
        if not turn.text.strip() or (not messages and turn.role == "assistant"):
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += " " + message["content"]
        else:
            messages.append(message)
    return messages


def _message(role: str, text: str, emotion: str | None = None) -> Message:
    line = " ".join(_CONTROL.sub(r"\g<0> ", text[-LONGEST_TURN_CHARS:]).split())
    feeling = FEELING.get(emotion)
    return {"role": role, "content": f"I feel {feeling}. {line}" if feeling else line}
