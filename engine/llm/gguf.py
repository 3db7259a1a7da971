"""A chat model in a GGUF file → the same model as safetensors, converted once.

transformers unpacks a GGUF in 15 s for 135M parameters, at every start; the unpacked
copy loads in 1 s and stays mapped from the disk. It costs 4 bytes a parameter there.
"""

import copy
import hashlib
import mmap
import shutil
from pathlib import Path

import torch
from filelock import FileLock
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase


def read(gguf: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Unpack a GGUF file in memory, in float32."""
    source = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name, "local_files_only": True}
    return AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32), AutoTokenizer.from_pretrained(
        **source
    )


def converted(gguf: Path, cache: Path) -> Path:
    """The folder in `cache` with the unpacked model, made now if it is not there.

    Its name holds the file's sha256. Several processes may ask at once. Raises what
    transformers raises for a broken file, and `OSError` when the cache cannot be written.
    """
    folder = cache / f"{gguf.stem}-{_sha256(gguf)[:16]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if not folder.is_dir():
            unfinished = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            _save(*read(gguf), unfinished)
            unfinished.replace(folder)
    return folder


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
