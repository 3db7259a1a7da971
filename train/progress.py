"""How a long run shows itself: one line on stderr and a CSV of its figures."""

import csv
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

REDRAW_S = 0.5


class ProgressLine:
    """`training 1200/5200 · words 0.91 · 1.1/s · 58 min left`, redrawn in place on a terminal.

    Where stderr is a file it prints a line every half minute instead.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._started, self._drawn, self._first = time.monotonic(), 0.0, None
        self._interval_s = REDRAW_S if sys.stderr.isatty() else 30.0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn and sys.stderr.isatty():
            sys.stderr.write("\n")

    def update(self, done: int, total: int, **figures: float) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._started = done, now
        if now - self._drawn < self._interval_s and done != total:
            return
        self._drawn = now
        rate = (done - self._first) / max(now - self._started, 1e-6)
        parts = [f"{self._title} {done}/{total}", *(f"{name} {value:.3f}" for name, value in figures.items())]
        if rate > 0:
            parts += [f"{rate:.2f}/s", f"{(total - done) / rate / 60:.0f} min left"]
        start, end = ("\r\033[K", "") if sys.stderr.isatty() else ("", "\n")
        sys.stderr.write(start + " · ".join(parts) + end)
        sys.stderr.flush()


class Metrics:
    """Appends rows to a CSV; a resumed run goes on below the earlier rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, **row: float) -> None:
        self._append({name: f"{value:.6g}" for name, value in row.items()})

    def _append(self, row: Mapping[str, str]) -> None:
        is_new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
