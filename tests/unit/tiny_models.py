"""Models of a few hundred kB in the files of the real ones, each of which writes one sentence and no other.

Their layers are zero, so what comes next hangs on nothing but the position (Whisper) or the last
token (a chat model).
"""

from itertools import pairwise
from pathlib import Path

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

_WHISPER = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
_WHISPER += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
_PROMPT = ["<|startoftranscript|>", "<|notimestamps|>"]
_SURE = 20.0

_CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def write_whisper(folder: Path, says: str, *, doubts: bool) -> Path:
    """`folder` in the layout of Systran's models. `doubts`: whether it thinks that nobody spoke."""
    tokenizer = _tokenizer(says, _WHISPER)
    model = _random_whisper(tokenizer.get_vocab_size())
    script = [*tokenizer.encode(says).ids, tokenizer.token_to_id("<|endoftext|>")]
    with torch.no_grad():
        decoder = model.model.decoder
        for weights in decoder.layers.parameters():
            weights.zero_()
        decoder.embed_positions.weight.zero_()
        vectors = decoder.embed_tokens.weight
        for position, token in enumerate(script, start=len(_PROMPT) - 1):
            decoder.embed_positions.weight[position] = _SURE * vectors[token]
        if doubts:
            decoder.embed_positions.weight[0] = _SURE * vectors[tokenizer.token_to_id("<|nospeech|>")]
    published = folder.with_name(f"{folder.name}-transformers")
    model.save_pretrained(published)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(published)
    WhisperFeatureExtractor().save_pretrained(published)
    files = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(published), copy_files=files).convert(str(folder))
    return folder


def write_chat_model(folder: Path, says: str) -> Path:
    """`folder` in the layout of Qwen2.5's chat models. No word may come twice in `says`."""
    tokenizer = _tokenizer(says, _CHATML)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", chat_template=_TEMPLATE
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    vocabulary = {"vocab_size": len(fast), "eos_token_id": fast.eos_token_id, "initializer_range": 1.0}
    model = Qwen2ForCausalLM(Qwen2Config(**sizes, **heads, **vocabulary))
    script = tokenizer.encode(f"\n{says}<|im_end|>").ids
    with torch.no_grad():
        for weights in model.model.layers.parameters():
            weights.zero_()
        model.lm_head.weight.zero_()
        for token, following in pairwise(script):
            model.lm_head.weight[following] = _SURE * model.model.embed_tokens.weight[token]
    model.save_pretrained(folder)
    return folder


def _tokenizer(says: str, controls: list[str]) -> Tokenizer:
    """Bytes, the words of the sentence, and control tokens."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = [word for word, _ in split.pre_tokenize_str(says) if len(word) > 1]
    known = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *dict.fromkeys(words)]
    vocabulary = {token: number for number, token in enumerate(known)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], ignore_merges=True))
    tokenizer.pre_tokenizer, tokenizer.decoder = split, decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in controls])
    return tokenizer


def _random_whisper(vocabulary: int) -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    end = vocabulary - len(_WHISPER)
    ends = {"eos_token_id": end, "bos_token_id": end, "pad_token_id": 0, "decoder_start_token_id": end + 1}
    config = WhisperConfig(vocab_size=vocabulary, d_model=64, init_std=1.0, **sizes, **heads, **ends)
    config.suppress_tokens, config.begin_suppress_tokens = [], [end]
    return WhisperForConditionalGeneration(config).eval()
