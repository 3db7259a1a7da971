"""Random conversations with a tiny BLSP-Emo: pieces of text and of speech in any order."""

import base64
from functools import lru_cache
from pathlib import Path

import torch
from hypothesis import strategies as st

from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.prompts import Prompt, Segment, join
from engine.blsp_emo.tokenizer import Tokenizer
from tests.unit.tiny_blsp import MEL_FRAMES, WIDTH, tiny_model

TOKENS = 464
"""The 256 bytes and Qwen's control tokens; the matrices have some rows more, as the real ones do."""

Text = list[int]
Speech = int
"""Its length in mel frames, which is also what it sounds like."""

texts = st.lists(st.integers(0, TOKENS - 1), min_size=1, max_size=10)
speeches = st.integers(8, MEL_FRAMES)
conversations = st.lists(texts | speeches, min_size=1, max_size=5)


@st.composite
def models(draw) -> BlspEmo:
    adapter = draw(st.sampled_from(["subsampler", "cformer"]))
    # Most conversations are longer than these, so that NTK and log-n are at work.
    model = build_model(adapter, seq_length=draw(st.sampled_from([16, 32, 64])))
    model.lora_scope = draw(st.sampled_from(["audio", "text", "global", "none"]))
    return model


@lru_cache
def build_model(adapter: str = "subsampler", seq_length: int = 512) -> BlspEmo:
    qwen = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
    qwen |= {"vocab_size": 480, "seq_length": seq_length}
    return tiny_model(adapter_type=adapter, qwen_config=qwen)


def build_tokenizer(folder: Path) -> Tokenizer:
    """Every byte is a token."""
    path = folder / "qwen.tiktoken"
    path.write_text("".join(f"{base64.b64encode(bytes([n])).decode()} {n}\n" for n in range(256)))
    return Tokenizer.from_tiktoken(path)


def hear(model: BlspEmo, conversation: list[Text | Speech]) -> list[Segment]:
    """The speech of a conversation, each piece heard alone."""
    return [
        heard(model, [piece])[0] if isinstance(piece, Speech) else written(model, piece)
        for piece in conversation
    ]


def hear_together(model: BlspEmo, several: list[list[Text | Speech]]) -> list[list[Segment]]:
    """The same, but all speech of all conversations heard in one batch."""
    speech = iter(heard(model, [piece for one in several for piece in one if isinstance(piece, Speech)]))
    return [
        [next(speech) if isinstance(piece, Speech) else written(model, piece) for piece in one]
        for one in several
    ]


def heard(model: BlspEmo, lengths: list[Speech]) -> list[Segment]:
    if not lengths:
        return []
    mel = [torch.randn(80, MEL_FRAMES, generator=torch.Generator().manual_seed(n)) for n in lengths]
    with torch.inference_mode():
        speech = model.hear(torch.stack(mel), torch.tensor(lengths))
    rows = zip(speech.embeds, speech.mask, strict=True)
    return [Segment(row[mask][None], mask[mask][None], is_speech=True) for row, mask in rows]


def written(model: BlspEmo, ids: Text) -> Segment:
    rows = torch.tensor([ids])
    with torch.inference_mode():
        return Segment(model.llm.embed(rows), torch.ones_like(rows, dtype=torch.bool))


def prompt_of(model: BlspEmo, conversation: list[Text | Speech]) -> Prompt:
    return join(hear(model, conversation))
