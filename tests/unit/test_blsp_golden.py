"""Our BLSP-Emo gives what the published code gave: every value of the golden checkpoints."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import AttuneError, BadInput
from tests.golden.compute import compute

ATOL, LONG_PROMPT_ATOL = 1e-4, 1e-3
NOT_OURS = {"generation.beam3_utt0", "decoded.beam3_utt0", "margins", "round_margin", "prompts", "long"}
"""Beam search is not built; the others describe the golden files themselves."""


@pytest.fixture(scope="module", params=["subsampler", "cformer"])
def pair(request, golden: Path, tmp_path_factory) -> tuple[Path, Path]:
    """The golden folder, and the folder with what we computed for it."""
    out = tmp_path_factory.mktemp(request.param)
    compute(golden / request.param, out / "out.safetensors", out / "out.json")
    return golden / request.param, out


def test_tensors(pair):
    golden, out = pair
    expected, actual = load_file(golden / "expected.safetensors"), load_file(out / "out.safetensors")
    assert sorted(actual) == sorted(expected)
    for name, value in expected.items():
        atol = LONG_PROMPT_ATOL if name.startswith("long.") else ATOL
        torch.testing.assert_close(
            actual[name], value, atol=atol, rtol=0, msg=lambda report, name=name: f"{name}: {report}"
        )


def test_records(pair):
    golden, out = pair
    expected = dict(leaves(json.loads((golden / "expected.json").read_text(encoding="utf-8"))))
    actual = dict(leaves(json.loads((out / "out.json").read_text(encoding="utf-8"))))
    checked = {name for name in expected if not any(name.startswith(other) for other in NOT_OURS)}
    assert checked <= actual.keys()
    for name in checked:
        assert equal(actual[name], expected[name]), name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("inputs.json", b"{"),
        ("inputs.json", b"{}"),
        ("inputs.safetensors", b"short"),
        ("manifest.jsonl", b"[]"),
        ("preprocessor_config.json", b"{}"),
        ("generation_config.json", b'{"repetition_penalty": 0}'),
        ("audio/utt1.wav", None),
    ],
)
def test_a_damaged_directory_is_one_sentence(golden, tmp_path, name, content):
    folder = shutil.copytree(golden / "cformer", tmp_path / "damaged", copy_function=shutil.copyfile)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(BadInput, match=r"damaged|encoder takes"):
        compute(folder, tmp_path / "out.safetensors", tmp_path / "out.json")


def test_what_cannot_be_written_is_one_sentence(golden, tmp_path):
    with pytest.raises(AttuneError, match="cannot be written"):
        compute(golden / "cformer", tmp_path / "missing" / "out.safetensors", None)


def leaves(value, name: str = ""):
    """(dotted name, number, text or list of numbers) of everything inside dictionaries and lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{name}[{index}]")
    else:
        yield name, value


def equal(actual, expected) -> bool:
    if isinstance(expected, float):
        return math.isclose(actual, expected, abs_tol=ATOL, rel_tol=ATOL)
    return actual == expected
