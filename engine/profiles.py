"""Profiles: which part does each job, written in YAML, and which profile suits this machine.

Read once at start. `Engine.load` builds the parts by their `kind`; `engine.weights`
fetches what they need. Every job has a ladder of parts: the first that can be had is
used, so a missing download costs quality and never the conversation.
"""

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from engine.artifacts import ARTIFACTS, Artifact
from engine.errors import BadInput
from engine.licences import LICENCES, Licence

BUILT_IN = Path(__file__).parent.parent / "assets" / "profiles"
AUTO = "auto"

AUTO_ORDER = ("blsp-emo-7b", "standard", "mini")
"""What `auto` tries, best first; the last one is taken whatever the machine."""


@dataclass(frozen=True)
class Part:
    """One rung of a ladder. `options` are what its builder understands, as written in the profile."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    """The weights it cannot do without, the principal one first."""
    repository: str | None = None
    """The hub repository whose folder it loads, where that is how it works."""
    licence: Licence | None = None
    """What a person must accept before that repository is downloaded."""
    written_in: Path = field(default=Path(), repr=False, compare=False)
    """The folder of the profile that it stands in."""

    def option(self, name: str) -> Any:
        """An option that the part cannot do without. Raises `BadInput`."""
        if name not in self.options:
            raise BadInput(f"The part of kind {self.kind} lacks {name} in the profile.")
        return self.options[name]

    def path(self, name: str) -> Path:
        """An option that is a path: relative to the folder of the profile. Raises `BadInput`."""
        return (self.written_in / self.option(name)).resolve()


Ladder = tuple[Part, ...]

_PART_KEYS = {"kind", "weights", "repository", "licence"}
"""What every part may be written with; other keys are its options."""


@dataclass(frozen=True)
class Turns:
    """How speech is found (`activity`) and when a turn is over (`end`)."""

    activity: Ladder
    end: Ladder


@dataclass(frozen=True)
class Needs:
    """The memory a machine must have before `auto` chooses the profile."""

    memory_gb: float = 0
    gpu_memory_gb: float = 0

    def __str__(self) -> str:
        gpu = f" and a GPU with {self.gpu_memory_gb:g} GB" if self.gpu_memory_gb else ""
        return f"{self.memory_gb:g} GB of memory{gpu}"


@dataclass(frozen=True)
class Profile:
    name: str
    ears: Ladder
    mind: Ladder
    voice: Ladder
    turns: Turns
    needs: Needs = Needs()
    feeling: Path | None = None
    """A folder with the head that hears feeling, in place of the one that lies beside our ears."""

    def parts(self) -> Iterator[tuple[Part, bool]]:
        """Every part, and whether it is the last rung, so that its weights are required."""
        for ladder in (self.ears, self.mind, self.voice, self.turns.activity, self.turns.end):
            for part in ladder:
                yield part, part is ladder[-1]


def known_profiles() -> tuple[str, ...]:
    return (AUTO, *sorted(path.stem for path in BUILT_IN.glob("*.yaml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """A built-in profile by name, a YAML file, or a folder that holds `profile.yaml`.

    Raises `BadInput` with one sentence when there is none or it is written wrongly.
    """
    given = Path(name_or_path).expanduser()
    candidates = (BUILT_IN / f"{name_or_path}.yaml", given / "profile.yaml", given)
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise BadInput(
            f"There is no profile {str(name_or_path)!r}: use {', '.join(known_profiles())}, "
            "or the path of a profile.yaml or of its folder."
        )
    try:
        return _parse(path, yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInput(f"{path}: this is not YAML ({error.problem}{line}).") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: the profile cannot be read ({type(error).__name__}).") from error
    except _Malformed as error:
        raise BadInput(f"{path}: {error}; compare it with {BUILT_IN / 'mini.yaml'}.") from error


class _Malformed(Exception):
    """What is wrong in a profile; `load_profile` adds where."""


def _parse(path: Path, written: Any) -> Profile:
    base = _extended(written["extends"]) if isinstance(written, dict) and "extends" in written else None
    jobs, folder = {"ears", "mind", "voice", "turns"}, path.parent
    required = frozenset() if base else jobs
    keys = _mapping(
        written, "the profile", required=required, optional={*jobs, "extends", "feeling", "needs"}
    )
    made: dict[str, Any] = {job: _ladder(keys[job], job, folder) for job in keys.keys() & jobs - {"turns"}}
    if "turns" in keys:
        made["turns"] = _turns(keys["turns"], folder)
    if "needs" in keys:
        made["needs"] = _needs(keys["needs"])
    if "feeling" in keys:
        made["feeling"] = (folder / str(keys["feeling"])).resolve()
    made["name"] = folder.name if path.name == "profile.yaml" else path.stem
    return replace(base, **made) if base else Profile(**made)


def _extended(name: Any) -> Profile:
    """A built-in profile, and no other: so that no chain of them can be a ring."""
    if name not in known_profiles()[1:]:
        raise _Malformed(f"it extends the unknown profile {name}")
    return load_profile(BUILT_IN / f"{name}.yaml")


def _turns(written: Any, folder: Path) -> Turns:
    turns = _mapping(written, "turns", required={"activity", "end"})
    return Turns(**{job: _ladder(rungs, f"turns.{job}", folder) for job, rungs in turns.items()})


def _needs(written: Any) -> Needs:
    needs = _mapping(written, "needs", optional={"memory_gb", "gpu_memory_gb"})
    if not all(isinstance(gb, int | float) for gb in needs.values()):
        raise _Malformed("needs must be numbers of gigabytes")
    return Needs(**needs)


def _mapping(
    written: Any, where: str, *, required: Set[str] = frozenset(), optional: Set[str] = frozenset()
) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise _Malformed(f"{where} must be a mapping")
    if lacking := sorted(required - written.keys()):
        raise _Malformed(f"{where} lacks {', '.join(lacking)}")
    if unknown := sorted(map(str, written.keys() - required - optional)):
        raise _Malformed(f"{where} has the unknown key {', '.join(unknown)}")
    return written


def _ladder(written: Any, where: str, folder: Path) -> Ladder:
    rungs = written if isinstance(written, list) else [written]
    if not rungs:
        raise _Malformed(f"{where} is empty")
    return tuple(_part(rung, where, folder) for rung in rungs)


def _part(written: Any, where: str, folder: Path) -> Part:
    if not isinstance(written, dict) or not isinstance(written.get("kind"), str):
        raise _Malformed(f"each entry of {where} must be a mapping with a kind")
    options = {name: value for name, value in written.items() if name not in _PART_KEYS}
    licence = written.get("licence")
    if licence not in {None, *LICENCES}:
        raise _Malformed(f"{where} stands under the unknown licence {licence}")
    return Part(
        written["kind"],
        options,
        artifacts=_artifacts(written.get("weights", []), where),
        repository=written.get("repository"),
        licence=LICENCES.get(licence),
        written_in=folder,
    )


def _artifacts(patterns: str | list[str], where: str) -> tuple[Artifact, ...]:
    found: list[Artifact] = []
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        names = fnmatch.filter(ARTIFACTS, str(pattern))
        if not names:
            raise _Malformed(f"{where} asks for the unknown weights {pattern}")
        found += (ARTIFACTS[name] for name in names)
    return tuple(found)


@dataclass(frozen=True)
class Machine:
    """What `auto` looks at. A `gpu_memory_gb` of 0 means that there is no GPU."""

    memory_gb: float
    gpu_name: str = ""
    gpu_memory_gb: float = 0

    @classmethod
    def probe(cls) -> "Machine":
        import psutil
        import torch

        memory_gb = psutil.virtual_memory().total / 1e9
        if torch.cuda.is_available():
            gpu = torch.cuda.get_device_properties(0)
            return cls(memory_gb, gpu.name, gpu.total_memory / 1e9)
        if torch.backends.mps.is_available():
            # Apple's GPU shares the main memory; macOS lets it have about two thirds.
            return cls(memory_gb, "Apple GPU", memory_gb * 2 / 3)
        return cls(memory_gb)


@dataclass(frozen=True)
class Choice:
    """The profile chosen, and one sentence for the page and the terminal that says why."""

    profile: Profile
    reason: str


AtHand = Callable[[Part], bool]
"""Whether the weights of a part are on this machine already."""


def select_profile(name: str | None, environment: Mapping[str, str], at_hand: AtHand) -> Choice:
    """The profile of the flag `--profile`, else of the environment's PROFILE, else the one that suits."""
    asked = name or environment.get("PROFILE") or AUTO
    if asked != AUTO:
        profile = load_profile(asked)
        return Choice(profile, f"Profile {profile.name}, as asked.")
    return choose_profile(Machine.probe(), at_hand, [load_profile(name) for name in AUTO_ORDER])


