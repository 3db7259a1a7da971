"""A conversation to look back on: one page of HTML that needs nothing else, and can do nothing.

Made when a person asks for it, shown in a frame and saved as a file. The feeling over time, and for every
stretch of one feeling what it was about, in the person's own words. No script, nothing fetched, and
everything that was said escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Literal

from app.exchange import Exchange
from app.record.curve import curve
from app.record.feelings import describe, joined, name, told
from app.record.sentences import Sentence, sentences
from app.record.stretches import stretches
from app.record.summary import summary
from app.record.telling import Everyday, Topics
from engine.emotion import Emotion

Theme = Literal["auto", "light", "dark"]

STYLE = Path(__file__).with_name("reflection.css")

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""For a browser that opens the file: only the style sheet in it counts, whatever else somebody puts in."""

NOT_UNDERSTOOD = "I heard how you sounded here, but did not understand the words."

FOOTER = (
    "The words are yours, as they were typed or heard. The feelings are guesses from voice and words, and "
    "what you said of them yourself; they can be wrong. Made by Attune."
)


@dataclass(frozen=True)
class Stretch:
    """Some turns of one feeling: which, how they felt, and what they were about."""

    turns: range
    felt: Emotion
    title: str
    telling: Sequence[Sentence]
    also: Sequence[str]


def reflection(exchanges: Sequence[Exchange], everyday: Everyday, *, day: date, theme: Theme = "auto") -> str:
    """The whole page; "auto" is light or dark as the reader's system is. Silent turns are left out."""
    said = [exchange for exchange in exchanges if not exchange.heard.is_silence]
    parts = _stretches(said, everyday)
    when = f"{day.day} {day:%B %Y}"
    shown = (
        [_figure(said, parts), "<ol>", *map(_shown, parts), f"</ol><footer>{FOOTER}</footer>"] if said else []
    )
    return f"""<!doctype html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>Looking back, {when}</title>
<style>{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body><main>
<header><h1>Looking back</h1><p>{when}</p></header>
<p class="summary">{summary([each.felt for each in said], [part.felt for part in parts])}</p>
{"".join(shown)}
</main></body>
</html>
"""


def _stretches(said: Sequence[Exchange], everyday: Everyday) -> list[Stretch]:
    felt = [exchange.felt for exchange in said]
    topics = Topics(everyday, [sentences(exchange.heard) for exchange in said])
    found = []
    for part in stretches(felt):
        telling = topics.telling(part)
        also = topics.key_words(part, telling)
        emotion = joined(felt[part.start : part.stop])
        title = _title(emotion, said[part.start : part.stop])
        found.append(Stretch(part, emotion, title, telling, also))
    return found


def _title(emotion: Emotion, exchanges: Sequence[Exchange]) -> str:
    """How strong a feeling was is heard, and not what the person says of it."""
    corrections = {exchange.correction for exchange in exchanges}
    words = told(exchanges[0]) if len(corrections) == 1 and "" not in corrections else describe(emotion)
    return f"{words[0].upper()}{words[1:]}"


def _figure(said: Sequence[Exchange], parts: Sequence[Stretch]) -> str:
    drawing = curve(said, [(part.turns, part.felt) for part in parts])
    is_corrected = any(exchange.correction for exchange in said)
    note = "<figcaption>Ringed: a feeling as you said it was.</figcaption>" if is_corrected else ""
    return (
        '<figure><p class="ends"><span>lighter</span></p>'
        f'{drawing}<p class="ends"><span>heavier</span><span>{_turns(range(len(said)))}</span></p>'
        f"{note}</figure>"
    )


def _shown(part: Stretch) -> str:
    quotes = "".join(f"<blockquote>“{escape(sentence.text)}”</blockquote>" for sentence in part.telling)
    quotes = quotes or f'<p class="also">{NOT_UNDERSTOOD}</p>'
    also = f'<p class="also">also: {escape(", ".join(part.also))}</p>' if part.also else ""
    return (
        f'<li class="{name(part.felt)}"><h2>{part.title}</h2><p>{_turns(part.turns)}</p>{quotes}{also}</li>'
    )


def _turns(turns: range) -> str:
    first, last = turns.start + 1, turns.stop
    return f"turn {first}" if first == last else f"turns {first} to {last}"
