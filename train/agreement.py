"""How far what is heard agrees with a person's labels, before their recordings taught anything and after.

Called by `train.finetune`. Every recording is heard as the program would hear it in a talk: voice and words
together, against the earlier recordings of its speaker; after, by a head that learned from the others alone.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.baseline import VoiceBaseline
from engine.ears.feeling import FeelingHead, fold_calm
from engine.ser import Fusion
from engine.words import WordsEmotion
from train.own_recordings import Recording
from train.progress import ProgressLine

MOST_GROUPS = 50
"""Of more recordings, several are held out at a time."""


@dataclass(frozen=True, eq=False)
class Listener:
    """What turns voices into labels, but for the head."""

    fusion: Fusion
    words: WordsEmotion

    def labels(self, head: FeelingHead, recordings: Sequence[Recording]) -> list[str]:
        """What each is heard as, in that order."""
        known: dict[str, VoiceBaseline] = defaultdict(VoiceBaseline)
        labels = []
        for each in recordings:
            voice = fold_calm(np.exp(head.hear(each.voice, known[each.speaker])))
            known[each.speaker] = known[each.speaker].updated(head.own_voice(each.voice))
            words = self.words.recognize(each.text)
            labels.append(self.fusion.fuse(voice, words, speech_s=each.speech_s).label)
        return labels

    def held_out_labels(
        self, learned: Callable[[Sequence[Recording]], FeelingHead], recordings: Sequence[Recording]
    ) -> list[str]:
        """The same, each by the head `learned` from the others."""
        labels = [""] * len(recordings)
        groups = min(len(recordings), MOST_GROUPS)
        with ProgressLine("learning") as progress:
            for group in range(groups):
                others = [each for place, each in enumerate(recordings) if place % groups != group]
                heard = self.labels(learned(others), recordings)
                labels[group::groups] = heard[group::groups]
                progress.update(group + 1, groups)
        return labels


@dataclass(frozen=True)
class Agreement:
    """How many of `n` recordings are heard as they are labelled."""

    n: int
    before: int
    after: int

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, str]]) -> "Agreement":
        """The label of each, and what it was heard as before and after."""
        before, after = (sum(row[0] == row[place] for row in rows) for place in (1, 2))
        return cls(len(rows), before, after)
