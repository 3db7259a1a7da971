"""Which weights a stage moves. Called once, before the optimiser is made."""

from engine.blsp_emo.model import BlspEmo


def freeze(model: BlspEmo, *, lora: bool) -> None:
    """Leave the adapter and the emotion head to be trained (stage 1), with `lora` also the low-rank adapter
    of the language model (stage 2). Encoder and language model stay as they are."""
    for name, parameter in model.named_parameters():
        is_trained = name.startswith(("adapter.", "emotion.")) or (lora and ".lora_" in name)
        is_unused = name.startswith("adapter.lm_head.")  # the CFormer's, which no loss reaches
        parameter.requires_grad_(is_trained and not is_unused)
