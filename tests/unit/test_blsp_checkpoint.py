"""Checkpoints of BLSP-Emo: every layout loads alike, broken ones are explained, conversion is safe."""

import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.blsp_emo import checkpoint, shards
from engine.errors import AttuneError, BadInput, PartMissing
from tests.tiny_blsp import CONFIG, published_config, published_shapes, write_checkpoint

ROOT = Path(__file__).parents[2]
RENAMED = {
    "qwen_model.model.transformer.h.0.attn.c_attn.lora_A.default.weight": (
        "llm.transformer.h.0.attn.c_attn.lora_A.default.weight"
    ),
    "qwen_model.model.lm_head.weight": "llm.lm_head.weight",
    "whisper_model.layers.1.fc1.bias": "encoder.layers.1.fc1.bias",
    "adapter.subsampler.conv_layers.2.weight": "adapter.subsampler.conv_layers.2.weight",
    "hidden2emotion.weight": "emotion.weight",
}
WTE = "qwen_model.model.transformer.wte.weight"


@pytest.fixture
def published(tmp_path):
    """One `.bin`, float32."""
    write_checkpoint(tmp_path / "published")
    return tmp_path / "published"


def stored(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for shard in shards.walk(folder) for name, tensor in shard.items()}


def edit(folder: Path, change) -> None:
    """Apply `change` to the tensors of the folder's one `.bin`."""
    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    change(tensors)
    torch.save(tensors, folder / "pytorch_model.bin")


def assert_same_weights(model, other) -> None:
    ours, theirs = model.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


# --- loading


