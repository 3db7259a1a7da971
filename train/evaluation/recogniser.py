"""From how a voice sounds to a feeling, as the program does it: baseline, fusion, doubt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.baseline import VoiceBaseline
from engine.ears.feeling import HEAD_EMOTIONS, FeelingHead, fold_calm
from engine.ser import Fusion
from train.corpus import Clip
from train.evaluation import speakers
from train.evaluation.emotion_report import Guesses, report
from train.evaluation.protocols import Protocol
from train.voices import Voice

FUSION_FILE = "fusion.json"
TURNS = (0, 1, 2, 3, 5, 10, 20)
"""Earlier turns after which a causal report also gives the UA."""

EVEN = np.full(len(HEAD_EMOTIONS), 1 / len(HEAD_EMOTIONS))

Heard = Sequence[tuple[Clip, Voice]]
Said = Sequence[Mapping[str, float] | None]
"""What the words of each clip feel like."""


@dataclass(frozen=True, eq=False)
class Recogniser:
    """What the ears make of voices."""

    head: FeelingHead
    fusion: Fusion

    @classmethod
    def load(cls, folder: Path) -> "Recogniser":
        """Of the ears in `folder`. Raises `BadInput` or `PartMissing` when something is not there."""
        return cls(FeelingHead.load(folder), Fusion.load(folder / FUSION_FILE))

    def measure(self, heard: Heard, protocol: Protocol, kind: str, said: Said | None = None) -> dict:
        """The keys of `evaluate ser` with a baseline of that kind; causal also gives `ua_after_turns`."""
        figures = report(Guesses.of(self.guess_all(heard, protocol, kind, said), heard, protocol))
        if kind == "causal":
            figures["ua_after_turns"] = {
                str(turns): self.report_after(turns, heard, protocol, said)["ua"] for turns in TURNS
            }
        return figures

    def report_after(self, turns: int, heard: Heard, protocol: Protocol, said: Said | None = None) -> dict:
        """The report where every clip has so many earlier turns of its speaker, as far as there are any."""
        known = speakers.after([clip for clip, _ in heard], self._own_voices(heard), turns)
        return report(Guesses.of([self.guess(heard, known, protocol, said)], heard, protocol))

    def guess_all(
        self, heard: Heard, protocol: Protocol, kind: str, said: Said | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """`guess` for every order of the turns that a baseline of that kind is averaged over."""
        clips = [clip for clip, _ in heard]
        for known in speakers.baselines(clips, self._own_voices(heard), kind):
            yield self.guess(heard, known, protocol, said)

    def guess(
        self, heard: Heard, known: Sequence[VoiceBaseline], protocol: Protocol, said: Said | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, labels) probabilities and (n,) abstentions; what nobody hears is an even guess."""
        heads = [self.hear(voice, baseline) for (_, voice), baseline in zip(heard, known, strict=True)]
        fused = [
            self.fusion.fuse(None if head is None else fold_calm(head), words, speech_s=voice.speech_s)
            for (_, voice), head, words in zip(heard, heads, said or [None] * len(heard), strict=True)
        ]
        abstained = np.array([emotion.abstained for emotion in fused])
        if said:
            return np.array([[e.scores[label] for label in protocol.labels] for e in fused]), abstained
        return protocol.columns(np.array([EVEN if head is None else head for head in heads])), abstained

    def hear(self, voice: Voice, baseline: VoiceBaseline = VoiceBaseline()) -> np.ndarray | None:
        """(8,) probabilities of the voice alone, None where nobody spoke."""
        return None if voice.vector is None else np.exp(self.head.hear(voice.vector, baseline))

    def _own_voices(self, heard: Heard) -> speakers.OwnVoices:
        return [None if voice.vector is None else self.head.own_voice(voice.vector) for _, voice in heard]
