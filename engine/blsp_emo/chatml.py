"""The words around the words: ChatML as BLSP-Emo was trained on it.

Every function gives token ids. Control tokens are inserted as ids and text is encoded without
them, so what a person types can never end a turn. The strings are the published ones
(training and evaluation scripts of the model): changing them changes what it was trained on.
"""

from typing import Literal

from engine.blsp_emo.tokenizer import Tokenizer

Role = Literal["user", "assistant"]

SYSTEM = "You are a helpful assistant."
EMPATHETIC_SYSTEM = (
    "You are a helpful assistant. Your response should fulfill requests with empathy toward user's "
    "emotion tone."
)
NAME_EMOTION = (
    "Please identify the emotion tone of the speech provided below. Select from the following options: "
    "neutral, sad, angry, happy, or surprise.\n\nSpeech: "
)
CONTINUE = "Continue the following sentence in a coherent style: "
CONTINUE_FEELING = (
    "Continue the following sentence that reflects a '{emotion}' emotion tone in a coherent style: "
)
CONTINUE_HEARD = "Continue the following sentence based on the conveyed emotion tone in a coherent style: "


def system_ids(tokenizer: Tokenizer, system: str) -> list[int]:
    """`<|im_start|>system\\n…<|im_end|>`."""
    return [tokenizer.im_start, *tokenizer.encode(f"system\n{system}"), tokenizer.im_end]


def user_start_ids(tokenizer: Tokenizer, system: str) -> list[int]:
    """Up to where the user's text, then the speech, go in a conversation of one turn."""
    return [
        *system_ids(tokenizer, system),
        tokenizer.newline,
        tokenizer.im_start,
        *tokenizer.encode("user\n"),
    ]


def answer_start_ids(tokenizer: Tokenizer) -> list[int]:
    """What ends the user's turn and lets the model answer.

    Without the newline that belongs there: as published, the model writes it itself.
    """
    return [tokenizer.im_end, *reply_start_ids(tokenizer)]


def reply_start_ids(tokenizer: Tokenizer) -> list[int]:
    return [tokenizer.newline, tokenizer.im_start, *tokenizer.encode("assistant")]


def turn_start_ids(tokenizer: Tokenizer, role: Role, text: str) -> list[int]:
    """A turn inside a conversation, up to where speech may follow the text."""
    return [tokenizer.newline, tokenizer.im_start, *tokenizer.encode(f"{role}\n{text}")]
