"""What may be said in one turn, and the sentence for what may not."""

from engine.errors import BadInput

MAX_TEXT = 5_000
"""Characters of a typed turn: about six minutes of talk."""


def typed(text: str) -> str:
    """The text without the space around it. Raises `BadInput` when it is empty or too long."""
    # JSON can carry half a character, which no terminal, file or browser takes.
    text = text.encode("utf-8", "ignore").decode().strip()
    if not text:
        raise BadInput("There is nothing to answer: the text is empty.")
    if len(text) > MAX_TEXT:
        raise BadInput(
            f"That text has {len(text):,} characters; at most {MAX_TEXT:,} can be answered at once."
        )
    return text
