"""A golden directory as an implementation may see it: checkpoint, audio and `inputs.*`, nothing else."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine import audio
from engine.blsp_emo import checkpoint
from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.features import Mel, MelExtractor
from engine.blsp_emo.history import segment
from engine.blsp_emo.prompts import Prompt, Segment, join
from engine.blsp_emo.tokenizer import Tokenizer
from engine.errors import BadInput, reason


class Case:
    """The model in float32 with the published treatment of padding, and what it is asked."""

    def __init__(self, folder: Path) -> None:
        """Raises `BadInput` when `folder` is not a golden directory."""
        for name in ("inputs.json", "inputs.safetensors", "manifest.jsonl"):
            if not (folder / name).is_file():
                raise BadInput(f"{folder}: no {name}, so this is not a golden directory.")
        self.folder = folder
        try:
            self.inputs = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
            self.given = load_file(folder / "inputs.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise BadInput(
                f"{folder}: inputs.* cannot be read ({reason(error)}); copy them again."
            ) from error
        self.tokenizer = Tokenizer.load(folder)
        self.model = checkpoint.load(folder, dtype=torch.float32).eval()
        self.model.published_padding = True

    @cached_property
    def mel(self) -> Mel:
        paths = sorted((self.folder / "audio").glob("*.wav"))
        return MelExtractor.read(self.folder)([audio.read(path) for path in paths])

    def hear(self, *utterances: int) -> AdapterOutput:
        rows = list(utterances)
        return self.model.hear(self.mel.frames[rows], self.mel.lengths[rows])

    def prompt(self, names: Sequence[str], utterances: Sequence[int], suffix: list[int]) -> Prompt:
        """Named prompts with an utterance each (none: text only), as the published code batches them."""
        prefixes = [self.inputs["prompts"][name] for name in names]
        segments = [self._left_padded(prefixes)]
        if utterances:
            speech = self.hear(*utterances)
            segments.append(Segment(speech.embeds, speech.mask, is_speech=True))
        segments.append(self._left_padded([suffix] * len(prefixes)))
        return join(segments, published=True)

    def _left_padded(self, rows: list[list[int]]) -> Segment:
        longest = max(map(len, rows))
        parts = [segment(self.model, [self.tokenizer.endoftext] * (longest - len(row)) + row) for row in rows]
        real = [torch.arange(longest) >= longest - len(row) for row in rows]
        return Segment(torch.cat([part.embeds for part in parts]), torch.stack(real))
