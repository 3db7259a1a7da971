"""Steps replayed as CUDA graphs: one launch a token instead of a thousand.

At batch 1 a step of Qwen-7B reads 15 GB, 5 ms on a fast card, and launching its kernels from Python
takes longer than that. So the steps are captured once, when the model is loaded, and replayed for
every token. Where nothing can be captured (a CPU, a driver that refuses) the same steps run plainly.
MODEL_CARD.md says what of this was measured, and on which card.
"""

import logging
from collections.abc import Sequence

import torch

from engine.blsp_emo.model import BlspEmo
from engine.blsp_emo.reading import Reading

_log = logging.getLogger(__name__)

BUCKETS = (512, 1024, 2048, 4096)
"""Attended lengths with a graph of their own, besides the longest: a short answer reads a short cache."""
_WARM_UPS = 3
"""Steps before a capture, in which libraries allocate what they must not allocate during it."""


def open_reading(model: BlspEmo, slots: int, batch: int = 1) -> Reading:
    """The fastest `Reading` for the model's device, to be used for one answer after another.

    On a GPU this captures, which takes some seconds, with the model's weights and LoRA scope as
    they are now.
    """
    if model.device.type != "cuda":
        return Reading(model, batch, slots)
    reading = ReplayedReading(model, batch, slots)
    reading.capture()
    return reading


class ReplayedReading(Reading):
    """Attends to a few fixed lengths only, so that a step of each can be captured."""

    def __init__(self, model: BlspEmo, batch: int, slots: int, buckets: Sequence[int] = BUCKETS) -> None:
        super().__init__(model, batch, slots)
        self._buckets = (*(bucket for bucket in sorted(buckets) if bucket < slots), slots)
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._logits = torch.zeros(batch, model.config.decoder.vocabulary, device=model.device)

    @torch.inference_mode()
    def capture(self) -> None:
        """Capture a step of every length. Needs a GPU; forgets what was read."""
        pool = torch.cuda.graph_pool_handle()  # one step runs at a time, so all can share their memory
        warm_up = torch.cuda.Stream()
        try:
            for bucket in self._buckets:
                self.rewind(0)
                warm_up.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(warm_up):
                    for _ in range(_WARM_UPS):
                        self._write_logits(bucket)
                torch.cuda.current_stream().wait_stream(warm_up)
                graph = torch.cuda.CUDAGraph()
                # Other threads may use the card meanwhile.
                with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
                    self._write_logits(bucket)
                self._graphs[bucket] = graph
        except RuntimeError as error:
            _log.warning("Steps cannot be captured here, answers will be slower: %s", error)
            self._graphs.clear()
        self.rewind(0)

    def _advance(self, attended: int) -> torch.Tensor:
        bucket = next(bucket for bucket in self._buckets if bucket >= attended)
        if bucket in self._graphs:
            self._graphs[bucket].replay()
        else:
            self._write_logits(bucket)
        return self._logits

    def _write_logits(self, bucket: int) -> None:
        self._logits.copy_(super()._advance(bucket))
