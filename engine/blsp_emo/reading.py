"""A batch of prompts being read and continued: the cache, and where each row stands in it.

The one place where cached generation happens; `generate` chooses the tokens, `graphs` captures
the steps. All that a step reads and writes stays at its place in memory, from one answer to the next.
"""

import torch

from engine.blsp_emo.decoder import KVCache, Slots
from engine.blsp_emo.lora import LoraMasks, acts_on_written
from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Prompt
from engine.errors import BadInput


class Reading:
    """Reads a prompt at once (`start`), then token after token (`step`). One answer at a time."""

    def __init__(self, model: BlspEmo, batch: int, slots: int) -> None:
        """Room for `slots` tokens a row, read and written together."""
        device, config = model.device, model.config.decoder
        self.slots = slots
        self._model = model
        self._cache = KVCache(config, batch, slots, model.dtype, device)
        self._numbers = torch.arange(slots, device=device)
        self._real = torch.ones(batch, slots, dtype=torch.bool, device=device)  # False on padding
        self._frequencies = torch.zeros(batch, config.head_width // 2, device=device)  # fixed for an answer
        self._shift = torch.zeros(batch, 1, dtype=torch.long, device=device)  # from slots to positions
        self._tokens = torch.zeros(batch, 1, dtype=torch.long, device=device)
        self._slot = torch.zeros(1, dtype=torch.long, device=device)  # where they go
        self._filled = 0

    @property
    def filled(self) -> int:
        """Tokens a row that were read so far."""
        return self._filled

    @torch.inference_mode()
    def start(self, prompt: Prompt) -> torch.Tensor:
        """Forget everything, read `prompt` → logits (B, V) of the first new token, float32.

        Raises `BadInput` when it does not fit.
        """
        length = prompt.real.shape[1]
        if length > self.slots:
            raise BadInput(f"This conversation is {length} tokens long, {self.slots} fit; begin a new one.")
        frequencies = self._model.frequencies(prompt)
        self._frequencies.copy_(frequencies)
        self._shift.copy_(prompt.positions[:, -1:] + 1 - length)
        self._real.fill_(True)
        self._real[:, :length] = prompt.real
        slots = Slots(self._cache, self._numbers[:length])
        hidden = self._model.llm(prompt.embeds, self._model.place(prompt, frequencies), slots)
        self.rewind(length)
        return self._last_logits(hidden)

    @torch.inference_mode()
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Read one token per row, (B,) ids → logits (B, V) of the next, valid until the next step."""
        if self._filled == self.slots:
            raise ValueError(f"All {self.slots} slots are filled.")
        self._tokens.copy_(tokens[:, None])
        self._filled += 1
        return self._advance(self._filled)

    def rewind(self, filled: int) -> None:
        """Forget what was read after the first `filled` tokens of every row."""
        self._filled = filled
        self._slot.fill_(filled)

    def _advance(self, attended: int) -> torch.Tensor:
        """Read `_tokens` into `_slot`, attending to no more than the first `attended` slots.

        Nothing here depends on values in memory, so that it can be captured once and replayed.
        """
        positions = self._slot + self._shift  # (B, 1)
        visible = self._real[:, :attended] & (self._numbers[:attended] <= self._slot)  # (B, S)
        # As scores once, else attention would make them of booleans again in every layer.
        scores = torch.zeros_like(visible, dtype=self._model.dtype).masked_fill_(~visible, -torch.inf)
        lora = self._lora(positions)
        place = self._model.place_at(positions, scores[:, None, None], self._frequencies, lora)
        hidden = self._model.llm(self._model.llm.embed(self._tokens), place, Slots(self._cache, self._slot))
        self._slot += 1
        return self._last_logits(hidden)

    def _lora(self, positions: torch.Tensor) -> LoraMasks:
        if not acts_on_written(self._model.lora_scope):
            return {}
        return self._model.lora_masks(torch.zeros_like(positions, dtype=torch.bool))

    def _last_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._model.llm.lm_head(hidden[:, -1]).float()
