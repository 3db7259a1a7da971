"""What was felt → how to say the answer. Called once per reply."""

from engine.emotion import Emotion
from engine.tts import Style

_ANSWER_TO = {
    "neutral": "warm",
    "happy": "cheerful",
    "sad": "gentle",
    "angry": "calm",
    "fearful": "calm",
    "disgust": "concerned",
    "surprised": "excited",
}


def style_for(emotion: Emotion) -> Style:
    """The style that meets `emotion`, as strong as it is sure; warm, at half strength, where it is not."""
    if emotion.abstained:
        return Style("warm", 0.5)
    return Style(_ANSWER_TO[emotion.label], emotion.confidence)
