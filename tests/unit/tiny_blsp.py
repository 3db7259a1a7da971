"""A BLSP-Emo of a few thousand random parameters, and what it can be told: no file is read."""

import torch
from torch import nn

from engine.blsp_emo.config import BlspEmoConfig
from engine.blsp_emo.model import BlspEmo
from train.blsp_emo.examples import IGNORED, Example, Tokens

WIDTH, MEL_FRAMES, VOCABULARY = 32, 120, 64
PAD_ID = 0
LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["c_attn", "c_proj", "w1", "w2"]}


def tiny_config(**changes) -> BlspEmoConfig:
    """`changes` are keys of a published config.json."""
    whisper = {"d_model": WIDTH, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64}
    qwen = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
    keys = {
        "whisper_config": whisper | {"max_source_positions": MEL_FRAMES // 2, "dropout": 0.0},
        "qwen_config": qwen | {"vocab_size": VOCABULARY, "seq_length": 512},
        "adapter_inner_dim": 16,
        "num_pre_cif_layers": 1,
        "num_post_cif_layers": 1,
        "lora_config": LORA,
    }
    return BlspEmoConfig.from_dict(keys | changes)


def tiny_model(*, published_padding: bool = False, **changes) -> BlspEmo:
    """Random, with low-rank adapters that do something; in evaluation mode."""
    torch.manual_seed(0)
    model = BlspEmo(tiny_config(**changes), published_padding=published_padding).eval()
    for name, parameter in model.named_parameters():
        if ".lora_B." in name:
            nn.init.normal_(parameter, std=0.5)
    return model


def utterances(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Valid frames → mel (B, 80, MEL_FRAMES), which is never silent behind them, and the lengths (B,)."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(lengths), 80, MEL_FRAMES, generator=generator), torch.tensor(lengths)


def example(seed: int, *, instruction: int, transcript: int, answer: int, emotion: int = IGNORED) -> Example:
    """Random tokens, so many in each group."""
    generator = torch.Generator().manual_seed(seed)

    def ids(length: int) -> list[int]:
        return torch.randint(1, VOCABULARY, (length,), generator=generator).tolist()

    def given(length: int) -> Tokens:
        return Tokens(ids(length), [IGNORED] * length)

    before, learned = ids(3), ids(answer)
    suffix = Tokens(before + learned, [IGNORED] * 3 + learned)
    return Example(given(4), given(instruction), given(instruction + 1), given(transcript), suffix, emotion)
