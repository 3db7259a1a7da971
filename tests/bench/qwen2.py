"""Our language model as transformers' Qwen2, which it equals up to its trained length (without LoRA).

The weights are shared: what transformers is measured and compared with costs no memory.
"""

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from engine.blsp_emo.decoder import Decoder


def as_qwen2(decoder: Decoder) -> Qwen2ForCausalLM:
    config = decoder.config
    theirs = Qwen2Config(
        vocab_size=config.vocabulary,
        hidden_size=config.width,
        intermediate_size=config.feedforward,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        rms_norm_eps=config.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": config.rotary_base},
        tie_word_embeddings=False,
    )
    with torch.device("meta"):
        qwen2 = Qwen2ForCausalLM(theirs)
    qwen2.load_state_dict(weights_by_their_names(decoder), assign=True)
    with decoder.lm_head.weight.device:  # the one part that is computed, not loaded
        qwen2.model.rotary_emb = type(qwen2.model.rotary_emb)(theirs)
    return qwen2.eval()


def weights_by_their_names(decoder: Decoder) -> dict[str, torch.Tensor]:
    ours = decoder.transformer
    weights = {
        "model.embed_tokens.weight": ours.wte.weight,
        "model.norm.weight": ours.ln_f.weight,
        "lm_head.weight": decoder.lm_head.weight,
    }
    for number, block in enumerate(ours.h):
        heads = block.attn.c_attn
        named = {
            "input_layernorm": block.ln_1.weight,
            "post_attention_layernorm": block.ln_2.weight,
            "self_attn.o_proj": block.attn.c_proj.weight,
            "mlp.up_proj": block.mlp.w1.weight,
            "mlp.gate_proj": block.mlp.w2.weight,
            "mlp.down_proj": block.mlp.c_proj.weight,
        }
        root = f"model.layers.{number}."
        weights |= {f"{root}{name}.weight": weight for name, weight in named.items()}
        for name, weight, bias in zip("qkv", heads.weight.chunk(3), heads.bias.chunk(3), strict=True):
            weights |= {
                f"{root}self_attn.{name}_proj.weight": weight,
                f"{root}self_attn.{name}_proj.bias": bias,
            }
    return {name: weight.detach() for name, weight in weights.items()}
