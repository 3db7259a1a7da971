"""What all tests share: where the data is, and one engine with the real mini parts.

A test that needs `ATTUNE_DATA` or `ATTUNE_GOLDEN` is skipped where they are not set,
and fails under CI=true, so that CI can never pass by lacking data.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

AUDIO = Path(__file__).parent / "audio"


def pytest_report_header() -> str:
    import gradio
    import torch
    import transformers

    return f"torch {torch.__version__}, transformers {transformers.__version__}, gradio {gradio.__version__}"


def _folder(variable: str) -> Path:
    folder = os.environ.get(variable)
    if folder and Path(folder).is_dir():
        return Path(folder)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{variable} must name a folder under CI.")
    pytest.skip(f"{variable} is not set.")


@pytest.fixture(scope="session")
def data() -> Path:
    return _folder("ATTUNE_DATA")


@pytest.fixture(scope="session")
def golden() -> Path:
    return _folder("ATTUNE_GOLDEN")


@pytest.fixture(scope="session")
def clip() -> Callable[[str], Path]:
    """The path of a committed test recording by name."""
    return lambda name: AUDIO / name


@pytest.fixture(scope="session")
def engine():
    """The real mini engine; fetches the chat model on its first use on a machine."""
    from engine.facade import Engine

    engine = Engine.load("mini")
    # The same replies in every run: what a test asks of the mind must not depend on luck.
    engine.mind._sampling = replace(engine.mind._sampling, seed=1)
    return engine
