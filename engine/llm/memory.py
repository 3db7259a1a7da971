"""What a model has read and need not read again: its KV caches, by the tokens they hold.

Asked by `LocalMind` before every reply. The beginnings that all conversations share
are pinned; of the conversations the newest few are kept, so that a turn costs the
reading of its own words only.
"""

import copy
import threading
from dataclasses import dataclass, field

from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer

_CONVERSATIONS_KEPT = 4


@dataclass(eq=False)
class Memory:
    """Token ids that a model has read, and the keys and values it made of them. One user at a time."""

    cache: DynamicCache
    ids: list[int] = field(default_factory=list)

    def shared(self, ids: list[int]) -> int:
        """How many of `ids` need not be read again; the last one always must, for its logits."""
        most = min(len(self.ids), len(ids) - 1)
        return next((at for at in range(most) if self.ids[at] != ids[at]), most)

    def can_forget(self) -> bool:
        """Whether the newest tokens can be taken back: not where layers keep a window or a running state."""
        return all(type(layer) is DynamicLayer for layer in self.cache.layers)

    def forget_after(self, count: int) -> None:
        self.cache.crop(count - len(self.ids))
        del self.ids[count:]


class Memories:
    """All that one model remembers. Safe to use from several threads."""

    def __init__(self, config: PretrainedConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._pinned: tuple[Memory, ...] = ()
        self._conversations: tuple[Memory, ...] = ()

    def recall(self, ids: list[int]) -> Memory:
        """The memory that shares most with `ids`, cut to what they share, for the caller alone."""
        blank = Memory(DynamicCache(config=self._config))
        with self._lock:
            memory = max((blank, *self._pinned, *self._conversations), key=lambda known: known.shared(ids))
            if memory in self._pinned:
                memory = copy.deepcopy(memory)
            self._conversations = tuple(known for known in self._conversations if known is not memory)
        shared = memory.shared(ids)
        if shared == len(memory.ids):
            return memory
        if not memory.can_forget():
            return blank
        memory.forget_after(shared)
        return memory

    def keep(self, memory: Memory) -> None:
        """Give back what `recall` lent, for the conversation's next turn."""
        with self._lock:
            self._conversations = (*self._conversations, memory)[-_CONVERSATIONS_KEPT:]

    def pin(self, memory: Memory) -> None:
        """Keep for good."""
        with self._lock:
            self._pinned = (*self._pinned, memory)
