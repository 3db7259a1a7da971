"""What the ears would know of a speaker at each clip: nothing, the earlier turns, or all of them."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.baseline import VoiceBaseline
from train.corpus import Clip

KINDS = ("none", "causal", "full")

ORDERS = 8
"""Random orders of the turns that a causal baseline is averaged over.

A power of two, so that the averages of confusion counts still add up exactly.
"""

OwnVoices = Sequence[np.ndarray | None]
"""Of every clip what it adds to its speaker's baseline, None where nobody was heard."""


def who(clip: Clip) -> tuple[str, str]:
    """Speakers are numbered anew in every corpus; empty where there is no name."""
    return (clip.corpus, clip.speaker) if clip.speaker else ("", "")


def baselines(clips: Sequence[Clip], own: OwnVoices, kind: str) -> Iterator[list[VoiceBaseline]]:
    """For every order of the turns, the baseline that each clip is heard with.

    `causal` is what the speaker's earlier turns in the list gave, `full` what all of them give. A clip
    without a speaker has none.
    """
    if kind == "none":
        yield [VoiceBaseline()] * len(clips)
    elif kind == "full":
        _, known = _listened(clips, own, range(len(clips)))
        yield [known.get(who(clip), VoiceBaseline()) for clip in clips]
    else:
        rng = np.random.default_rng(0)
        for _ in range(ORDERS):
            earlier, _ = _listened(clips, own, rng.permutation(len(clips)))
            yield earlier


def after(clips: Sequence[Clip], own: OwnVoices, turns: int) -> list[VoiceBaseline]:
    """The baseline of each clip after so many other random turns of its speaker, or all there are."""
    rng = np.random.default_rng(turns)
    turns_of: dict[tuple[str, str], list[int]] = {}
    for index, clip in enumerate(clips):
        if clip.speaker and own[index] is not None:
            turns_of.setdefault(who(clip), []).append(index)
    made = []
    for index, clip in enumerate(clips):
        others = np.array([other for other in turns_of.get(who(clip), ()) if other != index], dtype=int)
        baseline = VoiceBaseline()
        for other in rng.permutation(others)[:turns]:
            baseline = baseline.updated(own[other])
        made.append(baseline)
    return made


def _listened(
    clips: Sequence[Clip], own: OwnVoices, order: Sequence[int]
) -> tuple[list[VoiceBaseline], dict]:
    """When heard in that order: the baseline before each clip, and every speaker's in the end."""
    known: dict[tuple[str, str], VoiceBaseline] = {}
    before = [VoiceBaseline()] * len(clips)
    for index in order:
        clip = clips[index]
        before[index] = known.get(who(clip), VoiceBaseline())
        if clip.speaker and own[index] is not None:
            known[who(clip)] = before[index].updated(own[index])
    return before, known
