"""How fast BLSP-Emo answers, next to transformers' own `generate` on the same weights.

    python tests/bench/blsp_emo.py [--shape tiny|1b|7b] [--device cuda] [--dtype bfloat16]
                                   [--precision int8|int4] [--tokens 64] [--json]

Weights are random, so nothing is downloaded; sizes are the published model's (7b) or in its
proportions. Times are medians of five runs after a first one, except `first_token_cold_ms`, the
first token of this process. A token needs every weight once, so memory sets a limit: its bandwidth,
measured in the same run, over the bytes read for a token.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

UTTERANCE_S = 5.0
TOKENS_BEFORE_SPEECH, TOKENS_AFTER_SPEECH = 34, 5
"""Of a first turn: the empathetic system prompt and the frame of the user's turn."""
SLOTS = 1024
WARM_RUNS = 5


def shapes() -> dict[str, dict[str, Any]]:
    """As keys of a published config.json."""

    def shape(encoder, window_s, language_model, vocabulary):
        width, layers, heads, feedforward = encoder
        whisper = {"d_model": width, "encoder_layers": layers, "encoder_attention_heads": heads}
        whisper |= {"encoder_ffn_dim": feedforward, "max_source_positions": 50 * window_s}
        width, layers, heads, feedforward = language_model
        qwen = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
        qwen |= {"intermediate_size": 2 * feedforward, "vocab_size": vocabulary, "seq_length": 8192}
        lora = {"r": 16, "lora_alpha": 16, "target_modules": ["c_attn", "c_proj", "w1", "w2"]}
        return {"whisper_config": whisper, "qwen_config": qwen, "lora_config": lora}

    return {
        "tiny": shape((128, 2, 2, 512), 10, (256, 4, 4, 704), 2048),
        "1b": shape((768, 12, 12, 3072), 30, (1536, 20, 12, 4128), 151_936),
        "7b": shape((1280, 32, 20, 5120), 30, (4096, 32, 32, 11_008), 151_936),
    }


@dataclass(frozen=True)
class Ids:
    """The ids that generation asks a tokenizer for; random weights have no words."""

    endoftext: int = 0
    im_start: int = 1
    im_end: int = 2
    newline: int = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=shapes(), default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="bfloat16")
    parser.add_argument(
        "--precision", choices=("int8", "int4"), help="shrink our weights; the baseline's stay"
    )
    parser.add_argument("--tokens", type=int, default=64, help="length of an answer")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    from engine.blsp_emo.quantise import quantise
    from tests.bench.memory import peak_resident_mb

    watch = Stopwatch(torch.device(args.device))
    report = {
        "shape": args.shape,
        "weights": args.precision or args.dtype,
        "machine": machine(watch.device),
        "date": date.today().isoformat(),
    }
    model = build(shapes()[args.shape], watch.device, getattr(torch, args.dtype))
    if args.precision:  # what is shrunk cannot be the baseline's any more
        baseline = transformers_generate(model, watch, args.tokens)
        model = quantise(model, args.precision, watch.device)
        ours = our_generate(model, watch, args.tokens)
    else:
        ours = our_generate(model, watch, args.tokens)
        baseline = transformers_generate(model, watch, args.tokens)
    report["peak_resident_mb"] = peak_resident_mb()
    bandwidth = bandwidth_gb_s(watch)
    mb_per_token = bytes_per_token(model, ours.prompt_tokens + args.tokens / 2) / 1e6
    limit = bandwidth * 1e3 / mb_per_token
    report |= ours.times | {
        "tokens_s": ours.tokens_s,
        "transformers_first_token_ms": baseline.first_token_ms,
        "transformers_tokens_s": baseline.tokens_s,
        "same_tokens": sum(a == b for a, b in zip(ours.tokens, baseline.tokens, strict=True)),
        "tokens": args.tokens,
        "bandwidth_gb_s": bandwidth,
        "mb_per_token": mb_per_token,
        "limit_tokens_s": limit,
        "fraction_of_limit": ours.tokens_s / limit,
        "transformers_fraction_of_limit": baseline.tokens_s / limit,
    }
    show(report, as_json=args.json)
    return 0