@pytest.mark.parametrize("shard_count", [1, 2, 5])
@pytest.mark.parametrize("safetensors", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_published_layout_loads(tmp_path, shard_count, safetensors, dtype):
    write_checkpoint(tmp_path, shards=shard_count, safetensors=safetensors, dtype=dtype)
    assert len(shards.files(tmp_path)) == shard_count
    model = checkpoint.load(tmp_path)
    published, loaded = stored(tmp_path), model.state_dict()
    assert len(published) == len(loaded)
    assert all(torch.equal(loaded[ours], published[theirs]) for theirs, ours in RENAMED.items())
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert not model.training


CONFIGS = {
    "without LoRA": {"lora_config": {}},
    "hidden layers in the adapter": {"adapter_hidden_layers": 2},
    "two kernels": {"conv_kernel_sizes": "3,7"},
    "cformer": {"adapter_type": "cformer", "num_pre_cif_layers": 2},
    "cformer without layers": {"adapter_type": "cformer", "num_pre_cif_layers": 0, "num_post_cif_layers": 0},
    "LoRA on some": {"lora_config": {"r": 2, "lora_alpha": 2, "target_modules": ["c_attn", "w1"]}},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_configuration_has_the_published_names_and_shapes(tmp_path, config):
    write_checkpoint(tmp_path, config=config)
    model = checkpoint.load(tmp_path)
    shapes = published_shapes(published_config(config))
    assert sum(p.numel() for p in model.parameters()) == sum(torch.Size(s).numel() for s in shapes.values())


@pytest.mark.parametrize("variant", ["subsampler", "cformer"])
def test_golden_checkpoints_load_and_convert(golden, tmp_path, variant):
    model = checkpoint.load(golden / variant)
    assert len(model.state_dict()) == len(stored(golden / variant))
    checkpoint.convert(golden / variant, tmp_path / "ours", shard_bytes=500_000)
    assert_same_weights(checkpoint.load(tmp_path / "ours"), model)


def test_all_that_the_model_holds_is_stored(published):
    """Memory that no tensor of the checkpoint fills would keep whatever was there before."""
    model = checkpoint.load(published)
    held = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}
    assert held == model.state_dict().keys()


def test_types_may_be_mixed_and_are_cast(published):
    def halve_some(tensors):
        tensors |= {name: tensors[name].half() for name in list(tensors)[::2]}

    edit(published, halve_some)
    assert {tensor.dtype for tensor in stored(published).values()} == {torch.float32, torch.float16}
    assert {p.dtype for p in checkpoint.load(published).parameters()} == {torch.float32}
    model = checkpoint.load(published, dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert torch.equal(model.llm.transformer.wte.weight, stored(published)[WTE].bfloat16())


def test_the_format_before_torch_1_6_loads(published):
    expected = checkpoint.load(published)
    path = published / "pytorch_model.bin"
    torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    assert_same_weights(checkpoint.load(published), expected)


def test_loaded_weights_do_not_depend_on_the_file(published):
    model = checkpoint.load(published)
    before = model.emotion.weight.clone()
    path = published / "pytorch_model.bin"
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert torch.equal(model.emotion.weight, before)


def test_the_lora_scope_may_be_overridden(published):
    assert checkpoint.load(published).lora_scope == "audio"
    assert checkpoint.load(published, lora_scope="global").lora_scope == "global"


def test_buffers_of_old_libraries_are_passed_over(published):
    expected = checkpoint.load(published)
    root = "qwen_model.model.transformer"
    buffers = {
        f"{root}.rotary_emb.inv_freq": torch.ones(6),
        f"{root}.h.0.attn.logn_tensor": torch.ones(1, 9, 1, 1),
        f"{root}.h.0.attn.masked_bias": torch.tensor(-1e4),
        f"{root}.h.0.attn.bias": torch.ones(1, 1, 9, 9, dtype=torch.bool),
    }
    edit(published, lambda tensors: tensors.update(buffers))
    assert_same_weights(checkpoint.load(published), expected)


# --- weights that do not fit


def test_one_error_names_all_that_does_not_fit(published):
    def damage(tensors):
        del tensors["hidden2emotion.weight"], tensors["qwen_model.model.transformer.h.1.ln_1.weight"]
        tensors["visual.weight"] = torch.ones(2)
        tensors[WTE] = torch.ones(480, 12)
        tensors["adapter.fc1.weight"] = tensors["adapter.fc1.weight"].to(torch.int8)

    edit(published, damage)
    with pytest.raises(BadInput) as caught:
        checkpoint.load(published)
    message = str(caught.value)
    assert "2 missing (llm.transformer.h.1.ln_1.weight, emotion.weight)" in message
    assert "1 unknown (visual.weight)" in message
    assert "1 of another shape (llm.transformer.wte.weight: 480×12 instead of 480×48)" in message
    assert "1 no floating-point numbers (adapter.fc1.weight)" in message
    assert "\n" not in message


def test_a_long_list_is_cut_short_and_counted(published):
    edit(published, lambda tensors: [tensors.pop(name) for name in list(tensors) if "whisper" in name])
    missing = sum(name.startswith("whisper_model.") for name in published_shapes(CONFIG))
    with pytest.raises(
        BadInput, match=rf"{missing} missing \(encoder\.conv1\.weight, .* and {missing - 5} more\)"
    ):
        checkpoint.load(published)


def test_a_folder_of_another_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(BadInput, match="not a BLSP-Emo"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"qwen_config": {"vocab_size": "many"}},
        {"qwen_config": {"num_hidden_layers": None}},
        {"qwen_config": {"num_attention_heads": 0}},
        {"qwen_config": {"num_attention_heads": 16, "kv_channels": 3}},
        {"qwen_config": {"seq_length": 0}},
        {"whisper_config": {"encoder_layers": "two"}},
        {"whisper_config": {"encoder_attention_heads": 5}},
        {"lora_config": {"r": 0}},
        {"lora_config": {"target_modules": [1]}},
        {"adapter_inner_dim": -1},
        {"kd_temperature": "warm"},
    ],
    ids=str,
)
def test_sizes_that_no_model_has_are_one_sentence(published, wrong):
    (published / "config.json").write_text(json.dumps(published_config(wrong)))
    with pytest.raises(BadInput, match="published"):
        checkpoint.load(published)


# --- broken and dangerous files


