"""From a profile's ladders to working parts: what each `kind` is and how it is made.

Called once, by `Engine.load`. A new part enters here: one builder in one table.
Heavy libraries are imported by the builder that needs them, so that a rung which
is not taken costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine import weights
from engine.artifacts import Artifact
from engine.errors import PartMissing
from engine.hearing import Ears
from engine.llm import Responder
from engine.profiles import Ladder, Part, Profile
from engine.tts import Synthesizer
from engine.vad import Detector
from engine.weights import OnProgress, Sources, unwatched

Made = TypeVar("Made")


@dataclass(frozen=True)
class Notice:
    """A part that is not the best the profile names: which, and the sentence to show."""

    part: str
    message: str


@dataclass(frozen=True)
class Site:
    """What builders need to know of the place they build in."""

    profile: Profile
    sources: Sources
    on_progress: OnProgress = unwatched
    is_first_start: bool = True
    """Optional weights are looked for on the network at the first start only: a hub that does not
    answer costs 3 s, and later starts must not depend on one."""

    def fetch(self, part: Part) -> list[Path]:
        """The part's weights, in the profile's order. Raises `PartMissing`."""
        return [self._one(artifact) for artifact in part.artifacts]

    def _one(self, artifact: Artifact) -> Path:
        is_required = any(artifact in part.artifacts for part, is_last in self.profile.parts() if is_last)
        if is_required or self.is_first_start:
            return weights.fetch(artifact, self.sources, self.on_progress)
        if path := weights.locate(artifact, self.sources):
            return path
        raise PartMissing(
            f"{artifact.name} is not here; `python -m engine weights --fetch` looks for it again."
        )


Build = Callable[[Part, Site], Made]


def climb(
    job: str, ladder: Ladder, builders: Mapping[str, Build[Made]], site: Site
) -> tuple[Made | None, list[Notice]]:
    """The first rung that can be built, and why those above it could not."""
    notices = []
    for part in ladder:
        build = builders.get(part.kind)
        try:
            if build is None:
                raise PartMissing(f"This version of Attune has no {job} of kind {part.kind!r} yet.")
            return build(part, site), notices
        except PartMissing as error:
            notices.append(Notice(job, str(error)))
    return None, notices


def _silero(part: Part, site: Site) -> Detector:
    [model] = site.fetch(part)
    from engine.vad.silero import SileroDetector

    return SileroDetector(model)


def _webrtc(part: Part, site: Site) -> Detector:
    from engine.vad.webrtc import WebrtcDetector

    return WebrtcDetector()


def ears_with(detector: Detector) -> Mapping[str, Build[Ears]]:
    """Builders of ears that are asked only where `detector` finds speech."""

    def mini(part: Part, site: Site) -> Ears:
        from engine.ears.mini import MiniEars

        return MiniEars.load(site.profile.path(part.options["folder"]), detector)

    return {"mini": mini}


def _local_mind(part: Part, site: Site) -> Responder:
    [model] = site.fetch(part)
    from engine.llm.local import LocalMind

    return LocalMind.from_gguf(model, cache=site.sources.cache)


def _transformers_mind(part: Part, site: Site) -> Responder:
    from engine.llm.local import LocalMind

    return LocalMind.from_pretrained(part.repository or part.options["model"])


def _espeak(part: Part, site: Site) -> Synthesizer:
    from engine.tts.espeak import EspeakVoice

    return EspeakVoice()


def _kokoro(part: Part, site: Site) -> Synthesizer:
    from engine.tts.kokoro import KokoroVoice

    model, *voices = site.fetch(part)
    return KokoroVoice(model, voices)


def _silent(part: Part, site: Site) -> Synthesizer:
    from engine.tts.silent import SilentVoice

    return SilentVoice()


ACTIVITY: Mapping[str, Build[Detector]] = {"silero": _silero, "webrtcvad": _webrtc}
MINDS: Mapping[str, Build[Responder]] = {"local": _local_mind, "transformers": _transformers_mind}
VOICES: Mapping[str, Build[Synthesizer]] = {"espeak": _espeak, "kokoro": _kokoro, "silent": _silent}
