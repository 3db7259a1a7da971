"""BLSP-Emo: a Whisper encoder, an adapter, a language model, and an emotion head on the speech.

Wang et al. 2024 (arXiv 2406.03872). The encoder is transformers' own; the rest is in this folder.
Loaded by `checkpoint`, spoken to through `prompts` and `generate`, trained by `train/blsp_emo`.
"""

import torch
from torch import nn
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine.blsp_emo.adapters import AdapterOutput, build_adapter
from engine.blsp_emo.config import BlspEmoConfig, LoraScope
from engine.blsp_emo.decoder import Decoder, Place, causal
from engine.blsp_emo.lora import LoraMasks, add_lora, positions_in_scope
from engine.blsp_emo.prompts import Prompt
from engine.blsp_emo.rotary import cos_sin, inverse_frequencies, log_n_scale
from engine.errors import BadInput, reason


class BlspEmo(nn.Module):
    """The model. `published_padding` repeats what the published code does with padding (see `adapters`
    and `prompts`); without it every row of a batch gives what it gives alone."""

    def __init__(self, config: BlspEmoConfig, *, published_padding: bool = False) -> None:
        super().__init__()
        self.config = config
        self.lora_scope: LoraScope = config.lora_scope if config.lora else "none"
        self.published_padding = published_padding
        self.encoder = WhisperEncoder(WhisperConfig(**{**config.whisper, "attn_implementation": "sdpa"}))
        self.adapter = build_adapter(config)
        self.llm = Decoder(config.decoder)
        self.emotion = nn.Linear(config.decoder.width, config.num_emotions, bias=False)
        if config.lora:
            add_lora(self.llm, config.lora)

    @classmethod
    def outline(cls, config: BlspEmoConfig) -> "BlspEmo":
        """Names, shapes and types, without memory. Raises `BadInput` for a configuration of no model."""
        try:
            with torch.device("meta"):
                return cls(config)
        except Exception as error:  # of impossible sizes, torch and transformers raise all kinds
            raise BadInput(f"no model has the sizes of this config.json ({reason(error)}).") from error

    @property
    def device(self) -> torch.device:
        return self.emotion.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Of everything between the layers, also where weights are quantised."""
        return self.emotion.weight.dtype

    def encode(self, mel: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """mel (B, 80, `config.mel_frames`), valid frames (B,) → states (B, T, d), mask (B, T) bool.

        Every state has seen the silence behind the utterance, as in Whisper's training; the states
        are cut to the longest utterance. Those past a shorter one's end are not zero. Raises `BadInput`
        for another window than the encoder's.
        """
        window = (self.config.mel_bins, self.config.mel_frames)
        if mel.shape[1:] != window:
            raise BadInput(
                f"The encoder takes mel windows of {window[0]} × {window[1]}, not {mel.shape[1]} × "
                f"{mel.shape[2]}; take preprocessor_config.json and config.json from the same checkpoint."
            )
        states = self.encoder(mel.to(self.dtype)).last_hidden_state
        lengths = (lengths - 1) // 2 + 1
        longest = int(lengths.max())
        mask = torch.arange(longest, device=states.device) < lengths[:, None]
        return states[:, :longest], mask

    def hear(
        self, mel: torch.Tensor, lengths: torch.Tensor, counts: torch.Tensor | None = None
    ) -> AdapterOutput:
        """mel (B, 80, F), valid frames (B,) → what the language model reads of it.

        `counts` (B,) are the transcripts' token counts, which a CFormer in training is told.
        """
        states, mask = self.encode(mel, lengths)
        return self.adapter(states, mask, counts, published=self.published_padding)

    def emotion_logits(self, speech: AdapterOutput) -> torch.Tensor:
        """(B, emotions): of the voice, or where the adapter gives none, the mean of the real embeddings."""
        if speech.voice is not None:
            return self.emotion(speech.voice)
        real = speech.mask[..., None].to(speech.embeds.dtype)
        return self.emotion((speech.embeds * real).sum(1) / real.sum(1))

    def forward(self, prompt: Prompt, scope: LoraScope | None = None) -> torch.Tensor:
        """A whole prompt at once, nothing kept → hidden states (B, L, H); `llm.lm_head` makes logits.

        `scope` overrides the model's own.
        """
        return self.llm(prompt.embeds, self.place(prompt, self.frequencies(prompt), scope))

    def frequencies(self, prompt: Prompt) -> torch.Tensor:
        """Rotary frequencies (B, d / 2) for what is read now and written after it."""
        return inverse_frequencies(self.config.decoder, prompt.real.sum(1), stretched=not self.training)

    def place(self, prompt: Prompt, frequencies: torch.Tensor, scope: LoraScope | None = None) -> Place:
        return self.place_at(
            prompt.positions,
            causal(prompt.real),
            frequencies,
            self.lora_masks(prompt.is_speech, scope),
        )

    def place_at(
        self, positions: torch.Tensor, visible: torch.Tensor, frequencies: torch.Tensor, lora: LoraMasks
    ) -> Place:
        """positions (B, L), visible (B, 1, L, S). Stretching and log-n are off in training."""
        cos, sin = cos_sin(positions, frequencies)
        query_scale = None if self.training else log_n_scale(positions, self.config.decoder)
        return Place(cos, sin, query_scale, visible, lora)

    def lora_masks(self, is_speech: torch.Tensor, scope: LoraScope | None = None) -> LoraMasks:
        if not self.config.lora:
            return {}
        mask = positions_in_scope(scope or self.lora_scope, is_speech)
        return {} if mask is None else {self.config.lora.name: mask}
