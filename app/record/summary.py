"""A conversation's feeling in one or two plain sentences. No diagnosis and no advice: only what was heard."""

from collections.abc import Sequence

from app.record.feelings import NOUNS, lightness
from engine.emotion import Emotion

NOTHING = "Nothing has been said yet. When you have talked, this is the place to look back on it."
NUMBERS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")

CLEAR = 0.25
"""So far from the middle, a feeling is heavy or light."""

CHANGED = 0.3
"""By so much it has grown lighter or heavier."""


def summary(felt: Sequence[Emotion], stretches: Sequence[Emotion]) -> str:
    """`felt` are the feelings of the turns, and `stretches` those of the conversation's parts, in order."""
    turns = len(felt)
    if not turns:
        return NOTHING
    count = f"{NUMBERS[turns - 1] if turns <= len(NUMBERS) else turns} turn{'s' * (turns > 1)}"
    sure = [emotion for emotion in stretches if not emotion.abstained]
    if not sure:
        return f"{count}; I could not tell how {'most of them' if turns > 1 else 'it'} felt."
    first, last = sure[0], sure[-1]
    labels = list(dict.fromkeys(emotion.label for emotion in sure))
    if len(labels) == 1:
        return f"{count}, {_throughout(felt, first.label)}."
    between = [label for label in labels if label not in (first.label, last.label, "neutral")]
    also = f" In between there was {_listed(between)}." if between else ""
    return f"{count}; it began {_height(first)}{_with(first)}, and {_course(first, last)}.{also}"


def _throughout(felt: Sequence[Emotion], label: str) -> str:
    if label not in NOUNS:
        return f"and no strong feeling in {'it' if len(felt) == 1 else 'any of them for long'}"
    count = sum(not emotion.abstained and emotion.label == label for emotion in felt)
    where = "it" if len(felt) == 1 else "most of them" if 2 * count > len(felt) else "some of them"
    return f"and there was {NOUNS[label]} in {where}"


def _height(emotion: Emotion) -> str:
    value = lightness(emotion)
    return "heavy" if value < -CLEAR else "light" if value > CLEAR else "even"


def _with(emotion: Emotion) -> str:
    return f", with {NOUNS[emotion.label]}" if emotion.label in NOUNS else ""


def _course(first: Emotion, last: Emotion) -> str:
    change = lightness(last) - lightness(first)
    if first.label == last.label:
        return "ended as it began"
    if abs(change) < CHANGED:
        return f"turned to {NOUNS[last.label]}" if last.label in NOUNS else "evened out"
    return f"grew {'lighter' if change > 0 else 'heavier'}{_with(last)}"


def _listed(labels: Sequence[str]) -> str:
    *before, last = (NOUNS[label] for label in labels)
    return f"{', '.join(before)} and {last}" if before else last