class Bomb:
    """Writes a file when it is unpickled the careless way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "boom")


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_pickle_with_a_program_in_it_is_refused_and_not_run(published, tmp_path, is_zip):
    path, crater = published / "pytorch_model.bin", tmp_path / "crater"
    content = {"hidden2emotion.weight": torch.ones(5, 48), "extra": Bomb(crater)}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(BadInput, match=r"pytorch_model\.bin: .*was not run; get the weights from"):
        checkpoint.load(published)
    assert not crater.exists()
    torch.load(path, weights_only=False)
    assert crater.exists(), "the bomb is a dud, so this test shows nothing"


BROKEN = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-1000],
    "its beginning": lambda content: content[:100],
    "a web page": lambda content: b"\n<!DOCTYPE html><html><body>404</body></html>",
    "a Git LFS pointer": lambda content: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    ),
    "noise": lambda content: bytes(range(255, -1, -1)) * 40,
    "another pickle": lambda content: pickle.dumps([1, 2, 3]),
}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("safetensors", [False, True])
@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_file_is_one_sentence(tmp_path, damage, safetensors):
    write_checkpoint(tmp_path, safetensors=safetensors)
    [path] = shards.files(tmp_path)
    path.write_bytes(BROKEN[damage](path.read_bytes()))
    with pytest.raises(BadInput) as caught:
        checkpoint.load(tmp_path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message and message.endswith(".")
    if damage.startswith("a "):
        assert damage in message


def test_an_archive_of_something_else_is_one_sentence(published):
    with zipfile.ZipFile(published / "pytorch_model.bin", "w") as archive:
        archive.writestr("notes/readme.txt", "hello")
    with pytest.raises(BadInput, match=r"pytorch_model\.bin: no weights can be read here"):
        checkpoint.load(published)


def test_missing_shards_are_named(tmp_path):
    write_checkpoint(tmp_path, shards=3)
    (tmp_path / "pytorch_model-00002-of-00003.bin").unlink()
    with pytest.raises(PartMissing, match=r"1 of 3 shards are missing \(pytorch_model-00002-of-00003\.bin\)"):
        checkpoint.load(tmp_path)


def test_a_folder_without_weights_says_what_to_copy(published):
    (published / "pytorch_model.bin").unlink()
    with pytest.raises(PartMissing, match=r"no weights here \(model\.safetensors or pytorch_model\.bin"):
        checkpoint.load(published)


@pytest.mark.parametrize(
    "index",
    ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": "../secret.bin"}}', '{"weight_map": 3}'],
)
def test_a_damaged_index_is_one_sentence(published, index):
    (published / "pytorch_model.bin.index.json").write_text(index)
    with pytest.raises(BadInput, match=r"index\.json: this is no list of shards .*; fetch it again\.$"):
        checkpoint.load(published)


# --- converting


def test_conversion_keeps_every_weight_and_what_belongs_to_it(tmp_path):
    source, target = tmp_path / "published", tmp_path / "deep" / "ours"
    write_checkpoint(source, shards=3)
    (source / "LICENSE").write_text("Terms.")
    seen = []
    checkpoint.convert(source, target, shard_bytes=100_000, on_progress=seen.append)
    assert_same_weights(checkpoint.load(target), checkpoint.load(source))
    written = sorted(target.glob("*.safetensors"))
    assert len(written) == len(seen) > 3
    assert all(sum(t.nbytes for t in load_file(path).values()) <= 100_000 for path in written)
    for name in (
        "config.json",
        "preprocessor_config.json",
        "generation_config.json",
        "qwen.tiktoken",
        "LICENSE",
    ):
        assert (target / name).read_bytes() == (source / name).read_bytes()
    assert seen[-1].done_bytes == seen[-1].total_bytes == sum(t.nbytes for t in stored(source).values())
    assert sorted(path.name for path in target.parent.iterdir()) == ["ours"]


def test_conversion_casts(published, tmp_path):
    checkpoint.convert(published, tmp_path / "ours", dtype=torch.bfloat16)
    assert_same_weights(checkpoint.load(tmp_path / "ours"), checkpoint.load(published, dtype=torch.bfloat16))


def test_a_conversion_that_is_there_is_left_alone(published, tmp_path):
    target = tmp_path / "ours"
    checkpoint.convert(published, target)
    before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    checkpoint.convert(published, target)
    assert {path: path.stat().st_mtime_ns for path in target.iterdir()} == before


def test_something_else_is_never_overwritten(published, tmp_path):
    target = tmp_path / "ours"
    target.mkdir()
    (target / "thesis.txt").write_text("All I have.")
    with pytest.raises(BadInput, match="is there already and is something else"):
        checkpoint.convert(published, target)
    checkpoint.convert(published, tmp_path / "float32")
    with pytest.raises(BadInput, match="is there already"):
        checkpoint.convert(published, tmp_path / "float32", dtype=torch.float16)
    assert (target / "thesis.txt").read_text() == "All I have."


def test_weights_that_do_not_fit_are_not_converted(published, tmp_path):
    edit(published, lambda tensors: tensors.pop("hidden2emotion.weight"))
    with pytest.raises(BadInput, match=r"1 missing \(emotion\.weight\)"):
        checkpoint.convert(published, tmp_path / "ours")
    assert not list(tmp_path.glob("ours*"))


def run(script: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.blsp_emo import checkpoint
source, target = map(Path, sys.argv[1:])
die = lambda _: os.kill(os.getpid(), signal.SIGKILL)
checkpoint.convert(source, target, shard_bytes=50_000, on_progress=die)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_conversion_does_not_look_complete_and_can_be_repeated(published, tmp_path):
    target = tmp_path / "ours"
    assert run(KILLED, published, target).returncode == -9
    assert [path.name for path in tmp_path.glob("ours*")] == ["ours.part"]
    checkpoint.convert(published, target)
    assert_same_weights(checkpoint.load(target), checkpoint.load(published))
    assert [path.name for path in tmp_path.glob("ours*")] == ["ours"]


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_a_write_that_fails_half_way_leaves_nothing(published, tmp_path):
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
    try:
        with pytest.raises(AttuneError, match=r"ours cannot be written \(.*File too large.*free that much"):
            checkpoint.convert(published, tmp_path / "ours")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert not list(tmp_path.glob("ours*"))


def test_a_full_disk_is_noticed_before_anything_is_written(published, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        AttuneError, match=r"ours cannot be written \(No space left on device\); it takes 0\.0 GB"
    ):
        checkpoint.convert(published, tmp_path / "ours")
    assert not list(tmp_path.glob("ours*"))


# --- memory

MEASURE = """
import json, re, sys
from pathlib import Path
import torch
from engine.blsp_emo import checkpoint