def choose_profile(machine: Machine, at_hand: AtHand, candidates: Sequence[Profile]) -> Choice:
    """The first candidate that the machine can run with what is at hand; the last one in any case.

    Of the weights those of ears and mind decide: they are the large downloads, which must not begin unasked.
    """
    *better, last = candidates
    obstacles = []
    for profile in better:
        obstacle = _too_small(machine, profile)
        if obstacle is None and not (at_hand(profile.ears[0]) and at_hand(profile.mind[0])):
            obstacle = (
                f"{profile.name} would run here but is not downloaded (--profile {profile.name} does it)"
            )
        if obstacle is None:
            return Choice(
                profile, f"Profile {profile.name}: this machine is up to it and its weights are at hand."
            )
        obstacles.append(obstacle)
    if obstacle := _too_small(machine, last):
        obstacles.append(f"but {obstacle}")
    return Choice(last, f"Profile {last.name}: {'; '.join(obstacles) or 'the only choice'}.")


def _too_small(machine: Machine, profile: Profile) -> str | None:
    needs = profile.needs
    if machine.gpu_memory_gb < needs.gpu_memory_gb:
        has = (
            f"{machine.gpu_name} has {machine.gpu_memory_gb:.0f} GB" if machine.gpu_name else "there is none"
        )
        return f"{profile.name} needs a GPU with {needs.gpu_memory_gb:g} GB and {has}"
    if machine.memory_gb < needs.memory_gb:
        return (
            f"{profile.name} needs {needs.memory_gb:g} GB of memory and there are {machine.memory_gb:.1f} GB"
        )
    return None
