"""Whom a run does not hear, besides the speakers that are always kept for choosing and measuring.

The key `leave_out` of the ears' recipe; what reads those ears (the voice baseline, the folds' measurements)
finds it again in their record and leaves the same out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.ears import store
from train import recipe
from train.corpus import Clip


@dataclass(frozen=True)
class LeaveOut:
    corpora: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    instead_of_split: tuple[str, ...] = ()
    """Corpora of which every speaker is heard who is not left out, test speakers too: for EmoBox's folds."""

    @classmethod
    def from_recipe(cls, values: Mapping, where: str = "leave_out") -> "LeaveOut":
        """Raises `BadInput` for a key it does not know."""
        return recipe.build(dict(values), cls, where=where)

    @classmethod
    def of_ears(cls, folder: Path) -> "LeaveOut":
        """What the ears in `folder` were trained without."""
        made_from = store.read_record(folder).get("made_from", {})
        return cls.from_recipe(made_from.get("recipe", {}).get("leave_out", {}), where=str(folder))

    def covers(self, clip: Clip) -> bool:
        return clip.corpus in self.corpora or clip.language in self.languages or clip.speaker in self.speakers

    def trains_on(self, clip: Clip) -> bool:
        return not self.covers(clip) and (clip.split == "train" or clip.corpus in self.instead_of_split)
