"""Which precision a machine runs a BLSP-Emo in, and what one that is too small is told."""

from math import prod

import pytest

from engine.blsp_emo.mind import WINDOW_TOKENS
from engine.blsp_emo.needs import GB_PER_BILLION, PUBLISHED_PARAMETERS, choose_precision, parameters
from engine.errors import BadInput, PartMissing
from engine.profiles import Machine
from tests.tiny_blsp import published_config, published_shapes, write_checkpoint

LAPTOP = Machine(memory_gb=32)


def count(config):
    return sum(map(prod, published_shapes(config).values()))


def with_gpu(memory_gb):
    return Machine(64, "GPU X", memory_gb)


@pytest.mark.parametrize(
    ("gpu_gb", "precision"), [(80, "bfloat16"), (24, "bfloat16"), (15.8, "int8"), (12, "int8"), (8.3, "int4")]
)
def test_the_memory_of_the_gpu_decides(gpu_gb, precision):
    assert choose_precision(PUBLISHED_PARAMETERS, with_gpu(gpu_gb)) == precision


def test_a_gpu_that_is_too_small_is_told_what_to_use_instead():
    with pytest.raises(PartMissing) as caught:
        choose_precision(PUBLISHED_PARAMETERS, with_gpu(6))
    assert str(caught.value) == (
        "BLSP-Emo with 8.5 billion parameters takes 17 GB of disk and a GPU with 19 GB of memory, or 12 GB "
        "in 8 bits, 8 GB in 4 bits, for which 18 GB of main memory are needed while it loads; GPU X has 6 "
        "GB: use --profile standard (8 GB of memory) or --profile mini instead."
    )


def test_8_and_4_bits_are_made_in_main_memory():
    with pytest.raises(PartMissing, match="there are 16 GB of main memory"):
        choose_precision(PUBLISHED_PARAMETERS, Machine(16, "GPU X", 15.8))
    assert choose_precision(PUBLISHED_PARAMETERS, Machine(16, "GPU X", 24)) == "bfloat16"


def test_without_a_gpu_only_small_models_run():
    with pytest.raises(PartMissing, match="this machine has no GPU: use --profile standard"):
        choose_precision(PUBLISHED_PARAMETERS, LAPTOP)
    assert choose_precision(1_000_000_000, LAPTOP) == "float32"
    with pytest.raises(PartMissing):
        choose_precision(1_000_000_000, Machine(memory_gb=4))


def test_a_profile_may_ask_for_a_precision():
    assert choose_precision(PUBLISHED_PARAMETERS, with_gpu(80), "int4") == "int4"
    assert choose_precision(PUBLISHED_PARAMETERS, LAPTOP, "bfloat16") == "bfloat16"
    with pytest.raises(PartMissing):
        choose_precision(PUBLISHED_PARAMETERS, with_gpu(16), "bfloat16")
    with pytest.raises(BadInput, match="none of auto, float32, bfloat16, int8, int4"):
        choose_precision(PUBLISHED_PARAMETERS, LAPTOP, "int2")


def test_a_checkpoint_is_measured_by_its_configuration(tmp_path):
    write_checkpoint(tmp_path)
    assert parameters(tmp_path) == count(published_config({}))
    (tmp_path / "config.json").unlink()
    with pytest.raises(BadInput, match="not a BLSP-Emo checkpoint"):
        parameters(tmp_path)


WHISPER = {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120, "max_source_positions": 1500}
QWEN = {"hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 22016, "vocab_size": 151936}
LORA = {"r": 16, "target_modules": ["c_attn", "c_proj", "w1", "w2"]}
PUBLISHED = published_config(
    {"whisper_config": WHISPER, "qwen_config": QWEN, "adapter_inner_dim": 512, "lora_config": LORA}
)


def test_the_published_size_is_that_of_the_published_shapes():
    assert count(PUBLISHED) == PUBLISHED_PARAMETERS


@pytest.mark.parametrize(
    ("precision", "matrix_bytes", "word_bytes", "window_tokens"),
    [
        ("bfloat16", 2, 2, WINDOW_TOKENS),
        ("int8", 1 + 4 / 256, 1, WINDOW_TOKENS),
        ("int4", 0.5 + 4 / 64, 1, WINDOW_TOKENS // 2),
    ],
)
def test_weights_and_conversation_leave_half_a_gigabyte_to_work_in(
    precision, matrix_bytes, word_bytes, window_tokens
):
    """A scale of 4 bytes for every 256 weights in 8 bits, for every 64 in 4 bits."""
    total_bytes = window_tokens * 2 * 2 * QWEN["num_hidden_layers"] * QWEN["hidden_size"]
    for name, shape in published_shapes(PUBLISHED).items():
        is_matrix = ".h." in name and len(shape) > 1 and "lora" not in name
        each = matrix_bytes if is_matrix else word_bytes if "wte" in name else 2
        total_bytes += each * prod(shape)
    assert total_bytes / 1e9 + 0.5 < PUBLISHED_PARAMETERS / 1e9 * GB_PER_BILLION[precision]
