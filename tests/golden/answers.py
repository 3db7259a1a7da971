"""What a golden directory expects of the tokenizer and of written answers."""

import re
from dataclasses import dataclass, replace
from typing import Any

import torch

from engine.blsp_emo import history
from engine.blsp_emo.generate import decoded, steps
from engine.blsp_emo.prompts import Prompt, join
from engine.blsp_emo.sampling import Sampling
from engine.blsp_emo.tokenizer import Tokenizer
from tests.golden.case import Case

NEW_TOKENS, NEW_TOKENS_OTHER_SCOPE = 32, 24
MEL_FRAMES_PER_TOKEN = 16
SHOWN_STEPS = {
    "greedy_utt0": 6,
    "greedy_batch2": 6,
    "greedy_text_only": 2,
    "greedy_utt0_scope_none": 2,
    "greedy_utt0_scope_text": 2,
    "greedy_utt0_scope_global": 2,
}
"""Of which runs the logits of the first steps are expected, and of how many."""

PROMPT_OF_UTTERANCE = {0: "a", 1: "b", 2: "c"}


@dataclass(frozen=True)
class Generated:
    ids: dict[str, list[list[int]]]
    step_logits: dict[str, torch.Tensor]


@torch.no_grad()
def generation(case: Case) -> Generated:
    """Every run that `inputs.json` names."""
    ids, logits = {}, {}
    for name in case.inputs["generation_runs"]:
        own_scope = case.model.lora_scope
        if found := re.fullmatch(r"(.*)_scope_(\w+)", name):
            case.model.lora_scope = found[2]
        written = list(steps(case.model, case.tokenizer, _prompt(case, name), _sampling(case, name)))
        case.model.lora_scope = own_scope
        newlines = torch.full_like(written[0].tokens, case.tokenizer.newline)
        ids[name] = torch.stack([newlines, *(step.tokens for step in written)], dim=1).tolist()
        if name in SHOWN_STEPS:
            first = [step.logits for step in written[: SHOWN_STEPS[name]]]
            logits[f"generation.{name}.step_logits"] = torch.stack(first, dim=1)
    return Generated(ids, logits)


def record(case: Case, generated: Generated) -> dict[str, Any]:
    tokenizer = case.tokenizer
    return {
        "tokenizer": [_tokenized(tokenizer, asked) for asked in case.inputs["tokenizer"]],
        "special_ids": {
            "endoftext": tokenizer.endoftext,
            "im_start": tokenizer.im_start,
            "im_end": tokenizer.im_end,
            "newline": tokenizer.newline,
            "n_vocab": tokenizer.size,
        },
        "mel_total_frames": case.model.config.mel_frames,
        "speech_tokens": {
            "batch3": case.hear(0, 1, 2).mask.sum(1).tolist(),
            "single": [int(case.hear(index).mask.sum()) for index in range(3)],
        },
        "own_scope": case.model.lora_scope,
        "repetition_penalty": Sampling.from_generation_config(case.folder).repetition_penalty,
        "stop_case_stop_words": case.inputs["stop_case_stop_words"],
        "generation": generated.ids,
        "decoded": {
            name: [decoded(tokenizer, row, published=True) for row in rows]
            for name, rows in generated.ids.items()
        },
        "chat": _chat(case),
    }


def _prompt(case: Case, run: str) -> Prompt:
    if run.startswith("chat_turn"):
        return _chat_prompt(case, int(run[-1]))
    suffix = case.inputs["prompts"]["suffix_for_generation"]
    if "text_only" in run:
        return case.prompt(["c"], [], suffix)
    if "same_prompt" in run:
        return case.prompt(["b"] * 3, [0, 1, 2], suffix)
    if "batch2" in run:
        return case.prompt(["a", "b"], [0, 1], suffix)
    utterance = int(re.search(r"utt(\d)", run)[1])
    return case.prompt([PROMPT_OF_UTTERANCE[utterance]], [utterance], suffix)


def _sampling(case: Case, run: str) -> Sampling:
    greedy = Sampling(temperature=0.0, repetition_penalty=1.0, max_new_tokens=NEW_TOKENS)
    if "_scope_" in run:
        return replace(greedy, max_new_tokens=NEW_TOKENS_OTHER_SCOPE)
    if run.startswith("penalty"):
        return replace(
            greedy,
            repetition_penalty=Sampling.from_generation_config(case.folder).repetition_penalty,
        )
    if run.startswith("stop"):
        return replace(greedy, stop_words=tuple(id_ for [id_] in case.inputs["stop_case_stop_words"]))
    return greedy


def _tokenized(tokenizer: Tokenizer, asked: dict[str, Any]) -> dict[str, Any]:
    text = asked["text"]
    if not asked.get("special_tokens_allowed"):
        return asked | {"ids": tokenizer.encode(text)}
    control = {tokenizer.decode([id_]): id_ for id_ in range(tokenizer.endoftext, tokenizer.size)}
    parts = re.split(f"({'|'.join(map(re.escape, control))})", text)
    ids = [[control[part]] if part in control else tokenizer.encode(part) for part in parts]
    return asked | {"ids": [id_ for part in ids for id_ in part]}


def _chat(case: Case) -> dict[str, Any]:
    """The demo's bookkeeping; its trimming, unlike ours, drops single pieces."""
    given = case.inputs["chat"]
    [system, *first], [_, *second] = (_estimated_lengths(case, turn) for turn in (1, 2))
    room = given["trim_window"] - NEW_TOKENS - second[-1]
    dropped = 0
    while dropped < len(second) - 1 and system + sum(second[dropped:-1]) > room:
        dropped += 1
    pieces = ["speech" if isinstance(piece, str) else piece for piece in given["pieces_turn2"]]
    return given | {
        "lengths": first[:-1],
        "cur_length": system + sum(first[:-1]),
        "system_length": system,
        "lengths_turn2": second[:-1],
        "cur_length_turn2": system + sum(second[:-1]),
        "trim_lengths": second[dropped:-1],
        "trim_cur_length": system + sum(second[dropped:-1]),
        "trim_pieces": [pieces[0], *pieces[1 + dropped :]],
    }


def _estimated_lengths(case: Case, turn: int) -> list[int]:
    """Of every piece in tokens; the demo takes 16 mel frames for one."""
    speech = iter((case.mel.lengths // MEL_FRAMES_PER_TOKEN).tolist())
    return [next(speech) if isinstance(piece, str) else len(piece) for piece in _given_pieces(case, turn)]


def _chat_prompt(case: Case, turn: int) -> Prompt:
    """Speech pieces are the utterances in order."""
    utterances = iter(range(len(case.mel.lengths)))
    pieces = [
        history.Spoken(case.hear(next(utterances))) if isinstance(piece, str) else piece
        for piece in _given_pieces(case, turn)
    ]
    return join([history.segment(case.model, piece) for piece in pieces], published=True)


def _given_pieces(case: Case, turn: int) -> list[list[int] | str]:
    return case.inputs["chat"]["pieces" if turn == 1 else "pieces_turn2"]
