"""A feeling in words and as a height between heavy and light, as the page shows it.

The page has the same in `feeling.js` and `timeline.js`; what is saved must say what was seen.
"""

from collections.abc import Sequence
from statistics import fmean

from app.exchange import Exchange
from engine.emotion import EMOTIONS, NOTHING_HEARD, Emotion

LIGHTNESS = {
    "neutral": 0.0,
    "happy": 1.0,
    "sad": -0.8,
    "angry": -0.8,
    "fearful": -0.7,
    "disgust": -0.7,
    "surprised": 0.4,
}
"""Valence: how light (1) or heavy (-1) a feeling is, after Russell's circumplex (1980)."""

ADJECTIVES = {label: label for label in EMOTIONS} | {"disgust": "disgusted"}
NOUNS = {
    "happy": "joy",
    "sad": "sadness",
    "angry": "anger",
    "fearful": "fear",
    "disgust": "disgust",
    "surprised": "surprise",
}

NOT_SURE = "not sure"
SECOND_FROM = 0.2
"""A second feeling is named from this probability on."""


def lightness(emotion: Emotion) -> float:
    """-1 to 1."""
    return sum(emotion.scores[label] * LIGHTNESS[label] for label in EMOTIONS)


def named(emotion: Emotion) -> list[tuple[str, float]]:
    """The one or two feelings that are shown with their probability, strongest first; none for "not sure"."""
    if emotion.abstained:
        return []
    ranked = sorted(((label, emotion.scores[label]) for label in EMOTIONS), key=lambda pair: -pair[1])
    return [ranked[0], *(pair for pair in ranked[1:2] if pair[1] >= SECOND_FROM)]


def describe(emotion: Emotion) -> str:
    """In words: "clearly sad, a little fearful" or "not sure"."""
    return ", ".join(_weighed(label, score) for label, score in named(emotion)) or NOT_SURE


def told(exchange: Exchange) -> str:
    """The same of a turn, in which the person has the last word: "sad, as you said"."""
    if exchange.correction:
        return f"{ADJECTIVES[exchange.correction]}, as you said"
    return describe(exchange.felt)


def name(emotion: Emotion) -> str:
    """Of the colour: a label, or "unsure"."""
    return "unsure" if emotion.abstained else emotion.label


def joined(emotions: Sequence[Emotion]) -> Emotion:
    """The mean of those that are sure; "not sure" where most are not."""
    sure = [emotion for emotion in emotions if not emotion.abstained]
    if 2 * len(sure) < len(emotions) or not sure:
        return NOTHING_HEARD
    return Emotion({label: fmean(emotion.scores[label] for emotion in sure) for label in EMOTIONS})


def _weighed(label: str, score: float) -> str:
    if label == "neutral" or 0.4 <= score < 0.7:
        return ADJECTIVES[label]
    return f"{'clearly' if score >= 0.7 else 'a little'} {ADJECTIVES[label]}"
