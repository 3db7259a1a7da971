"""A speaker's own way of sounding, learned while they talk, so that feeling is heard against it.

Some voices sound sad to ears that meet them first. Whoever owns a conversation keeps one `VoiceBaseline`,
passes it to `Engine.hear`, and after the turn takes in what `Heard` carries (`engine.facade.remember_voice`):
unlabelled, and from earlier turns only. `engine.ears.feeling` hears against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import BadInput
from engine.sketch import Manner


@dataclass(frozen=True, eq=False)
class VoiceBaseline:
    """The mean of a speaker's own voice over `count` turns, and of how high and loud they are; None before
    the first."""

    count: int = 0
    mean: np.ndarray | None = None  # (4 * width,)
    usual: Manner | None = None

    def updated(self, voice: np.ndarray, manner: Manner | None = None) -> "VoiceBaseline":
        """The baseline after one more turn, see `engine.hearing.Listened.own_voice`."""
        share = 1 / (self.count + 1)
        before = voice if self.mean is None else self.mean
        usual = self.usual.towards(manner, share) if self.usual and manner else manner or self.usual
        return VoiceBaseline(self.count + 1, before + share * (voice - before), usual)

    def to_dict(self) -> dict[str, Any]:
        """The form in an exported conversation."""
        mean = None if self.mean is None else [float(f"{value:.5g}") for value in self.mean]
        return {"turns": self.count, "mean": mean, "usual": self.usual and self.usual.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "VoiceBaseline":
        """Raises `BadInput` for anything that `to_dict` did not write."""
        try:
            count = int(values["turns"])
            mean = np.asarray(values["mean"], dtype=np.float64) if count else None
            usual = Manner.from_dict(values["usual"]) if values["usual"] is not None else None
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadInput("The voice baseline is not one that Attune exported; start a new one.") from error
        if count < 0 or (mean is not None and (mean.ndim != 1 or not np.isfinite(mean).all())):
            raise BadInput("The voice baseline is damaged; start a new one.")
        return cls(count, mean, usual)
