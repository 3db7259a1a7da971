"""`LocalMind`: any transformers chat model as a `Responder`, in this process.

Text is written token by token in a loop of our own, so that a turn can be cancelled
between any two; `engine/llm/memory.py` keeps what the model has read.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from jinja2 import TemplateError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    NoRepeatNGramLogitsProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from engine import cores
from engine.conversation import Stale, Turn, never
from engine.errors import PartMissing, reason
from engine.llm import gguf
from engine.llm.memory import Memories, Memory
from engine.llm.prompt import Message, chat_messages, felt, opening, without_system
from engine.llm.shaping import ENOUGH_WORDS, ReplyShaper

_ATTEMPTS = 3
_READ_AT_ONCE = 256
_REPEATED_TOKENS = 5
"""Runs of this many tokens from its own earlier replies are not written again: small models love to."""


@dataclass(frozen=True)
class Sampling:
    """How a reply is written. `temperature` 0 takes the likeliest token; `seed` makes replies repeatable;
    the first sentence that ends after `enough_words` is the last."""

    temperature: float = 0.2
    top_p: float = 0.9
    repetition_penalty: float = 1.05
    max_tokens: int = 120
    enough_words: int = ENOUGH_WORDS
    seed: int | None = None


SMALL = Sampling(enough_words=14)
"""For models of 135M parameters: their second sentence still fits, their third is a guess."""


class LocalMind:
    """A chat model, its tokenizer and what they remember. Safe to use from several threads."""

    listens_s = 0.0

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        sampling: Sampling = Sampling(),
    ) -> None:
        """Reads the opening of the prompt (0.7 s for 135M parameters); `PartMissing` without a template."""
        if not tokenizer.chat_template:
            raise PartMissing(
                f"{name} is not a chat model (it has no chat template); choose an instruct model."
            )
        self.name = name
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._sampling = sampling
        self._lock = threading.Lock()
        self._end_ids = _end_ids(model, tokenizer)
        self._has_system_role = self._knows_system_role()
        self._memories = Memories(model.config)
        self._openings_read: set[str | None] = set()
        self._read_opening(None)

    @classmethod
    def from_gguf(cls, path: Path, *, cache: Path, sampling: Sampling = SMALL) -> "LocalMind":
        """A chat model in a GGUF file, unpacked into `cache` the first time. Raises `PartMissing`."""
        try:
            model, tokenizer = gguf.load(path, cache)
        except Exception as error:  # of a broken file, tokenizers raises just that
            raise PartMissing(
                f"{path} cannot be read as a chat model ({reason(error)}); delete it and start again."
            ) from error
        return cls(model, tokenizer, name=path.stem, sampling=sampling)

    @classmethod
    def from_pretrained(cls, folder: Path, *, name: str, sampling: Sampling = Sampling()) -> "LocalMind":
        """Any chat model in a folder as the hub publishes them; on the GPU where there is one.

        Raises `PartMissing` when it cannot be read or does not fit.
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
            if torch.accelerator.is_available():
                model = model.to(torch.accelerator.current_accelerator())
        except Exception as error:  # of a broken file, tokenizers raises just that
            raise PartMissing(
                f"The chat model {name} could not be loaded ({reason(error)}); check its files and "
                "the memory, or choose another mind."
            ) from error
        return cls(model, tokenizer, name=name, sampling=sampling)

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        """See `Responder`. A reply of which nothing may be said is written again, differently."""
        self._read_opening(felt(conversation[-1]))
        ids = self._encode(chat_messages(conversation, self._count_tokens))
        replied = [id_ for turn in conversation if turn.role == "assistant" for id_ in self._ids(turn.text)]
        generator = torch.Generator()
        generator.seed() if self._sampling.seed is None else generator.manual_seed(self._sampling.seed)
        for _ in range(_ATTEMPTS):
            has_said = False
            for piece in self._shaped(ids, replied, generator, stale):
                has_said = True
                yield piece
            if has_said or stale():
                return
        raise PartMissing("The chat model found nothing to say to that; try it in other words.")

    def _shaped(
        self, ids: list[int], replied: list[int], generator: torch.Generator, stale: Stale
    ) -> Iterator[str]:
        shaper = ReplyShaper(self._sampling.enough_words)
        written: list[int] = []
        shaped_chars = 0
        with closing(self._tokens(ids, replied, generator, stale)) as tokens:
            for token in tokens:
                written.append(token)
                text = self._tokenizer.decode(written, clean_up_tokenization_spaces=False)
                if text.endswith("\ufffd"):  # the token ends inside a character
                    continue
                if piece := shaper.feed(text[shaped_chars:]):
                    yield piece
                shaped_chars = len(text)
                if shaper.is_done:
                    return
        if not stale() and (rest := shaper.close(is_complete=len(written) < self._sampling.max_tokens)):
            yield rest

    def _tokens(
        self, ids: list[int], replied: list[int], generator: torch.Generator, stale: Stale
    ) -> Iterator[int]:
        """The tokens after `ids`, up to the model's own end, the limit, or the moment it is stale."""
        memory = self._memories.recall(ids)
        written: list[int] = []
        try:
            unread = ids[len(memory.ids) :]
            while len(written) < self._sampling.max_tokens:
                for start in range(0, len(unread), _READ_AT_ONCE):
                    if stale():
                        return
                    logits = self._read(memory, unread[start : start + _READ_AT_ONCE])
                token = self._choose(logits, replied, written, generator)
                if token in self._end_ids:
                    return
                yield token
                written.append(token)
                unread = [token]
        finally:
            self._memories.keep(memory)

    @torch.inference_mode()
    def _read(self, memory: Memory, ids: list[int]) -> torch.Tensor:
        """Read `ids` after what `memory` holds; returns the logits `[vocabulary]` of what follows."""
        with self._lock:
            (cores.take_most if len(ids) == 1 else cores.take_all)()
            inputs = torch.tensor([ids], device=self._model.device)
            logits = self._model(inputs, cache=memory.cache, use_cache=True, logits_to_keep=1).logits
            memory.ids += ids
        return logits[0, -1].float().cpu()

    @torch.inference_mode()
    def _choose(
        self, logits: torch.Tensor, replied: list[int], written: list[int], generator: torch.Generator
    ) -> int:
        how = self._sampling
        new = torch.tensor([written], dtype=torch.long)
        scores = RepetitionPenaltyLogitsProcessor(how.repetition_penalty)(new, logits[None])
        all_replies = torch.tensor([replied + written], dtype=torch.long)
        scores = NoRepeatNGramLogitsProcessor(_REPEATED_TOKENS)(all_replies, scores)
        if not how.temperature:
            return int(scores.argmax())
        scores = TemperatureLogitsWarper(float(how.temperature))(new, scores)
        scores = TopPLogitsWarper(how.top_p)(new, scores)
        return int(torch.multinomial(scores[0].softmax(-1), 1, generator=generator))

    def _read_opening(self, emotion: str | None) -> None:
        """Read what comes before every conversation of this emotion, once."""
        if emotion in self._openings_read:
            return
        ids = self._encode(opening(emotion), is_reply_next=False)
        memory = self._memories.recall(ids)
        self._read(memory, ids[len(memory.ids) :])
        self._memories.pin(memory)
        self._openings_read.add(emotion)

    def _encode(self, messages: list[Message], *, is_reply_next: bool = True) -> list[int]:
        messages = messages if self._has_system_role else without_system(messages)
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=is_reply_next, enable_thinking=False
        )
        return self._ids(text)

    def _knows_system_role(self) -> bool:
        try:
            self._tokenizer.apply_chat_template(opening(None)[:3], tokenize=False)
        except TemplateError:
            return False
        return True

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def _count_tokens(self, text: str) -> int:
        return len(self._ids(text))


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every control token ends a reply: what a model writes after one is another role's text."""
    ends = model.generation_config.eos_token_id
    special = (id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special)
    return frozenset([*(ends if isinstance(ends, list) else [ends]), *tokenizer.all_special_ids, *special])
