"""`LocalMind`: any transformers chat model as a `Responder`, in this process.

Text is written token by token in a loop of our own, so that a turn can be cancelled
between any two. What the model has read is kept (its KV cache): the opening of the
prompt for good, the last few conversations as long as they go on, so that a turn
costs only the reading of its own words.
"""

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)
from transformers.cache_utils import DynamicLayer
from transformers.utils import logging

from engine.conversation import Stale, Turn, never
from engine.errors import PartMissing
from engine.llm import gguf
from engine.llm.prompt import Message, chat_messages, opening, without_system
from engine.llm.shaping import ReplyShaper

_ATTEMPTS = 3
_READ_AT_ONCE = 256
_CONVERSATIONS_KEPT = 4


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 takes the likeliest; `seed` makes replies repeatable."""

    temperature: float = 0.3
    top_p: float = 0.9
    repetition_penalty: float = 1.05
    max_tokens: int = 120
    seed: int | None = None


@dataclass
class _Memory:
    """The token ids that a model has read, and what it keeps of them."""

    cache: DynamicCache
    ids: list[int] = field(default_factory=list)

    def shared(self, ids: list[int]) -> int:
        """How many tokens of `ids` need not be read again; the last one always must, for its logits."""
        pairs = zip(self.ids, ids[:-1], strict=False)
        return next(
            (at for at, (mine, new) in enumerate(pairs) if mine != new), min(len(self.ids), len(ids) - 1)
        )

    def can_forget(self) -> bool:
        """Whether the newest tokens can be taken back: not where layers keep a window or a running state."""
        return all(type(layer) is DynamicLayer for layer in self.cache.layers)

    def forget_after(self, count: int) -> None:
        self.cache.crop(count - len(self.ids))
        del self.ids[count:]


class LocalMind:
    """A chat model, its tokenizer and what they remember. Safe to use from several threads."""

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
        self._memories: list[_Memory] = []
        self._opening = self._blank()
        self._read(self._opening, self._encode(opening(), is_reply_next=False))

    @classmethod
    def from_gguf(cls, path: Path, *, cache: Path, sampling: Sampling = Sampling()) -> "LocalMind":
        """A chat model in a GGUF file, unpacked into `cache` the first time. Raises `PartMissing`."""
        try:
            with _no_progress_bars():
                model, tokenizer = _load_gguf(path, cache)
        except Exception as error:  # of a broken file, tokenizers raises just that
            raise PartMissing(
                f"{path} cannot be read as a chat model ({_short(error)}); delete it and start again."
            ) from error
        return cls(model, tokenizer, name=path.stem, sampling=sampling)

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, *, sampling: Sampling = Sampling()) -> "LocalMind":
        """Any chat model of the hub, of its cache, or in a folder; on the GPU where there is one.

        Raises `PartMissing` when it cannot be had or does not fit.
        """
        try:
            model, tokenizer = _load(name_or_path)
            if torch.accelerator.is_available():
                model = model.to(torch.accelerator.current_accelerator())
        except Exception as error:  # of a broken file, tokenizers raises just that
            raise PartMissing(
                f"The chat model {name_or_path} could not be loaded ({_short(error)}); check its name, the "
                "network and the memory, or choose another mind."
            ) from error
        return cls(model, tokenizer, name=str(name_or_path), sampling=sampling)

    def reply(self, conversation: Sequence[Turn], stale: Stale = never) -> Iterator[str]:
        """See `Responder`. A reply of which nothing may be said is written again, differently."""
        ids = self._encode(chat_messages(conversation, self._count_tokens))
        generator = torch.Generator()
        generator.seed() if self._sampling.seed is None else generator.manual_seed(self._sampling.seed)
        for _ in range(_ATTEMPTS):
            has_said = False
            for piece in self._shaped(ids, generator, stale):
                has_said = True
                yield piece
            if has_said or stale():
                return
        raise PartMissing("The chat model found nothing to say to that; try it in other words.")

    def _shaped(self, ids: list[int], generator: torch.Generator, stale: Stale) -> Iterator[str]:
        shaper = ReplyShaper()
        written: list[int] = []
        shaped_chars = 0
        with closing(self._tokens(ids, generator, stale)) as tokens:
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

    def _tokens(self, ids: list[int], generator: torch.Generator, stale: Stale) -> Iterator[int]:
        """The tokens after `ids`, up to the model's own end, the limit, or the moment it is stale."""
        memory = self._recall(ids)
        written: list[int] = []
        try:
            unread = ids[len(memory.ids) :]
            while len(written) < self._sampling.max_tokens:
                for start in range(0, len(unread), _READ_AT_ONCE):
                    if stale():
                        return
                    logits = self._read(memory, unread[start : start + _READ_AT_ONCE])
                token = self._choose(logits, written, generator)
                if token in self._end_ids:
                    return
                yield token
                written.append(token)
                unread = [token]
        finally:
            self._keep(memory)

    @torch.inference_mode()
    def _read(self, memory: _Memory, ids: list[int]) -> torch.Tensor:
        """Read `ids` after what `memory` holds; returns the logits `[vocabulary]` of what follows."""
        with self._lock:
            inputs = torch.tensor([ids], device=self._model.device)
            logits = self._model(inputs, cache=memory.cache, use_cache=True, logits_to_keep=1).logits
            memory.ids += ids
        return logits[0, -1].float().cpu()

    @torch.inference_mode()
    def _choose(self, logits: torch.Tensor, written: list[int], generator: torch.Generator) -> int:
        how = self._sampling
        steps = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(how.repetition_penalty)])
        if how.temperature:
            steps += [TemperatureLogitsWarper(float(how.temperature)), TopPLogitsWarper(how.top_p)]
        scores = steps(torch.tensor([written], dtype=torch.long), logits[None])[0]
        if not how.temperature:
            return int(scores.argmax())
        return int(torch.multinomial(scores.softmax(-1), 1, generator=generator))

    def _recall(self, ids: list[int]) -> _Memory:
        """The memory that shares most with `ids`, cut to what they share; a conversation's is taken out."""
        with self._lock:
            memory = max(self._memories, key=lambda known: known.shared(ids), default=self._opening)
            if memory.shared(ids) > self._opening.shared(ids):
                self._memories.remove(memory)
            else:
                memory = copy.deepcopy(self._opening)
        shared = memory.shared(ids)
        if shared < len(memory.ids):
            if not memory.can_forget():
                return self._blank()
            memory.forget_after(shared)
        return memory

    def _keep(self, memory: _Memory) -> None:
        with self._lock:
            self._memories = [*self._memories, memory][-_CONVERSATIONS_KEPT:]

    def _blank(self) -> _Memory:
        return _Memory(DynamicCache(config=self._model.config))

    def _encode(self, messages: list[Message], *, is_reply_next: bool = True) -> list[int]:
        messages = messages if self._has_system_role else without_system(messages)
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=is_reply_next, enable_thinking=False
        )
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def _knows_system_role(self) -> bool:
        try:
            self._tokenizer.apply_chat_template(opening()[:3], tokenize=False)
        except TemplateError:
            return False
        return True

    def _count_tokens(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _load_gguf(path: Path, cache: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        return _load(gguf.converted(path, cache))
    except (OSError, SafetensorError):
        # No room for the unpacked copy, or it is damaged: slower at every start, but it answers.
        return gguf.read(path)


def _load(name_or_path: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    source = {"pretrained_model_name_or_path": name_or_path, "local_files_only": Path(name_or_path).is_dir()}
    return AutoModelForCausalLM.from_pretrained(**source, dtype="auto"), AutoTokenizer.from_pretrained(
        **source
    )


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    were_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if were_on:
            logging.enable_progress_bar()


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every control token ends a reply: what a model writes after one is another role's text."""
    ends = model.generation_config.eos_token_id
    special = (id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special)
    return frozenset([*(ends if isinstance(ends, list) else [ends]), *tokenizer.all_special_ids, *special])


def _short(error: Exception) -> str:
    first_line = str(error).strip().split("\n")[0]
    return first_line[:120] or type(error).__name__