source, target = map(Path, sys.argv[1:])

def peak_bytes(work):
    Path("/proc/self/clear_refs").write_text("5")
    before = read("VmRSS")
    result = work()
    return read("VmHWM") - before

def read(key):
    return 1024 * int(re.search(rf"{key}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

print(json.dumps([
    peak_bytes(lambda: checkpoint.load(source, dtype=torch.bfloat16)),
    peak_bytes(lambda: checkpoint.convert(source, target, dtype=torch.bfloat16, shard_bytes=150_000_000)),
    peak_bytes(lambda: checkpoint.load(target)),
]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_below_the_model_and_one_shard(tmp_path):
    """A checkpoint of 1.07 GB in four shards, eight tensors of 134 MB; half of that in bfloat16."""
    large = {
        "whisper_config": {"max_source_positions": 100},
        "qwen_config": {
            "hidden_size": 512,
            "kv_channels": 128,
            "intermediate_size": 131_072,
            "vocab_size": 65_536,
        },
    }
    source = tmp_path / "published"
    write_checkpoint(source, config=large, shards=4)
    sizes = [path.stat().st_size for path in source.glob("*.bin")]
    assert sum(sizes) > 1e9
    model, shard, ours, margin = sum(sizes) / 2, max(sizes), 150e6, 64e6
    done = run(MEASURE, source, tmp_path / "ours")
    assert done.returncode == 0, done.stderr
    loading, converting, loading_ours = json.loads(done.stdout.splitlines()[-1])
    assert model <= loading <= model + shard + margin
    assert converting <= shard + ours + margin
    assert model <= loading_ours <= model + ours + margin