class Stopwatch:
    """Times work on a device, which runs behind the program that gives it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now_ms(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() * 1e3

    def __call__(self, work: Callable[[], Any]) -> float:
        started = self.now_ms()
        work()
        return self.now_ms() - started

    def warm(self, work: Callable[[], Any]) -> float:
        return statistics.median(self(work) for _ in range(WARM_RUNS))


def machine(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"


def bandwidth_gb_s(watch: Stopwatch) -> float:
    """The better of a large sum and a large copy."""
    gigabytes = 4 if watch.device.type == "cuda" else 1
    source = torch.ones(gigabytes * 2**28, device=watch.device)
    target = torch.empty_like(source)
    read = min(watch(source.sum) for _ in range(WARM_RUNS))
    copied = min(watch(lambda: target.copy_(source)) for _ in range(WARM_RUNS))
    return max(source.nbytes / read, 2 * source.nbytes / copied) / 1e6


def build(keys: dict[str, Any], device: torch.device, dtype: torch.dtype):
    from engine.blsp_emo.config import BlspEmoConfig
    from engine.blsp_emo.model import BlspEmo

    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with device:
        model = BlspEmo(BlspEmoConfig.from_dict(keys)).eval()
    torch.set_default_dtype(torch.float32)
    return model


def bytes_per_token(model, length: float) -> float:
    """Of the weights that a written token needs, LoRA acting on speech only, and of a cache of `length`.

    The scales of 8 and 4 bits, 2 to 6 % of their weights, are not counted.
    """
    written = [model.llm.transformer.h, model.llm.transformer.ln_f, model.llm.lm_head]
    named = (pair for part in written for pair in (*part.named_parameters(), *part.named_buffers()))
    weights = sum(tensor.nbytes for name, tensor in named if "lora_" not in name)
    config = model.config.decoder
    return weights + 2 * config.layers * config.kv_heads * config.head_width * length * model.dtype.itemsize


@torch.inference_mode()
def hear(model):
    """A 5-second utterance, from its mel window on."""
    mel = torch.zeros(1, 80, model.config.mel_frames, device=model.device)
    frames = int(UTTERANCE_S * 100)
    mel[:, :, :frames] = torch.randn(80, frames, device=model.device, generator=seeded(model.device))
    return model.hear(mel, torch.tensor([frames], device=model.device))


@torch.inference_mode()
def prompt_of(model, speech):
    from engine.blsp_emo.prompts import Segment, join

    def text(length):
        ids = torch.arange(10, 10 + length, device=model.device)[None]
        return Segment(model.llm.embed(ids), torch.ones_like(ids, dtype=torch.bool))

    spoken = Segment(speech.embeds, speech.mask, is_speech=True)
    return join([text(TOKENS_BEFORE_SPEECH), spoken, text(TOKENS_AFTER_SPEECH)])


def seeded(device: torch.device) -> torch.Generator:
    return torch.Generator(device).manual_seed(0)


@dataclass(frozen=True)
class Ours:
    times: dict[str, float]
    prompt_tokens: int
    tokens: list[int]
    tokens_s: float


def our_generate(model, watch: Stopwatch, tokens: int) -> Ours:
    from engine.blsp_emo.generate import steps
    from engine.blsp_emo.graphs import open_reading
    from engine.blsp_emo.sampling import Sampling

    if watch.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    published = Sampling(max_new_tokens=tokens, min_new_tokens=tokens, stop_words=(), seed=0)
    greedy = replace(published, temperature=0.0, repetition_penalty=1.0)
    started_ms = watch.now_ms()
    reading = open_reading(model, SLOTS)
    opened_ms = watch.now_ms() - started_ms

    def answer(sampling: Sampling, length: int) -> tuple[list[int], float]:
        """The tokens, and how many a second after the first."""
        prompt = prompt_of(model, hear(model))
        written, stamps_ms = [], []
        for step in steps(model, Ids(), prompt, sampling, reading=reading):
            written.append(step.tokens.item())
            stamps_ms.append(watch.now_ms())
            if len(written) == length:
                break
        return written, 1e3 * (length - 1) / max(stamps_ms[-1] - stamps_ms[0], 1e-9)

    first_token_cold_ms = watch(lambda: answer(greedy, 1))
    prompt = prompt_of(model, hear(model))
    times = {
        "open_ms": opened_ms,
        "mel_ms": watch.warm(lambda: extract_mel(model)),
        "encoder_ms": watch.warm(lambda: hear(model)),
        "prefill_ms": watch.warm(lambda: reading.start(prompt)),
        "first_token_cold_ms": first_token_cold_ms,
        "first_token_ms": watch.warm(lambda: answer(greedy, 1)),
        "published_sampling_tokens_s": answer(published, tokens)[1],
    }
    written, tokens_s = answer(greedy, tokens)
    if watch.device.type == "cuda":
        times["peak_gpu_mb"] = torch.cuda.max_memory_allocated() / 2**20
    return Ours(times, prompt.real.shape[1], written, tokens_s)


def extract_mel(model) -> None:
    from transformers import WhisperFeatureExtractor

    from engine.audio import Audio
    from engine.blsp_emo.features import MelExtractor

    extractor = MelExtractor(WhisperFeatureExtractor(chunk_length=model.config.mel_frames // 100))
    extractor([Audio(np.zeros(int(UTTERANCE_S * 16_000), np.float32), 16_000)])


@dataclass(frozen=True)
class Baseline:
    first_token_ms: float
    tokens: list[int]
    tokens_s: float


def transformers_generate(model, watch: Stopwatch, tokens: int) -> Baseline:
    """Greedy, with the same embeddings; both forms of the model share their memory."""
    from tests.bench.qwen2 import as_qwen2

    qwen2 = as_qwen2(model.llm)

    @torch.inference_mode()
    def generate(length: int) -> list[int]:
        prompt = prompt_of(model, hear(model))
        return qwen2.generate(
            inputs_embeds=prompt.embeds,
            attention_mask=prompt.real.long(),
            max_new_tokens=length,
            min_new_tokens=length,
            do_sample=False,
            eos_token_id=Ids().endoftext,
            pad_token_id=Ids().endoftext,
        )[0].tolist()

    written = generate(tokens)
    first_ms = watch.warm(lambda: generate(1))
    whole_ms = watch(lambda: generate(tokens))
    return Baseline(first_ms, written, 1e3 * (tokens - 1) / (whole_ms - first_ms))


def show(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:30}", f"{value:.4g}" if isinstance(value, float) else value)


if __name__ == "__main__":
    sys.exit(main())
