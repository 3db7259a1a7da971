"""What a golden directory expects of training: batches, losses, gradients."""

import json
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import nn

from engine import audio
from engine.blsp_emo.adapters import AdapterOutput
from tests.golden.case import Case
from train.blsp_emo.examples import EMOTION, SEMANTIC, Batch, Framing, Group, collate, prepare, why_dropped
from train.blsp_emo.freezing import freeze
from train.blsp_emo.losses import Lesson, losses

FRAMINGS = {"stage1": SEMANTIC, "stage2": EMOTION}
ALONE = "_example0_alone"
"""What a batch of the first example only is called: `stage2_example0_alone`."""
PUBLISHED_PREFIXES = {"llm.": "qwen_model.model.", "emotion.": "hidden2emotion."}


def tensors(case: Case) -> dict[str, torch.Tensor]:
    lesson, speech = _lesson(case, "stage2", is_training=True)
    found = {
        "train.stage2.speech_logits_at_response": lesson.logits(lesson.heard.hidden[lesson.heard.is_answer]),
        "train.stage2.text_logits_at_response": lesson.logits(lesson.read.hidden[lesson.read.is_answer]),
        "emotion_logits.train": case.model.emotion_logits(speech),
    }
    if speech.alphas is not None:
        found |= {
            "adapter.train.alphas": speech.alphas,
            "adapter.train.alphas_sum": speech.alphas_sum,
            "adapter.train.embeds": speech.embeds,
            "adapter.train.mask": speech.mask,
        }
    case.model.eval()
    return {name: value.detach() for name, value in found.items()}


def record(case: Case) -> dict[str, Any]:
    stages = {stage: _batch(case, stage) for stage in FRAMINGS}
    found: dict[str, Any] = {f"batch_{stage}": _as_published(batch) for stage, batch in stages.items()}
    found["to_keep"] = {stage: _kept(case, framing) for stage, framing in FRAMINGS.items()}
    found["losses"] = {name: _loss(case, name).item() for name in case.inputs["losses"]}
    return found | {name: _gradient_norms(case, name) for name in case.inputs["grad_norms"]}


def _loss(case: Case, name: str) -> torch.Tensor:
    """`mode.batch.loss`, for example `train.stage1.response_ce+cif`."""
    mode, batch_name, loss_names = name.split(".")
    lesson, speech = _lesson(case, batch_name, is_training=mode == "train")
    return reduce(add, losses(case.model, lesson.batch, speech, loss_names.split("+")).values())


def _gradient_norms(case: Case, name: str) -> dict[str, float]:
    """`grad_norms_train_stage2_response_ce+cif`: the L2 norm of every gradient that stage 2 trains."""
    mode, stage, loss_names = name.removeprefix("grad_norms_").split("_", 2)
    freeze(case.model, lora=True)
    case.model.zero_grad(set_to_none=True)
    _loss(case, f"{mode}.{stage}.{loss_names}").backward()
    return {
        _published_name(parameter_name): parameter.grad.norm().item()
        for parameter_name, parameter in case.model.named_parameters()
        if parameter.grad is not None
    }


def _lesson(case: Case, batch_name: str, *, is_training: bool) -> tuple[Lesson, AdapterOutput]:
    stage = batch_name.removesuffix(ALONE)
    rows = [0] if batch_name.endswith(ALONE) else [0, 1, 2]
    batch = _batch(case, stage, rows)
    _set_mode(case.model, is_training=is_training)
    speech = case.model.hear(case.mel.frames[rows], case.mel.lengths[rows], batch.transcript_lengths)
    return Lesson(case.model, batch, speech), speech


def _set_mode(model: nn.Module, *, is_training: bool) -> None:
    """Training mode with all dropout off, as the golden values were made."""
    model.train(is_training)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()


def _batch(case: Case, stage: str, rows: list[int] | None = None) -> Batch:
    examples = [prepare(row, case.tokenizer, FRAMINGS[stage]) for row in _rows(case)]
    chosen = examples if rows is None else [examples[row] for row in rows]
    return collate(chosen, case.tokenizer.endoftext)


def _kept(case: Case, framing: Framing) -> list[bool]:
    return [
        why_dropped(prepare(row, case.tokenizer, framing), audio.read(case.folder / row["audio"]).duration_s)
        is None
        for row in _rows(case)
    ]


def _rows(case: Case) -> list[dict[str, Any]]:
    lines = (case.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _as_published(batch: Batch) -> dict[str, list]:
    return {
        **dict(_group_lists(batch)),
        "emotion_labels": batch.emotions.tolist(),
    }


def _group_lists(batch: Batch) -> Iterator[tuple[str, list]]:
    for name in ("start", "instruction", "audio_instruction", "input", "suffix"):
        group: Group = getattr(batch, name)
        yield f"{name}_ids", group.ids.tolist()
        yield f"{name}_mask", group.real.long().tolist()
        yield f"{name}_labels", group.labels.tolist()


def _published_name(name: str) -> str:
    for ours, theirs in PUBLISHED_PREFIXES.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name
