"""Text as it is being written → audio: phrases, as a person would say them, through a synthesizer.

Called once per reply by `engine.speak`, the turn and the command line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from engine.conversation import Stale, never
from engine.tts import AudioChunk, Style, Synthesizer
from engine.tts.phrases import phrases
from engine.tts.spoken import spoken


def say(
    pieces: Iterable[str], synthesizer: Synthesizer, style: Style = Style(), stale: Stale = never
) -> Iterator[AudioChunk]:
    """Speak the concatenation of `pieces`, phrase by phrase, until `stale()` turns true.

    A chunk's `text` is the written phrase; where a synthesizer cuts a phrase into
    several chunks, the first carries it. What cannot be said (a lone emoji) makes no chunk.
    """
    for phrase in phrases(pieces):
        if stale():
            return
        words = spoken(phrase)
        if not words:
            continue
        if words[-1].isalpha():
            # Only a phrase cut inside a sentence has no mark; without one the voice would fall as at its end.
            words += ","
        text = phrase
        for chunk in synthesizer.speak(words, style, stale):
            yield replace(chunk, text=text)
            text = ""
