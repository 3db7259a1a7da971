"""The written dialogues of the data folder, line by line.

Read by the trainers of the n-gram and of words-to-emotion. The files' own splits are kept: `train` to
train, `valid` to choose and to measure.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Literal

from engine.errors import BadInput
from train.corpus import data_folder

TextSplit = Literal["train", "valid"]

CORPORA = {
    "empathetic_dialogues": "empathetic_dialogues.jsonl.gz",
    "dailydialog": "dailydialog_emotion.jsonl.gz",
    "go_emotions": "go_emotions.jsonl.gz",
    "meld": "meld_text.jsonl.gz",
    "topical_chat": "topical_chat_emotion.jsonl.gz",
}


def rows(corpus: str, split: TextSplit) -> list[dict]:
    """The conversations or single texts of one corpus, as they stand in its file."""
    path = data_folder() / "text" / CORPORA[corpus]
    if not path.is_file():
        raise BadInput(f"{path}: this file of dialogues is missing from the data folder.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["split"] == split]


def turns(corpus: str, split: TextSplit) -> Iterator[str]:
    """Every text of one corpus, whoever says it."""
    for row in rows(corpus, split):
        for turn in row.get("turns", [row]):
            yield turn["text"]
