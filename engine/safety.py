"""What a person in danger hears: fixed wording, never left to a model.

`check` is asked before the mind on every user turn, spoken or typed; when it answers,
its words are the reply. `claims_human_past` is asked about every sentence the mind
writes. Wording and patterns are data, one file for each language in assets/safety.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

PAGE_LINE = "Attune speaks English. It is a program, not a person, and it is not therapy."
"""What the page always shows."""

Kind = Literal["emergency", "suicide", "suicide_of_other", "danger", "harm_to_others", "program"]

_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "safety"
_LONGEST_CHARS = 20_000


@dataclass(frozen=True)
class SafetyReply:
    """A fixed reply and what called for it."""

    kind: Kind
    text: str


def check(text: str, language: str = "en") -> SafetyReply | None:
    """The fixed reply that a user turn calls for, or None when the mind may answer.

    `text` may be recognised speech (no punctuation, words misheard) or typed. A
    language without a file of its own is read by the English patterns.
    """
    rules = _rules(language if (_FOLDER / f"{language}.yaml").is_file() else "en")
    plain = rules.everyday.sub(" , ", rules.plain(text))
    for kind, pattern in rules.patterns.items():
        if pattern.search(plain):
            return rules.replies[kind]
    return None


def claims_human_past(sentence: str) -> bool:
    """Whether a sentence of the mind claims what a program cannot have: a childhood, a family, a body."""
    rules = _rules("en")
    return bool(rules.human_past.search(rules.plain(sentence)))


@dataclass(frozen=True)
class _Rules:
    """One language's file, compiled."""

    replies: dict[Kind, SafetyReply]
    patterns: dict[Kind, re.Pattern[str]]
    everyday: re.Pattern[str]
    human_past: re.Pattern[str]
    same_form: tuple[tuple[re.Pattern[str], str], ...]

    def plain(self, text: str) -> str:
        """Lower-case words, one form for each contraction and mishearing; a line for each typed sentence."""
        text = re.sub(r"['’`]", "", text[-_LONGEST_CHARS:].lower())
        text = "\n".join(" ".join(re.findall(r"[^\W_]+", line)) for line in re.split(r"[.!?;\n]+", text))
        for variants, form in self.same_form:
            text = variants.sub(form, text)
        return text


@functools.cache
def _rules(language: str) -> _Rules:
    source = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))

    def any_of(patterns: list[str]) -> re.Pattern[str]:
        joined = "|".join(rf"\b(?:{pattern})\b" for pattern in patterns)
        while placeholder := re.search(r"<(\w+)>", joined):
            joined = joined.replace(placeholder[0], source["groups"][placeholder[1]])
        return re.compile(joined, re.M)

    numbers = source["numbers"]
    return _Rules(
        replies={
            kind: SafetyReply(kind, wording.replace("<numbers>", numbers))
            for kind, wording in source["wording"].items()
        },
        patterns={kind: any_of(patterns) for kind, patterns in source["patterns"].items()},
        everyday=any_of(source["everyday"]),
        human_past=any_of(source["human_past"]),
        same_form=tuple((any_of([variants]), str(form)) for form, variants in source["same_form"].items()),
    )
