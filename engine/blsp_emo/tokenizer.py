"""Text to token ids and back, for models that speak ChatML with a byte-level BPE vocabulary.

Loaded with the model, used for every prompt and reply. Qwen-7B publishes its vocabulary for the
tiktoken library; here it is converted once at start (2 s for 150,000 tokens) to a model of the
tokenizers library, which transformers brings anyway and which reads later models as they are.
"""

import base64
import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

import tokenizers
from tokenizers import Regex, models, pre_tokenizers
from transformers.convert_slow_tokenizer import bytes_to_unicode

from engine.errors import BadInput, reason

_ENDOFTEXT, _IM_START, _IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_QWEN_CONTROL_TOKENS = (_ENDOFTEXT, _IM_START, _IM_END, *(f"<|extra_{n}|>" for n in range(205)))
"""Qwen-7B's, in the order of their ids, which follow the last rank."""

_QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen-7B cuts text before it looks for tokens (its published pattern)."""

_BYTE_TO_CHARACTER = bytes_to_unicode()
_CHARACTER_TO_BYTE = {character: byte for byte, character in _BYTE_TO_CHARACTER.items()}
_NO_TOKEN = 1 << 62
"""Higher than any rank."""


class Tokenizer:
    """Immutable. `endoftext`, `im_start`, `im_end` and `newline` are ids; `size` is one more than the
    highest id, which the rows of an embedding matrix may exceed."""

    def __init__(self, words: tokenizers.Tokenizer, vocabulary: Mapping[int, bytes]) -> None:
        """`words` tokenizes text and knows no control token; `vocabulary` has both kinds.

        Raises `KeyError` when a ChatML token or the newline is missing from it.
        """
        ids = {token: id_ for id_, token in vocabulary.items()}
        self.endoftext, self.im_start, self.im_end, self.newline = (
            ids[token.encode()] for token in (_ENDOFTEXT, _IM_START, _IM_END, "\n")
        )
        self.size = max(vocabulary) + 1
        self._words = words
        self._vocabulary = vocabulary

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """From `qwen.tiktoken` in `folder`, else from `tokenizer.json`. Raises `BadInput`."""
        for name, read in (("qwen.tiktoken", cls.from_tiktoken), ("tokenizer.json", cls.from_json)):
            if (folder / name).is_file():
                return read(folder / name)
        raise BadInput(
            f"{folder}: neither qwen.tiktoken nor tokenizer.json; copy the model's tokenizer there."
        )

    @classmethod
    def from_tiktoken(cls, path: Path) -> "Tokenizer":
        """From Qwen-7B's file: a line for every token, its bytes in base64 and its rank.

        Raises `BadInput`.
        """
        try:
            lines = [line.split() for line in path.read_bytes().splitlines() if line]
            ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in lines}
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{path}: this is not a tiktoken vocabulary ({reason(error)}); fetch it again."
            ) from error
        has_all_bytes = all(bytes([byte]) in ranks for byte in range(256))
        if not has_all_bytes or sorted(ranks.values()) != list(range(len(lines))):
            raise BadInput(f"{path}: tokens of this vocabulary are missing or given twice; fetch it again.")
        control = enumerate(_QWEN_CONTROL_TOKENS, start=len(ranks))
        vocabulary = {rank: token for token, rank in ranks.items()}
        return cls(_bpe(ranks), vocabulary | {id_: token.encode() for id_, token in control})

    @classmethod
    def from_json(cls, path: Path) -> "Tokenizer":
        """From the tokenizers library's file, for example of SmolLM2 or Qwen2.5. Raises `BadInput`."""
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
            # Without them the library has no way to make a control token of what a person typed.
            control = {token["id"]: token["content"] for token in description["added_tokens"]}
            words = tokenizers.Tokenizer.from_str(json.dumps({**description, "added_tokens": []}))
            tokens = description["model"]["vocab"].items()
            vocabulary = {id_: _to_bytes(token) for token, id_ in tokens if id_ not in control}
            return cls(words, vocabulary | {id_: token.encode() for id_, token in control.items()})
        except Exception as error:  # of a broken file, tokenizers raises just that
            raise BadInput(
                f"{path}: this is not a byte-level tokenizer with ChatML tokens ({error!r}); "
                "choose a chat model that has one."
            ) from error

    def encode(self, text: str) -> list[int]:
        """Ids of `text` in normal form C. The name of a control token in it is text like any other."""
        # Half a surrogate pair (JSON may carry one) becomes U+FFFD, as in tiktoken.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self._words.encode(unicodedata.normalize("NFC", text), add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """Control tokens by their names; bytes that are no UTF-8 as U+FFFD.

        Raises `ValueError` for an id that is no token.
        """
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def token_bytes(self, id_: int) -> bytes:
        """One token, which need not end where a character ends. Raises `ValueError` if there is none."""
        try:
            return self._vocabulary[id_]
        except KeyError:
            raise ValueError(f"{id_} is no token: the ids end at {self.size - 1}.") from None


def _bpe(ranks: Mapping[bytes, int]) -> tokenizers.Tokenizer:
    """The tokenizers library's equal of tiktoken with these ranks.

    tiktoken joins neighbours whose union has the lowest rank, and takes a word that is a token
    whole (`ignore_merges`). A union can only ever arise from the one pair that is left when its
    own bytes are joined in that order, so that pair is its merge rule.
    """
    in_order = sorted(ranks, key=ranks.__getitem__)
    last_cuts = ((token, _last_cut(token, ranks)) for token in in_order if len(token) > 1)
    model = models.BPE(
        vocab={_to_text(token): rank for token, rank in ranks.items()},
        merges=[(_to_text(token[:cut]), _to_text(token[cut:])) for token, cut in last_cuts if cut],
        ignore_merges=True,
    )
    words = tokenizers.Tokenizer(model)
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return words


def _last_cut(token: bytes, ranks: Mapping[bytes, int]) -> int | None:
    """Where the last two parts meet when the bytes of `token` are joined; None if they never do."""
    starts = list(range(len(token) + 1))
    pairs = [ranks.get(token[i : i + 2], _NO_TOKEN) for i in range(len(token) - 1)]
    while len(pairs) > 1:
        lowest = min(pairs)
        if lowest == _NO_TOKEN:
            return None
        i = pairs.index(lowest)
        del pairs[i], starts[i + 1]
        if i > 0:
            pairs[i - 1] = ranks.get(token[starts[i - 1] : starts[i + 1]], _NO_TOKEN)
        if i < len(pairs):
            pairs[i] = ranks.get(token[starts[i] : starts[i + 2]], _NO_TOKEN)
    return starts[1]


def _to_text(token: bytes) -> str:
    return "".join(_BYTE_TO_CHARACTER[byte] for byte in token)


def _to_bytes(token: str) -> bytes:
    return bytes(_CHARACTER_TO_BYTE[character] for character in token)
