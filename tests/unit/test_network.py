"""The ears' network: Whisper's own numbers, padding without effect, weights that survive the disk."""

import dataclasses

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from engine import quantised
from engine.ears import store
from engine.ears.mel import log_mel, normalise_level
from engine.ears.network import EarsConfig, EarsNetwork, pad_batch
from engine.errors import BadInput
from train.ears_lesson import TaughtEars

TINY = EarsConfig(width=32, layers=2, attention_heads=4, feedforward=64, max_states=150)


@pytest.fixture
def tiny() -> EarsNetwork:
    torch.manual_seed(0)
    return EarsNetwork(TINY).eval()


def test_encoder_computes_what_whisper_computes():
    torch.manual_seed(0)
    config = WhisperConfig(
        d_model=32,
        encoder_layers=2,
        encoder_attention_heads=4,
        encoder_ffn_dim=64,
        max_source_positions=150,
        attn_implementation="eager",
    )
    whisper = WhisperEncoder(config).eval()
    ours = EarsNetwork(TINY).eval().encoder
    ours.load_state_dict(whisper.state_dict())
    mel = torch.randn(2, 80, 300)
    with torch.inference_mode():
        assert torch.allclose(ours(mel)[-1], whisper(mel).last_hidden_state, atol=1e-5)


def test_log_mel_is_whispers():
    samples = np.random.default_rng(0).normal(scale=0.1, size=16_000 * 3).astype(np.float32)
    extractor = WhisperFeatureExtractor(chunk_length=3)
    expected = extractor(samples, sampling_rate=16_000, return_tensors="np").input_features[0]
    assert np.abs(log_mel(torch.from_numpy(samples)).numpy() - expected).max() < 1e-4


def test_batch_equals_single(tiny):
    mels = [torch.randn(80, frames) for frames in (40, 100, 64)]
    with torch.inference_mode():
        batch = tiny(*pad_batch(mels))
        for row, mel in enumerate(mels):
            single = tiny(mel[None])
            states = mel.shape[1] // 2
            assert torch.allclose(batch.log_probs[row, :states], single.log_probs[0], atol=1e-5)


def test_level_makes_no_difference():
    samples = np.random.default_rng(1).normal(scale=0.2, size=16_000).astype(np.float32)
    assert np.allclose(normalise_level(samples), normalise_level(samples * 0.003), rtol=1e-3)


def test_silence_and_fragments_keep_their_level():
    assert not normalise_level(np.zeros(16_000, dtype=np.float32)).any()
    assert len(normalise_level(np.ones(3, dtype=np.float32))) == 3


def test_quantised_weights_stay_close_and_are_sharded(tmp_path, monkeypatch):
    monkeypatch.setattr(quantised, "SHARD_BYTES", 20_000)
    torch.manual_seed(0)
    tensors = {f"layer{i}.weight": torch.randn(100, 120) for i in range(4)} | {"bias": torch.randn(10)}
    paths = quantised.save(tmp_path, "w", tensors, half=lambda key: key == "layer3.weight")
    assert len(paths) > 1
    assert all(path.stat().st_size <= 26_000 for path in paths)
    loaded = quantised.load(tmp_path, "w")
    assert loaded.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert (loaded[key] - tensor).abs().max() <= tensor.abs().max() / 127
    assert torch.equal(loaded["bias"], tensors["bias"])


def test_fewer_shards_than_before_leave_no_stale_one(tmp_path, monkeypatch):
    monkeypatch.setattr(quantised, "SHARD_BYTES", 20_000)
    quantised.save(tmp_path, "w", {f"{i}": torch.randn(100, 120) for i in range(4)}, half=lambda _: False)
    quantised.save(tmp_path, "w", {"0": torch.randn(100, 120)}, half=lambda _: False)
    assert list(quantised.load(tmp_path, "w")) == ["0"]


def test_ears_round_trip(tiny, tmp_path):
    store.save(tiny, tmp_path, made_from={"steps": 1})
    loaded = store.load(tmp_path)
    mel = torch.randn(1, 80, 60)
    with torch.inference_mode():
        assert torch.allclose(loaded(mel).log_probs, tiny(mel).log_probs, atol=0.05)
    assert store.read_record(tmp_path)["sha256"] == quantised.digest(tmp_path, "ears")


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_damaged_ears_are_one_sentence(tiny, tmp_path, damage):
    store.save(tiny, tmp_path, made_from={})
    shard = tmp_path / "ears-1.safetensors"
    if damage == "missing":
        shard.unlink()
    elif damage == "truncated":
        shard.write_bytes(shard.read_bytes()[:500])
    else:
        store.save(
            EarsNetwork(EarsConfig(width=16, layers=1, attention_heads=2)), tmp_path / "other", made_from={}
        )
        shard.write_bytes((tmp_path / "other" / "ears-1.safetensors").read_bytes())
    with pytest.raises(BadInput) as caught:
        store.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_ears_with_the_head_of_their_lesson_still_load(tiny, tmp_path):
    taught = TaughtEars.of(tiny, dropout=0.0)
    quantised.save(tmp_path, store.NAME, taught.state_dict(), half=lambda key: "conv" in key)
    old_shapes = dataclasses.asdict(TINY) | {"pool_width": 256, "dropout": 0.0}
    store.write_record(tmp_path, {"config": old_shapes})
    assert store.load(tmp_path).config == TINY
    assert taught.ears().state_dict().keys() == tiny.state_dict().keys()
