"""From a profile's ladders to working parts: what each `kind` is and how it is made.

Called once, by `Engine.load`. A new part enters here: one builder in one table.
Heavy libraries are imported by the builder that needs them, so that a rung which
is not taken costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine import repositories, weights
from engine.artifacts import Artifact
from engine.errors import BadInput, PartMissing
from engine.hearing import Ears
from engine.llm import Responder
from engine.profiles import Ladder, Machine, Part, Profile
from engine.tts import Synthesizer
from engine.turns import MakeEnd
from engine.turns.silence import Silence
from engine.vad import Detector
from engine.weights import OnProgress, Sources, unwatched

if TYPE_CHECKING:
    from engine.ears.mini import MiniEars

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

    def folder(self, part: Part) -> Path | None:
        """The folder of files that the part loads, if it is here: the option `folder`, or its repository's.

        Raises `PartMissing` when the profile names a folder that does not exist.
        """
        if part.repository and "folder" not in part.options:
            return repositories.locate(part.repository, self.sources)
        folder = part.path("folder")
        if not folder.is_dir():
            raise PartMissing(f"{folder}: there is no such folder; correct it in the profile.")
        return folder

    def fetch_folder(self, part: Part) -> Path:
        """The same, downloaded unless it is here. Raises `PartMissing`.

        Whoever names a profile with repositories asks for them, so they are looked for on the hub at
        every start until they are here.
        """
        return self.folder(part) or repositories.fetch(
            part.repository, self.sources, self.on_progress, part.licence
        )

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
OnLack = Callable[[Notice], None]
"""Told what a part that could be built has to do without."""


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


def offered(
    job: str, ladder: Ladder, builders: Mapping[str, Build[Made]], site: Site
) -> tuple[dict[str, Made], list[Notice]]:
    """Every rung that can be built by its kind, the best first; and why those above the first could not."""
    made, notices = {}, []
    for part in ladder:
        one, lacks = climb(job, (part,), builders, site)
        if one is not None:
            made.setdefault(part.kind, one)
        if not made:
            notices += lacks
    return made, notices


def _silero(part: Part, site: Site) -> Detector:
    [model] = site.fetch(part)
    from engine.vad.silero import SileroDetector

    return SileroDetector(model)


def _webrtc(part: Part, site: Site) -> Detector:
    from engine.vad.webrtc import WebrtcDetector

    return WebrtcDetector()


def ears_with(detector: Detector, on_lack: OnLack) -> Mapping[str, Build[Ears]]:
    """Builders of ears that are asked only where `detector` finds speech, and may lack something."""

    def mini(part: Part, site: Site) -> Ears:
        return _our_ears(part.path("folder"), site.profile.feeling, detector, on_lack)

    def faster_whisper(part: Part, site: Site) -> Ears:
        folder = site.fetch_folder(part)
        from engine.ears.faster_whisper import FasterWhisperEars

        feeling = _our_ears(part.path("feeling"), site.profile.feeling, detector, on_lack)
        choices = {name: part.options[name] for name in _WHISPER_OPTIONS & part.options.keys()}
        return FasterWhisperEars(folder, feeling, name=_name(part, folder), **choices)

    return {"mini": mini, "faster-whisper": faster_whisper}


_WHISPER_OPTIONS = {"language", "device", "compute_type"}


def _our_ears(folder: Path, own_feeling: Path | None, detector: Detector, on_lack: OnLack) -> "MiniEars":
    from engine.ears.feeling import FEELING_FILE, FeelingHead
    from engine.ears.language import LANGUAGE_FILE, LanguageDetector
    from engine.ears.mini import MiniEars
    from engine.ears.punctuation import PUNCTUATION_FILE, Punctuation

    def beside(name: str, job: str, load: Callable[[Path], Made]) -> Made | None:
        """What ears may have beside them; a damaged one costs nothing else."""
        if not (folder / name).is_file():
            return None
        try:
            return load(folder)
        except PartMissing as error:
            on_lack(Notice(job, str(error)))
            return None

    def feeling() -> FeelingHead | None:
        """The profile's own, or else the one beside the ears."""
        if own_feeling is not None:
            try:
                return FeelingHead.load(own_feeling, folder)
            except PartMissing as error:
                on_lack(Notice("feeling", str(error)))
        return beside(FEELING_FILE, "feeling", FeelingHead.load)

    return MiniEars.load(
        folder,
        detector,
        feeling=feeling(),
        language=beside(LANGUAGE_FILE, "language", LanguageDetector.load),
        punctuation=beside(PUNCTUATION_FILE, "punctuation", Punctuation.load),
    )


def _name(part: Part, folder: Path) -> str:
    """How a part that loads a folder is called on the page."""
    return part.repository or folder.name


def _local_mind(part: Part, site: Site) -> Responder:
    [model] = site.fetch(part)
    from engine.llm.local import LocalMind

    return LocalMind.from_gguf(model, cache=site.sources.cache)


def _transformers_mind(part: Part, site: Site) -> Responder:
    folder = site.fetch_folder(part)
    from engine.llm.local import LocalMind

    return LocalMind.from_pretrained(folder, name=_name(part, folder))


def _blsp_emo_mind(part: Part, site: Site) -> Responder:
    from engine.blsp_emo import needs

    folder = site.folder(part)
    try:
        size = needs.parameters(folder) if folder else needs.PUBLISHED_PARAMETERS
        precision = needs.choose_precision(size, Machine.probe(), part.options.get("precision", "auto"))
        folder = folder or _fetched(part, site, needs.describe(size))
        from engine.blsp_emo.mind import BlspEmoMind

        return BlspEmoMind.load(folder, precision)
    except BadInput as error:
        # A damaged checkpoint costs this mind, not the conversation.
        raise PartMissing(str(error)) from error


def _fetched(part: Part, site: Site, needs: str) -> Path:
    """The part's folder; where it cannot be had, what it needs is said as well."""
    try:
        return site.fetch_folder(part)
    except PartMissing as error:
        raise PartMissing(f"{needs}. {error}") from error


def _ours(part: Part, site: Site) -> MakeEnd:
    from engine.turns.ours import EndModel, Ours

    model = EndModel.load(part.path("folder"))
    return lambda: Ours(model)


def _smart_turn(part: Part, site: Site) -> MakeEnd:
    [path] = site.fetch(part)
    from engine.turns.smart_turn import SmartTurn, SmartTurnModel

    model = SmartTurnModel(path)
    return lambda: SmartTurn(model)


def _silence(part: Part, site: Site) -> MakeEnd:
    wait_s = part.option("wait_ms") / 1e3
    return lambda: Silence(wait_s)


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
ENDS: Mapping[str, Build[MakeEnd]] = {"ours": _ours, "smart-turn": _smart_turn, "silence": _silence}
MINDS: Mapping[str, Build[Responder]] = {
    "local": _local_mind,
    "transformers": _transformers_mind,
    "blsp-emo": _blsp_emo_mind,
}
VOICES: Mapping[str, Build[Synthesizer]] = {"espeak": _espeak, "kokoro": _kokoro, "silent": _silent}
