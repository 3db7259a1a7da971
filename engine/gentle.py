"""A gentle question, now and then, to somebody whose voice says something else than their words.

Put behind the mind's own reply by `Engine.reply`. It stays rare: asked often, "is that so?" is an
interrogation, and ears that do not know a voice yet are easily wrong about it.
"""

from collections.abc import Iterator, Sequence

from engine.conversation import Turn
from engine.emotion import Emotion, strongest
from engine.llm.prompt import FEELING

HEAVY, LIGHT = ("sad", "angry", "fearful"), ("neutral", "happy")

SOUNDS_HEAVY = "You sound a little {feeling} to me, though. Is that so?"
SAID_LIGHTLY = "You say it so lightly. How is it for you, really?"

NOT_BEFORE_TURNS = 4
"""Two exchanges, in which the ears learn how the voice usually is."""

ONCE_IN_TURNS = 16


def ask_gently(reply: Iterator[str], conversation: Sequence[Turn]) -> Iterator[str]:
    """The pieces of `reply`, and the question where there is one and the reply itself asks nothing."""
    written = ""
    for piece in reply:
        written += piece
        yield piece
    if written and "?" not in written and (question := question_for(conversation)):
        yield question if written[-1].isspace() else f" {question}"


def question_for(conversation: Sequence[Turn]) -> str | None:
    """What to ask about the last turn, which is the user's; mostly nothing."""
    *before, last = conversation
    if last.emotion is None or not last.emotion.disagrees or last.text.endswith("?"):
        return None
    if len(before) < NOT_BEFORE_TURNS or any(was_asked(turn) for turn in before[-ONCE_IN_TURNS:]):
        return None
    return _about(last.emotion)


def was_asked(turn: Turn) -> bool:
    """Whether that reply held such a question."""
    questions = (SAID_LIGHTLY, *(SOUNDS_HEAVY.format(feeling=FEELING[label]) for label in HEAVY))
    return turn.role == "assistant" and turn.text.endswith(questions)


def _about(emotion: Emotion) -> str | None:
    of_voice, of_words = strongest(emotion.voice), strongest(emotion.words)
    if of_voice in HEAVY and of_words in LIGHT:
        return SOUNDS_HEAVY.format(feeling=FEELING[of_voice])
    if of_voice == "happy" and of_words in HEAVY:
        return SAID_LIGHTLY
    return None
