"""A conversation as pieces of text and speech, as the published demo frames it.

Made anew for every turn by the mind; the speech pieces are embeddings kept from when each
utterance was heard, so that nothing is encoded twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.blsp_emo import chatml
from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.chatml import Role
from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Prompt, Segment, join
from engine.blsp_emo.tokenizer import Tokenizer


@dataclass(frozen=True, eq=False)
class Spoken:
    """One utterance, a batch of one. Its length is its embeddings'; the published demo estimates it."""

    speech: AdapterOutput

    def __len__(self) -> int:
        return int(self.speech.mask.sum())


Piece = list[int] | Spoken
"""Token ids, or speech."""
TurnPieces = tuple[Piece, ...]


def text_turn(tokenizer: Tokenizer, role: Role, text: str) -> TurnPieces:
    return ([*chatml.turn_start_ids(tokenizer, role, text), tokenizer.im_end],)


def spoken_turn(tokenizer: Tokenizer, spoken: Sequence[Spoken], instruction: str = "") -> TurnPieces:
    """The user speaks, after an instruction if there is one; more than a window of speech is several."""
    return (chatml.turn_start_ids(tokenizer, "user", instruction), *spoken, [tokenizer.im_end])


@dataclass(frozen=True, eq=False)
class History:
    """System prompt, turns from oldest to newest, and the invitation to answer."""

    system: list[int]
    turns: tuple[TurnPieces, ...]
    invitation: list[int]

    @classmethod
    def of(cls, tokenizer: Tokenizer, turns: Sequence[TurnPieces]) -> "History":
        system = chatml.system_ids(tokenizer, chatml.EMPATHETIC_SYSTEM)
        return cls(system, tuple(turns), chatml.reply_start_ids(tokenizer))

    def __len__(self) -> int:
        """In tokens."""
        turns = sum(len(piece) for turn in self.turns for piece in turn)
        return len(self.system) + turns + len(self.invitation)

    def trimmed(self, window: int, max_new_tokens: int) -> "History":
        """Without the oldest turns that leave no room for an answer; the newest turn always stays.

        The published demo drops single pieces and may cut between a turn's header and its speech.
        """
        turns = self.turns
        while len(turns) > 1 and len(History(self.system, turns, self.invitation)) > window - max_new_tokens:
            turns = turns[1:]
        return History(self.system, turns, self.invitation)

    def prompt(self, model: BlspEmo) -> Prompt:
        """As embeddings, a batch of one."""
        pieces = [self.system, *(piece for turn in self.turns for piece in turn), self.invitation]
        return join([segment(model, piece) for piece in pieces], published=model.published_padding)


def segment(model: BlspEmo, piece: Piece) -> Segment:
    if isinstance(piece, Spoken):
        return Segment(piece.speech.embeds, piece.speech.mask, is_speech=True)
    ids = torch.tensor([piece], device=model.device)
    return Segment(model.llm.embed(ids), torch.ones_like(ids, dtype=torch.bool))
