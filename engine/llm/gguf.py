"""A chat model in a GGUF file → the same model as safetensors, converted once.

transformers unpacks a GGUF in 15 s for 135M parameters, at every start; the unpacked
copy loads in 1 s and stays mapped from the disk. It costs 4 bytes a parameter there.
"""

import copy
import hashlib
import mmap
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def load(gguf: Path, cache: Path) -> Loaded:
    """The model, in float32, and its tokenizer. Raises whatever transformers raises for a broken file."""
    with _no_progress_bars():
        try:
            return _from_pretrained(converted(gguf, cache))
        except (OSError, SafetensorError):
            # No room for the unpacked copy, or it is damaged: slower at every start, but it answers.
            return _from_pretrained(gguf.parent, gguf_file=gguf.name)


def converted(gguf: Path, cache: Path) -> Path:
    """The folder in `cache` with the unpacked model, made now if it is not there.

    Its name holds the file's sha256. Several processes may ask at once. Raises
    `OSError` when the cache cannot be written.
    """
    folder = cache / f"{gguf.stem}-{_sha256(gguf)[:16]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if not folder.is_dir():
            unfinished = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            _save(*_from_pretrained(gguf.parent, gguf_file=gguf.name), unfinished)
            unfinished.replace(folder)
    return folder


def _from_pretrained(folder: Path, **gguf_file: str) -> Loaded:
    # float32: bfloat16 writes no faster even on a CPU with AMX (28 tokens/s both), and slower on others.
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, **gguf_file
    )
    return model, AutoTokenizer.from_pretrained(folder, local_files_only=True, **gguf_file)


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    # transformers refuses to save a model that it calls quantised, though the weights no longer are.
    config = copy.deepcopy(model.config)
    del config.quantization_config
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config)
    plain.save_pretrained(folder, state_dict=model.state_dict())
    tokenizer.save_pretrained(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return hashlib.sha256(content).hexdigest()


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    were_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if were_on:
            logging.enable_progress_bar()
