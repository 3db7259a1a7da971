"""Licences that a person must accept before Attune fetches what stands under them.

Asked by `engine.repositories` before a download, and only then. What was accepted, when and for
what is kept in the cache, one JSON object a line.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from engine.errors import PartMissing
from engine.weights import Sources

RECORD = "licences.jsonl"


@dataclass(frozen=True)
class Licence:
    """`name` is what a person types to accept it; `asks` sums it up, `notice` is to be passed on as it is."""

    name: str
    title: str
    asks: str
    notice: str

    @property
    def terms(self) -> str:
        return f"{self.title}: {self.asks} {self.notice}"


TONGYI_QIANWEN = Licence(
    name="tongyi-qianwen",
    title="Tongyi Qianwen LICENSE AGREEMENT of 3 August 2023",
    asks=(
        "use, copying and changes are free of charge if the agreement and its notice are passed on and "
        "changed files are marked; what the model writes must not be used to improve other large language "
        "models, and more than 100 million users a month need a licence of their own; the law is China's."
    ),
    notice=(
        "Tongyi Qianwen is licensed under the Tongyi Qianwen LICENSE AGREEMENT, Copyright (c) Alibaba Cloud. "
        "All Rights Reserved."
    ),
)

LICENCES = {licence.name: licence for licence in (TONGYI_QIANWEN,)}
"""Every licence by its name; profiles use these names."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def require(licence: Licence, artifact: str, sources: Sources, clock: Callable[[], datetime] = _now) -> None:
    """Go on only if the licence of `artifact` was accepted, now or earlier, and record it.

    Raises `PartMissing` with its terms and how to accept them.
    """
    record = sources.cache / RECORD
    try:
        lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
        accepted = {(row["licence"], row["artifact"]) for row in map(json.loads, lines)}
        if (licence.name, artifact) in accepted:
            return
        if licence.name not in sources.accepted_licences:
            raise PartMissing(
                f"{artifact} stands under the {licence.title}: {licence.asks} If you agree, start again with "
                f"--accept-licence {licence.name}, or with ATTUNE_ACCEPT_LICENCE={licence.name} set."
            )
        row = {
            "licence": licence.name,
            "title": licence.title,
            "artifact": artifact,
            "accepted_at": clock().isoformat(timespec="seconds"),
        }
        record.parent.mkdir(parents=True, exist_ok=True)
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    except (OSError, ValueError, KeyError) as error:
        raise PartMissing(
            f"That the {licence.title} was accepted cannot be kept in {record}; delete that file, or set "
            "ATTUNE_CACHE to a folder that can be written."
        ) from error
